"""Boundary's database with the parts of a region that it needs, the program under test: a project's `__main__` calls `run`.

Configuration: `password`, `deletion`.
"""

from __future__ import annotations

from dataclasses import replace

import pulumi

from components.clouds import aws
from components.clouds.contract import DatabaseArgs, FirewallArgs, IdentitiesArgs, KeyArgs, NetworkArgs
from components.plan.naming import tags
from components.plan.spec import ROLES
from tests.clouds.aws.region import STACK


def run() -> None:
    """The program."""
    config, kit = pulumi.Config(), aws.KIT
    assert kit.database is not None
    connection = kit.connect(replace(STACK, deletion="open" if config.get("deletion") == "open" else "guarded"))

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        tagged = kit.tagged(args.type_, args.props, tags(STACK.platform, STACK.cloud))
        return None if tagged is None else pulumi.ResourceTransformationResult(tagged, args.opts)

    child = pulumi.ResourceOptions(providers=[connection.provider], transformations=[tag])
    site = connection.site
    network = kit.network("network", NetworkArgs(site), child)
    identities = kit.identities("identities", IdentitiesArgs(site, ROLES), child)
    firewall = kit.firewall("firewall", FirewallArgs(site, network, identities), child)
    key = kit.key("database", KeyArgs(site, "database", (), identities, recoverable=True), child)
    password = pulumi.Output.secret(config.get("password") or "hush-first-hush")
    database = kit.database("database", DatabaseArgs(site, network, firewall, key, password), child)
    pulumi.export("id", database.id)
    pulumi.export("address", database.address)
