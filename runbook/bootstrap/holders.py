"""Who holds the shares of Vault's key, and how each gets his own.

Owns holders' public keys, the encryption of shares to age keys, and the files in which shares leave the command. To PGP keys
Vault encrypts by itself, so that no one but the holder ever has such a share in clear.

Dangerous edges:
- A share that is lost between Vault's answer and the disk is lost for good. So a file of the same kind is written, flushed
  and removed before anything is initialised, and what Vault answers is written before anything else is done with it.
- A file is never overwritten: it may be the only copy of a share.
- A file that holds a private key as well is refused. Whoever gave it would have to hand out his key.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyrage
import pysequoia

from runbook.errors import RunbookError

_SUFFIX = {"pgp": "asc", "age": "age"}
_PROBE = 64 * 1024


@dataclass(frozen=True)
class Holder:
    """One person's public key.

    Attributes:
        fingerprint: PGP's, or the first 16 digits of the SHA-256 of an age recipient.
        key: PGP's as Vault takes it (base64 of the binary key), or the age recipient.
    """

    kind: Literal["pgp", "age"]
    fingerprint: str
    key: str


@dataclass(frozen=True)
class Ceremony:
    """How a Vault cluster's key is cut up, and where the parts go."""

    holders: tuple[Holder, ...]
    threshold: int
    folder: Path

    @property
    def kind(self) -> str:
        """Of every holder's key."""
        return self.holders[0].kind

    def file(self, cluster: str, number: int) -> Path:
        """Where a holder's share of a cluster goes; holders count from 1."""
        holder = self.holders[number - 1]
        return self.folder / f"{cluster}-{number}-{holder.fingerprint}.{_SUFFIX[holder.kind]}"

    def taken(self, cluster: str) -> list[Path]:
        """Files that are there already."""
        return [file for file in self._files(cluster) if file.exists() or file.is_symlink()]

    def hand_over(self, cluster: str, shares: Sequence[str]) -> list[Path]:
        """Write every holder's share, so that it stays.

        Args:
            cluster: its name.
            shares: in the order of holders: base64 of Vault's PGP message, or the share in clear for an age key.

        Raises:
            OSError: a file cannot be written, or is there already.
        """
        files = list(self._files(cluster))
        for holder, share, file in zip(self.holders, shares, files, strict=True):
            _write(file, _sealed(holder, share))
        _flush(self.folder)
        return files

    def _files(self, cluster: str) -> list[Path]:
        return [self.file(cluster, number) for number, _ in enumerate(self.holders, 1)]


@dataclass(frozen=True)
class Plain:
    """Shares in clear, for as long as the command needs them."""

    shares: tuple[str, ...] = field(repr=False)


def ceremony(files: Sequence[Path], shares: int, threshold: int, folder: Path | None) -> Ceremony | None:
    """Who gets the shares; None if nobody is named.

    Raises:
        RunbookError: holders do not fit the shares, a key is no good, or the folder cannot take the files.
    """
    if not files and folder is None:
        return None
    if not files or folder is None:
        raise RunbookError(
            "Holders of shares and the folder for their files go together; one of them is missing.",
            "Name every holder's public key by --holder and a folder by --shares-to.",
        )
    if len(files) != shares:
        raise RunbookError(
            f"There are {len(files)} holders for {shares} shares. A share without a holder would lie about in clear, and "
            "one who holds two counts twice.",
            f"Give --holder {shares} times, or set --shares.",
        )
    if not 1 <= threshold <= shares or (shares > 1 and threshold == 1):
        raise RunbookError(
            f"A threshold of {threshold} with {shares} shares makes no sense: one person alone, or not all together, could "
            "act.",
            "Take a threshold of at least 2 and at most the number of shares.",
        )
    holders = tuple(map(read, files))
    if len({holder.kind for holder in holders}) > 1:
        raise RunbookError(
            "Some holders have PGP keys and some age keys. Vault encrypts all shares or none.", "Use one kind for all."
        )
    if len({holder.fingerprint for holder in holders}) != len(holders):
        raise RunbookError("Two holders have the same key, so one person would hold two shares.", "Give each key once.")
    _probe(folder)
    return Ceremony(holders, threshold, folder)


def read(file: Path) -> Holder:
    """A holder's public key.

    Raises:
        RunbookError: the file holds none that can be used.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RunbookError(f"{file} cannot be read: {error.strerror}.", "Name the file of a public key.") from None
    if (text := content.strip()).startswith(b"age1"):
        return _age(file, text.decode(errors="replace"))
    return _pgp(file, content)


def _age(file: Path, recipient: str) -> Holder:
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise RunbookError(
            f"{file} holds no age recipient, so nobody could open the share.",
            "Write one `age1…` in it, and nothing else.",
        ) from None
    return Holder("age", hashlib.sha256(recipient.encode()).hexdigest()[:16], recipient)


def _pgp(file: Path, content: bytes) -> Holder:
    if b"PRIVATE KEY" in content or b"AGE-SECRET-KEY" in content or _secret(content):
        raise RunbookError(
            f"{file} holds a private key, which nobody but its holder may have.",
            "Take the public half: gpg --armor --export <fingerprint>, or age-keygen -y; the private one counts as known.",
        )
    try:
        key = pysequoia.Cert.from_bytes(content)
        packed, fingerprint, ends = bytes(key), key.fingerprint, key.expiration
        unfit = key.is_revoked or (ends is not None and ends < dt.datetime.now(dt.UTC))
        # What cannot be encrypted to would be found out by Vault after everything else was touched.
        pysequoia.encrypt(b"", [key])
    except Exception:  # noqa: BLE001 - the library raises its own errors without a common class
        raise RunbookError(
            f"{file} holds no public key that a share can be encrypted to.",
            "Give one key a file: gpg --armor --export <fingerprint>, or an age recipient.",
        ) from None
    if unfit:
        raise RunbookError(
            f"The key in {file} has ended or was revoked; its holder may not have it any more.", "Ask for a new one."
        )
    return Holder("pgp", fingerprint, base64.b64encode(packed).decode())


def _secret(content: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return pysequoia.Cert.from_bytes(content).has_secret_keys
    except Exception:  # noqa: BLE001 - not even a public key
        return False


def _sealed(holder: Holder, share: str) -> bytes:
    if holder.kind == "pgp":
        return pysequoia.armor(base64.b64decode(share), pysequoia.ArmorKind.Message).encode()
    recipient = pyrage.x25519.Recipient.from_str(holder.key)
    return pyrage.encrypt(share.encode(), [recipient], armored=True)


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _probe(folder: Path) -> None:
    """Show that the folder takes files."""
    file = folder / f".probe-{os.getpid()}"
    try:
        _write(file, bytes(_PROBE))
        _flush(folder)
    except OSError as error:
        raise RunbookError(
            f"{folder} takes no files ({error.strerror}), and a share that is not written is lost for good.",
            "Name an existing folder with room in it.",
        ) from None
    finally:
        file.unlink(missing_ok=True)
