"""What a cloud can build, and what the platform gets back.

Owns the types on both sides of the waist: arguments are frozen dataclasses holding plans and Outputs, results
are Protocols that expose few Outputs. Each cloud implements them with the same file names and passes one
contract suite; `Kit` is the whole surface that `platform.py` sees of a cloud.

Order in which a region is built, and the reason for it:
    connect → network → identities → firewall → gateway → keys → secret store → tunnels → backup → audit
    → database → balancers → servers → clients → zone → record
Balancers come before servers because Azure names the pool in the server's network interface. Tunnels need the peers'
gateways and come a pass later; the record is the manifest, which speaks of everything before it.

Dangerous edge: an argument left out here is an argument left to a cloud's default in three places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.plan.federation import Federated
from components.plan.flows import Balanced
from components.plan.mesh import Pair
from components.plan.naming import Names
from components.plan.records import Record
from components.plan.server import Guest, KeyStanza, ServerSpec
from components.plan.spec import Clients, Cloud, Product, Role, Stack


@dataclass(frozen=True)
class Account:
    """The account that the credentials belong to. Plain values, known before anything is registered."""

    id: str
    """AWS account id, Azure subscription id, GCP project id."""
    tenant: str
    """Azure tenant id, GCP project number; AWS partition."""


@dataclass(frozen=True)
class Site:
    """Where a component builds: handed to every component of a cloud."""

    stack: Stack
    account: Account

    @property
    def names(self) -> Names:
        """Names of this region."""
        return Names(self.stack.platform, self.stack.cloud)


@dataclass(frozen=True)
class Connection:
    """The provider that every resource of the stack goes through, and whose account it is."""

    provider: pulumi.ProviderResource
    site: Site


@dataclass(frozen=True)
class Entry:
    """One secret of the region's store and the only roles that may read it."""

    value: pulumi.Output[str]
    readers: tuple[Role, ...]


class Network(Protocol):
    """Zones' subnets with egress, nothing reachable from outside."""

    id: pulumi.Output[str]
    server_subnets: Sequence[pulumi.Output[str]]
    client_subnets: Sequence[pulumi.Output[str]]
    egress: Sequence[pulumi.Output[str]]
    """Public addresses from which machines reach the world: another cloud admits backups from them."""


class Identities(Protocol):
    """A workload identity a role."""

    attached: Mapping[Role, pulumi.Output[str]]
    """What a machine is given (instance profile, identity id, service account)."""
    principals: Mapping[Role, pulumi.Output[str]]
    """What a grant names."""
    subjects: Mapping[Role, pulumi.Output[str]]
    """What another cloud's trust policy names."""


class Firewall(Protocol):
    """Default deny, and the flow table."""

    groups: Mapping[Role, pulumi.Output[str]]
    """What a machine of a role is put into."""
    balancers: pulumi.Output[str] | None
    """What balancers are put into, where the cloud gives them a firewall of their own."""


class Key(Protocol):
    """A customer-managed key of the lineage: protected, rotating, never deletable at once."""

    id: pulumi.Output[str]
    stanza: pulumi.Output[KeyStanza]
    usable_from: tuple[str, ...]
    ready: Sequence[pulumi.Resource]
    """Grants: a machine that needs the key starts after them."""


class Federation(Protocol):
    """Trust in the workloads of other clouds, without a static key."""

    trust: Sequence[pulumi.Resource]
    """What makes their issuers known to the account."""

    stanza: pulumi.Output[KeyStanza]
    """How a federated machine reaches the key: the key's own attributes and the role to assume."""


class SecretStore(Protocol):
    """Entries, each readable by its readers alone."""

    ids: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]
    """Grants and values: a machine that reads at boot starts after them."""


class Gateway(Protocol):
    """The region's end of every tunnel, before any peer is known."""

    endpoints: Mapping[str, Sequence[pulumi.Output[str]]]
    """By pair's name: public address of this side for each of the pair's four tunnels. A pair is absent where the cloud
    gives addresses to connections and not to gateways (AWS)."""


class Alerts(Protocol):
    """Where the cloud's own alarms go."""

    @property
    def channels(self) -> Sequence[pulumi.Output[str]]:
        """Ids of what an alarm names to reach the recipients."""
        ...


class Tunnels(Protocol):
    """One pair's tunnels, this side of them."""

    endpoints: Sequence[pulumi.Output[str]]
    """Public address of this side for each of the four tunnels."""


class Backup(Protocol):
    """The bucket of the region's backups, its replica, and who may touch them."""

    name: pulumi.Output[str]
    attributes: pulumi.Output[Mapping[str, str]]
    """`plan.manifest.BucketFacts.attributes`."""
    replica: pulumi.Output[str]
    restorer: pulumi.Output[str]
    writers: Mapping[Cloud, Mapping[Role, pulumi.Output[Mapping[str, str]]]]
    """`plan.manifest.BackupFacts.writers`: for each of `BackupArgs.foreign`."""


class Audit(Protocol):
    """Who did what in the account, and who spoke to whom in the network."""

    bucket: pulumi.Output[str]

    @property
    def recovery(self) -> pulumi.Output[str] | None:
        """What holds the recovery region's records, where they cannot be written across regions."""
        ...


class Database(Protocol):
    """Boundary's PostgreSQL."""

    id: pulumi.Output[str]
    address: pulumi.Output[str]


class Balancer(Protocol):
    """An internal balancer in front of one cluster."""

    pools: Sequence[pulumi.Output[str]]
    """What servers are attached to; opaque outside the cloud."""


class ServerGroup(Protocol):
    """Machines with fixed names, addresses and disks."""

    ids: Mapping[str, pulumi.Output[str]]
    """Machine id by server name."""


class ClientGroup(Protocol):
    """An autoscaled group of equal machines."""

    id: pulumi.Output[str]


class Zone(Protocol):
    """The private zone, resolvable in this network only."""

    id: pulumi.Output[str]


@dataclass(frozen=True)
class NetworkArgs:
    """Everything about the network follows from the address plan."""

    site: Site


@dataclass(frozen=True)
class IdentitiesArgs:
    """One identity for each role."""

    site: Site
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class FirewallArgs:
    """Rules follow from the flow table."""

    site: Site
    network: Network
    identities: Identities


@dataclass(frozen=True)
class KeyArgs:
    """A key and the roles that may encrypt and decrypt with it."""

    site: Site
    purpose: str
    """`vault-seal`, `nomad-keyring`, `boundary-worker-auth`, `disk`, `secrets`, `backup`, `audit`, `database`."""
    users: tuple[Role, ...]
    identities: Identities
    recoverable: bool
    """Whether the key must answer from the recovery region too (seals: yes; disks die with their region: no)."""

    @property
    def kind(self) -> str:
        """What the component is called: policies ask every seal key, and no other, to outlive its region."""
        return "SealKey" if self.recoverable else "DataKey"

    @property
    def usable_from(self) -> tuple[str, ...]:
        """Regions in which the key must answer, its own first."""
        region = self.site.stack.region
        return (region.name, region.recovery) if self.recoverable else (region.name,)


@dataclass(frozen=True)
class FederationArgs:
    """Workloads of other clouds that may use `key` as a Boundary worker does."""

    site: Site
    key: Key
    workloads: Mapping[str, Federated]
    """By cloud; empty until the peers' first update."""


@dataclass(frozen=True)
class SecretStoreArgs:
    """Entries by name; `key` encrypts them."""

    site: Site
    network: Network
    identities: Identities
    key: Key
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class AlertsArgs:
    """Recipients are the platform's; `key` encrypts what waits to be sent, where the cloud keeps it."""

    site: Site
    key: Key


@dataclass(frozen=True)
class GatewayArgs:
    """The pairs that the region belongs to."""

    site: Site
    network: Network
    pairs: tuple[Pair, ...]
    key: Key
    """Encrypts what the gateway logs, where the cloud makes a log of its own for it."""


@dataclass(frozen=True)
class TunnelsArgs:
    """A pair whose peer has a gateway."""

    site: Site
    network: Network
    gateway: Gateway
    pair: Pair
    far: Sequence[str]
    """Public address of the peer's side for each of the four tunnels."""
    keys: Sequence[pulumi.Output[str]]
    """Pre-shared key of each tunnel; secret."""
    alerts: Alerts


@dataclass(frozen=True)
class BackupArgs:
    """The bucket and who writes into it."""

    site: Site
    network: Network
    identities: Identities
    key: Key
    foreign: Mapping[Cloud, Mapping[Role, Federated]]
    """Machines of another cloud whose second copies lie here; empty until that region's first update."""
    admitted: tuple[str, ...]
    """Public addresses of those machines, where the cloud asks for them."""
    standing: bool
    """Whether an earlier update made the bucket: a lock that the cloud wants raised in a second step is raised then."""
    trust: Sequence[pulumi.Resource]
    """What makes other clouds' identities known to this account, where `foreign` needs it."""


@dataclass(frozen=True)
class AuditArgs:
    """Everything about the trail follows from the platform; `key` encrypts it."""

    site: Site
    network: Network
    key: Key
    backup: Backup
    """Who touched which backup is part of the trail."""
    gateway: Gateway
    """What tunnels were negotiated is part of it too, where the cloud's gateway writes no log by itself."""
    standing: bool
    """As in `BackupArgs`."""
    recovery_standing: bool
    """The same of what holds the recovery region's records."""


@dataclass(frozen=True)
class DatabaseArgs:
    """Boundary's database; `key` encrypts it and its backups."""

    site: Site
    network: Network
    firewall: Firewall
    key: Key
    password: pulumi.Output[str]


@dataclass(frozen=True)
class BalancerArgs:
    """Listeners and health check of one product."""

    site: Site
    network: Network
    firewall: Firewall
    product: Product
    balanced: Balanced


@dataclass(frozen=True)
class MachineArgs:
    """What servers and clients are built with."""

    site: Site
    network: Network
    firewall: Firewall
    identities: Identities
    disk_key: Key
    facts: Mapping[str, pulumi.Output[str]]
    """Content of late files by fact."""
    after: Sequence[pulumi.Resource]
    """Grants that must stand before the first boot."""


@dataclass(frozen=True)
class ServerGroupArgs:
    """Servers of one cluster."""

    machine: MachineArgs
    servers: tuple[ServerSpec, ...]
    replaceable: frozenset[str]
    """Names that this update may replace. Changes of image and user data are ignored on every other one."""
    balancer: Balancer | None


@dataclass(frozen=True)
class ClientGroupArgs:
    """Equal machines from one template."""

    machine: MachineArgs
    template: ServerSpec
    bounds: Clients


@dataclass(frozen=True)
class ZoneArgs:
    """The record table in this cloud's form."""

    site: Site
    network: Network
    records: tuple[Record, ...]


type_token = "hashicorp:clouds:{}".format
"""Type token of a cloud's component: the same in all clouds, so that policies and tests read one word."""

Options = pulumi.ResourceOptions


@dataclass(frozen=True)
class Kit:
    """One cloud. `components.clouds.<cloud>.KIT` is all that the platform imports of it."""

    connect: Callable[[Stack], Connection]
    guest: Callable[[Site], Guest]
    network: Callable[[str, NetworkArgs, Options], Network]
    identities: Callable[[str, IdentitiesArgs, Options], Identities]
    firewall: Callable[[str, FirewallArgs, Options], Firewall]
    key: Callable[[str, KeyArgs, Options], Key]
    federation: Callable[[str, FederationArgs, Options], Federation] | None
    """Only the primary's cloud is asked for it."""
    alerts: Callable[[str, AlertsArgs, Options], Alerts]
    gateway: Callable[[str, GatewayArgs, Options], Gateway]
    tunnels: Callable[[str, TunnelsArgs, Options], Tunnels]
    backup: Callable[[str, BackupArgs, Options], Backup]
    audit: Callable[[str, AuditArgs, Options], Audit]
    database: Callable[[str, DatabaseArgs, Options], Database] | None
    """Only the primary's cloud is asked for it."""
    secret_store: Callable[[str, SecretStoreArgs, Options], SecretStore]
    balancer: Callable[[str, BalancerArgs, Options], Balancer]
    servers: Callable[[str, ServerGroupArgs, Options], ServerGroup]
    clients: Callable[[str, ClientGroupArgs, Options], ClientGroup]
    zone: Callable[[str, ZoneArgs, Options], Zone]
    tagged: Callable[[str, Mapping[str, object], Mapping[str, str]], dict[str, object] | None]
    """(type token, inputs, tags) → inputs with tags in this cloud's form, or None where the type takes none."""
