"""Every workload of several pods has one disruption budget, which lets one pod go at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.concepts.workloads import WORKLOAD_READS, voters
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, about, across
from policies.values import ABSENT, as_int

_BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
_WORKLOADS = ("kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:Deployment")
_LABELS = "spec.template.metadata.labels"
_WANTED = "spec.selector.matchLabels"
_WAYS = "spec.selector.matchExpressions[]"
_SEVERAL = 2


def _every_workload(world: World, _: Context) -> Iterator[Finding]:
    for workload in world.of(*_WORKLOADS):
        replicas = as_int(workload.get("spec.replicas")) or 1
        if replicas >= _SEVERAL:
            yield from _budgeted(world, workload, replicas)


def _budgeted(world: World, workload: Resource, replicas: int) -> Iterator[Finding]:
    budgets = [budget for budget in world.of(_BUDGET) if _covers(budget, workload)]
    if not budgets:
        yield about(workload, Finding("", "has no disruption budget in this stack"))
    if len(budgets) > 1:
        yield about(workload, Finding("", "has more than one disruption budget, and can then not be evicted at all"))
    for budget in budgets:
        problem = _voter(budget, replicas) if voters(workload) else _other(budget, replicas)
        if problem:
            yield about(budget, Finding("spec", problem))


def _voter(budget: Resource, replicas: int) -> str:
    gone, left = budget.get("spec.maxUnavailable"), budget.get("spec.minAvailable")
    alone = as_int(gone) == 1 if gone is not ABSENT else as_int(left) == replicas - 1
    return "" if alone else "must let exactly one server go: maxUnavailable 1"


def _other(budget: Resource, replicas: int) -> str:
    gone, left = (_pods(budget.get(f"spec.{path}"), replicas) for path in ("maxUnavailable", "minAvailable"))
    free = [number for number in (gone, None if left is None else replicas - left) if number is not None]
    return "" if free and min(free) > 0 else "must let one pod go"


def _pods(value: object, replicas: int) -> int | None:
    """How many pods a number or a percentage means, which Kubernetes rounds up; None where it is neither."""
    share = re.fullmatch(r"(\d+)%", value) if isinstance(value, str) else None
    return math.ceil(int(share[1]) * replicas / 100) if share else as_int(value)


def _namespace(resource: Resource) -> str:
    said = resource.get("metadata.namespace")
    return "default" if said is ABSENT else str(said)


def _covers(budget: Resource, workload: Resource) -> bool:
    if _namespace(budget) != _namespace(workload) or budget.at("spec.selector").absent:
        return False
    labels = _map(workload, _LABELS)
    return _map(budget, _WANTED).items() <= labels.items() and all(_meets(labels, way) for way in budget.each(_WAYS))


def _map(resource: Resource, path: str) -> Mapping[str, str]:
    """A map of texts.

    Raises:
        Undecided: one of them is not known yet.
    """
    node = resource.at(path)
    held: Mapping[str, Any] = node.known() if isinstance(node.known(), dict) else {}
    return {key: str(Node(f"{path}.{key}", value).known()) for key, value in held.items()}


def _meets(labels: Mapping[str, str], way: Node) -> bool:
    label = labels.get(str(way.get("key")))
    values = {str(node.known()) for node in way.each("values[]")}
    return {
        "In": label in values,
        "NotIn": label not in values,
        "Exists": label is not None,
        "DoesNotExist": label is None,
    }.get(str(way.get("operator")), False)


RULE = Rule(
    "pdb-present",
    (
        across(
            _every_workload,
            (
                _BUDGET,
                (
                    "metadata.namespace",
                    _WANTED,
                    *(f"{_WAYS}.{path}" for path in ("key", "operator", "values[]")),
                    "spec.maxUnavailable",
                    "spec.minAvailable",
                ),
            ),
            *((token, ("metadata.namespace", "spec.replicas", _LABELS, *WORKLOAD_READS)) for token in _WORKLOADS),
        ),
    ),
)
