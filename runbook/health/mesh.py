"""Judging what is a region's and no cluster's: its part of the mesh, as far as it can be seen from here, and its clients.

Owns two things of the mesh: what the stacks have declared, and whether the region's servers can be reached on the ports by which regions
talk. Whether packets pass through each tunnel is the clouds' own interfaces' to say; they are not asked, and that is said.
That regions see each other is Consul's and Nomad's federation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.plan.flows import Port
from components.plan.manifest import Manifest
from components.plan.mesh import TUNNELS
from components.plan.spec import Cloud
from runbook.health.outcome import Check, Said, fine, not_asked, unknown, wrong
from runbook.health.replies import Dial


@dataclass(frozen=True)
class Links:
    """A region with what was dialled in it."""

    region: Manifest
    clouds: tuple[Cloud, ...]
    dials: Mapping[tuple[str, Port], Dial]


def declared(links: Links) -> Iterator[Said]:
    """Both stacks of each pair have declared all four tunnels."""
    own = links.region.cloud
    pairs = {"-".join(sorted((own, cloud))): cloud for cloud in links.clouds if cloud != own}
    if not pairs:
        yield fine("the platform has one region")
        return
    if links.region.mesh is None:
        yield unknown("the manifest says nothing of the mesh")
        return
    for pair, peer in pairs.items():
        tunnels = [tunnel for tunnel in links.region.mesh.tunnels if tunnel.pair == pair]
        up = len([tunnel for tunnel in tunnels if tunnel.status == "up"])
        says = f"{up} of {TUNNELS} tunnels to {peer} are declared by both stacks"
        yield fine(says) if up == TUNNELS else wrong(says)


def reach(links: Links) -> Iterator[Said]:
    """The region can be reached from here."""
    names = {server.name for cluster in links.region.clusters for server in cluster.servers}
    dials = [dial for (name, _), dial in links.dials.items() if name in names]
    if "open" in dials:
        yield fine(f"{dials.count('open')} of {len(dials)} ports of its servers are open from here")
    else:
        yield unknown("no port of any of its servers is open from here")


def tunnels(_: Links) -> Iterator[Said]:
    """Each tunnel passes packets."""
    yield not_asked("whether each tunnel passes packets: ask the cloud")


def client_disks(_: Links) -> Iterator[Said]:
    """Disks of Nomad's clients."""
    yield not_asked("disks of Nomad's clients, whose addresses no manifest holds")


CHECKS = (
    Check("tunnels declared", declared, "A tunnel is not declared by both stacks"),
    Check("reach", reach, "A region cannot be reached"),
    Check("tunnels up", tunnels, "What is not asked"),
)
CLIENTS = (Check("client disks", client_disks, "What is not asked"),)
