"""Firewall rules of balancers' fronts; pure.

Owns what a balancer that passes packets on lets through: it has no rules of its own, its servers judge the client.

Dangerous edge: a connection is judged before a server is chosen, so by the rules of the first. Servers behind one front
have the same ones wherever a program gives rules to roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sandbox.lab.world import Balancer, Rule

from .ranges import EVERYWHERE


def passed_on(balancer: Balancer, rules: Iterable[Rule], names: Mapping[str, str]) -> Iterator[Rule]:
    """What the servers of a balancer receive at the ports behind its front, as rules of the front.

    Args:
        names: of machines by address.
    """
    rules = tuple(rules)
    for listener in balancer.listeners:
        judges = {names[target] for target in listener.targets[:1]}
        for rule in rules:
            if (
                rule.machine in judges
                and rule.towards == "in"
                and rule.protocol in ("tcp", "any")
                and (rule.ports is None or rule.ports[0] <= listener.port <= rule.ports[1])
            ):
                yield replace(rule, machine=balancer.id, protocol="tcp", ports=(listener.front, listener.front))


def open_to_all(balancer: str) -> Rule:
    """The rule of a front that no firewall guards."""
    return Rule(balancer, "in", allows=True, protocol="tcp", peers=(EVERYWHERE,))
