"""Google Cloud DNS: private zones and their records.

Source: Cloud DNS API reference, managedZones and resourceRecordSets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.names import COMPUTE, given
from sandbox.cloud.models.gcp.network import NETWORK
from sandbox.cloud.registry import Name, Ref, model

ZONE: Final = "gcp:dns/managedZone:ManagedZone"
_NETWORKS: Final = "privateVisibilityConfig.networks[*].networkUrl"

zone = model(
    ZONE,
    name=COMPUTE,
    references=(Ref(_NETWORKS, (NETWORK,)),),
    immutable=("name", "dnsName", "visibility"),
    outputs={
        "visibility": "public",
        "managedZoneId": "{digits19}",
        "nameServers": ["ns-gcp-private.googledomains.com."],
    },
    in_use="containerNotEmpty",
)
record = model(
    "gcp:dns/recordSet:RecordSet",
    id="projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    name=Name("name", made=False),
    references=(Ref("managedZone", (ZONE,)),),
    immutable=("managedZone", "name", "type"),
)


@zone.check
def _named(draft: Draft) -> Iterator[Failure]:
    name = draft.known("dnsName")
    if isinstance(name, str) and not name.endswith("."):
        yield draft.fail("dnsName", f"'{name}' must end with a dot")
    if draft.known("visibility") == "private" and draft.get("privateVisibilityConfig") is None:
        yield draft.fail("privateVisibilityConfig", "a private zone needs the networks that may see it")


@zone.admit
def _alone(draft: Draft) -> None:
    """A network resolves a name through one zone."""
    wanted = {value for _, value in draft.each(_NETWORKS)}
    for other in draft.others(ZONE, dnsName=draft.get("dnsName"), visibility="private"):
        theirs = (other["privateVisibilityConfig"] or {}).get("networks") or []
        if wanted & {network.get("networkUrl") for network in theirs}:
            message = (
                f"The network sees the private zone '{other.id}' with the DNS name {draft.get('dnsName')} already."
            )
            raise draft.refuse("managedPrivateZoneConflict", message)


@record.check
def _well_formed(draft: Draft) -> Iterator[Failure]:
    name = draft.known("name")
    if isinstance(name, str) and not name.endswith("."):
        yield draft.fail("name", f"'{name}' must end with a dot")
    if draft.known("type") == "A":
        for path, value in draft.each("rrdatas[*]"):
            if isinstance(value, str) and address(value) is None:
                yield draft.fail(path, f"'{value}' is not an IPv4 address")
    if not given(draft, "rrdatas", "routingPolicy"):
        yield draft.fail("rrdatas", "one of rrdatas and routingPolicy must be given")


@record.admit
def _within(draft: Draft) -> None:
    found = draft.find(ZONE, draft.get("managedZone"))
    name, suffix = str(draft.get("name")), str(found["dnsName"]) if found else ""
    if found and name != suffix and not name.endswith(f".{suffix}"):
        raise draft.refuse("invalid", f"'{name}' does not lie in the zone {suffix}")
