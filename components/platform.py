"""One region of the platform, wired in dependency order.

The only module that knows products, clouds and lineage together. It decides nothing: addresses, ports, names
and sizes come from `plan`, machines from `products`, resources from the cloud's `Kit`.

Only the chosen cloud's package is imported, and with it only that cloud's SDK.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi

from components.clouds.contract import (
    ClientGroupArgs,
    Connection,
    Entry,
    FederationArgs,
    FirewallArgs,
    IdentitiesArgs,
    Key,
    KeyArgs,
    Kit,
    MachineArgs,
    NetworkArgs,
    SecretStoreArgs,
    ZoneArgs,
)
from components.cluster import Cluster, ClusterArgs
from components.lineage import Certificates, Roots, Values, handed_on, split
from components.outputs import Built, manifest
from components.peers import LINEAGE, MANIFEST, Peers
from components.pending import pending
from components.plan import secrets
from components.plan.federation import federated
from components.plan.naming import tags
from components.plan.records import records
from components.plan.server import KeyStanza, ServerSpec
from components.plan.spec import PRODUCTS, ROLES, Cloud, Product, Role, Stack
from components.products import boundary, consul, nomad, vault
from components.products.props import props

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
        roots = self._roots()
        certificates = Certificates("certificates", stack, roots, child)
        store = kit.secret_store(
            "secrets",
            SecretStoreArgs(site, network, identities, store_key, _entries({**roots, **certificates.values})),
            child,
        )
        stanzas = {purpose: made.stanza for purpose, made in keys.items()}
        worker_auth = self._worker_auth(keys.get(boundary.WORKER_AUTH), stanzas)
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
        self.manifest = manifest(
            Built(
                site=site,
                network=network,
                identities=identities,
                keys={**keys, "disk": disk_key, "secrets": store_key},
                worker_auth=worker_auth,
                store=store,
                specs=specs,
                clusters=clusters,
                clients=clients,
                ca_certificate=roots[secrets.CA_CERTIFICATE],
            )
        )
        self.register_outputs({"spec": spec})

    def _roots(self) -> Values:
        self.lineage = None
        if not self._stack.is_primary:
            return handed_on(self._peers.roots)
        roots = Roots("roots", self._stack, self._child)
        self.lineage = roots.values
        return split(roots.values)

    def _worker_auth(
        self, key: Key | None, stanzas: dict[str, pulumi.Output[KeyStanza]]
    ) -> pulumi.Output[KeyStanza] | None:
        """Add the stanza by which this region's workers authenticate; return what the primary hands to its peers."""
        if key is None:
            primary = self._peers.manifests.get(self._stack.platform.primary)
            handed = primary.worker_auth if primary else None
            stanzas[boundary.WORKER_AUTH] = (
                pulumi.Output.from_input(KeyStanza(handed.kind, handed.attributes)) if handed else pending()
            )
            return None
        if self._kit.federation is None:
            raise pulumi.RunError(
                f"The cloud {self._stack.cloud} cannot let other clouds' machines use its keys, so it cannot be the primary."
            )
        workloads = {
            cloud: federated(cloud, peer.tenant, peer.identities["boundary-worker"])
            for cloud, peer in self._peers.manifests.items()
        }
        federation = self._kit.federation("worker-federation", FederationArgs(self._site, key, workloads), self._child)
        return federation.stanza


def _needs(stack: Stack, purpose: str) -> bool:
    """Whether the region makes the key of a purpose; one that nobody uses would be protected for ever."""
    if purpose == boundary.WORKER_AUTH:
        return stack.is_primary
    return purpose != vault.SEAL or stack.platform.seal == "cloud"


def _entries(values: Values) -> dict[str, Entry]:
    return {name: Entry(values[name], entry.readers) for name, entry in secrets.ENTRIES.items()}


def _tagger(
    kit: Kit, stack: Stack, product: Product | None
) -> Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]:
    """Puts the common tags on everything below a component, in the cloud's form; the inner tagger's word stands."""
    common = tags(stack.platform, stack.cloud, product)

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        tagged = kit.tagged(args.type_, cast("Mapping[str, object]", args.props), common)
        return None if tagged is None else pulumi.ResourceTransformationResult(tagged, args.opts)

    return tag


def build(stack: Stack, peers: Peers) -> dict[str, pulumi.Output[Any]]:
    """Register one region; returns the stack's outputs."""
    if not stack.guarded:
        pulumi.log.warn(
            "deletion is open: the cloud no longer refuses to delete this region's machines and balancers. "
            "Destroy the region now, or set deletion to guarded and update again."
        )
    kit = kit_of(stack.cloud)
    platform = Platform(stack, peers, kit.connect(stack), kit)
    outputs: dict[str, pulumi.Output[Any]] = {MANIFEST: platform.manifest}
    if platform.lineage is not None:
        outputs[LINEAGE] = platform.lineage
    return outputs
