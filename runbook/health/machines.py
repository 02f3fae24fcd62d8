"""What holds for the machines of every cluster: ports, certificates, the balancer, disks.

Owns what the node exporter's text means. It is plain HTTP and needs no credential (see `products/exporter.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from prometheus_client.parser import text_string_to_metric_families

from components.plan.flows import FLOWS, NODE_EXPORTER, Port
from components.plan.spec import SERVER_ROLE, Product
from components.plan.thresholds import Level
from runbook.health.outcome import Check, Said, banded, fine, unknown, wrong
from runbook.health.questions import QUESTIONS
from runbook.health.replies import Answered, Cluster, Question, Unanswered

METRICS = Question("metrics", NODE_EXPORTER, "/metrics", tls=False)
ENDPOINT = "endpoint"
"""Name of the question that a cluster's balancer is asked; port and path are the manifest's."""

_PASSING = re.compile(r"tmpfs|ramfs|overlay|squashfs")
"""File systems that are not a disk."""
_WANTED = re.compile(r"^(# (TYPE|HELP) )?(node_filesystem|runbook_backup)_")
_SHORT = timedelta(days=90)


@dataclass(frozen=True)
class Sample:
    """One value of a metric."""

    name: str
    labels: Mapping[str, str]
    value: float


@lru_cache(maxsize=512)
def samples(text: str) -> tuple[Sample, ...]:
    """What an exporter says of file systems and backups.

    Raises:
        ValueError: it is no exposition.
    """
    if not re.search(r"^node_\w+[ {]", text, re.MULTILINE):
        raise ValueError("no metrics of a machine")
    # The rest is most of the text, and nobody reads it here.
    wanted = "\n".join(line for line in text.splitlines() if _WANTED.match(line)) + "\n"
    return tuple(
        Sample(sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(wanted)
        for sample in family.samples
    )


def reachable_ports(product: Product, *, at_home: bool) -> tuple[Port, ...]:
    """TCP ports of a product's servers that are open to whoever asks.

    Args:
        at_home: whether he sits in the servers' own region; some ports are open to other regions alone.
    """
    role, sources = SERVER_ROLE[product], {"mesh"} if at_home else {"mesh", "peers"}
    return tuple(
        dict.fromkeys(
            flow.port
            for flow in FLOWS
            if role in flow.targets
            and "tcp" in flow.protocols
            and flow.port != NODE_EXPORTER
            and sources & {*flow.sources}
        )
    )


def ports(cluster: Cluster) -> Iterator[Said]:
    """Every port that is open to whoever asks accepts a connection."""
    for server in cluster.servers:
        dials = {port: dial for (name, port), dial in cluster.dials.items() if name == server.name}
        alive = "open" in dials.values()
        for port, dial in dials.items():
            if dial == "refused" and alive:
                yield wrong(f"port {port} is closed while others are open", server.name)
            elif dial != "open":
                yield unknown(f"port {port} cannot be reached: {dial}", server.name)
        if alive and all(dial == "open" for dial in dials.values()):
            yield fine(f"ports {', '.join(map(str, dials))} are open", server.name)


def certificates(cluster: Cluster) -> Iterator[Said]:
    """What each server, and the balancer, presents is trusted and holds for a while."""
    tls = [question for question in _questions(cluster) if question.tls]
    if not tls:
        yield fine("has no certificate of the platform")
        return
    for server in cluster.servers:
        yield _certificate(cluster, server.name, [cluster.reply(server.name, question) for question in tls])
    if cluster.facts.endpoint:
        front = cluster.replies.get((cluster.facts.name, ENDPOINT), Unanswered("timed out"))
        yield _certificate(cluster, f"{cluster.facts.name} (balancer)", [front])


def _certificate(cluster: Cluster, name: str, replies: list[Answered | Unanswered]) -> Said:
    shown = [reply.certificate for reply in replies if isinstance(reply, Answered) and reply.certificate]
    if not shown:
        for reply in replies:
            if isinstance(reply, Unanswered) and reply.silence == "untrusted":
                return wrong(f"certificate cannot be trusted: {reply.why}", name)
        return unknown("shows no certificate", name)
    certificate = min(shown, key=lambda each: each.until)
    left = certificate.until - cluster.at
    says = f"certificate ends in {_span(left)}"
    return banded(_life(cluster, left, certificate.until - certificate.since), says, name)


def _life(cluster: Cluster, left: timedelta, life: timedelta) -> Level:
    if life < _SHORT:
        return cluster.bands.certificate_share.level(left / life)
    return cluster.bands.certificate_days.level(left / timedelta(days=1))


def _span(time: timedelta) -> str:
    return f"{time.days} days" if time >= timedelta(days=2) else f"{time / timedelta(hours=1):.1f} hours"


def endpoint(cluster: Cluster) -> Iterator[Said]:
    """The balancer's name leads to a server that can serve."""
    if not cluster.facts.health:
        yield fine("has no balancer")
        return
    reply = cluster.replies.get((cluster.facts.name, ENDPOINT), Unanswered("timed out"))
    match reply:
        # Consul answers 200 and an empty name when nobody leads.
        case Answered(200, text) if text.strip() != '""':
            yield fine("the balancer leads to a server that serves")
        case Answered(200):
            yield wrong("the balancer leads to a server without a leader")
        case Answered(status):
            yield wrong(f"the balancer leads to a server that cannot serve: {status}")
        case Unanswered("untrusted", why):
            yield wrong(f"the balancer's certificate cannot be trusted: {why}")
        case Unanswered("refused") if _answers(cluster):
            yield wrong("the balancer refuses connections while servers answer")
        case Unanswered(silence):
            yield unknown(f"the balancer cannot be reached: {silence}")


def disks(cluster: Cluster) -> Iterator[Said]:
    """No file system is near its end, in bytes or inodes."""
    for server, reply in cluster.each(METRICS):
        if not isinstance(reply, Answered) or reply.status != 200:
            yield no_metrics(cluster, server.name, reply)
            continue
        yield from _filesystems(cluster, server.name, samples(reply.text))


def no_metrics(cluster: Cluster, server: str, reply: Answered | Unanswered) -> Said:
    """Why a machine's metrics are not there."""
    dials = [dial for (name, _), dial in cluster.dials.items() if name == server]
    if isinstance(reply, Unanswered) and reply.silence == "refused" and "open" in dials:
        return wrong("the node exporter is down while the machine answers", server)
    return unknown(f"no metrics: {reply.silence if isinstance(reply, Unanswered) else reply.status}", server)


def _filesystems(cluster: Cluster, server: str, found: tuple[Sample, ...]) -> Iterator[Said]:
    values: dict[tuple[str, str], dict[str, float]] = {}
    for sample in found:
        if sample.name.startswith("node_filesystem_") and not _PASSING.search(sample.labels.get("fstype", "")):
            mounted = values.setdefault((sample.labels.get("device", ""), sample.labels.get("mountpoint", "")), {})
            mounted[sample.name.removeprefix("node_filesystem_")] = sample.value
    judged = False
    for (_, mount), value in sorted(values.items()):
        for what, free, whole, band in (
            ("disk", "avail_bytes", "size_bytes", cluster.bands.disk_used),
            ("inodes", "files_free", "files", cluster.bands.inodes_used),
        ):
            # Some file systems have no fixed number of inodes and say 0.
            if free in value and value.get(whole, 0) > 0:
                used = 1 - value[free] / value[whole]
                judged = True
                yield banded(band.level(used), f"{what} {mount} is {used:.0%} full", server)
    if not judged:
        yield unknown("its metrics name no disk", server)


def _questions(cluster: Cluster) -> list[Question]:
    return list(QUESTIONS[cluster.facts.product])


def _answers(cluster: Cluster) -> bool:
    return any(isinstance(reply, Answered) for q in _questions(cluster) for _, reply in cluster.each(q))


CHECKS = (
    Check("ports", ports, "A port is closed"),
    Check("certificates", certificates, "A certificate ends"),
    Check("balancer", endpoint, "The balancer does not lead to a server"),
    Check("disks", disks, "A disk fills up"),
)
