"""Which machines are meant: by their names, or by what they have in common; pure.

Dangerous edge: who names nothing means nothing. A command that breaks machines never takes all of them by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.lab.world import Machine


@dataclass(frozen=True)
class Choice:
    """What a person said.

    Attributes:
        names: of machines; whatever else is said, only these.
        role: a word of the machine's name, such as `consul`.
        zone: as the cloud calls it; on Azure a number, which a region should go with.
        region: a cloud's own name for it, or the cloud's name: a platform has one region in each.
    """

    names: tuple[str, ...] = ()
    role: str = ""
    cloud: str = ""
    zone: str = ""
    region: str = ""

    def __bool__(self) -> bool:
        return any((self.names, self.role, self.cloud, self.zone, self.region))

    def __str__(self) -> str:
        said = {"role": self.role, "cloud": self.cloud, "zone": self.zone, "region": self.region}
        return " ".join([*self.names, *(f"--{name} {value}" for name, value in said.items() if value)])


def chosen(machines: Iterable[Machine], choice: Choice, lab: str) -> list[Machine]:
    """The machines that are meant, by name; never none.

    Raises:
        SandboxError: nothing was said, a machine that does not exist was named, or none fits.
    """
    known = {machine.name: machine for machine in machines}
    if not choice:
        raise SandboxError(
            f"No machine of lab {lab} is named, and all of them are never meant by saying nothing.",
            "Name machines, or say --role, --cloud, --zone or --region; `status` shows them.",
        )
    if unknown := [name for name in choice.names if name not in known]:
        raise SandboxError(
            f"Lab {lab} has no machine {', '.join(unknown)}: nothing was done, to none of them.",
            f"It has {', '.join(sorted(known)) or 'no machines'}; another lab's are reached by --lab.",
        )
    found = [known[name] for name in sorted(known) if _fits(known[name], choice)]
    if not found:
        raise SandboxError(f"No machine of lab {lab} fits `{choice}`.", "`status` shows roles, zones and regions.")
    if choice.zone and len({machine.cloud for machine in found}) > 1:
        raise SandboxError(
            f"Zone {choice.zone} is in {', '.join(sorted({machine.cloud for machine in found}))}: one zone is meant.",
            "Say --cloud too.",
        )
    return found


def _fits(machine: Machine, choice: Choice) -> bool:
    return (
        (not choice.names or machine.name in choice.names)
        and (not choice.role or choice.role in machine.name.split("-"))
        and choice.cloud in ("", machine.cloud)
        and choice.zone in ("", machine.zone)
        and choice.region in ("", machine.region, machine.cloud)
    )
