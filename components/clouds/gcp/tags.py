"""The common tags as labels.

Owns which resource types take labels, and where. GCP has fewer than other clouds: networks, subnets, firewall rules,
routers, groups, health checks, backend services, accounts and identity pools take none.

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
        "gcp:compute/externalVpnGateway:ExternalVpnGateway",
        "gcp:compute/forwardingRule:ForwardingRule",
        "gcp:compute/haVpnGateway:HaVpnGateway",
        "gcp:compute/instance:Instance",
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        "gcp:compute/vPNTunnel:VPNTunnel",
        "gcp:dns/managedZone:ManagedZone",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:secretmanager/secret:Secret",
        "gcp:storage/bucket:Bucket",
    }
)

USER_LABELLED = frozenset(
    {"gcp:monitoring/alertPolicy:AlertPolicy", "gcp:monitoring/notificationChannel:NotificationChannel"}
)
"""Types that call them the user's."""


def tagged(type_: str, inputs: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, object] | None:
    """The inputs with labels; one that is already there stands. None where the type takes no labels."""
    where = "labels" if type_ in LABELLED else "user_labels" if type_ in USER_LABELLED else None
    if where is None:
        return None
    own = cast("Mapping[str, object]", inputs.get(where) or {})
    return {**inputs, where: {**labels(dict(tags)), **own}}
