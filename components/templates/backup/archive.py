"""Whether a file is a whole raft snapshot of this cluster.

Owns the check of the archive itself: Consul, Nomad and Vault write the same form, a gzip of a tar of `meta.json`,
`state.bin` and their sums. Whether the state inside makes sense is the product's own inspection to say (`server`).

Dangerous edge: a tar ends where its end is marked and a gzip where its member ends, so readers are content with files
that go on after that. Here they are refused: whoever appended something had the file in their hands.
"""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 1 << 16
_META, _STATE, _SUMS, _SEALED = "meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed"


def verified(file: Path, servers: list[str], *, sealed: bool) -> dict[str, Any]:
    """The snapshot's metadata.

    Args:
        file: the snapshot.
        servers: planned addresses of the cluster's servers.
        sealed: whether it must hold sums that the seal has signed.

    Raises:
        ValueError: it is not a snapshot, or not one of this cluster.
    """
    _one_member(file)
    try:
        sums, sizes, kept = _contents(file)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    expected = {_META, _STATE, _SUMS} | ({_SEALED} if sealed else set())
    if set(sums) != expected:
        raise ValueError(f"it holds {sorted(sums)} and not {sorted(expected)}")
    published = {name: value for value, name in map(str.split, kept[_SUMS].decode().strip().splitlines())}
    if published != {name: sums[name] for name in (_META, _STATE)}:
        raise ValueError("its content differs from its own sums")
    meta = json.loads(kept[_META])
    if not sizes[_STATE] or sizes[_STATE] != meta["Size"]:
        raise ValueError(f"its state has {sizes[_STATE]} bytes and should have {meta['Size']}")
    if meta["Version"] != 1 or meta["Index"] < 1:
        raise ValueError(f"its form is {meta['Version']} and its index {meta['Index']}, expected 1 and more than 0")
    named = {server["Address"].rpartition(":")[0] for server in meta["Configuration"]["Servers"]}
    if not named or not named <= set(servers):
        raise ValueError(f"it is of another cluster: its servers are {sorted(named)}, planned are {servers}")
    return meta


def _contents(file: Path) -> tuple[dict[str, str], dict[str, int], dict[str, bytes]]:
    """Sum and size of every file inside, and the content of the small ones."""
    sums: dict[str, str] = {}
    sizes: dict[str, int] = {}
    kept: dict[str, bytes] = {}
    with gzip.open(file) as stream:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if member.name in sums or not content:
                    raise ValueError(f"it holds {member.name} in a way that no snapshot does")
                digest = hashlib.sha256()
                while block := content.read(_BLOCK):
                    digest.update(block)
                    if member.name != _STATE:
                        kept[member.name] = kept.get(member.name, b"") + block
                sums[member.name], sizes[member.name] = digest.hexdigest(), member.size
        while block := stream.read(_BLOCK):
            if block.strip(b"\0"):
                raise ValueError("something follows the end of its archive")
    return sums, sizes, kept


def _one_member(file: Path) -> None:
    unpacker = zlib.decompressobj(31)
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if unpacker.eof:
                break
            try:
                unpacker.decompress(block)
            except zlib.error as error:
                raise ValueError(f"it cannot be unpacked: {error}") from error
        if block or unpacker.unused_data:
            raise ValueError("something follows the end of its archive")
    if not unpacker.eof:
        raise ValueError("it is empty or cut off")
