"""What joins a region on AWS to the others and outlives it, without machines: the program under test.

The engine runs it: a project's `__main__` calls `run`. Configuration: `far` (addresses of the peer by pair), `foreign`
(clouds whose machines write here), `lock`, `lockDays`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi

from components.clouds.aws import KIT
from components.clouds.contract import (
    AlertsArgs,
    AuditArgs,
    BackupArgs,
    FederationArgs,
    GatewayArgs,
    IdentitiesArgs,
    Key,
    KeyArgs,
    NetworkArgs,
    TunnelsArgs,
)
from components.plan.backup import WRITING_ROLES
from components.plan.federation import Federated, federated
from components.plan.mesh import pairs_of
from components.plan.naming import tags
from components.plan.spec import ROLES
from tests.clouds.aws.region import STACK

if TYPE_CHECKING:
    from components.plan.spec import Cloud, Role

ACCOUNT, TENANT = "project-2", "00000000-0000-4000-8000-000000000009"


def machine(cloud: Cloud, role: Role) -> Federated:
    """A machine of another cloud."""
    return federated(cloud, ACCOUNT, TENANT, f"{cloud}-{role}-object", "aws")


def _tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    inputs = KIT.tagged(args.type_, args.props, tags(STACK.platform, "aws"))
    return None if inputs is None else pulumi.ResourceTransformationResult(inputs, args.opts)


class Joined(pulumi.ComponentResource):
    """Network, identities, keys, and what stands on them."""

    def __init__(self) -> None:
        config = pulumi.Config()
        backup = replace(
            STACK.platform.backup,
            lock=config.get("lock") or "compliance",
            lock_days=config.get_int("lockDays") or STACK.platform.backup.lock_days,
        )
        stack = replace(STACK, platform=replace(STACK.platform, backup=backup))
        connection = KIT.connect(stack)
        providers = pulumi.ResourceOptions(providers=[connection.provider], transformations=[_tag])
        super().__init__("test:aws:Joined", "joined", None, providers)
        site, opts = connection.site, pulumi.ResourceOptions(parent=self)
        network = KIT.network("network", NetworkArgs(site), opts)
        identities = KIT.identities("identities", IdentitiesArgs(site, ROLES), opts)

        def key(purpose: str, *, recoverable: bool = True) -> Key:
            return KIT.key(purpose, KeyArgs(site, purpose, (), identities, recoverable), opts)

        audit_key = key("audit", recoverable=False)
        pairs = pairs_of(stack.platform, "aws")
        alerts = KIT.alerts("alerts", AlertsArgs(site, audit_key), opts)
        gateway = KIT.gateway("gateway", GatewayArgs(site, network, pairs, audit_key), opts)
        far = config.get_object("far") or {}
        for pair in pairs:
            if pair.name in far:
                keys = [pulumi.Output.secret(f"hush.{pair.name.replace('-', '.')}.{n}") for n in range(4)]
                args = TunnelsArgs(site, network, gateway, pair, far[pair.name], keys, alerts)
                tunnels = KIT.tunnels(f"tunnels-{pair.name}", args, opts)
                pulumi.export(f"endpoints-{pair.name}", list(tunnels.endpoints))
        clouds = config.get_object("foreign") or ()
        assert KIT.federation
        workloads = {cloud: machine(cloud, "boundary-worker") for cloud in clouds}
        federation = KIT.federation(
            "worker-federation", FederationArgs(site, key("boundary-worker-auth"), workloads), opts
        )
        foreign: dict[Cloud, dict[Role, Federated]] = {
            cloud: {role: machine(cloud, role) for role in WRITING_ROLES} for cloud in clouds
        }
        made = KIT.backup(
            "backup",
            BackupArgs(site, network, identities, key("backup"), foreign, (), standing=False, trust=federation.trust),
            opts,
        )
        pulumi.export("egress", list(network.egress))
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
        self.register_outputs({})


def run() -> None:
    """The program."""
    Joined()
