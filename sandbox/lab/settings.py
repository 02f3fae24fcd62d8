"""The stack files of a lab: the committed ones, with fewer regions and another profile. Pure.

Owns which settings speak of regions, so that a platform of one or two is described whole. Everything else stays as
committed: what the lab runs is what the clouds would get.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
    prefix = f"{project['name']}:"
    known = {key: entry["default"] for key, entry in project["config"].items()}
    known |= {key.removeprefix(prefix): value for key, value in (stack.get("config") or {}).items()}
    backup = known["backup"]
    copies = {own: other for own, other in backup["copies"].items() if {own, other} <= set(wish.regions)}
    changed = {
        "profile": wish.profile,
        "regions": _only(known["regions"], wish.regions),
        "mesh": {**known["mesh"], "asns": _only(known["mesh"]["asns"], wish.regions)},
        "backup": {**backup, "copies": copies},
    }
    # With a profile go its numbers of machines, unless somebody has set some.
    return {**(stack.get("config") or {}), **{prefix + key: value for key, value in changed.items()}}


def _only(by_region: Mapping[Cloud, Any], regions: tuple[Cloud, ...]) -> dict[Cloud, Any]:
    return {cloud: value for cloud, value in by_region.items() if cloud in regions}
