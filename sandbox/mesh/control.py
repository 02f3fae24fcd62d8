"""The control socket of a BIRD: what it is told and what it says while it runs.

Whoever started the daemon, and where it lives, is the caller's; so is the folder of the socket.

Dangerous edge: a socket's path has at most 107 bytes, and folders are longer. It is reached through an open folder.

Source: bird(8), "Remote control" of BIRD's user guide.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_SECONDS = 5.0
_COMPLETE = re.compile(rb"^(\d{4}) [^\n]*\n", re.MULTILINE)
_CODE = re.compile(r"^(\d{4}-|\s)")


def connected(path: Path, seconds: float = _SECONDS) -> socket.socket:
    """A connection to a daemon's socket, however long its path.

    Raises:
        OSError: nobody listens there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(seconds)
        line.connect(f"/proc/self/fd/{folder}/{path.name}")
    except BaseException:
        line.close()
        raise
    finally:
        os.close(folder)
    return line


def ask(path: Path, command: str) -> str:
    """What a daemon answers to a command.

    Raises:
        OSError: it does not answer.
    """
    with connected(path) as line:
        _read(line)
        line.sendall(f"{command}\n".encode())
        return _read(line)


def sessions(path: Path) -> dict[str, str]:
    """State of each BGP session by its protocol's name, `Established` if it is up."""
    found: dict[str, str] = {}
    for row in ask(path, "show protocols").splitlines():
        fields = _CODE.sub("", row).split()
        if len(fields) > 1 and fields[1] == "BGP":
            found[fields[0]] = fields[5] if len(fields) > 5 else fields[3]
    return found


def _read(line: socket.socket) -> str:
    """One whole answer: it ends with a line of a code and a space."""
    got = b""
    while not _COMPLETE.search(got):
        part = line.recv(65536)
        if not part:
            break
        got += part
    return got.decode("utf-8", "replace")
