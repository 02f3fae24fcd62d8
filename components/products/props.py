"""Each cluster's props for the policy pack: plain values, camelCase, no Output and no secret.

Owns how plan and templates become claims (`claims` has their types). A cluster says what its templates give it and
nothing more: what does not exist, such as Boundary's database before the management layer, is left out, so that a rule
that demands it speaks up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from components.plan import addressing, secrets, sizing
from components.plan.naming import Names
from components.plan.spec import SERVER_ROLE, Cloud, Product, Stack, cluster_name, quorum
from components.plan.vault import AUDIT_LOGS

from . import claims
from .boundary import EVENTS, WORKER_AUTH
from .consul import AUDIT_LOG as CONSUL_AUDIT
from .nomad import AUDIT_LOG as NOMAD_AUDIT
from .nomad import KEYRING
from .vault import SEAL

_KMS: Mapping[Cloud, str] = {"aws": "awskms", "azure": "azurekeyvault", "gcp": "gcpckms"}
_AUTH: Mapping[Cloud, str] = {"aws": "instance-role", "azure": "managed-identity", "gcp": "service-account"}
_FEDERATED_AUTH = "workload-identity"
_DATA_DISK: Mapping[Cloud, str] = {"aws": "gp3", "azure": "PremiumV2_LRS", "gcp": "pd-ssd"}
_JOURNAL = claims.Sink("stderr-json", "journal")


def props(stack: Stack, product: Product) -> dict[str, Any]:
    """What the region's cluster of a product says of itself.

    Absent values are left out; tuples become lists.
    """
    return _plain(asdict(_CLAIMS[product](stack)))


def _plain(value: Any) -> Any:  # noqa: ANN401
    match value:
        case dict():
            return {to_camel(key.rstrip("_")): _plain(item) for key, item in value.items() if item is not None}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _common(stack: Stack, product: Product) -> dict[str, Any]:
    platform, cloud = stack.platform, stack.cloud
    size = sizing.machine(platform.profile, cloud, SERVER_ROLE[product])
    disk = size.data and claims.DataDisk(_DATA_DISK[cloud], size.data.gib, size.data.iops, size.data.mbps)
    return {
        "cloud": cloud,
        "cluster": cluster_name(product, cloud),
        "environment": platform.environment,
        "edition": platform.edition,
        "version": platform.versions[product],
        "server": claims.Server(size.instance_type, claims.Image(stack.image), disk),
        "rpo_minutes": platform.backup.rpo_minutes,
    }


def _raft(stack: Stack, product: Product) -> dict[str, Any]:
    planned = addressing.servers(stack.platform, stack.cloud, product)
    voters = [server.zone for server in planned]
    return {
        **_common(stack, product),
        "nodes": stack.platform.servers[product],
        "zones": tuple(claims.Zone(name, voters.count(zone)) for zone, name in enumerate(stack.region.zones)),
        "replacement": claims.Replacement(tuple(s.name for s in planned if s.name in stack.rollout)),
    }


def _mesh(stack: Stack) -> tuple[str, ...]:
    return tuple(stack.platform.regions[cloud].cidr for cloud in stack.platform.clouds)


def _key(stack: Stack, purpose: str) -> str:
    return Names(stack.platform, stack.cloud).key_ref(purpose)


def _entry(stack: Stack, entry: str) -> str:
    return Names(stack.platform, stack.cloud).secret(entry)


def _sinks(stack: Stack, enterprise: str) -> tuple[claims.Sink, ...]:
    """Only the enterprise edition has an audit log; the community edition's journal is JSON and shipped."""
    return (claims.Sink("file", enterprise), _JOURNAL) if stack.platform.edition == "enterprise" else (_JOURNAL,)


def _consul(stack: Stack) -> claims.ConsulCluster:
    return claims.ConsulCluster(
        **_raft(stack, "consul"),
        audit=_sinks(stack, CONSUL_AUDIT),
        access=claims.Access(_mesh(stack), _mesh(stack)),
        autopilot=claims.Autopilot(quorum(stack.platform.servers["consul"])),
        gossip_key_ref=_entry(stack, secrets.CONSUL_GOSSIP),
    )


def _vault(stack: Stack) -> claims.VaultCluster:
    own = claims.Seal(_KMS[stack.cloud], _key(stack, SEAL), _AUTH[stack.cloud])
    return claims.VaultCluster(
        **_raft(stack, "vault"),
        audit=tuple(claims.Sink("file", path) for path in AUDIT_LOGS.values()),
        seal=claims.Seal("shamir") if stack.platform.seal == "shamir" else own,
    )


def _nomad(stack: Stack) -> claims.NomadCluster:
    return claims.NomadCluster(
        **_raft(stack, "nomad"),
        audit=_sinks(stack, NOMAD_AUDIT),
        access=claims.Access(_mesh(stack), _mesh(stack)),
        gossip_key_ref=_entry(stack, secrets.NOMAD_GOSSIP),
        keyring=claims.Keyring(_KMS[stack.cloud], _key(stack, KEYRING)),
    )


def _boundary(stack: Stack) -> claims.BoundaryCluster:
    primary = stack.platform.primary
    auth = _AUTH[primary] if stack.is_primary else _FEDERATED_AUTH
    return claims.BoundaryCluster(
        **_common(stack, "boundary"),
        audit=(claims.Sink("file", EVENTS), _JOURNAL),
        listeners=(
            claims.BoundaryListener("proxy", tls_disable=False, tls_min_version="tls12"),
            claims.BoundaryListener("ops", tls_disable=True, tls_min_version=None),
        ),
        # The one key of the platform that is the primary's, whichever region the worker is in.
        kms=(claims.Kms("worker-auth", _KMS[primary], Names(stack.platform, primary).key_ref(WORKER_AUTH), auth),),
        workers=claims.Workers(stack.platform.servers["boundary"], _mesh(stack)),
    )


_CLAIMS: Mapping[Product, Callable[[Stack], claims.Cluster]] = {
    "consul": _consul,
    "vault": _vault,
    "nomad": _nomad,
    "boundary": _boundary,
}
