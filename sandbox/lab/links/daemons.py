"""Daemons of gateways and networks: each in a namespace, with a folder of its own that it sees as /run.

Owns start, end and whether one runs. A daemon outlives the process that started it; whoever comes next finds it by the
identity that it wrote down, and asks it through its socket in the folder.

Dangerous edge: a folder holds keys. Nobody but its owner enters it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines.processes import Process, launch, until
from sandbox.mesh import control

if TYPE_CHECKING:
    from sandbox.mesh.namespaces import Namespaces

WITHIN = Path(__file__).parent / "within.sh"
"""Becomes a command that sees a folder as its /run."""
_START_SECONDS = 30.0
_END_SECONDS = 5.0
_LOG_BYTES = 1 << 20
ROOM = Path("/run")
"""The folder, as the daemon sees it."""


class Daemon:
    """A daemon that runs or not.

    Args:
        namespace: short name of where it runs.
        folder: it is made when needed.
        program: names its files.
        command: with paths as the daemon sees them.
        leftovers: files of an earlier one that would keep a new one from starting.
    """

    def __init__(
        self,
        namespaces: Namespaces,
        namespace: str,
        folder: Path,
        program: str,
        command: Sequence[str],
        leftovers: Sequence[str],
    ) -> None:
        self._namespaces, self._namespace = namespaces, namespace
        self._folder, self._program = folder, program
        self._command, self._leftovers = command, leftovers

    @property
    def identity(self) -> Process | None:
        """Who it was when it was last started."""
        return Process.read(self._folder / f"{self._program}.process")

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        process = self.identity
        return process is not None and process.lives

    def start(self, ready: Callable[[], object]) -> None:
        """Starts it, and waits until it answers.

        Raises:
            SandboxError: it ended, or does not answer.
        """
        for name in self._leftovers:
            (self._folder / name).unlink(missing_ok=True)
        process = launch(
            self._namespaces.command(self._namespace, ["sh", str(WITHIN), str(self._folder), *self._command]),
            identity=self._folder / f"{self._program}.process",
            log=self._folder / f"{self._program}.out",
            groups=(),
        )

        def settled() -> bool:
            with suppress(OSError):
                ready()
                return True
            return not process.lives

        if not (until(settled, _START_SECONDS) and process.lives):
            said = self._read(f"{self._program}.out") + self._read(f"{self._program}.log")
            raise SandboxError(
                f"{self._program} does not run for {self._folder.name}: {said[-1000:].strip()}", "Mend what it says."
            )

    def end(self) -> None:
        """Ends it, and waits until it is gone."""
        process = self.identity
        if process is not None:
            process.end(_END_SECONDS)

    def log(self) -> str:
        """The last of what it said; what is older than that is not kept for long."""
        file = self._folder / f"{self._program}.log"
        said = self._read(file.name)
        if len(said) > _LOG_BYTES:
            # It adds to the end, wherever that is.
            with suppress(OSError), file.open("r+b") as opened:
                opened.truncate(0)
        return said[-_LOG_BYTES:]

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


class Bird(Daemon):
    """A BGP speaker."""

    def __init__(self, namespaces: Namespaces, namespace: str, folder: Path) -> None:
        files = {option: str(ROOM / f"bird.{name}") for option, name in (("-c", "conf"), ("-s", "ctl"), ("-P", "pid"))}
        command = ["bird", "-f", *(word for option in files.items() for word in option)]
        super().__init__(namespaces, namespace, folder, "bird", command, ["bird.ctl", "bird.pid"])
        self._socket = folder / "bird.ctl"

    def speak(self, text: str) -> bool:
        """Lets it run with this configuration; sessions that stay as they were are not touched.

        Returns:
            Whether anything was done.

        Raises:
            SandboxError: it does not run, or refuses the text.
        """
        file, loaded = self._folder / "bird.conf", self._folder / "bird.loaded"
        if self.lives and _text(loaded) == text:
            return False
        loaded.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")
        if not self.lives:
            self.start(lambda: control.ask(self._socket, "show status"))
        else:
            said = control.ask(self._socket, "configure")
            if "Reconfig" not in said:
                raise SandboxError(f"BIRD refuses what {self._folder.name} shall speak: {said}", "Mend what it says.")
        loaded.write_text(text, encoding="utf-8")
        return True

    def sessions(self) -> dict[str, str]:
        """State of each session; none where it does not run."""
        try:
            return control.sessions(self._socket)
        except OSError:
            return {}

    def details(self, session: str) -> str:
        """All that it says of a session."""
        try:
            return control.ask(self._socket, f"show protocols all {session}")
        except OSError:
            return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
