"""One program on a machine, as data.

Owns the vocabulary between the products and the machine: what a program installs, where it keeps its secrets, as
whom it runs. Knows no product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.secrets import CA_CERTIFICATE, CERTIFIED, certificate_entry, private_key_entry
from components.plan.server import File, LateFile, SecretFile
from components.plan.spec import Role

LIBRARY = "/usr/local/lib/platform"
"""Scripts of the boot."""
SECRETS = "/run/platform/secrets"
"""One folder a program, memory-backed; the folder's name is the unit that is reloaded when a file in it changes. A program
that a timer starts reads its files then and is not reloaded."""


IDS: Mapping[str, int] = {
    "consul": 701, "vault": 702, "nomad": 703, "boundary": 704, "node_exporter": 705, "platform-backup": 706,
}  # fmt: skip
"""User and group ids: below 1000, so that the journal keeps their lines with the system's, and far from what
distributions give away from either end."""


@dataclass(frozen=True)
class Directory:
    """A directory that the boot makes."""

    path: str
    mode: str
    owner: str


@dataclass(frozen=True)
class Tls:
    """Where a program finds its certificate, its key and the authority, as PEM."""

    ca: str
    cert: str
    key: str


@dataclass(frozen=True)
class Program:
    """A program and all that it needs on a machine."""

    name: str
    """Of its unit and its secrets' folder."""
    user: str
    """Runs as this user, whose group has the same name."""
    files: tuple[File, ...]
    units: tuple[str, ...]
    directories: tuple[Directory, ...] = ()
    late: tuple[LateFile, ...] = ()
    secrets: tuple[SecretFile, ...] = ()
    composed: File | None = None
    """JSON with references to secret files, from which the boot writes `composed_path(name)`."""
    validate: str | None = None
    """Command that judges the configuration without a cluster."""
    artefacts: tuple[str, ...] | None = None
    """What the boot installs for it; None: the one of its own name."""

    @property
    def installed(self) -> tuple[str, ...]:
        """Artefacts that the boot installs."""
        return (self.name,) if self.artefacts is None else self.artefacts

    @property
    def owner(self) -> str:
        """`user:group`."""
        return f"{self.user}:{self.user}"


def secret_path(program: str, file: str) -> str:
    """Where a program's secret file lies."""
    return f"{SECRETS}/{program}/{file}"


def composed_path(program: str) -> str:
    """Where the boot writes the secret part of a program's configuration."""
    return secret_path(program, "config.json")


def composed(program: str, content: str) -> File:
    """The document from which the boot writes `composed_path(program)`."""
    return File(f"/etc/platform/compose.d/{program}.json", content)


def secret(program: str, user: str, file: str, entry: str) -> SecretFile:
    """A secret file of a program, readable by its user alone."""
    return SecretFile(secret_path(program, file), entry, owner=f"{user}:{user}")


def authority(program: str, user: str) -> SecretFile:
    """The platform's root certificate in a program's folder."""
    return secret(program, user, "ca.pem", CA_CERTIFICATE)


def tls(program: str) -> Tls:
    """Paths of a program's certificate."""
    return Tls(*(secret_path(program, file) for file in ("ca.pem", "cert.pem", "key.pem")))


def certificate(program: str, user: str, role: Role) -> tuple[SecretFile, ...]:
    """The secret files behind `tls(program)`.

    Raises:
        ValueError: the role has no certificate of the platform's authority.
    """
    if role not in CERTIFIED:
        raise ValueError(f"role {role} has no certificate: add it to plan.secrets.CERTIFIED or bring its own")
    return (
        authority(program, user),
        secret(program, user, "cert.pem", certificate_entry(role)),
        secret(program, user, "key.pem", private_key_entry(role)),
    )
