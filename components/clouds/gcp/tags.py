"""The common tags as labels.

Owns which resource types take labels. GCP has fewer than other clouds: networks, subnets, firewall rules, routers,
groups, health checks, backend services and accounts take none.

Dangerous edge: labels of a client template cannot be changed. A tag that changes rolls all clients, one a zone
at a time. That is also why a server's boot disk takes none: there it would replace the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from components.plan.naming import labels

LABELLED = frozenset(
    {
        "gcp:compute/address:Address",
        "gcp:compute/disk:Disk",
        "gcp:compute/forwardingRule:ForwardingRule",
        "gcp:compute/instance:Instance",
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        "gcp:dns/managedZone:ManagedZone",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:secretmanager/secret:Secret",
    }
)


def tagged(type_: str, inputs: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, object] | None:
    """The inputs with labels; one that is already there stands. None where the type takes no labels."""
    if type_ not in LABELLED:
        return None
    own = cast("Mapping[str, object]", inputs.get("labels") or {})
    return {**inputs, "labels": {**labels(dict(tags)), **own}}
