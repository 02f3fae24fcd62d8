"""What three clouds must have in common, in words that belong to none of them.

A reader fills these records from the resources that an update registered; the rules compare them with the plan.
Everything is read, nothing assumed: a reader that does not find a thing leaves it out, and a rule misses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.spec import Product, Role

EVERY_PORT = (0, 65535)
WORLD = "world"
"""Everywhere. Beside it, a place is a role of the region, a cloud (that region's whole network), or one of:"""
PROBES = "probes"
"""The cloud's own balancers and their health checks."""
BASTION = "bastion"
"""A subnet that holds nothing but the cloud's managed door for people."""


@dataclass(frozen=True, order=True)
class Way:
    """Traffic that is allowed between a machine and a place: from there if it is a way in, to there if a way out."""

    protocol: str
    """`tcp`, `udp`, `icmp` or `any`."""
    first: int
    last: int
    place: str

    def __str__(self) -> str:
        port = self.first if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol}/{port} {self.place}"


@dataclass(frozen=True)
class Disk:
    """A disk of a machine."""

    purpose: str
    """`root`, `data`, `audit`."""
    gib: int
    key: str | None
    """Purpose of the customer's key that encrypts it."""
    zone: int | None
    """None where the machine's zone is the disk's."""
    outlives: bool
    """Stays, with its data, when the machine is replaced."""
    protected: bool


@dataclass(frozen=True)
class Machine:
    """A server, or the template of a group's machines."""

    name: str
    """As the plan names it, without the platform's prefix."""
    role: Role
    """Whose identity it has."""
    zone: int | None
    address: str | None
    instance_type: str
    image: str
    public: bool
    """Whether it has an address that the world can reach."""
    exposures: frozenset[str]
    """Hardening that is missing, in words."""
    guarded: bool | None
    """Whether it cannot be deleted by a slip outside of the engine; None where the cloud offers no guard of a machine."""
    ways_in: frozenset[Way]
    ways_out: frozenset[Way]
    disks: tuple[Disk, ...]
    user_data: str
    """The cloud-config, unpacked."""
    kept: frozenset[str]
    """What a plain update leaves alone even if it changed: `image`, `size`, `user data`."""


@dataclass(frozen=True)
class Group:
    """An autoscaled group of equal machines."""

    minimum: int
    maximum: int
    zones: frozenset[int]
    template: Machine


@dataclass(frozen=True)
class Key:
    """A key of the customer's."""

    purpose: str
    users: frozenset[str]
    """Who may encrypt and decrypt: roles, or `peers` for the workers of other clouds."""
    rotates: bool
    delay_days: int
    """Between asking for its destruction and the end."""
    protected: bool


@dataclass(frozen=True)
class SecretEntry:
    """An entry of the secret store."""

    name: str
    readers: frozenset[str]
    key: str | None
    """Purpose of the key that encrypts it; `service` where the store takes no key but seals in hardware itself."""
    delay_days: int
    protected: bool


@dataclass(frozen=True)
class Check:
    """How a balancer asks a server."""

    protocol: str
    port: int
    path: str
    interval: int
    unhealthy: int
    reads_body: bool | None
    """Whether a good answer must begin as the plan says; None where the cloud looks at the status alone."""


@dataclass(frozen=True)
class Balancer:
    """A balancer in front of a product."""

    product: Product
    internal: bool
    addresses: tuple[str, ...]
    listeners: Mapping[int, int]
    """Server port by front port."""
    checks: frozenset[Check]
    members: frozenset[str]
    """Servers behind every listener."""
    ways_in: frozenset[Way] | None
    """None where servers see the client's address, so that their own ways in decide."""


@dataclass(frozen=True)
class Zone:
    """A private zone."""

    domain: str
    private: bool
    records: Mapping[str, tuple[tuple[str, ...], int]]
    """Addresses and lifetime in seconds by name, relative to the domain."""


@dataclass(frozen=True)
class Tunnel:
    """One side of one tunnel."""

    pair: str
    index: int
    own: str
    """Inside address of this side."""
    far: str
    """Inside address of the peer's."""
    own_asn: int
    far_asn: int
    far_gateway: str
    """Public address of the peer's gateway."""
    suite: frozenset[str]
    """What the gateway is held to, in words: `ikev2`, and for each of `phase1`, `phase2` the likes of
    `phase1 aes256`, `phase1 sha256`, `phase1 dh14`. Whatever else it would accept is listed too."""
    dpd_seconds: int | None
    """None where the cloud does not let it be set."""
    key: str | None
    """Entry of the secret store whose value is the pre-shared key; None if it is no entry's."""
    dynamic: bool
    """Whether routes come by BGP and no other way."""


@dataclass(frozen=True)
class Alarm:
    """Something in the cloud that tells when a tunnel is down."""

    pair: str
    tunnels: frozenset[int]
    """Those that it watches."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of the lineage: `backups` or `audit`."""

    region: str
    replica_region: str | None
    """Where every object also lies, in the same cloud."""
    versioned: bool
    key: str | None
    """Purpose of the key that encrypts it."""
    replica_key: str | None
    lock_days: int
    locked: bool
    """Whether nobody, whatever his rights, can shorten the lock."""
    expire_days: int
    """Age at which the lifecycle deletes an object."""
    superseded_days: int
    """Days after which it deletes a version that is no longer current."""
    public: frozenset[str]
    """Openings to the world, in words; empty is right."""
    clear_text: bool
    """Whether requests without TLS are answered."""
    protected: bool
    creators: Mapping[str, frozenset[str]]
    """Beginnings of the names that a writer may create, by writer: a role, or `<cloud>/<role>` of a peer's machines."""
    powers: Mapping[str, frozenset[str]]
    """What else somebody may do to objects or the bucket's settings, by who: `restorer`, a role, a peer's. Words: `read`,
    `list`, `overwrite`, `delete`, `settings`."""


@dataclass(frozen=True)
class Trail:
    """Who did what, and who spoke to whom."""

    calls: frozenset[str]
    """Kinds of API calls that are recorded: `write`, `read`, `data`."""
    verified: bool | None
    """Whether records are signed; None where the cloud offers nothing."""
    flows: frozenset[str]
    """CIDRs whose flows are recorded."""
    bucket: Bucket


@dataclass(frozen=True)
class Posture:
    """One region, read."""

    machines: Mapping[str, Machine]
    clients: Group
    keys: Mapping[str, Key]
    secrets: Mapping[str, SecretEntry]
    balancers: Mapping[Product, Balancer]
    zone: Zone
    subnets: frozenset[str]
    """CIDRs in which machines live."""
    tunnels: tuple[Tunnel, ...]
    alarms: tuple[Alarm, ...]
    learning: frozenset[str]
    """CIDRs of subnets that learn the peers' ranges by the mesh."""
    backups: Bucket
    trail: Trail
    strays: frozenset[str]
    """Grants to machines that are neither the use of a key, nor the reading of an entry, nor the writing of a backup, nor
    an operator's way in."""

    @property
    def every_machine(self) -> tuple[Machine, ...]:
        return (*self.machines.values(), self.clients.template)
