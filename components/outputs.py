"""What a stack says of itself: the manifest, composed of what was built.

Owns the step from Outputs to the typed document. Secrets never pass through here: entries appear by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.clouds.contract import ClientGroup, Identities, Key, Network, SecretStore, Site
from components.cluster import Cluster
from components.plan import addressing
from components.plan.flows import BALANCERS
from components.plan.manifest import (
    ClientFacts,
    ClusterFacts,
    KeyFacts,
    Manifest,
    NetworkFacts,
    ServerFacts,
    fingerprint,
)
from components.plan.records import endpoint
from components.plan.server import KeyStanza, ServerSpec
from components.plan.spec import Product, cluster_name
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
    network: Network
    identities: Identities
    keys: Mapping[str, Key]
    worker_auth: pulumi.Output[KeyStanza] | None
    store: SecretStore
    specs: Mapping[Product, tuple[ServerSpec, ...]]
    clusters: Mapping[Product, Cluster]
    clients: ClientGroup
    ca_certificate: pulumi.Output[str]


def manifest(built: Built) -> pulumi.Output[dict[str, Any]]:
    """The manifest as a plain output, camelCase."""
    return pulumi.Output.all(
        network=built.network.id,
        subjects=dict(built.identities.subjects),
        stanzas={purpose: key.stanza for purpose, key in built.keys.items()},
        worker_auth=built.worker_auth,
        secrets=dict(built.store.ids),
        servers={product: dict(cluster.servers.ids) for product, cluster in built.clusters.items()},
        clients=built.clients.id,
        # The root certificate comes out of the secret lineage but is public by nature.
        ca_certificate=pulumi.Output.unsecret(built.ca_certificate),
    ).apply(lambda known: _compose(built, known).model_dump(by_alias=True, mode="json"))


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
        ),
        clusters=tuple(_cluster(built, product, known["servers"][product]) for product in built.clusters),
        clients=ClientFacts(group=known["clients"], minimum=platform.clients.minimum, maximum=platform.clients.maximum),
        keys=tuple(_key(built, purpose, stanza) for purpose, stanza in known["stanzas"].items()),
        secrets=known["secrets"],
        worker_auth=worker_auth and _key(built, boundary.WORKER_AUTH, worker_auth),
        identities=known["subjects"],
        ca_certificate=known["ca_certificate"],
    )
