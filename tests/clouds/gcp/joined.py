"""What joins a region on GCP to the others and outlives it, without machines: the program under test.

The engine runs it: a project's `__main__` calls `run`. Configuration: `far` (addresses of the peer by pair), `foreign`
(clouds whose machines write here), `revision` (of the tunnels' keys), `lock`, `lockDays`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi

from components.clouds.contract import (
    AlertsArgs,
    AuditArgs,
    BackupArgs,
    Entry,
    GatewayArgs,
    IdentitiesArgs,
    Key,
    KeyArgs,
    NetworkArgs,
    SecretStoreArgs,
    TunnelsArgs,
)
from components.clouds.gcp import KIT
from components.plan.backup import WRITING_ROLES
from components.plan.federation import Federated, federated
from components.plan.mesh import pairs_of
from components.plan.spec import ROLES
from tests.clouds.gcp.region import STACK

if TYPE_CHECKING:
    from components.plan.spec import Cloud, Role

ACCOUNT, TENANT = "210987654321", "00000000-0000-4000-8000-000000000009"


def machine(cloud: Cloud, role: Role) -> Federated:
    """A machine of another cloud."""
    subjects = {"aws": f"arn:aws:iam::{ACCOUNT}:role/hmc-{role}-us-west-2", "azure": f"object-of-{role}"}
    return federated(cloud, ACCOUNT, TENANT, subjects[cloud], "gcp")


def run() -> None:
    """The program."""
    config = pulumi.Config()
    backup = replace(
        STACK.platform.backup,
        lock=config.get("lock") or "compliance",
        lock_days=config.get_int("lockDays") or STACK.platform.backup.lock_days,
    )
    stack = replace(STACK, platform=replace(STACK.platform, backup=backup))
    connection = KIT.connect(stack)
    site, opts = connection.site, pulumi.ResourceOptions(providers=[connection.provider])
    network = KIT.network("network", NetworkArgs(site), opts)
    identities = KIT.identities("identities", IdentitiesArgs(site, ROLES), opts)

    def key(purpose: str, *, recoverable: bool = True) -> Key:
        return KIT.key(purpose, KeyArgs(site, purpose, (), identities, recoverable), opts)

    pairs = pairs_of(stack.platform, "gcp")
    audit_key = key("audit", recoverable=False)
    alerts = KIT.alerts("alerts", AlertsArgs(site, audit_key), opts)
    gateway = KIT.gateway("gateway", GatewayArgs(site, network, pairs, audit_key), opts)
    pulumi.export("endpoints", {pair: list(addresses) for pair, addresses in gateway.endpoints.items()})
    far = config.get_object("far") or {}
    for pair in pairs:
        if pair.name in far:
            keys = [pulumi.Output.secret(f"hush-{tunnel.key}-{config.get('revision')}") for tunnel in pair.tunnels]
            KIT.tunnels(
                f"tunnels-{pair.name}", TunnelsArgs(site, network, gateway, pair, far[pair.name], keys, alerts), opts
            )
    foreign: dict[Cloud, dict[Role, Federated]] = {
        cloud: {role: machine(cloud, role) for role in WRITING_ROLES} for cloud in config.get_object("foreign") or ()
    }
    made = KIT.backup(
        "backup",
        BackupArgs(site, network, identities, key("backup"), foreign, (), standing=False, trust=()),
        opts,
    )
    pulumi.export(
        "backup",
        {
            "name": made.name,
            "attributes": made.attributes,
            "replica": made.replica,
            "restorer": made.restorer,
            "writers": {cloud: dict(roles) for cloud, roles in made.writers.items()},
        },
    )
    KIT.audit(
        "audit", AuditArgs(site, network, audit_key, made, gateway, standing=False, recovery_standing=False), opts
    )
    # The secret store is there twice: once for what machines read at boot, once for what is known only after them.
    store_key = key("secrets")
    for name, entry in (("secrets", "ca-cert"), ("record", "manifest")):
        held = {entry: Entry(pulumi.Output.secret(f"hush-{entry}-hush"), ("consul-server",))}
        KIT.secret_store(name, SecretStoreArgs(site, network, identities, store_key, held), opts)
