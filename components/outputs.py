"""What a stack says of itself: the manifest, composed of what was built.

Owns the step from Outputs to the typed document. Secrets never pass through here: entries appear by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.clouds.contract import Audit, Backup, ClientGroup, Database, Identities, Key, Network, SecretStore, Site
from components.cluster import Cluster
from components.mesh import Mesh, far_endpoints
from components.plan import addressing, objectives
from components.plan.backup import audit_retention, retention
from components.plan.flows import BALANCERS
from components.plan.manifest import (
    AuditFacts,
    BackupFacts,
    BucketFacts,
    ClientFacts,
    ClusterFacts,
    DatabaseFacts,
    KeyFacts,
    Manifest,
    MeshFacts,
    NetworkFacts,
    ServerFacts,
    StackFacts,
    TunnelFacts,
    fingerprint,
    remembered,
    sets,
    settings_of,
)
from components.plan.mesh import pairs_of, status
from components.plan.records import endpoint
from components.plan.server import KeyStanza, ServerSpec
from components.plan.spec import Cloud, Product, cluster_name
from components.plan.versions import POSTGRESQL
from components.products import boundary, nomad, vault

_CLUSTER_KEY: Mapping[Product, str] = {
    "vault": vault.SEAL,
    "nomad": nomad.KEYRING,
    "boundary": boundary.WORKER_AUTH,
}


@dataclass(frozen=True)
class Built:
    """The parts of a region that the manifest speaks of."""

    site: Site
    peers: Mapping[Cloud, Manifest]
    network: Network
    identities: Identities
    keys: Mapping[str, Key]
    worker_auth: pulumi.Output[KeyStanza] | None
    mesh: Mesh
    backup: Backup
    audit: Audit
    database: Database | None
    store: SecretStore
    specs: Mapping[Product, tuple[ServerSpec, ...]]
    clusters: Mapping[Product, Cluster]
    clients: ClientGroup
    ca_certificate: pulumi.Output[str]


def manifest(built: Built) -> pulumi.Output[Manifest]:
    """The manifest."""
    return pulumi.Output.all(
        network=built.network.id,
        egress=list(built.network.egress),
        endpoints={pair: list(addresses) for pair, addresses in built.mesh.endpoints.items()},
        bucket={
            "name": built.backup.name,
            "attributes": built.backup.attributes,
            "replica": built.backup.replica,
            "restorer": built.backup.restorer,
            "writers": {cloud: dict(roles) for cloud, roles in built.backup.writers.items()},
        },
        audit=built.audit.bucket,
        audit_recovery=built.audit.recovery,
        database=built.database and {"id": built.database.id, "address": built.database.address},
        subjects=dict(built.identities.subjects),
        stanzas={purpose: key.stanza for purpose, key in built.keys.items()},
        worker_auth=built.worker_auth,
        secrets=dict(built.store.ids),
        servers={product: dict(cluster.servers.ids) for product, cluster in built.clusters.items()},
        clients=built.clients.id,
        # The root certificate comes out of the secret lineage but is public by nature.
        ca_certificate=pulumi.Output.unsecret(built.ca_certificate),
    ).apply(lambda known: _compose(built, known))


def _key(built: Built, purpose: str, stanza: KeyStanza) -> KeyFacts:
    key = built.keys[purpose]
    return KeyFacts(
        purpose=purpose,
        kind=stanza.kind,
        attributes=dict(stanza.attributes),
        region=built.site.stack.region.name,
        usable_from=key.usable_from,
    )


def _cluster(built: Built, product: Product, ids: Mapping[str, str]) -> ClusterFacts:
    stack = built.site.stack
    platform, region = stack.platform, stack.region
    url = endpoint(platform, stack.cloud, product) if product in BALANCERS else None
    servers = built.specs[product]
    purpose = _CLUSTER_KEY.get(product)
    return ClusterFacts(
        product=product,
        name=cluster_name(product, stack.cloud),
        version=platform.versions[product],
        endpoint=url,
        health=url and f"{url}{BALANCERS[product].check.path}",
        servers=tuple(
            ServerFacts(
                name=server.name,
                zone=region.zones[server.zone],
                address=server.address,
                id=ids[server.name],
            )
            for server in addressing.servers(platform, stack.cloud, product)
        ),
        key=None if purpose == vault.SEAL and platform.seal == "shamir" else purpose,
        secrets=tuple(dict.fromkeys(secret.entry for server in servers for secret in server.secrets)),
    )


def _compose(built: Built, known: Mapping[str, Any]) -> Manifest:
    stack = built.site.stack
    platform, region = stack.platform, stack.region
    worker_auth: KeyStanza | None = known["worker_auth"]
    return Manifest(
        platform=platform.name,
        environment=platform.environment,
        domain=platform.domain,
        cloud=stack.cloud,
        region=region.name,
        recovery_region=region.recovery,
        account=built.site.account.id,
        tenant=built.site.account.tenant,
        primary=platform.primary,
        profile=platform.profile,
        edition=platform.edition,
        seal=platform.seal,
        versions=dict(platform.versions),
        shared=fingerprint(platform),
        network=NetworkFacts(
            id=known["network"],
            cidr=region.cidr,
            zones=region.zones,
            server_subnets=tuple(addressing.server_subnet(region, zone) for zone in range(addressing.ZONES)),
            client_subnets=tuple(addressing.client_subnet(region, zone) for zone in range(addressing.ZONES)),
            egress=tuple(known["egress"]),
        ),
        clusters=tuple(_cluster(built, product, known["servers"][product]) for product in built.clusters),
        clients=ClientFacts(group=known["clients"], minimum=platform.clients.minimum, maximum=platform.clients.maximum),
        keys=tuple(_key(built, purpose, stanza) for purpose, stanza in known["stanzas"].items()),
        secrets=known["secrets"],
        worker_auth=worker_auth and _key(built, boundary.WORKER_AUTH, worker_auth),
        identities=known["subjects"],
        ca_certificate=known["ca_certificate"],
        settings=settings_of(platform),
        stack=StackFacts(account=stack.account, image=stack.image),
        mesh=_mesh(built, known["endpoints"]),
        backup=_backup(built, known["bucket"]),
        audit=AuditFacts(
            bucket=known["audit"],
            keep_days=audit_retention(platform.audit_days).lock_days,
            recovery_bucket=known["audit_recovery"],
        ),
        database=_database(built, known["database"]),
        peers={cloud: remembered(peer, stack.cloud) for cloud, peer in built.peers.items()},
    )


def _mesh(built: Built, endpoints: Mapping[str, Sequence[str]]) -> MeshFacts:
    stack = built.site.stack
    tunnels: list[TunnelFacts] = []
    for pair in pairs_of(stack.platform, stack.cloud):
        peer = built.peers.get(pair.peer(stack.cloud))
        declared = peer is not None and peer.mesh is not None and pair.name in peer.mesh.declared
        own, far = endpoints.get(pair.name), far_endpoints(peer, pair.name)
        tunnels += [
            TunnelFacts(
                pair=pair.name,
                index=tunnel.index,
                status=status(own=pair.name in built.mesh.declared, peer=declared),
                inside=tunnel.inside,
                own=own[tunnel.index] if own else None,
                far=far[tunnel.index] if far else None,
            )
            for tunnel in pair.tunnels
        ]
    return MeshFacts(
        asn=stack.platform.asns[stack.cloud],
        endpoints={pair: tuple(addresses) for pair, addresses in endpoints.items()},
        declared=built.mesh.declared,
        tunnels=tuple(tunnels),
    )


def _backup(built: Built, bucket: Mapping[str, Any]) -> BackupFacts:
    stack = built.site.stack
    policy = stack.platform.backup
    kept = retention(policy)
    return BackupFacts(
        bucket=BucketFacts(
            name=bucket["name"],
            attributes=bucket["attributes"],
            replica=bucket["replica"],
            replica_region=stack.region.recovery,
            key="backup",
            lock=policy.lock,
            lock_days=kept.lock_days,
            keep_days=kept.expire_days,
        ),
        sets=sets(stack),
        rpo_minutes=policy.rpo_minutes,
        restorer=bucket["restorer"],
        writers=bucket["writers"],
    )


def _database(built: Built, known: Mapping[str, str] | None) -> DatabaseFacts | None:
    if known is None:
        return None
    return DatabaseFacts(
        id=known["id"],
        address=known["address"],
        version=built.site.stack.platform.versions[POSTGRESQL],
        pitr_days=objectives.PITR_DAYS,
        copy_region=built.site.stack.region.recovery,
    )
