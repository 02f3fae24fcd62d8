"""GCP: limits from the API discovery documents that ship inside google-api-python-client.

Add a line to `SOURCES` to have a type checked against the schema of the API object it becomes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import googleapiclient

from sandbox.cloud.schema import Shape
from sandbox.cloud.truth.overlay import SKIP, Fact, Source

SOURCES: Final[dict[str, Source]] = {
    "gcp:compute/address:Address": Source(("compute.v1", "Address")),
    "gcp:compute/disk:Disk": Source(("compute.v1", "Disk"), {"type": SKIP}),
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": Source(("compute.v1", "ExternalVpnGateway")),
    "gcp:compute/firewall:Firewall": Source(("compute.v1", "Firewall"), {"logConfig.metadata": "logConfig.metadata"}),
    "gcp:compute/forwardingRule:ForwardingRule": Source(
        ("compute.v1", "ForwardingRule"), {"ipProtocol": "IPProtocol", "ipAddress": SKIP}
    ),
    "gcp:compute/haVpnGateway:HaVpnGateway": Source(("compute.v1", "VpnGateway")),
    "gcp:compute/instance:Instance": Source(("compute.v1", "Instance"), {"machineType": SKIP, "metadata": SKIP}),
    "gcp:compute/instanceGroup:InstanceGroup": Source(("compute.v1", "InstanceGroup")),
    "gcp:compute/instanceTemplate:InstanceTemplate": Source(("compute.v1", "InstanceTemplate")),
    "gcp:compute/network:Network": Source(
        ("compute.v1", "Network"), {"routingMode": "routingConfig.routingMode", "mtu": "mtu"}
    ),
    "gcp:compute/regionBackendService:RegionBackendService": Source(
        ("compute.v1", "BackendService"), {"backends.balancingMode": "backends.balancingMode"}
    ),
    "gcp:compute/regionHealthCheck:RegionHealthCheck": Source(("compute.v1", "HealthCheck")),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": Source(
        ("compute.v1", "InstanceGroupManager"), {"distributionPolicyTargetShape": "distributionPolicy.targetShape"}
    ),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": Source(("compute.v1", "InstanceTemplate")),
    "gcp:compute/router:Router": Source(("compute.v1", "Router")),
    "gcp:compute/routerInterface:RouterInterface": Source(("compute.v1", "RouterInterface")),
    "gcp:compute/routerPeer:RouterPeer": Source(("compute.v1", "RouterBgpPeer"), {"enable": SKIP}),
    "gcp:compute/routerNat:RouterNat": Source(("compute.v1", "RouterNat"), {"name": SKIP}),
    "gcp:compute/subnetwork:Subnetwork": Source(
        ("compute.v1", "Subnetwork"), {"logConfig.aggregationInterval": "logConfig.aggregationInterval"}
    ),
    "gcp:compute/vPNTunnel:VPNTunnel": Source(("compute.v1", "VpnTunnel"), {"sharedSecret": SKIP}),
    "gcp:dns/managedZone:ManagedZone": Source(("dns.v1", "ManagedZone")),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Source(("iam.v1", "WorkloadIdentityPool")),
    "gcp:kms/cryptoKey:CryptoKey": Source(
        ("cloudkms.v1", "CryptoKey"),
        {
            "purpose": "purpose",
            "versionTemplate.algorithm": "versionTemplate.algorithm",
            "versionTemplate.protectionLevel": "versionTemplate.protectionLevel",
        },
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Source(
        ("monitoring.v3", "AlertPolicy"),
        {
            f"conditions.{theirs}.{name}": f"conditions.{theirs}.{name}"
            for theirs in ("conditionThreshold", "conditionAbsent")
            for name in ("comparison", "evaluationMissingData")
        },
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": Source(("cloudresourcemanager.v1", "AuditConfig")),
    "gcp:secretmanager/secret:Secret": Source(("secretmanager.v1", "Secret")),
    "gcp:storage/bucket:Bucket": Source(("storage.v1", "Bucket"), {"encryption": SKIP}),
}


@cache
def _document(name: str) -> dict[str, Any]:
    place = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / f"{name}.json"
    return json.loads(place.read_text())["schemas"]


def fact(source: Source) -> Fact:
    """The schema of the API object a source names."""
    document, name = source.place
    return _DiscoveryFact(document, _document(document)[name])


@dataclass(frozen=True)
class _DiscoveryFact:
    document: str
    node: dict[str, Any]

    def limits(self) -> Shape:
        node = self._resolved()
        found: Shape = {}
        if node.get("type") == "string":
            found = {key: node[key] for key in ("enum", "pattern") if key in node}
            if found.get("pattern") and not found["pattern"].isascii():
                del found["pattern"]
        return found

    def member(self, name: str) -> Fact | None:
        for member, found in self._resolved().get("properties", {}).items():
            if member.lower() == name.lower():
                return _DiscoveryFact(self.document, found)
        return None

    def _resolved(self) -> dict[str, Any]:
        node = self.node
        while True:
            if node.get("type") == "array":
                node = node["items"]
            elif "$ref" in node:
                node = _document(self.document)[node["$ref"]]
            else:
                return node
