"""The stack files of a lab: the committed ones, with fewer regions and another profile. Pure.

Owns which settings speak of regions, so that a platform of one or two is described whole. Everything else stays as
committed: what the lab runs is what the clouds would get.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.plan.federation import TRUSTED
from config.files import effective

if TYPE_CHECKING:
    from components.plan.spec import Cloud
    from sandbox.lab.place import Wish

Config = dict[str, Any]


def configured(project: Mapping[str, Any], stack: Mapping[str, Any], wish: Wish) -> Config:
    """A stack file's `config`.

    Args:
        project: `Pulumi.yaml`, which holds every default.
        stack: the committed stack file.
        wish: what the lab is made with.
    """
    prefix, committed = f"{project['name']}:", stack.get("config") or {}
    known = effective(project, committed)
    backup = known["backup"]
    copies = {own: second for own in wish.regions if (second := _second(own, backup["copies"].get(own), wish.regions))}
    changed = {
        "profile": wish.profile,
        "regions": _only(known["regions"], wish.regions),
        "mesh": {**known["mesh"], "asns": _only(known["mesh"]["asns"], wish.regions)},
        "backup": {**backup, "copies": copies},
    }
    return {**committed, **{prefix + key: value for key, value in changed.items()}}


def _second(own: Cloud, committed: Cloud | None, regions: tuple[Cloud, ...]) -> Cloud | None:
    """Where a region's second copies go: as committed, or else to the first that its machines can prove themselves to."""
    possible: list[Cloud] = [other for other in regions if (own, other) in TRUSTED]
    # False comes first: the committed one, where it is possible.
    return min(possible, key=lambda other: other != committed, default=None)


def _only(by_region: Mapping[Cloud, Any], regions: tuple[Cloud, ...]) -> dict[Cloud, Any]:
    return {cloud: value for cloud, value in by_region.items() if cloud in regions}
