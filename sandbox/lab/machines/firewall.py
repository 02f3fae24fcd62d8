"""The switch's packet filter, as one text, from the machines and the rules that their clouds hold.

Pure. Owns what a rule means: every machine is judged on its own, when it sends and when it receives, so is a balancer's
front when it receives, and a connection that was let through may answer. What no rule names is dropped; so is everything
that does not carry its machine's own address, and everything between regions that no gateway brings.

Each region is filtered as if it had a router of its own. A packet to another region passes here twice, on its way to a
gateway of the sender's region and from one of the receiver's, and each region keeps account of its own half alone.

Dangerous edge: what is not here is what the lab does not refuse. A range that cannot be written is an error, never left
out; ranges of IPv6 are left out because nothing of it passes at all.

Source: nft(8).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, collapse_addresses, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from components.plan.spec import CLOUDS
from sandbox.lab.machines.lab import CABLES, CARRIER, PORTS, number, port
from sandbox.templating import templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from components.plan.spec import Cloud
    from sandbox.lab.world import Machine, Rule, World

_TEMPLATES = templates(Path(__file__).parent / "templates")
_DIGEST = re.compile(r'^\s*comment "([0-9a-f]{64})"$', re.MULTILINE)
_EVERYWHERE = IPv4Network("0.0.0.0/0")
_BGP = 179


@dataclass(frozen=True)
class _Port:
    """One machine's part of the filter."""

    name: str
    machine: str
    address: str
    outward: list[str]
    inward: list[str]


@dataclass(frozen=True)
class _Front:
    """One balancer's or database's part."""

    name: str
    whose: str
    inward: list[str]


@dataclass(frozen=True)
class _Region:
    """One region's part: its number on the switch, and the ranges of all others."""

    cloud: Cloud
    number: int
    others: list[str]


@lru_cache(maxsize=1)
def ruleset(world: World, services: tuple[str, ...]) -> str:
    """The whole filter; the same world gives the same text.

    Args:
        world: machines, balancers and databases, and their rules in the order in which they decide.
        services: addresses of the switch that every machine may reach.
    """
    rules: dict[str, list[Rule]] = defaultdict(list)
    for rule in world.rules:
        rules[rule.machine].append(rule)
    machines = sorted(filter(None, (*world.machines, world.desk)), key=lambda machine: machine.name)
    balancers = sorted(world.balancers, key=lambda balancer: balancer.id)
    databases = sorted(world.databases, key=lambda database: database.id)
    values = {
        "prefix": PORTS,
        "cables": CABLES,
        "carrier": CARRIER,
        "bgp": _BGP,
        "regions": [_region(cloud, world) for cloud in CLOUDS],
        "ports": [_judged(machine, rules[machine.name]) for machine in machines],
        "fronts": [
            *(_Front(_chain(each.id), each.name, _inward(rules[each.id])) for each in balancers),
            *(_Front(_chain(each.id), each.host, _inward(rules[each.id])) for each in databases),
        ],
        "listens": [
            *(
                (address, listener.front, _chain(each.id))
                for each in balancers
                for address in each.addresses
                for listener in each.listeners
            ),
            *((each.address, each.port, _chain(each.id)) for each in databases),
        ],
        "services": sorted(set(services)),
    }
    digest = hashlib.sha256(_render({**values, "digest": ""}).encode()).hexdigest()
    return _render({**values, "digest": digest})


def digest_of(listing: str) -> str:
    """Which text a filter was made of: from the text itself, or as the kernel lists it; empty if from none."""
    found = _DIGEST.search(listing)
    return found[1] if found else ""


def _render(values: dict[str, object]) -> str:
    return _TEMPLATES.get_template("firewall.nft.j2").render(values)


def _region(cloud: Cloud, world: World) -> _Region:
    return _Region(cloud, number(cloud), sorted(each.prefix for each in world.networks if each.cloud != cloud))


def _chain(front: str) -> str:
    return hashlib.sha256(front.encode()).hexdigest()[:12]


def _judged(machine: Machine, rules: Sequence[Rule]) -> _Port:
    # Who may send has yet to be received: only the receiver's verdict lets a packet pass.
    outward = [_line(rule, "daddr", "return") for rule in rules if rule.towards == "out"]
    return _Port(port(machine.name), machine.name, machine.address, [*filter(None, outward)], _inward(rules))


def _inward(rules: Sequence[Rule]) -> list[str]:
    return [*filter(None, (_line(rule, "saddr", "accept") for rule in rules if rule.towards == "in"))]


def _line(rule: Rule, side: str, allowed: str) -> str:
    """One rule; empty if nothing can fit it."""
    ranges = _ranges(rule.peers)
    if not ranges:
        return ""
    parts: list[str] = []
    if ranges != [_EVERYWHERE]:
        parts.append(f"ip {side} {{ {', '.join(map(str, ranges))} }}")
    parts += _protocol(rule)
    return " ".join([*parts, allowed if rule.allows else "drop"])


def _ranges(peers: Iterable[str]) -> list[IPv4Network]:
    networks = [ip_network(peer, strict=False) for peer in peers]
    # The filter refuses ranges that overlap.
    return list(collapse_addresses([network for network in networks if isinstance(network, IPv4Network)]))


def _protocol(rule: Rule) -> list[str]:
    if rule.protocol == "icmp":
        return ["ip protocol icmp"]
    if rule.ports is None:
        return [] if rule.protocol == "any" else [f"ip protocol {rule.protocol}"]
    first, last = rule.ports
    ports = str(first) if first == last else f"{first}-{last}"
    if rule.protocol == "any":
        return [f"ip protocol {{ tcp, udp }} th dport {ports}"]
    return [f"{rule.protocol} dport {ports}"]
