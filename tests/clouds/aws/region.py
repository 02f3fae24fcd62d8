"""A region on AWS made of the kit alone, without products: the program under test.

Run by the engine from a project folder whose `__main__` calls `run`. Configuration: `rollout` (names), `image`,
`workloads` (whether peers are known), `account`, `revision` (text that goes into every user data).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.clouds import aws
from components.clouds.contract import (
    BalancerArgs,
    ClientGroupArgs,
    Entry,
    FederationArgs,
    FirewallArgs,
    IdentitiesArgs,
    KeyArgs,
    MachineArgs,
    NetworkArgs,
    SecretStoreArgs,
    ServerGroupArgs,
    ZoneArgs,
)
from components.plan.addressing import servers
from components.plan.federation import federated
from components.plan.flows import BALANCERS
from components.plan.naming import tags
from components.plan.records import records
from components.plan.server import Disk, DiskPurpose, File, LateFile, ServerSpec
from components.plan.sizing import DiskSize, machine
from components.plan.spec import (
    PRODUCTS,
    ROLES,
    SERVER_ROLE,
    Artifacts,
    Clients,
    Platform,
    Product,
    Region,
    Stack,
)

IMAGE = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250610"

PLATFORM = Platform(
    name="hmc",
    environment="test",
    domain="hashicorp.example.com",
    owner="platform-engineering",
    cost_center="",
    profile="small",
    edition="community",
    seal="cloud",
    regions={
        "aws": Region("aws", "us-west-2", ("us-west-2a", "us-west-2b", "us-west-2c"), "10.1.0.0/16", "us-east-2"),
        "azure": Region("azure", "westus2", ("1", "2", "3"), "10.2.0.0/16", "westcentralus"),
        "gcp": Region("gcp", "us-west1", ("us-west1-a", "us-west1-b", "us-west1-c"), "10.3.0.0/16", "us-central1"),
    },
    servers={"consul": 5, "vault": 3, "nomad": 5, "boundary": 3},
    clients=Clients(3, 9),
    versions={"consul": "1.21.0", "vault": "1.21.0", "nomad": "1.11.1", "boundary": "0.21.0", "node_exporter": "1.9.1"},
    artifacts=Artifacts("https://releases.example.com", "https://exporter.example.com", {}),
)


def stack(account: str = "", image: str = IMAGE, rollout: tuple[str, ...] = ()) -> Stack:
    """The AWS stack of the test platform."""
    return Stack(PLATFORM, "aws", account, image, rollout)


def specs(product: Product, revision: str) -> tuple[ServerSpec, ...]:
    """The servers of one cluster, with disks as in production and one file."""
    role = SERVER_ROLE[product]
    size = machine("small", "aws", role)
    wanted: dict[DiskPurpose, DiskSize | None] = {"data": size.data, "audit": size.audit}
    disks = tuple(Disk(purpose, found, f"/srv/{purpose}", "root:root") for purpose, found in wanted.items() if found)
    late = (LateFile("/etc/platform/seal.hcl", "vault-seal"),) if product == "vault" else ()
    return tuple(
        ServerSpec(
            planned.name, role, planned.zone, planned.address, size, disks,
            (File("/etc/platform/revision", f"{revision}\n"),), late, (), ("boot.service",),
        )
        for planned in servers(PLATFORM, "aws", product)
    )  # fmt: skip


def _tagger(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    inputs = aws.KIT.tagged(args.type_, args.props, tags(PLATFORM, "aws"))
    return None if inputs is None else pulumi.ResourceTransformationResult(inputs, args.opts)


class Built(pulumi.ComponentResource):
    """Everything that the kit can build."""

    def __init__(self, chosen: Stack, settings: Mapping[str, Any]) -> None:
        kit, connection = aws.KIT, aws.KIT.connect(chosen)
        super().__init__(
            "test:aws:Region",
            "region",
            None,
            pulumi.ResourceOptions(providers=[connection.provider], transformations=[_tagger]),
        )
        child, site = pulumi.ResourceOptions(parent=self), connection.site
        network = kit.network("network", NetworkArgs(site), child)
        identities = kit.identities("identities", IdentitiesArgs(site, ROLES), child)
        firewall = kit.firewall("firewall", FirewallArgs(site, network, identities), child)
        seal = kit.key(
            "vault-seal", KeyArgs(site, "vault-seal", ("vault-server",), identities, recoverable=True), child
        )
        worker = kit.key(
            "boundary-worker-auth",
            KeyArgs(site, "boundary-worker-auth", ("boundary-worker",), identities, recoverable=True),
            child,
        )
        disk = kit.key("disk", KeyArgs(site, "disk", (), identities, recoverable=False), child)
        kept = kit.key("secrets", KeyArgs(site, "secrets", (), identities, recoverable=True), child)
        entries = {
            "vault-server-key": Entry(pulumi.Output.secret("hush-vault-hush"), ("vault-server",)),
            "consul-gossip": Entry(pulumi.Output.secret("hush-gossip-hush"), ROLES),
            "ca-key": Entry(pulumi.Output.secret("hush-ca-hush"), ()),
        }
        store = kit.secret_store("secrets", SecretStoreArgs(site, network, identities, kept, entries), child)
        assert kit.federation
        workloads = (
            {"azure": federated("azure", "tenant-1", "object-1"), "gcp": federated("gcp", "project-1", "1234567890")}
            if settings["workloads"]
            else {}
        )
        federation = kit.federation("worker-federation", FederationArgs(site, worker, workloads), child)
        facts = {"vault-seal": seal.stanza.apply(lambda stanza: f"# {sorted(stanza.attributes.items())}\n")}
        after = [*store.ready, *seal.ready, *disk.ready, *kept.ready, *worker.ready]
        machines = MachineArgs(site, network, firewall, identities, disk, facts, after)
        for product in PRODUCTS:
            balancer = (
                kit.balancer(
                    f"{product}-balancer", BalancerArgs(site, network, firewall, product, BALANCERS[product]), child
                )
                if product in BALANCERS
                else None
            )
            built = specs(product, settings["revision"])
            kit.servers(
                f"{product}-servers", ServerGroupArgs(machines, built, frozenset(chosen.rollout), balancer), child
            )
        template = ServerSpec(
            "any-template", "nomad-client", None, None, machine("small", "aws", "nomad-client"), (),
            (File("/etc/platform/revision", settings["revision"]),), (), (), ("boot.service",),
        )  # fmt: skip
        kit.clients("nomad-clients", ClientGroupArgs(machines, template, PLATFORM.clients), child)
        kit.zone("zone", ZoneArgs(site, network, records(PLATFORM)), child)
        pulumi.export("federation", federation.stanza.apply(lambda stanza: dict(stanza.attributes)))
        pulumi.export("account", site.account.id)
        self.register_outputs({})


def run() -> None:
    """The program."""
    config = pulumi.Config()
    chosen = stack(config.get("account") or "", config.get("image") or IMAGE, tuple(config.get_object("rollout") or ()))
    Built(chosen, {"workloads": config.get_bool("workloads"), "revision": config.get("revision") or "first"})
