"""BGP daemons: one BIRD in each speaker's namespace.

Owns what each speaker of the layout says, its configuration file, start and end. Each is asked through its own control
socket in the run's folder; BGP itself listens inside the namespaces only.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.mesh import control, speech
from sandbox.mesh.layout import PASSIVE, TRANSIT
from sandbox.mesh.speech import Session, Speech, Uplink

if TYPE_CHECKING:
    from components.plan.spec import Cloud
    from sandbox.mesh.layout import Layout, Speaker
    from sandbox.mesh.namespaces import Namespaces

_START_SECONDS = 10.0
_END_SECONDS = 5.0


def configuration(plan: Layout, speaker: Speaker, hold: Mapping[Cloud, int], folder: Path) -> str:
    """BIRD's configuration for a speaker."""
    cloud = speaker.cloud
    return speech.configuration(
        Speech(
            name=speaker.name,
            asn=speaker.asn,
            prefix=speaker.prefix if speaker.is_gateway else "",
            uplinks=tuple(Uplink(f"inside_{index}", *ends) for index, ends in enumerate(speaker.uplinks)),
            sessions=tuple(
                Session(
                    name=session(tunnel.pair, tunnel.index),
                    interface=f"{tunnel.pair}-{tunnel.index}",
                    own=own.address,
                    other=far.address,
                    asn=speaker.asn,
                    peer_asn=plan.platform.asns[far.cloud],
                )
                for tunnel, own, far in speaker.sessions
            ),
            hold=hold[cloud],
            passive=PASSIVE[cloud],
            transit=TRANSIT[cloud],
            log=folder / f"{speaker.name}.log",
            router_id=speaker.uplinks[0][0],
        )
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
        return control.ask(self._socket, command)

    def sessions(self) -> dict[str, str]:
        """State of each BGP session by its protocol's name, `Established` if it is up."""
        return control.sessions(self._socket)

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
