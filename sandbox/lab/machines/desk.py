"""The operator's desk: a place in the lab's network from which commands run as an operator of the platform runs them.

Owns its namespace and what a command finds there: the lab's resolver, and trust in the lab's authorities. It has a
machine's place, filter included: its packets carry its own address alone, and whoever receives them decides. What runs
there is whoever's who asks.

Dangerous edge: a command keeps the host's files, users and privileges. Only its network is the lab's.

Source: ip-netns(8).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.lab.machines.lab import DESK, port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.machines.network import Network
    from sandbox.lab.world import Machine

_AT = Path(__file__).parent / "at-desk.sh"
_TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")


class Desk:
    """A lab's desk, whether or not it is there."""

    def __init__(self, lab: Lab, network: Network) -> None:
        self._lab = lab
        self._network = network
        self._folder = lab.folder / "desk"

    @property
    def stands(self) -> bool:
        """Whether commands can run there."""
        return DESK in self._network.namespaces.standing()

    def make(self, place: Machine) -> bool:
        """Gives it this place, and moves it there if it has another; says whether anything was done.

        What runs at the desk meanwhile goes on, from the new place.

        Raises:
            SandboxError: a machine has its address.
        """
        network = self._network
        if self.stands and network.routed(place.address) == port(place.name):
            return False
        self._furnish()
        if port(place.name) in network.ports():
            network.namespaces.ip(DESK, ["link delete eth0"])
        network.seat(place, DESK)
        return True

    def command(self, words: Sequence[str]) -> list[str]:
        """The command as it runs at the desk."""
        return self._network.namespaces.command(DESK, ["sh", str(_AT), str(self._folder), *words])

    def _furnish(self) -> None:
        """Writes what commands find in place of the host's own files."""
        around = self._lab.surroundings
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = f"nameserver {around.resolver}\n" if around.resolver else ""
        _write(self._folder / "resolv.conf", f"{names}options timeout:1 attempts:2\n")
        usual = _TRUSTED.read_text(encoding="utf-8") if _TRUSTED.exists() else ""
        _write(self._folder / "authorities.pem", "\n".join([usual, *around.authorities]))


def _write(file: Path, text: str) -> None:
    """There as a whole or not at all; a command that has the old one keeps it."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
