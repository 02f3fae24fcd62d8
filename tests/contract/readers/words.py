"""From a cloud's spelling to the plan's: names without prefix, zones by index, networks by whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from components.plan import addressing
from components.plan.spec import ROLES, Role, Stack
from tests.contract.posture import BASTION, WORLD, Way

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Words:
    """The region that is read."""

    plan: Stack

    def plain(self, name: str) -> str:
        """A name without the platform's prefix; what lacks the prefix, or has it twice, stays as it is."""
        return name.removeprefix(f"{self.plan.platform.name}-")

    def zone(self, name: str) -> int:
        """Index of a zone."""
        return self.plan.region.zones.index(name)

    def role(self, identity: str) -> Role:
        """Whose identity it is, by its name."""
        plain = self.plain(identity).removesuffix(f"-{self.plan.region.name}")
        return next(role for role in ROLES if role == plain)

    def place(self, cidr: str) -> str:
        """Whose network a CIDR is; the CIDR itself where it is nobody's."""
        regions = self.plan.platform.regions
        known = {regions[cloud].cidr: cloud for cloud in self.plan.platform.clouds}
        known[ANYWHERE] = WORLD
        known[addressing.edge_subnets(self.plan.region)["bastion"]] = BASTION
        return known.get(cidr, cidr)

    def places(self, place: str) -> Iterator[str]:
        """A place and all that lies in it: a region's whole network holds every role of it."""
        yield place
        if place == self.plan.cloud:
            yield from ROLES


def ways(protocol: str, first: int, last: int, places: Iterable[str]) -> frozenset[Way]:
    """One way for each place."""
    return frozenset(Way(protocol, first, last, place) for place in places)


def statements(policy: str) -> Iterator[dict[str, Any]]:
    """Statements of a policy document, with lists for single values."""
    for statement in json.loads(policy)["Statement"]:
        yield {
            **statement,
            **{key: listed(statement[key]) for key in ("Action", "Resource") if key in statement},
        }


def listed(value: object) -> list[Any]:
    """A list where one value may stand for itself."""
    return value if isinstance(value, list) else [value]


def clear(value: object) -> str | None:
    """The text of an input that may be a secret; None where the state keeps it sealed."""
    if isinstance(value, dict):
        sealed = cast("dict[str, str]", value)
        found: object = json.loads(sealed["plaintext"]) if "plaintext" in sealed else None
        return found if isinstance(found, str) else None
    return value if isinstance(value, str) else None
