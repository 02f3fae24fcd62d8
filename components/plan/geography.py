"""Regions and zones as each cloud spells them, and which regions can stand in for each other.

Owns no list of all regions: clouds open new ones every year, and their spelling already tells a mistake from a
region. Does not know whether an account may use a region; the cloud says that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .spec import CLOUDS, Cloud
from .values import Refusal

_COMPASS = "north|south|east|west|central"
_REGION: Mapping[Cloud, str] = {
    "aws": rf"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-({_COMPASS}|northeast|northwest|southeast|southwest)-[1-9]",
    "azure": rf"[a-z]*({_COMPASS})[a-z]*[2-9]?",
    "gcp": rf"(africa|asia|australia|europe|me|northamerica|southamerica|us)-({_COMPASS}|northeast|southeast|southwest)[1-9]\d?",
}
_EXAMPLE: Mapping[Cloud, str] = {"aws": "us-west-2", "azure": "westus2", "gcp": "us-west1"}
_FEW_ZONES: Mapping[Cloud, tuple[str, ...]] = {
    "aws": ("us-west-1",),
    "azure": ("westus", "northcentralus", "westcentralus", "canadaeast", "ukwest", "australiasoutheast"),
    "gcp": (),
}
"""Regions that people take by habit and that offer fewer than three zones to everybody."""

AZURE_PAIRS: Mapping[str, str] = {
    "eastus": "westus",
    "eastus2": "centralus",
    "centralus": "eastus2",
    "westus2": "westcentralus",
    "westus3": "eastus",
    "southcentralus": "northcentralus",
    "canadacentral": "canadaeast",
    "brazilsouth": "southcentralus",
    "northeurope": "westeurope",
    "westeurope": "northeurope",
    "uksouth": "ukwest",
    "francecentral": "francesouth",
    "germanywestcentral": "germanynorth",
    "switzerlandnorth": "switzerlandwest",
    "norwayeast": "norwaywest",
    "swedencentral": "swedensouth",
    "eastasia": "southeastasia",
    "southeastasia": "eastasia",
    "japaneast": "japanwest",
    "koreacentral": "koreasouth",
    "australiaeast": "australiasoutheast",
    "centralindia": "southindia",
    "southafricanorth": "southafricawest",
    "uaenorth": "uaecentral",
}
"""The region to which Microsoft copies a key vault, for regions with three zones. Newer ones have no pair."""

_GCP_MULTI_REGIONS = ("us", "europe", "asia")
_AWS_PARTITIONS: Mapping[str, str] = {"cn": "China", "us-gov": "GovCloud"}


def is_region(cloud: Cloud, name: str) -> bool:
    """Whether the cloud spells its regions like this."""
    return re.fullmatch(_REGION[cloud], name) is not None


def region(cloud: Cloud, name: str) -> Refusal | None:
    """Why no region of the platform can be built in `name`."""
    if not is_region(cloud, name):
        others = [other for other in CLOUDS if other != cloud and is_region(other, name)]
        return Refusal(
            f"{name!r} is no region of {cloud}" + (f" but of {others[0]}." if others else "."),
            "The first call to the cloud would go to an address that does not exist.",
            f"Name a region as {cloud} spells it, like {_EXAMPLE[cloud]}.",
        )
    if name in _FEW_ZONES[cloud]:
        return Refusal(
            f"{name} has fewer than three zones.",
            "A zone would hold a quorum: its loss would stop every cluster of the region.",
            f"Choose a region with three zones, like {_EXAMPLE[cloud]}.",
        )
    return None


def _zone_pattern(cloud: Cloud, name: str) -> str:
    return {"aws": rf"{name}[a-f]", "azure": r"[1-3]", "gcp": rf"{name}-[a-f]"}[cloud]


def zones(cloud: Cloud, name: str, named: Sequence[str]) -> Refusal | None:
    """Why the zones do not lie in the region."""
    wrong = [zone for zone in named if not re.fullmatch(_zone_pattern(cloud, name), zone)]
    if not wrong:
        return None
    example = {"aws": f"{name}a", "azure": '"1"', "gcp": f"{name}-a"}[cloud]
    return Refusal(
        f"{', '.join(map(repr, wrong))}: no zone of {name}.",
        "Subnets and machines would be refused halfway through.",
        f"Name zones as {cloud} spells them, like {example}.",
    )


def _partition(name: str) -> str:
    return next((called for prefix, called in _AWS_PARTITIONS.items() if name.startswith(f"{prefix}-")), "commercial")


def recovery(cloud: Cloud, name: str, other: str) -> Refusal | None:
    """Why the seal key of `name` cannot answer from `other` once `name` is lost."""
    lost = "Vault of the lost region could never be unsealed again, and its backups could not be restored."
    if not is_region(cloud, other):
        return Refusal(f"{other!r} is no region of {cloud}.", lost, f"Name another region of {cloud}.")
    if other == name:
        return Refusal(f"{other} is the region itself.", lost, f"Name another region of {cloud}.")
    if cloud == "aws" and _partition(other) != _partition(name):
        return Refusal(
            f"{other} lies in another partition ({_partition(other)}) than {name} ({_partition(name)}).",
            f"A key has no replica across partitions. {lost}",
            f"Name another {_partition(name)} region.",
        )
    if cloud == "azure" and (pair := AZURE_PAIRS.get(name)) != other:
        return Refusal(
            f"{other} is not the region paired with {name}.",
            f"Azure copies a key vault to its paired region and nowhere else. {lost}",
            f"Use {pair}." if pair else f"{name} has no pair: build in a region that has one, like westus2.",
        )
    if cloud == "gcp":
        place, other_place = name.partition("-")[0], other.partition("-")[0]
        if place not in _GCP_MULTI_REGIONS or place != other_place:
            return Refusal(
                f"{name} and {other} do not lie in one of the multi-regions {', '.join(_GCP_MULTI_REGIONS)}.",
                f"The key lies in a key ring of a multi-region, which must hold both. {lost}",
                "Name two regions that start with the same us-, europe- or asia-.",
            )
    return None
