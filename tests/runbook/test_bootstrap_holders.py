"""Who gets a share, and how: nothing in clear, nothing twice, nothing overwritten."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from runbook.bootstrap.holders import Ceremony, ceremony, read
from runbook.errors import RunbookError
from tests.rendered.tools import system

SHARE = "0f" * 33


class Gpg:
    """A key ring of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._command = [str(system("gpg", "gnupg")), "--homedir", str(home), "--batch", "--quiet"]
        self._command += ["--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", ""]

    def __call__(self, *words: str, given: bytes | None = None) -> bytes:
        return subprocess.run([*self._command, *words], input=given, check=True, capture_output=True).stdout

    def key(self, name: str, ends: str = "1d") -> str:
        """A new key that can be encrypted to; its fingerprint."""
        self("--quick-generate-key", name, "ed25519", "sign", ends)
        listed = self("--with-colons", "--list-keys", name).decode()
        found = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        self("--quick-add-key", found, "cv25519", "encrypt", ends)
        return found


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    home = tmp_path_factory.mktemp("ring") / "home"
    yield Gpg(home)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)


def age(folder: Path, number: int) -> tuple[Path, pyrage.x25519.Identity]:
    identity = pyrage.x25519.Identity.generate()
    file = folder / f"{number}.txt"
    file.write_text(f"{identity.to_public()}\n")
    return file, identity


def people(folder: Path, count: int = 3) -> Ceremony:
    made = ceremony([age(folder, number)[0] for number in range(count)], count, 2, folder)
    assert made
    return made


def test_an_age_share_is_opened_by_its_holder_and_by_nobody_else(tmp_path: Path) -> None:
    files = [age(tmp_path, number) for number in (1, 2)]
    made = ceremony([file for file, _ in files], 2, 2, tmp_path)
    assert made
    written = made.hand_over("vault-aws", [SHARE, SHARE[::-1]])
    assert [file.name for file in written] == [
        f"vault-aws-{number}-{holder.fingerprint}.age" for number, holder in enumerate(made.holders, 1)
    ]
    assert written[0].read_bytes().startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    assert pyrage.decrypt(written[0].read_bytes(), [files[0][1]]).decode() == SHARE
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(written[1].read_bytes(), [files[0][1]])


@pytest.mark.parametrize("form", ["armored", "binary"])
def test_a_pgp_message_is_opened_by_gpg(tmp_path: Path, gpg: Gpg, form: str) -> None:
    fingerprint = gpg.key(f"{form}@example.com")
    file = tmp_path / "key"
    file.write_bytes(gpg(*(["--armor"] if form == "armored" else []), "--export", fingerprint))
    made = ceremony([file], 1, 1, tmp_path)
    assert made
    assert made.holders[0].fingerprint == fingerprint.lower()
    message = gpg("--encrypt", "--recipient", fingerprint, given=SHARE.encode())
    (written,) = made.hand_over("vault-aws", [base64.b64encode(message).decode()])
    assert written.read_bytes().startswith(b"-----BEGIN PGP MESSAGE-----")
    assert gpg("--decrypt", given=written.read_bytes()).decode() == SHARE


def test_files_are_their_holders_alone_and_never_overwritten(tmp_path: Path) -> None:
    made = people(tmp_path)
    (first, *_) = made.hand_over("vault-aws", [SHARE] * 3)
    kept = first.read_bytes()
    assert first.stat().st_mode & 0o777 == 0o600
    assert made.taken("vault-aws")
    assert not made.taken("vault-azure")
    with pytest.raises(FileExistsError):
        made.hand_over("vault-aws", [SHARE] * 3)
    assert first.read_bytes() == kept


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    made = people(tmp_path)
    made.file("vault-aws", 1).symlink_to(tmp_path / "elsewhere")
    assert made.taken("vault-aws")
    with pytest.raises(OSError, match="vault-aws-1"):
        made.hand_over("vault-aws", [SHARE] * 3)
    assert not (tmp_path / "elsewhere").exists()


def refuses(files: list[Path], says: str, shares: int = 3, threshold: int = 2, folder: Path | None = None) -> None:
    with pytest.raises(RunbookError, match=says) as refused:
        ceremony(files, shares, threshold, folder)
    assert refused.value.code == 2


def test_holders_that_do_not_fit_the_shares_are_refused(tmp_path: Path, gpg: Gpg) -> None:
    files = [age(tmp_path, number)[0] for number in range(3)]
    refuses(files[:2], "2 holders for 3 shares", folder=tmp_path)
    refuses([*files, files[0]], "4 holders for 3 shares", folder=tmp_path)
    refuses([files[0], files[1], files[1]], "same key", folder=tmp_path)
    refuses(files, "go together")
    refuses([], "go together", folder=tmp_path)
    refuses(files, "makes no sense", threshold=4, folder=tmp_path)
    refuses(files, "makes no sense", threshold=1, folder=tmp_path)
    refuses(files, "takes no files", folder=tmp_path / "nowhere")
    pgp = tmp_path / "pgp"
    pgp.write_bytes(gpg("--export", gpg.key("mixed@example.com")))
    refuses([pgp, *files[:2]], "PGP keys and some age keys", folder=tmp_path)
    assert ceremony([], 5, 3, None) is None


def test_keys_that_nobody_may_or_can_use_are_refused(tmp_path: Path, gpg: Gpg) -> None:
    file = tmp_path / "key"

    def refused(content: bytes, says: str) -> None:
        file.write_bytes(content)
        with pytest.raises(RunbookError, match=says):
            read(file)

    fingerprint = gpg.key("secret@example.com")
    refused(gpg("--armor", "--export-secret-keys", fingerprint), "private key")
    refused(gpg("--export-secret-keys", fingerprint), "private key")
    refused(str(pyrage.x25519.Identity.generate()).encode(), "private key")
    refused(b"age1nobody", "no age recipient")
    refused(b"nothing", "no public key")
    gpg("--quick-generate-key", "signs@example.com", "ed25519", "sign", "1d")
    refused(gpg("--export", "signs@example.com"), "no public key that a share can be encrypted to")
    gpg(
        "--faked-system-time", "20200101T000000!", "--quick-generate-key", "old@example.com", "rsa2048", "default", "1d"
    )
    refused(gpg("--export", "old@example.com"), "no public key that a share|has ended")
    with pytest.raises(RunbookError, match="cannot be read"):
        read(tmp_path / "nowhere")
