"""A region made of one cloud's kit alone, without products: the program under test of that cloud.

Run by the engine from a project folder whose `__main__` calls the `run` of `tests/clouds/<cloud>/region.py`.
Configuration: `rollout` (names), `image`, `workloads` (whether peers are known), `account`, `revision` (text that goes
into every user data).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi

from components.clouds.contract import (
    BalancerArgs,
    ClientGroupArgs,
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
    ServerGroupArgs,
    ZoneArgs,
)
from components.plan.addressing import servers
from components.plan.federation import Federated, federated
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
    Cloud,
    Platform,
    Product,
    Role,
    Stack,
)
from tests.regions import ASNS, AUDIT_DAYS, BACKUP, RECIPIENTS, REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLATFORM = Platform(
    name="hmc",
    environment="test",
    domain="hashicorp.example.com",
    owner="platform-engineering",
    cost_center="",
    profile="small",
    edition="community",
    seal="cloud",
    regions=REGIONS,
    servers={"consul": 5, "vault": 3, "nomad": 5, "boundary": 3},
    clients=Clients(3, 9),
    versions={
        "consul": "1.21.0",
        "vault": "1.21.0",
        "nomad": "1.11.1",
        "boundary": "0.21.0",
        "node_exporter": "1.9.1",
        "postgresql": "16.9.0",
    },
    artifacts=Artifacts(
        "https://releases.example.com", "https://exporter.example.com", "https://postgresql.example.com", {}
    ),
    asns=ASNS,
    backup=BACKUP,
    audit_days=AUDIT_DAYS,
    recipients=RECIPIENTS,
)

_WORKLOADS: Mapping[str, Federated] = {
    "azure": federated("azure", "", "tenant-1", "object-1", "aws"),
    "gcp": federated("gcp", "project-1", "", "1234567890", "aws"),
}


def _specs(cloud: Cloud, product: Product, revision: str) -> tuple[ServerSpec, ...]:
    """The servers of one cluster, with disks as in production and one file."""
    role = SERVER_ROLE[product]
    size = machine(PLATFORM.profile, cloud, role)
    wanted: dict[DiskPurpose, DiskSize | None] = {"data": size.data, "audit": size.audit}
    disks = tuple(Disk(purpose, found, f"/srv/{purpose}", "root:root") for purpose, found in wanted.items() if found)
    late = (LateFile("/etc/platform/seal.hcl", "vault-seal"),) if product == "vault" else ()
    return tuple(
        ServerSpec(
            planned.name, role, planned.zone, planned.address, size, disks,
            (File("/etc/platform/revision", f"{revision}\n"),), late, (), ("boot.service",),
        )
        for planned in servers(PLATFORM, cloud, product)
    )  # fmt: skip


def _client(cloud: Cloud, revision: str) -> ServerSpec:
    return ServerSpec(
        "any-template", "nomad-client", None, None, machine(PLATFORM.profile, cloud, "nomad-client"), (),
        (File("/etc/platform/revision", revision),), (), (), ("boot.service",),
    )  # fmt: skip


def _tagger(
    kit: Kit, cloud: Cloud
) -> Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]:
    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        inputs = kit.tagged(args.type_, args.props, tags(PLATFORM, cloud))
        return None if inputs is None else pulumi.ResourceTransformationResult(inputs, args.opts)

    return tag


class Whole(pulumi.ComponentResource):
    """Everything that a kit can build."""

    def __init__(self, kit: Kit, chosen: Stack, store_key_users: tuple[Role, ...]) -> None:
        connection, cloud, config = kit.connect(chosen), chosen.cloud, pulumi.Config()
        super().__init__(
            f"test:{cloud}:Region",
            "region",
            None,
            pulumi.ResourceOptions(providers=[connection.provider], transformations=[_tagger(kit, cloud)]),
        )
        child, site = pulumi.ResourceOptions(parent=self), connection.site
        network = kit.network("network", NetworkArgs(site), child)
        identities = kit.identities("identities", IdentitiesArgs(site, ROLES), child)
        firewall = kit.firewall("firewall", FirewallArgs(site, network, identities), child)

        def key(purpose: str, users: tuple[Role, ...], *, recoverable: bool = True) -> Key:
            return kit.key(purpose, KeyArgs(site, purpose, users, identities, recoverable=recoverable), child)

        seal = key("vault-seal", ("vault-server",))
        disk = key("disk", (), recoverable=False)
        kept = key("secrets", store_key_users)
        keys = [seal, disk, kept]
        if kit.federation:
            worker = key("boundary-worker-auth", ("boundary-worker",))
            keys.append(worker)
            workloads = _WORKLOADS if config.get_bool("workloads") else {}
            federation = kit.federation("worker-federation", FederationArgs(site, worker, workloads), child)
            pulumi.export("federation", federation.stanza.apply(lambda stanza: dict(stanza.attributes)))
        entries = {
            "vault-server-key": Entry(pulumi.Output.secret("hush-vault-hush"), ("vault-server",)),
            "consul-gossip": Entry(pulumi.Output.secret("hush-gossip-hush"), ROLES),
            "ca-key": Entry(pulumi.Output.secret("hush-ca-hush"), ()),
        }
        store = kit.secret_store("secrets", SecretStoreArgs(site, network, identities, kept, entries), child)
        facts = {"vault-seal": seal.stanza.apply(lambda stanza: f"# {sorted(stanza.attributes.items())}\n")}
        after = [*store.ready, *(grant for made in keys for grant in made.ready)]
        machines = MachineArgs(site, network, firewall, identities, disk, facts, after)
        revision = config.get("revision") or "first"
        for product in PRODUCTS:
            balancer = (
                kit.balancer(
                    f"{product}-balancer", BalancerArgs(site, network, firewall, product, BALANCERS[product]), child
                )
                if product in BALANCERS
                else None
            )
            built = _specs(cloud, product, revision)
            kit.servers(
                f"{product}-servers", ServerGroupArgs(machines, built, frozenset(chosen.rollout), balancer), child
            )
        kit.clients("nomad-clients", ClientGroupArgs(machines, _client(cloud, revision), PLATFORM.clients), child)
        kit.zone("zone", ZoneArgs(site, network, records(PLATFORM)), child)
        pulumi.export("account", site.account.id)
        pulumi.export("tenant", site.account.tenant)
        pulumi.export("seal", seal.stanza.apply(lambda stanza: {"kind": stanza.kind, **stanza.attributes}))
        self.register_outputs({})


def run(kit: Kit, region: Stack, store_key_users: tuple[Role, ...] = ()) -> None:
    """The program: a region as configured, with the secret store's key open to some roles."""
    config = pulumi.Config()
    chosen = replace(
        region,
        account=config.get("account") or region.account,
        image=config.get("image") or region.image,
        rollout=tuple(config.get_object("rollout") or region.rollout),
    )
    Whole(kit, chosen, store_key_users)
