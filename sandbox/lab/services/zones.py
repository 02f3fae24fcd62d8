"""The private zones of the three clouds, from the records that their stacks registered.

Pure. Owns how each cloud writes a record. Which machine sees which zone is its cloud: a region has one network, and the
platform's zone is linked to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.plan.spec import CLOUDS, Cloud
from sandbox.stores.declared import Resource
from sandbox.stores.iam import NotModelledError

_TYPES: Mapping[Cloud, str] = {
    "aws": "aws:route53/record:Record",
    "azure": "azure-native:privatedns:PrivateRecordSet",
    "gcp": "gcp:dns/recordSet:RecordSet",
}
_APEX = "@"


@dataclass(frozen=True)
class Addresses:
    """The A records of a name."""

    seconds: int
    addresses: tuple[str, ...]


Zone = Mapping[str, Addresses]
"""By name in lower case, without a final dot."""


def zones(resources: Sequence[Resource]) -> Mapping[Cloud, Zone]:
    """What each cloud's machines may ask for.

    Raises:
        NotModelledError: a record of another type than A.
    """
    return {cloud: dict(_records(cloud, resources)) for cloud in CLOUDS}


def _records(cloud: Cloud, resources: Sequence[Resource]) -> Iterator[tuple[str, Addresses]]:
    for resource in resources:
        if resource["type"] != _TYPES[cloud]:
            continue
        found: dict[str, Any] = {**resource.get("outputs", {}), **resource.get("inputs", {})}
        kind = found.get("recordType" if cloud == "azure" else "type")
        if kind != "A":
            raise NotModelledError(f"a record of type {kind}")
        if cloud == "azure":
            own, zone = found["relativeRecordSetName"], found["privateZoneName"]
            name = zone if own == _APEX else f"{own}.{zone}"
            addresses = [one["ipv4Address"] for one in found["aRecords"]]
        else:
            name, addresses = found["name"], found["records" if cloud == "aws" else "rrdatas"]
        yield name.rstrip(".").lower(), Addresses(int(found["ttl"]), tuple(addresses))
