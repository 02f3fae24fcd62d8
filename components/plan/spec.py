"""The platform in its own words: clouds, products, roles, regions and clusters.

Owns the vocabulary every other module is written in. Decides nothing about addresses, ports or names
(see `addressing`, `flows`, `naming`) and reads no configuration.

All regions of the platform stand in one `Platform`, because addresses are planned: a region knows where
its peers' servers will be without asking any cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from .change import Change

Cloud = Literal["aws", "azure", "gcp"]
Product = Literal["consul", "vault", "nomad", "boundary"]
Role = Literal["consul-server", "vault-server", "nomad-server", "nomad-client", "boundary-worker"]
Profile = Literal["production", "small"]
Edition = Literal["community", "enterprise"]
SealKind = Literal["cloud", "shamir"]
Deletion = Literal["guarded", "open"]
Lock = Literal["compliance", "governance"]

CLOUDS: tuple[Cloud, ...] = get_args(Cloud)
PRODUCTS: tuple[Product, ...] = get_args(Product)
ROLES: tuple[Role, ...] = get_args(Role)

PRIMARY: Cloud = "aws"
"""Makes the roots, is Consul's primary datacenter and Nomad's authoritative region. Not a setting: workers of the
other clouds authenticate by a key of this one through its identity federation."""

SERVER_ROLE: Mapping[Product, Role] = {
    "consul": "consul-server",
    "vault": "vault-server",
    "nomad": "nomad-server",
    "boundary": "boundary-worker",
}
"""The role of a product's fixed servers. Nomad clients are the only role outside this table: they have no identity."""

RAFT_PRODUCTS: tuple[Product, ...] = ("consul", "vault", "nomad")
"""Products whose servers are voters; a Boundary worker holds no state and no vote."""


def product_of(role: Role) -> Product:
    """The product a role belongs to."""
    return next(product for product in PRODUCTS if role.startswith(product))


def quorum(voters: int) -> int:
    """Votes that a raft cluster of `voters` needs to go on."""
    return voters // 2 + 1


@dataclass(frozen=True)
class Region:
    """One cloud region of the platform: one stack."""

    cloud: Cloud
    name: str
    """The cloud's own name, for example `us-west-2`."""
    zones: tuple[str, ...]
    """Zone names as the cloud spells them (`us-west-2a`, `1`, `us-west1-a`), in the order of the address plan."""
    cidr: str
    recovery: str
    """Second region of the same cloud in which the seal key answers when this region is lost."""

    def zone_label(self, zone: int) -> str:
        """A zone's name as products and people know it: Azure calls its zones `1`, which says nothing alone."""
        name = self.zones[zone]
        return name if name.startswith(self.name) else f"{self.name}-{name}"


@dataclass(frozen=True)
class Clients:
    """Bounds of the autoscaled group of Nomad clients, in machines."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class Artifacts:
    """Where machines fetch release archives from at boot."""

    base_url: str
    """Serves `<product>/<version>/<product>_<version>_linux_amd64.zip` and `…_SHA256SUMS` beside it."""
    exporter_url: str
    """Serves `v<version>/node_exporter-<version>.linux-amd64.tar.gz` and `sha256sums.txt` beside it."""
    postgresql_url: str
    """Serves `<version>/postgresql-<version>-x86_64-unknown-linux-gnu.tar.gz` and `….sha256` beside it."""
    checksums: Mapping[str, str]
    """SHA-256 by archive file name. A pinned sum is compared as well as the published one."""


@dataclass(frozen=True)
class Backup:
    """What is backed up how often, and how long nobody can take it away."""

    interval_minutes: Mapping[Product, int]
    """Time between two backups of a product's clusters."""
    rpo_minutes: int
    """Most that a raft cluster may lose: the newest verified backup is never older."""
    lock: Lock
    """`compliance`: nobody can shorten or lift the lock, not even the account's owner; `governance`: administrators can."""
    lock_days: int
    """For so long no object of a backup bucket can be changed or deleted."""
    keep_days: int
    """After so long the bucket deletes an object by itself."""
    copies: Mapping[Cloud, Cloud]
    """Where the second copy of each region's backups lies: another cloud of the platform."""


@dataclass(frozen=True)
class Platform:
    """Everything all stacks agree on. Equal in every stack, whichever region it builds."""

    name: str
    """Prefix of every name in the clouds; two platforms in one account differ in it."""
    environment: str
    domain: str
    owner: str
    cost_center: str
    profile: Profile
    edition: Edition
    seal: SealKind
    regions: Mapping[Cloud, Region]
    servers: Mapping[Product, int]
    clients: Clients
    versions: Mapping[str, str]
    """Exact version by artefact: the four products, `node_exporter` and `postgresql`."""
    artifacts: Artifacts
    asns: Mapping[Cloud, int]
    """Private autonomous system number of each region's gateways."""
    backup: Backup
    audit_days: int
    """For so long the audit trail and the networks' flow logs are kept, unchangeable."""
    recipients: tuple[str, ...]
    """Mail addresses that the clouds' own alarms reach."""

    @property
    def primary(self) -> Cloud:
        """The primary region's cloud."""
        return PRIMARY

    @property
    def clouds(self) -> tuple[Cloud, ...]:
        """Clouds with a region, in the platform's order."""
        return tuple(cloud for cloud in CLOUDS if cloud in self.regions)

    def peers(self, cloud: Cloud) -> tuple[Region, ...]:
        """The other regions, in the platform's order of clouds."""
        return tuple(self.regions[peer] for peer in self.clouds if peer != cloud)


@dataclass(frozen=True)
class Stack:
    """What one stack adds to the platform: which region it builds, with what, and what it may replace now."""

    platform: Platform
    cloud: Cloud
    account: str
    """AWS account, Azure subscription or GCP project that must be the credentials' own; empty: whatever they say."""
    image: str
    """Machine image, pinned: AWS image name, Azure `publisher:offer:sku:version`, GCP `project/image`."""
    rollout: tuple[str, ...]
    """Servers that this update may replace; every other voter keeps its machine whatever changes."""
    deletion: Deletion = "guarded"
    """Whether the cloud itself refuses to delete machines and balancers; `open` is the step before a destroy."""
    change: Change | None = None
    """The record under which this update runs."""
    exemptions: tuple[Mapping[str, str], ...] = ()
    """Entries that silence a rule of the policy pack for a while, as they are written."""
    peers_required: bool = False
    """Whether policies that need the peers' facts fail without them; set once all stacks were updated."""

    @property
    def guarded(self) -> bool:
        """Whether machines and balancers carry the cloud's deletion guard."""
        return self.deletion == "guarded"

    @property
    def region(self) -> Region:
        """The region this stack builds."""
        return self.platform.regions[self.cloud]

    @property
    def is_primary(self) -> bool:
        """Whether this stack makes the platform's roots (certificate authority, gossip keys)."""
        return self.cloud == self.platform.primary


def cluster_name(product: Product, cloud: Cloud) -> str:
    """`consul-aws`: also the product's DNS label and the stem of its server names."""
    return f"{product}-{cloud}"


def server_name(product: Product, cloud: Cloud, index: int) -> str:
    """`consul-aws-1`; `index` counts from zero, names from one."""
    return f"{cluster_name(product, cloud)}-{index + 1}"
