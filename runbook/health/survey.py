"""One pass: from manifests to what was found. Owns who is asked what, with which token.

A secondary's replication can only be judged by asking the primary too, so the primary's Consul is asked for the token even
when only a secondary is looked at.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from components.plan.flows import CONSUL_HTTPS, Port
from components.plan.manifest import ClusterFacts, Manifest
from components.plan.spec import Cloud, Product
from components.plan.thresholds import Bands
from runbook.connections import trust
from runbook.credentials import Tokens
from runbook.health import asking, consul
from runbook.health.checks import Scope, Seen, judge
from runbook.health.machines import ENDPOINT, METRICS, reachable_ports
from runbook.health.outcome import Outcome
from runbook.health.questions import QUESTIONS
from runbook.health.replies import Question
from runbook.manifests import clouds_of

HEADERS: Mapping[Product, str] = {"consul": "X-Consul-Token", "vault": "X-Vault-Token", "nomad": "X-Nomad-Token"}


def survey(
    regions: Mapping[Cloud, Manifest],
    scope: Scope,
    tokens: Tokens,
    bands: Bands,
    seconds: float,
    resolver: asking.Resolver = asking.resolved,
) -> list[Outcome]:
    """Ask all and judge all; takes so many seconds at most, but for the judging.

    Raises:
        RunbookError: a manifest holds no authority.
    """
    trusted: dict[Cloud, ssl.SSLContext] = {
        cloud: trust(cloud, region.ca_certificate) for cloud, region in regions.items()
    }
    asked = asyncio.run(asking.ask(list(targets(regions, scope, tokens)), trusted, seconds, resolver))
    seen = Seen(
        regions=regions,
        clouds=clouds_of(regions),
        replies=asked.replies,
        dials=asked.dials,
        at=dt.datetime.now(dt.UTC),
        shared_tokens=frozenset(cloud for cloud, region in regions.items() if _shared(region, tokens)),
    )
    return judge(seen, scope, bands)


def _shared(region: Manifest, tokens: Tokens) -> bool:
    own = tokens.of("consul", region.cloud)
    return region.cloud != region.primary and bool(own) and own == tokens.of("consul", region.primary)


def targets(regions: Mapping[Cloud, Manifest], scope: Scope, tokens: Tokens) -> Iterator[asking.Target]:
    """Whom a pass asks what."""
    judged = scope.clusters(regions)
    for region, facts in judged:
        ports = reachable_ports(facts.product, at_home=_sits_in(region))
        yield from _servers(region, facts, (*QUESTIONS[facts.product], METRICS), tokens, ports)
        if facts.health:
            yield from _balancer(region, facts)
    for region, facts in _needed(regions, judged):
        yield from _servers(region, facts, (consul.TOKEN,), tokens)


def _sits_in(region: Manifest) -> bool:
    """Whether packets to a region's servers leave from an address of that region's own network."""
    server = next((server for facts in region.clusters for server in facts.servers), None)
    if server is None:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        # Of datagrams: nothing is sent, the kernel only chooses the way.
        probe.connect((server.address, CONSUL_HTTPS.first))
        return ip_address(probe.getsockname()[0]) in ip_network(region.network.cidr)
    return False


def _needed(
    regions: Mapping[Cloud, Manifest], judged: list[tuple[Manifest, ClusterFacts]]
) -> Iterator[tuple[Manifest, ClusterFacts]]:
    """The primary's Consul, where a secondary's is judged and the primary's is not."""
    names = {facts.name for _, facts in judged}
    for region, facts in judged:
        primary = regions.get(region.primary)
        if facts.product == "consul" and primary is not None:
            for other in primary.clusters:
                if other.product == "consul" and other.name not in names:
                    names.add(other.name)
                    yield primary, other


def _servers(
    region: Manifest,
    facts: ClusterFacts,
    questions: tuple[Question, ...],
    tokens: Tokens,
    ports: tuple[Port, ...] = (),
) -> Iterator[asking.Target]:
    token = tokens.of(facts.product, region.cloud)
    credentials: dict[Product, tuple[str, str]] = {facts.product: (HEADERS[facts.product], token)} if token else {}
    for server in facts.servers:
        yield asking.Target(server.name, region.cloud, server.address, questions, credentials, ports)


def _balancer(region: Manifest, facts: ClusterFacts) -> Iterator[asking.Target]:
    url = urlsplit(facts.health or "")
    if url.hostname and url.port:
        path = f"{url.path}?{url.query}" if url.query else url.path
        question = Question(ENDPOINT, Port.of(url.port), path)
        yield asking.Target(facts.name, region.cloud, url.hostname, (question,))
