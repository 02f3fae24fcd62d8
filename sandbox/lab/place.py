"""Where a lab lies and what it was made with: one folder a name, below the tree's sandbox.

Owns the layout of that folder: a sandbox of its own (engine's home, state, simulated cloud), and in `lab` whatever the
machines have. What a lab was made with is written down once; another wish under the same name is refused, because a
region that left the settings would stay on its machines.

Dangerous edge: the folder holds secrets of the lab in clear (user data, keys, disks). Nobody but its owner enters it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

from components.plan.spec import CLOUDS, PRIMARY, Cloud, Profile
from sandbox.errors import SandboxError
from sandbox.home import CLOUD
from sandbox.ready import ROOT
from sandbox.toolchain.openbao import VARIABLE

DEFAULT_NAME = "lab"
Links = Literal["ipsec", "plain"]
VaultProgram = Literal["vault", "openbao"]


@dataclass(frozen=True)
class Wish:
    """What a lab is made with.

    Attributes:
        regions: in the platform's order, the primary's among them.
        links: whether tunnels are encrypted; `plain` leaves IKE and ESP out.
        vault: what serves Vault's API; `vault` leaves the place to OpenBao where Vault cannot be built.
    """

    regions: tuple[Cloud, ...] = CLOUDS
    profile: Profile = "small"
    links: Links = "ipsec"
    vault: VaultProgram = "vault"

    def __str__(self) -> str:
        said = f"REGIONS={','.join(self.regions)} PROFILE={self.profile} LINKS={self.links}"
        return said if self.vault == "vault" else f"{VARIABLE}={self.vault} {said}"


@dataclass(frozen=True)
class Place:
    """A lab's folder by the lab's name, whether or not anything is there."""

    name: str = DEFAULT_NAME
    above: Path = ROOT / "labs"

    @property
    def root(self) -> Path:
        """The lab's own sandbox, as `sandbox.home.Home` lays it out."""
        return self.above / self.name

    @property
    def lab(self) -> Path:
        """What the machines have."""
        return self.root / "lab"

    @property
    def cloud(self) -> Path:
        """State of the lab's simulated cloud."""
        return self.root / CLOUD

    @property
    def stack_files(self) -> Path:
        """The stack files with the lab's settings."""
        return self.root / "configured"

    @property
    def holders(self) -> Path:
        """Keys of those who hold Vault's recovery keys, and the shares that they were given."""
        return self.root / "holders"

    @property
    def daemon(self) -> Path:
        """Identity of the process that follows the cloud."""
        return self.lab / "labd.process"

    @property
    def status(self) -> Path:
        """What that process says of its last round."""
        return self.lab / "status.json"

    @property
    def disabled_keys(self) -> Path:
        """Ids of keys that are out of use whatever the stacks say; a JSON list."""
        return self.lab / "disabled-keys.json"

    @property
    def openbao(self) -> Path:
        """Is there where OpenBao serves in Vault's place: what one has written, the other cannot read."""
        return self.root / "openbao"

    def wish(self) -> Wish | None:
        """What the lab was made with; None if it never was."""
        try:
            found = json.loads(self._wish.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Wish(tuple(found["regions"]), found["profile"], found["links"], found.get("vault", "vault"))

    def settle(self, wish: Wish) -> None:
        """Writes down what the lab is made with.

        Raises:
            SandboxError: it was made with something else.
        """
        known = self.wish()
        if known is not None and known != wish:
            raise SandboxError(
                f"The lab {self.name!r} was made with {known}; with {wish} some of its machines would be nobody's.",
                f"Go on with what it was made with, `make lab-destroy NAME={self.name}` first, or take another NAME.",
            )
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._wish.write_text(json.dumps(asdict(wish)), encoding="utf-8")

    @property
    def _wish(self) -> Path:
        return self.root / "wish.json"


def chosen(text: str) -> tuple[Cloud, ...]:
    """Regions of a comma-separated list, in the platform's order.

    Raises:
        SandboxError: one that does not exist, or no primary.
    """
    named = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in named if name not in CLOUDS]:
        raise SandboxError(f"There is no region {unknown[0]!r}.", f"Any of {', '.join(CLOUDS)}, with commas.")
    if PRIMARY not in named:
        raise SandboxError(
            f"The regions {', '.join(named) or '(none)'} lack {PRIMARY}, which makes what all others trust.",
            f"Add {PRIMARY}, for example REGIONS={PRIMARY}.",
        )
    return cast("tuple[Cloud, ...]", tuple(cloud for cloud in CLOUDS if cloud in named))


def kept(above: Path = Place().above) -> list[Place]:
    """Every lab that has a folder here."""
    return (
        [Place(folder.name, above) for folder in sorted(above.iterdir()) if folder.is_dir()] if above.is_dir() else []
    )
