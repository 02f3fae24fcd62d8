"""Regions that exist only as what was asked and answered: manifests, healthy answers, and what a pass makes of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.plan.backup import Saved
from components.plan.flows import Port
from components.plan.manifest import ClusterFacts, Manifest
from components.plan.spec import CLOUDS, PRODUCTS, RAFT_PRODUCTS, Cloud, Product
from components.plan.thresholds import FILE, Bands, thresholds
from runbook.health import boundary, consul, nomad, vault
from runbook.health.checks import Scope, Seen, judge
from runbook.health.machines import ENDPOINT, METRICS, reachable_ports
from runbook.health.outcome import Outcome, Verdict, exit_code
from runbook.health.replies import Answered, Certificate, Dial, Question, Reply, Unanswered
from sandbox.home import TREE
from tests.plan.test_manifest import DOCUMENT

NOW = dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)
FRESH = Certificate(NOW - dt.timedelta(days=10), NOW + dt.timedelta(days=80))
REFUSED, SILENT = Unanswered("refused"), Unanswered("timed out")
VERSIONS = {"consul": "1.21.0", "vault": "1.21.0", "nomad": "1.11.1", "boundary": "0.21.3"}
SIZES: Mapping[Product, int] = {"consul": 5, "vault": 3, "nomad": 5, "boundary": 2}


def bands() -> Bands:
    return thresholds(yaml.safe_load((TREE / FILE).read_text(encoding="utf-8")))


def facts(product: Product, cloud: Cloud, addresses: list[str], **changes: object) -> ClusterFacts:
    """One cluster's facts."""
    name = f"{product}-{cloud}"
    servers = [
        {"name": f"{name}-{number}", "zone": "a", "address": address, "id": f"i-{number}"}
        for number, address in enumerate(addresses, 1)
    ]
    given = {"product": product, "name": name, "version": VERSIONS[product], "servers": servers, "secrets": []}
    return ClusterFacts.model_validate({**given, **changes})


def region(
    cloud: Cloud, clusters: list[ClusterFacts], clouds: tuple[Cloud, ...] = CLOUDS, **changes: object
) -> Manifest:
    """One region's manifest: its mesh is whole, and every set is saved at home and in one other cloud."""
    second = next((other for other in clouds if other != cloud), cloud)
    sets = [
        {"saved": saved, "intervalMinutes": 30, "role": role, "targets": list(dict.fromkeys([cloud, second]))}
        for saved, role in (("consul", "consul-server"), ("vault", "vault-server"), ("nomad", "nomad-server"))
    ]
    tunnels = [
        {"pair": "-".join(sorted((cloud, peer))), "index": index, "status": "up", "inside": "169.254.10.0/30"}
        for peer in clouds
        if peer != cloud
        for index in range(4)
    ]
    given = {
        **DOCUMENT,
        "cloud": cloud,
        "clusters": [one.model_dump(by_alias=True, mode="json") for one in clusters],
        "clients": {"group": "g", "minimum": 2, "maximum": 6},
        "settings": {"regions": {one: {} for one in clouds}},
        "mesh": {"asn": 64610, "tunnels": tunnels},
        "backup": {**DOCUMENT["backup"], "sets": sets},
        "peers": {},
    }
    return Manifest.model_validate({**given, **changes})


@dataclass
class World:
    """A platform that is healthy until a test says otherwise."""

    clouds: tuple[Cloud, ...] = CLOUDS
    base: str = "10.0"
    at: dt.datetime = NOW
    regions: dict[Cloud, Manifest] = field(default_factory=dict[Cloud, Manifest])
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict[tuple[str, str], Reply])
    dials: dict[tuple[str, Port], Dial] = field(default_factory=dict[tuple[str, Port], Dial])
    shared: frozenset[Cloud] = frozenset({"azure", "gcp"})

    def __post_init__(self) -> None:
        for number, cloud in enumerate(self.clouds, 1):
            clusters = [
                facts(
                    product,
                    cloud,
                    [
                        f"{self.base}.{16 * number + zone}.{10 * PRODUCTS.index(product) + 10}"
                        for zone in range(SIZES[product])
                    ],
                    health=f"https://{product}.example.com:8501/x" if product in RAFT_PRODUCTS else None,
                    endpoint=f"https://{product}.example.com:8501" if product in RAFT_PRODUCTS else None,
                )
                for product in PRODUCTS
            ]
            self.regions[cloud] = region(cloud, clusters, self.clouds)
        for manifest in self.regions.values():
            for cluster in manifest.clusters:
                self._healthy(manifest, cluster)

    def _healthy(self, manifest: Manifest, cluster: ClusterFacts) -> None:
        for server in cluster.servers:
            for port in reachable_ports(cluster.product, at_home=False):
                self.dials[server.name, port] = "open"
            self.say(server.name, METRICS, metrics(cluster.product, manifest.cloud, at=self.at), certificate=None)
            for question, body in answers(cluster, self.clouds).items():
                self.say(server.name, question, body)
        if cluster.product == "vault":
            self.say(cluster.servers[0].name, vault.LEADER, {"is_self": True})
        if cluster.health:
            self.replies[cluster.name, ENDPOINT] = Answered(200, "{}", FRESH)

    def say(
        self, server: str, question: Question, body: object, status: int = 200, certificate: Certificate | None = FRESH
    ) -> None:
        """Let a server answer so."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.replies[server, question.name] = Answered(status, text, certificate)

    def all_say(self, cluster: str, question: Question, body: object, status: int = 200) -> None:
        """Let all servers of a cluster answer so."""
        for server in self.servers(cluster):
            self.say(server, question, body, status)

    def drop(self, server: str, reply: Reply = REFUSED) -> None:
        """Let a machine's servers be gone."""
        for key in self.replies:
            if key[0] == server:
                self.replies[key] = reply
        for key in self.dials:
            if key[0] == server:
                self.dials[key] = "refused" if reply == REFUSED else "timed out"

    def facts(self, cluster: str) -> ClusterFacts:
        """A cluster by its name."""
        return next(one for region in self.regions.values() for one in region.clusters if one.name == cluster)

    def servers(self, cluster: str) -> list[str]:
        """Names of a cluster's servers."""
        return [server.name for server in self.facts(cluster).servers]

    def change(self, cloud: Cloud, **changes: object) -> None:
        """Change a manifest."""
        self.regions[cloud] = self.regions[cloud].model_copy(update=changes)

    def judged(self, *products: Product, clouds: tuple[Cloud, ...] = ()) -> list[Outcome]:
        """What a pass finds."""
        scope = Scope(frozenset(clouds or self.regions), frozenset(products or PRODUCTS), links=not products)
        seen = Seen(self.regions, self.clouds, self.replies, self.dials, self.at, self.shared)
        return judge(seen, scope, bands())


def autopilot(cluster: ClusterFacts, tolerance: int | None = None, **changes: object) -> dict[str, Any]:
    """What a healthy leader of Consul or Nomad says."""
    servers = [
        {"ID": s.id, "Name": s.name, "Address": f"{s.address}:8300", "SerfStatus": "alive", "Version": cluster.version,
         "Leader": s is cluster.servers[0], "Healthy": True, "Voter": True}
        for s in cluster.servers
    ]  # fmt: skip
    full = (len(servers) - 1) // 2
    return {
        "Healthy": True,
        "FailureTolerance": full if tolerance is None else tolerance,
        "Servers": servers,
        **changes,
    }


def answers(cluster: ClusterFacts, clouds: tuple[Cloud, ...]) -> dict[Question, object]:
    """What a healthy server answers."""
    first = cluster.servers[0]
    if cluster.product == "consul":
        wan = [
            {"Name": f"consul-{cloud}-{n}.{cloud}", "Addr": f"{cloud}-{n}", "Tags": {"dc": cloud}, "Status": 1}
            for cloud in clouds
            for n in range(1, SIZES["consul"] + 1)
        ]
        return {
            consul.LEADER: f'"{first.address}:8300"',
            consul.AUTOPILOT: autopilot(cluster),
            consul.LAN: [{"Name": s.name, "Addr": s.address, "Tags": {}, "Status": 1} for s in cluster.servers],
            consul.WAN: wan,
            consul.TOKEN: {"AccessorID": "one", "SecretID": "s3cret", "Local": False},
            consul.REPLICATION: {
                "Enabled": True, "Running": True, "ReplicationType": "tokens",
                "LastSuccess": "2026-11-30T05:59:00Z", "LastError": "2026-11-01T00:00:00Z",
            },
        }  # fmt: skip
    if cluster.product == "nomad":
        node = {"Status": "ready", "SchedulingEligibility": "eligible"}
        return {
            nomad.LEADER: f'"{first.address}:4647"',
            nomad.AUTOPILOT: autopilot(cluster),
            nomad.MEMBERS: {"Members": [{"Addr": s.address, "Status": "alive"} for s in cluster.servers]},
            nomad.SELF: {"server": {"ok": True}},
            nomad.REGIONS: list(clouds),
            nomad.NODES: [{"ID": f"n{n}", "Name": f"client-{n}", **node} for n in range(2)],
        }
    if cluster.product == "vault":
        state = {"name": "", "healthy": True, "status": "voter"}
        servers = {s.name: {**state, "name": s.name} for s in cluster.servers}
        return {
            vault.SEAL: {"initialized": True, "sealed": False, "version": cluster.version},
            vault.LEADER: {"is_self": False, "leader_address": f"https://{first.address}:8200"},
            vault.AUTOPILOT: {
                "data": {"healthy": True, "failure_tolerance": 1, "servers": servers, "voters": list(servers)}
            },
            vault.AUDIT: {"data": {"file/": {}, "socket/": {}}},
        }
    return {boundary.HEALTH: {"worker_process_info": {"upstream_connection_state": "READY"}}}


def metrics(
    saved: Saved,
    cloud: Cloud,
    age: dt.timedelta = dt.timedelta(minutes=20),
    full: float = 0.5,
    at: dt.datetime = NOW,
) -> str:
    """What a node exporter serves."""
    lines = ["# TYPE node_time_seconds gauge", "node_time_seconds 1.0"]
    labels = 'device="/dev/nvme1n1",fstype="ext4",mountpoint="/opt"'
    for name, value in (("avail_bytes", 1 - full), ("size_bytes", 1), ("files_free", 500), ("files", 1000)):
        lines += [f"# TYPE node_filesystem_{name} gauge", f"node_filesystem_{name}{{{labels}}} {value}"]
    # Some file systems have no fixed number of inodes.
    lines += [
        f'node_filesystem_{name}{{device="/dev/vdb",fstype="btrfs",mountpoint="/b"}} 0'
        for name in ("files_free", "files")
    ]
    lines.append('node_filesystem_avail_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 0')
    lines.append('node_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1')
    for destination in CLOUDS:
        of = f'{{product="{saved}",cloud="{cloud}",destination="{destination}"}}'
        lines.append(f"runbook_backup_last_run_failed{of} 0")
        lines.append(f"runbook_backup_last_success_timestamp_seconds{of} {(at - age).timestamp()}")
    return "\n".join(lines) + "\n"


def told(found: list[Outcome], *verdicts: Verdict) -> list[str]:
    """What is said in these verdicts, with the server before it."""
    wanted = verdicts or (Verdict.WRONG, Verdict.UNKNOWN, Verdict.ELEVATED)
    return [
        " ".join(filter(None, (outcome.subject, outcome.said.server, outcome.said.says)))
        for outcome in found
        if outcome.verdict in wanted
    ]


def code(found: list[Outcome]) -> int:
    """The exit code."""
    return exit_code(outcome.verdict for outcome in found)
