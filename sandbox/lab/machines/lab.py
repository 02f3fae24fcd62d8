"""One lab by name: where its files lie and what everything that it makes on the machine is called and numbered.

Owns names and numbers alone. Every name carries the lab's, so that whoever comes next finds what a killed owner left behind, and
two labs never touch each other. Acts on nothing.

Dangerous edge: interface names have at most 15 characters: a port is called by a digest; its alias tells whose it is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from uuid import UUID, uuid5

from components.plan.spec import CLOUDS, Cloud
from sandbox.errors import SandboxError

METADATA = "169.254.169.254"
"""Where each of the three clouds serves a machine's metadata."""
PORTS = "m-"
"""How the name of every machine's port on the switch begins."""
CABLES = "g-"
"""How the name of every gateway's cable at its region's router begins."""
CARRIER = IPv4Network("100.64.0.0/10")
"""For what lies between a region's router and its gateways, which no machine and no cloud sees (RFC 6598)."""
_FIRST_REGION = 101
_LAB_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_MACHINE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
# An overlay's option would be cut at these, and a path below them would be somebody else's.
_CUTS = re.compile(r"[:,\\\s]")
_SPACE = UUID("6b0a4f0e-7c61-4a34-9c0b-0d5a3b6f3a11")


@dataclass(frozen=True)
class Surroundings:
    """What every machine of a lab finds around it.

    Attributes:
        resolver: address of the name server; without one, names fail at once instead of after a timeout.
        services: addresses that every machine may reach whatever its rules say, as in a cloud.
        authorities: certificates, PEM, that the machines trust beside the usual ones.
        trimmed: machines boot without what a lab never needs; the order of cloud-init's modules differs a little.
    """

    resolver: str = ""
    services: tuple[str, ...] = (METADATA,)
    authorities: tuple[str, ...] = ()
    trimmed: bool = True

    @property
    def reachable(self) -> tuple[str, ...]:
        """Every address that all machines may reach."""
        return tuple(sorted({*self.services, self.resolver} - {""}))


@dataclass(frozen=True)
class Lab:
    """A lab, whether or not anything of it exists.

    Raises:
        SandboxError: a name or folder that the kernel's interfaces cannot take.
    """

    name: str
    folder: Path
    surroundings: Surroundings = field(default_factory=Surroundings)

    def __post_init__(self) -> None:
        if not _LAB_NAME.fullmatch(self.name):
            raise SandboxError(
                f"{self.name!r} cannot name a lab: names of network interfaces and control groups are made of it.",
                "Take up to 12 lower-case letters and digits, a letter first.",
            )
        if not self.folder.is_absolute() or _CUTS.search(str(self.folder)):
            raise SandboxError(
                f"A lab cannot lie in {self.folder}: an overlay's options are cut at colons, commas and blanks.",
                "Give an absolute path without any of these.",
            )

    @property
    def stem(self) -> str:
        """Begins the names of namespaces; no other lab's stem begins with it and a dash."""
        return f"lab-{self.name}"

    @property
    def machines(self) -> Path:
        """A folder for each machine."""
        return self.folder / "machines"

    @property
    def disks(self) -> Path:
        """Images of data disks, which outlive machines."""
        return self.folder / "disks"

    @property
    def layers(self) -> Path:
        """What lies between the base image and a machine's own files."""
        return self.folder / "layers"

    @property
    def prepared(self) -> Path:
        """What every machine finds in its image beside the base, if it is there: programs, usually by a link."""
        return self.folder / "prepared"

    def place(self, machine: str) -> Path:
        """A machine's folder.

        Raises:
            SandboxError: it cannot be a machine's name.
        """
        if not _MACHINE_NAME.fullmatch(machine):
            raise SandboxError(
                f"{machine!r} cannot name a machine of the lab: a host name and folders are made of it.",
                "Take up to 40 lower-case letters, digits and dashes.",
            )
        return self.machines / machine

    @property
    def group(self) -> str:
        """The lab's control group, of which each machine has one below."""
        return self.stem

    def container(self, machine: str) -> str:
        """What systemd-nspawn calls it: the host keeps folders by this name."""
        return f"{self.stem}-{machine}"

    def identifier(self, instance: str) -> UUID:
        """A machine id that stays with an instance, and that no other has."""
        return uuid5(_SPACE, f"{self.name}/{instance}")


def port(machine: str) -> str:
    """The machine's interface on the switch."""
    return PORTS + hashlib.sha256(machine.encode()).hexdigest()[:12]


def namespace(machine: str) -> str:
    """Short name of a machine's network namespace; never that of the switch."""
    return f"m-{machine}"


def number(cloud: Cloud) -> int:
    """A region's on the switch: of the group of its interfaces, of its routing table, and of its connections' zone."""
    return _FIRST_REGION + CLOUDS.index(cloud)


SWITCH, DESK = "switch", "operator"
"""Namespaces that are no machine's."""
