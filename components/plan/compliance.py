"""What a stack says of itself to the policy pack, and to the packs of its peers.

Owns the props of `hashicorp:compliance:Facts` and the document `complianceFacts` (policy catalogue, "Compliance facts"),
both made of the plan alone: fully known at preview, plain, without secrets and without ids that only a cloud gives.

Dangerous edge: stacks export again what their peers said. Whatever follows from another stack's last update must not be
handed on (`remembered`), or stacks would rewrite each other's outputs update after update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from . import change
from .backup import RESTORER, retention
from .flows import BALANCERS
from .mesh import pairs_of
from .naming import Names
from .rebuild import key_purposes
from .records import endpoint
from .spec import PRODUCTS, RAFT_PRODUCTS, ROLES, Cloud, Platform, Product, Stack, cluster_name

SCHEMA = 1
_SEALING = ("vault-seal", "nomad-keyring", "boundary-worker-auth")
"""Purposes of the keys without which a product's data stays shut."""
UNPROTECTED = ("dev", "local")
"""Environments that may be changed without a record and at any time."""


def protected(environment: str) -> bool:
    """Whether changes of a stack in this environment need a record and a window."""
    return environment not in UNPROTECTED


def approved_regions(platform: Platform) -> list[str]:
    """The platform's regions and those that hold their copies."""
    regions = [platform.regions[cloud] for cloud in platform.clouds]
    return list(dict.fromkeys(name for region in regions for name in (region.name, region.recovery)))


def props(stack: Stack, name: str) -> dict[str, Any]:
    """The props of the stack's `hashicorp:compliance:Facts`.

    Args:
        name: the stack's.
    """
    said = {
        "schema": SCHEMA,
        "stack": name,
        "cloud": stack.cloud,
        "region": stack.region.name,
        "environment": stack.platform.environment,
        "protected": protected(stack.platform.environment),
        "approvedRegions": approved_regions(stack.platform),
        "exemptions": [dict(entry) for entry in stack.exemptions],
    }
    return {**said, "change": change.plain(stack.change)} if stack.change else said


def facts(
    stack: Stack,
    name: str,
    account: str,
    plans: Sequence[Mapping[str, Any]],
    peers: Mapping[Cloud, Mapping[str, Any] | None],
) -> dict[str, Any]:
    """The stack's output `complianceFacts`.

    Args:
        name: the stack's.
        account: the account's id, which names of buckets hold.
        plans: the specs of the region's backup plans.
        peers: what the other stacks last said, as it came; None of one that has said nothing. It is an empty map in the
            output, for nothing keeps a null on its way to the pack.
    """
    platform, cloud, region = stack.platform, stack.cloud, stack.region
    names = Names(platform, cloud)
    return {
        "schema": SCHEMA,
        "stack": name,
        "cloud": cloud,
        "region": region.name,
        "approvedRegions": approved_regions(platform),
        "networks": [{"name": "platform", "cidr": region.cidr}],
        "clusters": [_cluster(stack, product) for product in PRODUCTS],
        "sealKeys": [
            {
                "keyRef": names.key_ref(purpose),
                "cloud": cloud,
                "region": region.name,
                "usableFrom": [region.name, region.recovery],
            }
            for purpose in key_purposes(stack)
            if purpose in _SEALING
        ],
        "buckets": [
            {
                "cloud": cloud,
                "name": names.backups(account),
                "keyRef": names.key_ref("backup"),
                "lockDays": retention(platform.backup).lock_days,
            }
        ],
        "backupPlans": [_plan(plan) for plan in plans],
        "vpnPairs": [
            {
                "pair": pair.name,
                "asns": [pair.asns[pair.a], pair.asns[pair.b]],
                "insideCidrs": [tunnel.inside for tunnel in pair.tunnels],
                "pskRefs": [tunnel.key for tunnel in pair.tunnels],
            }
            for pair in pairs_of(platform, cloud)
        ],
        "identities": [
            *({"role": role, "cloud": cloud, "name": names.identity(role)} for role in ROLES),
            {"role": RESTORER, "cloud": cloud, "name": names.thing(RESTORER)},
        ],
        "endpoints": [{"product": product, "url": endpoint(platform, cloud, product)} for product in BALANCERS],
        "versions": {product: platform.versions[product] for product in PRODUCTS},
        "exemptions": [dict(entry) for entry in stack.exemptions],
        "peersRequired": stack.peers_required,
        "peers": {peer: remembered(said) if said else {} for peer, said in peers.items()},
    }


def _cluster(stack: Stack, product: Product) -> dict[str, Any]:
    said = {
        "product": product,
        "cluster": cluster_name(product, stack.cloud),
        "cloud": stack.cloud,
        "version": stack.platform.versions[product],
        "rpoMinutes": stack.platform.backup.rpo_minutes,
    }
    # Nodes are servers with state; Boundary's are its controllers, which the region does not have yet.
    return {**said, "nodes": stack.platform.servers[product]} if product in RAFT_PRODUCTS else said


def _plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with all its targets: a bucket that the other stack has not named yet is left out, its cloud is not."""
    return {
        **{key: plan[key] for key in ("product", "cluster", "intervalMinutes")},
        "targets": [{key: target[key] for key in ("cloud", "bucket") if key in target} for target in plan["targets"]],
    }


def remembered(said: Mapping[str, Any]) -> dict[str, Any]:
    """A peer's facts as another stack keeps them: without its own peers, and without names of other clouds' buckets.

    Both follow from other stacks' last updates. A document of another schema is kept as it is but for its peers.
    """
    kept = {key: value for key, value in said.items() if key != "peers"}
    if said.get("schema") == SCHEMA:
        kept["backupPlans"] = [
            {**plan, "targets": [_own(target, said.get("cloud")) for target in plan.get("targets", ())]}
            for plan in cast("Sequence[Mapping[str, Any]]", said.get("backupPlans", ()))
        ]
    return kept


def _own(target: Mapping[str, Any], cloud: object) -> dict[str, Any]:
    return {key: value for key, value in target.items() if key == "cloud" or target.get("cloud") == cloud}
