"""Manifests as stacks write them, without an engine: the real composition over ids of the length that clouds give.

`passes` updates the regions of a platform one after another, each reading what the others last wrote, in the form in which
the engine hands it over: every number a fraction, no null, keys sorted.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pulumi

from components.backup import foreign
from components.mesh import far_endpoints
from components.outputs import Built, manifest
from components.plan import addressing, mesh, secrets
from components.plan.manifest import Manifest
from components.plan.naming import Names
from components.plan.rebuild import key_purposes
from components.plan.server import KeyStanza
from components.plan.spec import PRODUCTS, ROLES, SERVER_ROLE, Cloud, Platform, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNTS: Mapping[Cloud, tuple[str, str]] = {
    "aws": ("123456789012", "aws"),
    "azure": ("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "1a2b3c4d-5e6f-4a5b-8c7d-9e8f7a6b5c4d"),
    "gcp": ("hashicorp-production", "987654321098"),
}
_KMS: Mapping[Cloud, str] = {"aws": "awskms", "azure": "azurekeyvault", "gcp": "gcpckms"}
_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n"
    + "MIICBTCCAaugAwIBAgIRAO8Zq3xYk1vN2m7QpLr5dW8wCgYIKoZIzj0EAwIwRzEL\n" * 11
    + "-----END\n"
)


def compose(stack: Stack, peers: Mapping[Cloud, Manifest], generation: int = 1) -> Manifest:
    """What the region would write. Another `generation` has other machines, gateways and database, as after a rebuild."""
    # `asyncio.run` would take the thread's own loop away, which tests after this one still use.
    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(_future(stack, peers, generation))


async def _future(stack: Stack, peers: Mapping[Cloud, Manifest], generation: int) -> Manifest:
    return cast("Manifest", await manifest(cast("Built", _built(stack, peers, generation))).future())


def _id(stack: Stack, kind: str, name: str) -> str:
    account, _ = ACCOUNTS[stack.cloud]
    region = stack.region.name
    return {
        "aws": f"arn:aws:{kind}:{region}:{account}:{kind}/{name}",
        "azure": f"/subscriptions/{account}/resourceGroups/rg-hashicorp-multicloud-hashicorp/providers/Microsoft.{kind}/{name}",
        "gcp": f"projects/{account}/locations/{region}/{kind}s/{name}",
    }[stack.cloud]


def _built(stack: Stack, peers: Mapping[Cloud, Manifest], generation: int) -> SimpleNamespace:
    platform, cloud, region = stack.platform, stack.cloud, stack.region
    account, tenant = ACCOUNTS[cloud]
    names = Names(platform, cloud)
    known = pulumi.Output.from_input
    pairs = {pair.name: pair for pair in mesh.pairs_of(platform, cloud)}
    declared = tuple(name for name, pair in pairs.items() if far_endpoints(peers.get(pair.peer(cloud)), name))
    # AWS gives addresses to connections, and so only once the other side has a gateway.
    offered = declared if cloud == "aws" else tuple(pairs)
    keys = {
        purpose: SimpleNamespace(
            stanza=known(KeyStanza(_KMS[cloud], {"region": region.name, "kms_key_id": _id(stack, "kms", purpose)})),
            usable_from=(region.name, region.recovery),
        )
        for purpose in key_purposes(stack)
    }
    return SimpleNamespace(
        site=SimpleNamespace(stack=stack, account=SimpleNamespace(id=account, tenant=tenant), names=names),
        peers=peers,
        network=SimpleNamespace(
            id=known(_id(stack, "network", "vpc")), egress=[known(f"203.0.{generation}.{ord(cloud[1])}")]
        ),
        identities=SimpleNamespace(subjects={role: known(_id(stack, "iam", names.identity(role))) for role in ROLES}),
        keys=keys,
        worker_auth=keys["boundary-worker-auth"].stanza if stack.is_primary else None,
        mesh=SimpleNamespace(
            endpoints={
                name: [known(f"198.{generation}.{ord(cloud[0])}.{end}") for end in range(mesh.TUNNELS)]
                for name in offered
            },
            declared=declared,
        ),
        backup=SimpleNamespace(
            name=known(names.backups(account)),
            attributes=known({"bucket": names.backups(account), "region": region.name}),
            replica=known(f"{names.backups(account)}-replica"),
            restorer=known(_id(stack, "iam", "backup-restorer")),
            writers={
                source: {
                    role: known(
                        {"role_arn": _id(stack, "iam", f"{source}-{role}"), "audience": "api://AzureADTokenExchange"}
                    )
                    for role in roles
                }
                for source, roles in foreign(stack, peers).items()
            },
        ),
        audit=SimpleNamespace(bucket=known(names.bucket("audit", account)), recovery=None),
        database=SimpleNamespace(
            id=known(_id(stack, "rds", f"boundary-{generation}")),
            address=known("boundary.c9akciq32abc.us-west-2.rds.amazonaws.com"),
        )
        if stack.is_primary
        else None,
        store=SimpleNamespace(
            ids={entry: known(_id(stack, "secret", names.secret(entry))) for entry in secrets.ENTRIES}
        ),
        specs={
            product: [
                SimpleNamespace(secrets=[SimpleNamespace(entry=e) for e in secrets.readable_by(SERVER_ROLE[product])])
            ]
            for product in PRODUCTS
        },
        clusters={
            product: SimpleNamespace(
                servers=SimpleNamespace(
                    ids={
                        server.name: known(_id(stack, "machine", f"{server.name}-{generation}"))
                        for server in addressing.servers(platform, cloud, product)
                    }
                )
            )
            for product in PRODUCTS
        },
        clients=SimpleNamespace(id=known(_id(stack, "group", "nomad-clients"))),
        ca_certificate=known(_CERTIFICATE),
    )


def through_the_engine(written: Manifest) -> Manifest:
    """A manifest as another stack reads it."""
    text = json.dumps(_without_nulls(written.model_dump(by_alias=True, mode="json")), sort_keys=True)
    return Manifest.model_validate(json.loads(text, parse_int=float))


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in cast("dict[str, Any]", value).items() if item is not None}
    return [_without_nulls(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def update(
    platform: Platform, cloud: Cloud, written: dict[Cloud, Manifest], images: Mapping[Cloud, str], generation: int = 1
) -> None:
    """One stack's update: reads the others, writes its own."""
    peers: dict[Cloud, Manifest] = {
        peer: through_the_engine(document) for peer, document in written.items() if peer != cloud
    }
    written[cloud] = compose(Stack(platform, cloud, "", images[cloud], ()), peers, generation)


def passes(platform: Platform, images: Mapping[Cloud, str], count: int) -> dict[Cloud, Manifest]:
    """All stacks' manifests after so many updates of each, the primary first."""
    written: dict[Cloud, Manifest] = {}
    for _ in range(count):
        for cloud in platform.clouds:
            update(platform, cloud, written, images)
    return written
