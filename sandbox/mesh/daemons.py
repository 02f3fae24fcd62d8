"""BGP daemons: one BIRD in each speaker's namespace.

Owns their configuration file, start, end and what they say of their sessions. Each is asked through its own control
socket in the run's folder; BGP itself listens inside the namespaces only.

Source: bird(8), "Remote control" of BIRD's user guide.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.errors import SandboxError
from sandbox.mesh.layout import PASSIVE, TRANSIT

if TYPE_CHECKING:
    from components.plan.spec import Cloud
    from sandbox.mesh.layout import Layout, Speaker
    from sandbox.mesh.namespaces import Namespaces

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - no markup
)
_START_SECONDS = 10.0
_END_SECONDS = 5.0
_COMPLETE = re.compile(rb"^\d{4} [^\n]*\n", re.MULTILINE)


def configuration(plan: Layout, speaker: Speaker, hold: Mapping[Cloud, int], folder: Path) -> str:
    """BIRD's configuration for a speaker."""
    return _TEMPLATES.get_template("bird.conf.j2").render(
        speaker=speaker,
        asns=plan.platform.asns,
        hold=hold[speaker.cloud],
        passive=PASSIVE[speaker.cloud],
        transit=TRANSIT[speaker.cloud],
        folder=folder,
    )


class Daemon:
    """One running speaker."""

    def __init__(self, namespaces: Namespaces, speaker: Speaker, text: str, folder: Path) -> None:
        self.speaker = speaker
        self._socket = folder / f"{speaker.name}.ctl"
        self._log = folder / f"{speaker.name}.log"
        settings = folder / f"{speaker.name}.conf"
        settings.write_text(text, encoding="utf-8")
        command = ["bird", "-f", "-c", str(settings), "-s", str(self._socket)]
        self._errors = folder / f"{speaker.name}.err"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                namespaces.command(speaker.name, command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def ready(self) -> None:
        """Waits until it answers.

        Raises:
            SandboxError: it ended, or does not answer.
        """
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError):
                self.ask("show status")
                return
            time.sleep(0.02)
        said = self._errors.read_text(encoding="utf-8") + self.log()
        raise SandboxError(f"The BGP daemon of {self.speaker.name} does not run: {said}", "Mend what it says.")

    def ask(self, command: str) -> str:
        """What it answers to a command."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self._socket))
            _read(line)
            line.sendall(f"{command}\n".encode())
            return _read(line)

    def sessions(self) -> dict[str, str]:
        """State of each BGP session by its protocol's name, `Established` if it is up."""
        found: dict[str, str] = {}
        for row in self.ask("show protocols").splitlines():
            fields = re.sub(r"^(\d{4}-|\s)", "", row).split()
            if len(fields) > 1 and fields[1] == "BGP":
                found[fields[0]] = fields[5] if len(fields) > 5 else fields[3]
        return found

    def log(self) -> str:
        """What it complained of so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def end(self) -> None:
        """Ends the process."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def session(pair: str, index: int) -> str:
    """The name under which both daemons know a tunnel's session."""
    return f"{pair.replace('-', '_')}_{index}"


def _read(line: socket.socket) -> str:
    """One whole answer: it ends with a line of a code and a space."""
    got = b""
    while not _COMPLETE.search(got):
        part = line.recv(65536)
        if not part:
            break
        got += part
    return got.decode("utf-8", "replace")
