"""Where the clouds' host names lead in a lab: which service has which address.

Pure. The addresses are documentation's own (RFC 5737), so that they are nobody's; whoever builds the lab's network puts
them on its switch and lets every machine reach them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.lab.openbao import SEAL_HOST
from sandbox.stores.gcp import GOOGLE
from sandbox.stores.ground import Ground
from sandbox.stores.namespace import GATEWAY, METADATA, METADATA_HOST

from . import truststore

CLOUD_KMS, RESOLVER = "192.0.2.2", "192.0.2.53"
"""Google's key service, which speaks gRPC on the port that the others speak HTTP on, and the resolver."""
ADDRESSES = (METADATA, GATEWAY, CLOUD_KMS, RESOLVER)
"""All of them."""
HTTP, HTTPS, DNS = 80, 443, 53
CLOUD_KMS_HOST, SECRET_MANAGER_HOST = f"cloudkms.{GOOGLE}", f"secretmanager.{GOOGLE}"
VAULT_DOMAIN = ".vault.azure.net"


def aws_host(service: str, region: str) -> str:
    """A region's endpoint."""
    return f"{service}.{region}.amazonaws.com"


def hosts(ground: Ground) -> Mapping[str, str]:
    """Address by host name, for all names that anybody answers at."""
    regions = {machine.region for machine in ground.machines if machine.cloud == "aws"}
    regions |= {thing.place for thing in (*ground.secrets, *ground.keys) if thing.cloud == "aws"}
    served = {
        *ground.hosts(),
        *(aws_host(service, region) for region in regions for service in ("kms", "secretsmanager", "sts")),
        *(vault.name + VAULT_DOMAIN for vault in ground.vaults),
        SECRET_MANAGER_HOST,
        truststore.HOST,
        SEAL_HOST,
    }
    return {
        **dict.fromkeys(sorted(served), GATEWAY),
        CLOUD_KMS_HOST: CLOUD_KMS,
        METADATA_HOST: METADATA,
    }
