"""Google Cloud resources that tests of models stand on, in the simplest form that is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sandbox.cloud.client import Client, Resource

NETWORK, SUBNETWORK = "gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"
ROUTER, NAT, ADDRESS = "gcp:compute/router:Router", "gcp:compute/routerNat:RouterNat", "gcp:compute/address:Address"
ACCOUNT, AGENT = "gcp:serviceaccount/account:Account", "gcp:projects/serviceIdentity:ServiceIdentity"
KEY_RING, KEY = "gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
DISK, INSTANCE = "gcp:compute/disk:Disk", "gcp:compute/instance:Instance"
GROUP = "gcp:compute/instanceGroup:InstanceGroup"
ZONE = "us-west1-a"
USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
DISK_AGENT = "serviceAccount:service-123456789012@compute-system.iam.gserviceaccount.com"
IMAGE = "projects/ubuntu-os-cloud/global/images/ubuntu-2404-noble-amd64-v20250701"


@dataclass(frozen=True)
class Ground:
    """A network with a subnetwork."""

    cloud: Client
    network: Resource
    subnetwork: Resource

    def machine(self, name: str = "it", **changes: object) -> dict[str, Any]:
        """Inputs of a machine."""
        return {
            "name": name,
            "zone": ZONE,
            "machineType": "n2-standard-2",
            "bootDisk": {"initializeParams": {"image": IMAGE}},
            "networkInterfaces": [{"subnetwork": self.subnetwork.id}],
            **changes,
        }

    def boot(self, name: str = "it", **changes: object) -> Resource:
        """A machine that runs."""
        return self.cloud.create(INSTANCE, self.machine(name, **changes), name)

    def group(self, name: str = "it", **changes: object) -> Resource:
        """An unmanaged group in the network."""
        inputs = {"name": name, "zone": ZONE, "network": self.network.id, **changes}
        return self.cloud.create(GROUP, inputs, name)


def ground(cloud: Client, name: str = "it", cidr: str = "10.3.1.0/24") -> Ground:
    """A network of its own with one subnetwork."""
    network = cloud.create(NETWORK, {"name": name, "autoCreateSubnetworks": False}, name)
    inside = {"name": name, "network": network.id, "ipCidrRange": cidr, "region": "us-west1"}
    return Ground(cloud, network, cloud.create(SUBNETWORK, inside, name))


def key(cloud: Client, location: str = "us-west1", user: str | None = DISK_AGENT, name: str = "it") -> Resource:
    """A key that `user` may encrypt with."""
    ring = cloud.create(KEY_RING, {"name": name, "location": location}, f"{name}-{location}")
    made = cloud.create(KEY, {"name": name, "keyRing": ring.id, "purpose": "ENCRYPT_DECRYPT"}, f"{name}-{location}")
    if user:
        cloud.create(KEY_GRANT, {"cryptoKeyId": made.id, "role": USE, "member": user}, f"{name}-{location}")
    return made
