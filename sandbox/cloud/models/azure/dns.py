"""Azure private DNS.

Source: Microsoft Learn, "What is an Azure Private DNS zone?", "What is a virtual network link?".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.parts import VIRTUAL_NETWORK
from sandbox.cloud.registry import Name, Ref, model

ZONE: Final = "azure-native:privatedns:PrivateZone"
_ZONE_ID: Final = (
    "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network"
    "/privateDnsZones/{privateZoneName}"
)
_LABEL: Final = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
_IN_ZONE: Final = Ref("privateZoneName", (ZONE,), same=("resourceGroupName",))

zone = model(
    ZONE,
    id=_ZONE_ID,
    name=Name(
        "privateZoneName",
        max=253,
        pattern=rf"{_LABEL}(\.{_LABEL})+",
        rule="two labels or more, of at most 63 letters, digits, - and _ each",
        made=False,
    ),
    references=(IN_GROUP,),
    outputs={"maxNumberOfRecordSets": 25000, "numberOfRecordSets": 1},
)
link = model(
    "azure-native:privatedns:VirtualNetworkLink",
    id=_ZONE_ID + "/virtualNetworkLinks/{virtualNetworkLinkName}",
    name=Name("virtualNetworkLinkName", max=80, separator=""),
    references=(IN_GROUP, _IN_ZONE, Ref("virtualNetwork.id", (VIRTUAL_NETWORK,))),
    immutable=("privateZoneName", "virtualNetwork"),
    outputs={"virtualNetworkLinkState": "Completed"},
    handles=(),
)
record_set = model(
    "azure-native:privatedns:PrivateRecordSet",
    id=_ZONE_ID + "/{recordType}/{relativeRecordSetName}",
    name=Name("relativeRecordSetName", separator=""),
    references=(IN_GROUP, _IN_ZONE),
    immutable=("privateZoneName", "recordType", "relativeRecordSetName"),
    outputs={"fqdn": "{relativeRecordSetName}.{privateZoneName}."},
    handles=(),
)


@zone.check
@link.check
def _global(draft: Draft) -> Iterator[Failure]:
    where = draft.known("location")
    if isinstance(where, str) and where.lower() != "global":
        yield draft.fail("location", f"private DNS is in the location 'global', got '{where}'")


@link.admit
def _one_link_a_name(draft: Draft) -> None:
    """A network resolves a name in one zone only."""
    wanted = str(draft.get("virtualNetwork.id")).lower()
    for other in draft.others(draft.type):
        linked = str((other["virtualNetwork"] or {}).get("id")).lower() == wanted
        if linked and str(other["privateZoneName"]).lower() == str(draft.get("privateZoneName")).lower():
            raise draft.refuse("Conflict", f"{wanted} is linked to a zone {draft.get('privateZoneName')} already.", 409)


@record_set.check
def _records(draft: Draft) -> Iterator[Failure]:
    kind, seconds = draft.known("recordType"), draft.known("ttl")
    if isinstance(seconds, int) and not 1 <= seconds <= 2147483647:
        yield draft.fail("ttl", f"expected between 1 and 2147483647 seconds, got {seconds}")
    if kind == "A" and not draft.get("aRecords"):
        yield draft.fail("aRecords", "a record set of type A needs a record")
    if draft.get("ttl") is None:
        yield draft.fail("ttl", "a record set needs a time to live")
    for path, value in draft.each("aRecords[*].ipv4Address"):
        if isinstance(value, str) and address(value) is None:
            yield draft.fail(path, f"'{value}' is no IPv4 address")
    name = draft.known("relativeRecordSetName")
    if isinstance(name, str) and name not in ("@", "*") and not re.fullmatch(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", name):
        yield draft.fail("relativeRecordSetName", f"'{name}' is no name of a record")
