"""One region of the platform, wired in dependency order.

The only module that knows products, clouds and lineage together. It decides nothing: addresses, ports, names
and sizes come from `plan`, machines from `products`, resources from the cloud's `Kit`.

Only the chosen cloud's package is imported, and with it only that cloud's SDK.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import pulumi

from components.backup import BackupPlan, admitted, foreign, plans
from components.clouds.contract import (
    AlertsArgs,
    AuditArgs,
    BackupArgs,
    ClientGroupArgs,
    Connection,
    Database,
    DatabaseArgs,
    Entry,
    Federation,
    FederationArgs,
    Firewall,
    FirewallArgs,
    IdentitiesArgs,
    Key,
    KeyArgs,
    Kit,
    MachineArgs,
    Network,
    NetworkArgs,
    SecretStoreArgs,
    ZoneArgs,
)
from components.cluster import Cluster, ClusterArgs
from components.compliance import Facts
from components.lineage import Certificates, Roots, Values, handed_on, split
from components.mesh import Mesh
from components.outputs import Built, manifest
from components.peers import FACTS, LINEAGE, MANIFEST, Peers
from components.pending import detached, pending
from components.plan import compliance, secrets
from components.plan.federation import federated
from components.plan.manifest import packed
from components.plan.naming import tags
from components.plan.records import records
from components.plan.server import KeyStanza, ServerSpec
from components.plan.spec import PRODUCTS, ROLES, Cloud, Product, Role, Stack
from components.products import backup as agent
from components.products import boundary, consul, nomad, vault
from components.products.props import props

_Part = TypeVar("_Part")

_SERVERS: Mapping[Product, Callable[..., tuple[ServerSpec, ...]]] = {
    "consul": consul.servers,
    "vault": vault.servers,
    "nomad": nomad.servers,
    "boundary": boundary.servers,
}
_LATE: Mapping[str, Callable[[KeyStanza], str]] = {**vault.LATE, **nomad.LATE, **boundary.LATE}
_KEY_USERS: Mapping[str, tuple[Role, ...]] = {
    vault.SEAL: ("vault-server",),
    nomad.KEYRING: ("nomad-server",),
    boundary.WORKER_AUTH: ("boundary-worker",),
}
"""Keys that products use, by purpose, which is also the late file's fact."""


def kit_of(cloud: Cloud) -> Kit:
    """The cloud's package; importing it imports its SDK and no other."""
    return cast("Kit", importlib.import_module(f"components.clouds.{cloud}").KIT)


class Platform(pulumi.ComponentResource):
    """One region: network, keys, secret store, four products, names."""

    manifest: pulumi.Output[dict[str, Any]]
    facts: Mapping[str, Any]
    """What policies and peers read; known before anything is registered."""
    lineage: pulumi.Output[Mapping[str, str]] | None
    """The roots that this region hands on; only the primary does."""

    def __init__(self, stack: Stack, peers: Peers, connection: Connection, kit: Kit) -> None:
        region = stack.region
        spec = {"cloud": stack.cloud, "region": region.name, "cidr": region.cidr, "profile": stack.platform.profile}
        super().__init__(
            "hashicorp:platform:Platform",
            stack.platform.name,
            spec,
            pulumi.ResourceOptions(providers=[connection.provider], transformations=[_tagger(kit, stack, None)]),
        )
        self._stack, self._peers, self._kit, self._site = stack, peers, kit, connection.site
        self._child = pulumi.ResourceOptions(parent=self)
        self._build(spec)

    def _build(self, spec: Mapping[str, Any]) -> None:
        kit, site, stack, child = self._kit, self._site, self._stack, self._child
        network = kit.network("network", NetworkArgs(site), child)
        identities = kit.identities("identities", IdentitiesArgs(site, ROLES), child)
        firewall = kit.firewall("firewall", FirewallArgs(site, network, identities), child)

        def key(purpose: str, users: tuple[Role, ...], *, recoverable: bool) -> Key:
            return kit.key(purpose, KeyArgs(site, purpose, users, identities, recoverable), child)

        keys = {
            purpose: key(purpose, users, recoverable=True)
            for purpose, users in _KEY_USERS.items()
            if _needs(stack, purpose)
        }
        disk_key = key("disk", (), recoverable=False)
        # Machines never use it themselves: the store decrypts for whoever may read an entry.
        store_key = key("secrets", (), recoverable=True)
        backup_key = key("backup", (), recoverable=True)
        audit_key = key("audit", (), recoverable=False)
        roots = self._roots()
        certificates = Certificates("certificates", stack, roots, child)
        store = kit.secret_store(
            "secrets",
            SecretStoreArgs(
                site,
                network,
                identities,
                store_key,
                _entries(
                    {**roots, **certificates.values, secrets.BACKUP_AGENT: pulumi.Output.secret(agent.packed(stack))}
                ),
            ),
            child,
        )
        stanzas = {purpose: made.stanza for purpose, made in keys.items()}
        federation = self._federation(keys.get(boundary.WORKER_AUTH))
        self._take_worker_auth(federation, stanzas)
        alerts = kit.alerts("alerts", AlertsArgs(site, audit_key), child)
        mesh = Mesh(kit, site, network, self._peers.manifests, roots, audit_key, alerts, child)
        backup = kit.backup(
            "backup",
            BackupArgs(
                site=site,
                network=network,
                identities=identities,
                key=backup_key,
                foreign=foreign(stack, self._peers.manifests),
                admitted=admitted(stack, self._peers.manifests),
                standing=self._peers.standing.backup,
                trust=federation.trust if federation else (),
            ),
            child,
        )
        saved = tuple(plans(site, self._peers.manifests))
        for plan in saved:
            BackupPlan(plan, child)
        self._say(saved)
        standing = self._peers.standing
        audit = kit.audit(
            "audit",
            AuditArgs(site, network, audit_key, backup, mesh.gateway, standing.backup, standing.recovery),
            child,
        )
        database, database_keys = self._database(network, firewall, key, roots)
        machine = MachineArgs(
            site=site,
            network=network,
            firewall=firewall,
            identities=identities,
            disk_key=disk_key,
            facts={purpose: stanza.apply(_LATE[purpose]) for purpose, stanza in stanzas.items()},
            after=[*store.ready, *(grant for made in (*keys.values(), disk_key, store_key) for grant in made.ready)],
        )
        guest = kit.guest(site)
        specs: dict[Product, tuple[ServerSpec, ...]] = {
            product: _SERVERS[product](stack, guest) for product in PRODUCTS
        }
        clusters: dict[Product, Cluster] = {
            product: Cluster(
                ClusterArgs(product, props(stack, product), kit, machine, specs[product]),
                pulumi.ResourceOptions(parent=self, transformations=[_tagger(kit, stack, product)]),
            )
            for product in PRODUCTS
        }
        clients = kit.clients(
            "nomad-clients",
            ClientGroupArgs(machine, nomad.clients(stack, guest), stack.platform.clients),
            pulumi.ResourceOptions(parent=clusters["nomad"]),
        )
        kit.zone("zone", ZoneArgs(site, network, records(stack.platform)), child)
        document = manifest(
            Built(
                site=site,
                peers=self._peers.manifests,
                network=network,
                identities=identities,
                keys={
                    **keys,
                    **database_keys,
                    "disk": disk_key,
                    "secrets": store_key,
                    "backup": backup_key,
                    "audit": audit_key,
                },
                worker_auth=federation.stanza if federation else None,
                mesh=mesh,
                backup=backup,
                audit=audit,
                database=database,
                store=store,
                specs=specs,
                clusters=clusters,
                clients=clients,
                ca_certificate=roots[secrets.CA_CERTIFICATE],
            )
        )
        self.manifest = document.apply(lambda made: made.model_dump(by_alias=True, mode="json"))
        record = Entry(detached(document.apply(packed)), secrets.ENTRIES[secrets.MANIFEST].readers)
        kit.secret_store(
            "record", SecretStoreArgs(site, network, identities, store_key, {secrets.MANIFEST: record}), child
        )
        self.register_outputs({"spec": spec})

    def _say(self, saved: Sequence[Mapping[str, Any]]) -> None:
        """The stack's facts, as a component for its own policies and as an output for its peers'."""
        name = pulumi.get_stack()
        Facts("facts", compliance.props(self._stack, name), self._child)
        self.facts = compliance.facts(self._stack, name, self._site.account.id, saved, self._peers.facts)

    def _database(
        self, network: Network, firewall: Firewall, key: Callable[..., Key], roots: Values
    ) -> tuple[Database | None, dict[str, Key]]:
        """Boundary's database and its key, on the primary."""
        if not self._stack.is_primary:
            return None, {}
        made = self._needed(self._kit.database, "keep Boundary's database")
        database_key = key("database", (), recoverable=True)
        args = DatabaseArgs(self._site, network, firewall, database_key, roots[secrets.BOUNDARY_DATABASE])
        return made("database", args, self._child), {"database": database_key}

    def _roots(self) -> Values:
        self.lineage = None
        if not self._stack.is_primary:
            return handed_on(self._peers.roots)
        roots = Roots("roots", self._stack, self._child)
        self.lineage = roots.values
        return split(roots.values)

    def _federation(self, key: Key | None) -> Federation | None:
        """Trust in the peers' machines, which the primary alone gives: workers of every region use its key."""
        if key is None:
            return None
        made = self._needed(self._kit.federation, "let other clouds' machines use its keys")
        workloads = {
            cloud: federated(cloud, peer.account, peer.tenant, peer.identities["boundary-worker"], self._stack.cloud)
            for cloud, peer in self._peers.manifests.items()
        }
        return made("worker-federation", FederationArgs(self._site, key, workloads), self._child)

    def _take_worker_auth(self, own: Federation | None, stanzas: dict[str, pulumi.Output[KeyStanza]]) -> None:
        """Add the stanza by which this region's workers authenticate, unless the key is the region's own."""
        if own is not None:
            return
        primary = self._peers.manifests.get(self._stack.platform.primary)
        handed = primary.worker_auth if primary else None
        stanzas[boundary.WORKER_AUTH] = (
            pulumi.Output.from_input(KeyStanza(handed.kind, handed.attributes)) if handed else pending()
        )

    def _needed(self, part: _Part | None, what: str) -> _Part:
        if part is None:
            raise pulumi.RunError(f"The cloud {self._stack.cloud} cannot {what}, so it cannot be the primary.")
        return part


def _needs(stack: Stack, purpose: str) -> bool:
    """Whether the region makes the key of a purpose; one that nobody uses would be protected for ever."""
    if purpose == boundary.WORKER_AUTH:
        return stack.is_primary
    return purpose != vault.SEAL or stack.platform.seal == "cloud"


def _entries(values: Values) -> dict[str, Entry]:
    """All that machines read at boot, and all that a rebuild needs; the manifest comes after the machines."""
    return {
        name: Entry(values[name], entry.readers) for name, entry in secrets.ENTRIES.items() if name != secrets.MANIFEST
    }


def _tagger(
    kit: Kit, stack: Stack, product: Product | None
) -> Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]:
    """Puts the common tags on everything below a component, in the cloud's form; the inner tagger's word stands."""
    common = tags(stack.platform, stack.cloud, product)

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        tagged = kit.tagged(args.type_, cast("Mapping[str, object]", args.props), common)
        return None if tagged is None else pulumi.ResourceTransformationResult(tagged, args.opts)

    return tag


def build(stack: Stack, peers: Peers) -> dict[str, pulumi.Input[Any]]:
    """Register one region; returns the stack's outputs."""
    if not stack.guarded:
        pulumi.log.warn(
            "deletion is open: the cloud no longer refuses to delete this region's machines and balancers. "
            "Destroy the region now, or set deletion to guarded and update again."
        )
    kit = kit_of(stack.cloud)
    platform = Platform(stack, peers, kit.connect(stack), kit)
    outputs: dict[str, pulumi.Input[Any]] = {MANIFEST: platform.manifest, FACTS: platform.facts}
    if platform.lineage is not None:
        outputs[LINEAGE] = platform.lineage
    return outputs
