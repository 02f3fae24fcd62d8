"""What one machine is: the narrow waist between products and clouds.

A product turns its cluster into `ServerSpec`s; a cloud builds a machine from each without knowing the
product. Everything on the machine is here as data: disks, files, secrets by reference, units.

No secret value ever enters a `ServerSpec`: user data is readable through every cloud's API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .sizing import DiskSize, MachineSize
from .spec import Product, Role, product_of

DiskPurpose = Literal["data", "audit"]

WEB_IDENTITY_TOKEN = "/run/platform/identity/token"  # noqa: S105 - a path
"""Where a machine keeps its current token for another cloud; memory only, renewed before it ends."""


@dataclass(frozen=True)
class Disk:
    """An encrypted disk of its own that outlives the machine."""

    purpose: DiskPurpose
    size: DiskSize
    mount: str
    owner: str
    """`user:group` of the mount point."""


@dataclass(frozen=True)
class File:
    """A file that user data writes; owners other than root are set once the boot has made the users."""

    path: str
    content: str
    mode: str = "0644"
    owner: str = "root:root"


@dataclass(frozen=True)
class LateFile:
    """A file whose whole content only the cloud can tell (a key's id): `fact` names it."""

    path: str
    fact: str
    mode: str = "0644"
    owner: str = "root:root"


@dataclass(frozen=True)
class SecretFile:
    """A file that the machine itself reads from its secret store at boot, into memory-backed storage."""

    path: str
    entry: str
    """Entry of the region's secret store; `Names.secret` gives the cloud's name of it."""
    mode: str = "0400"
    owner: str = "root:root"


@dataclass(frozen=True)
class ServerSpec:
    """One machine, or the template of a group of equal machines when it has no address."""

    name: str
    role: Role
    zone: int | None
    """Index into the region's zones; None for a group, whose machines the cloud spreads."""
    address: str | None
    size: MachineSize
    disks: tuple[Disk, ...]
    files: tuple[File, ...]
    late: tuple[LateFile, ...]
    secrets: tuple[SecretFile, ...]
    units: tuple[str, ...]
    """systemd units to enable and start, in order."""

    @property
    def product(self) -> Product:
        """The product this machine serves."""
        return product_of(self.role)


@dataclass(frozen=True)
class Guest:
    """What a machine must know of its cloud to boot: scripts, testable without a cloud."""

    read_secret: File
    """Executable: `read-secret NAME...` prints for each a line of its name, a tab and its value in base64, with the
    machine's own identity; a name that cannot be read has one line on standard error, and the exit code is then 1."""
    web_identity: File | None
    """Executable: `web-identity AUDIENCE` prints a signed token of the machine's identity; None where keys are local."""


@dataclass(frozen=True)
class KeyStanza:
    """How a product reaches a key: the type and the attributes of a seal, keyring or kms block."""

    kind: str
    """`awskms`, `azurekeyvault` or `gcpckms`."""
    attributes: Mapping[str, str]
