"""charon of one gateway: loaded with its tunnels, told which to open and to close, asked how they stand.

Owns the files with the keys, and what counts as changed. Which tunnels there are is the layout's, when they are opened
is `tunnels`'.

Dangerous edges:
- Keys reach charon through a file that only its owner reads, never through an argument.
- A tunnel that is opened twice exists twice: it is opened only where charon knows none of its name.
- With a configuration of the same name, charon keeps what it has already agreed. What changed has to be closed.
- The interface that charon makes keeps its MTU of 1400: charon reads no more of a packet, whatever the interface lets
  pass. What a tunnel makes larger than that, the kernel cuts in two.

Source: swanctl(8), the README of strongSwan's vici plugin.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vici
from vici.exception import CommandException

from sandbox.errors import SandboxError
from sandbox.mesh import control
from sandbox.toolchain import packages

from . import rendering
from .daemons import ROOM, Daemon
from .layout import session

if TYPE_CHECKING:
    from sandbox.mesh.namespaces import Namespaces

    from .layout import Gateway

_PACKAGE = "strongswan-charon"
_UPDOWN = Path(__file__).parent / "updown.sh"
_SECONDS = 10.0
_CLOSE_MILLISECONDS = "1000"
_COMPLAINT = re.compile(
    r"received [A-Z_]+ notify|giving up after \d+ retransmits|MAC mismatched|no acceptable \w+ found"
    r"|no shared key found|received proposals? unacceptable|peer not responding|network is unreachable",
)


@dataclass(frozen=True)
class Association:
    """How one tunnel stands.

    Attributes:
        number: charon's own of what was agreed; another one was agreed anew.
        carries: whether it protects traffic.
        tries: whether it may come to that without being told.
    """

    number: int
    carries: bool
    tries: bool


class Charon(Daemon):
    """One gateway's."""

    def __init__(self, namespaces: Namespaces, gateway: str, folder: Path) -> None:
        command = ["env", f"STRONGSWAN_CONF={ROOM / 'charon.conf'}", str(packages.program(_PACKAGE))]
        super().__init__(namespaces, gateway, folder, "charon", command, ["charon.pid", "charon.vici"])
        self._settings = folder / "swanctl.conf"
        self._record = folder / "charon.loaded"

    @property
    def known(self) -> dict[str, str]:
        """What this very process was loaded with: tunnels, each with a digest of all that was said of it."""
        identity = self.identity
        with suppress(OSError, ValueError):
            record = json.loads(self._record.read_text(encoding="utf-8"))
            if identity is not None and record["process"] == [identity.pid, identity.started]:
                return record["tunnels"]
        return {}

    def begin(self) -> None:
        """Starts it, with no tunnel yet."""
        self._record.unlink(missing_ok=True)
        (self._folder / "charon.conf").write_text(rendering.daemon(), encoding="utf-8")
        (self._folder / "updown.sh").write_bytes(_UPDOWN.read_bytes())
        self.start(self._version)

    def load(self, gateway: Gateway) -> None:
        """Makes it know these tunnels, and no others; what it has agreed for one that stays the same goes on.

        Raises:
            SandboxError: it refuses them.
        """
        _write_private(self._settings, rendering.tunnels(gateway))
        done = subprocess.run(
            ["swanctl", "--load-all", "--noprompt", "--uri", "unix://charon.vici", "--file", self._settings.name],
            cwd=self._folder,
            # Nothing of the machine's own settings and credentials.
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "SWANCTL_DIR": str(self._folder),
                "STRONGSWAN_CONF": str(self._folder / "charon.conf"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SandboxError(
                f"charon refuses the tunnels of {gateway.outside}: {_without_keys(done.stderr, gateway)[-1000:]}",
                "Mend what it says; the files lie in the lab's folder.",
            )

    def remember(self, gateway: Gateway) -> None:
        """Writes down what it was loaded with: the last step, without which all is done again."""
        identity = self.identity
        if identity is not None:
            record = {"process": [identity.pid, identity.started], "tunnels": digests(gateway)}
            _write_private(self._record, json.dumps(record))

    def associations(self) -> dict[str, Association]:
        """What it has agreed, or is about to; the one that carries, where there are two."""
        found: dict[str, Association] = {}
        with suppress(OSError), self._asked() as asked:
            for row in asked.list_sas():
                for name, said in row.items():
                    children = said.get("child-sas", {}).values()
                    carries = any(child["state"] == b"INSTALLED" for child in children)
                    # Where the peer refused what shall protect traffic, the rest stays agreed, and idle.
                    busy = b"CHILD_CREATE" in (*said.get("tasks-active", []), *said.get("tasks-queued", []))
                    if name not in found or carries:
                        tries = said["state"] != b"ESTABLISHED" or busy
                        found[name] = Association(int(said["uniqueid"]), carries, tries)
        return found

    def open(self, names: list[str]) -> None:
        """Begins to agree; does not wait for what comes of it. Where it has just died, whoever starts it opens again."""
        with suppress(OSError), self._asked() as asked:
            for name in names:
                list(asked.initiate({"child": name, "ike": name, "timeout": "-1"}))

    def close(self, names: list[str], *, only_attempts: bool = False) -> None:
        """Ends what was agreed, or only what is about to be, and lets the peers know."""
        there = self.associations()
        gone = [name for name in names if name in there and not (only_attempts and there[name].carries)]
        if not gone:
            return
        with self._asked() as asked:
            for name in gone:
                with suppress(CommandException):  # gone meanwhile
                    list(asked.terminate({"ike": name, "force": "yes", "timeout": _CLOSE_MILLISECONDS}))

    def complaint(self, name: str) -> str:
        """The last that it said of what is wrong with a tunnel; empty if nothing."""
        last = ""
        for line in self.log().splitlines():
            if f"<{name}|" in line and (found := _COMPLAINT.search(line)):
                last = found[0]
        return last

    def _version(self) -> Mapping[str, Any]:
        with self._asked() as asked:
            return asked.version()

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        with control.connected(self._folder / "charon.vici", _SECONDS) as line:
            yield vici.Session(line)


def digests(gateway: Gateway) -> dict[str, str]:
    """Each tunnel of a gateway with a digest of everything that charon is told of it."""
    told = {session(end): json.dumps(rendering.tunnel(end), sort_keys=True) for end in gateway.ends}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in told.items()}


def _write_private(file: Path, text: str) -> None:
    """A file that nobody else can read at any moment, there as a whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    new.replace(file)


def _without_keys(text: str, gateway: Gateway) -> str:
    for end in gateway.ends:
        for secret in rendering.spellings(end.key):
            text = text.replace(secret, "(key)")
    return text
