"""Boundary's workers: the one thing of the platform that may face users, where their cluster says so.

Owns who is free of a rule that closes machines to the world. A resource rule does not see the cluster that a machine lies
below, so what lies below Boundary's is judged with the whole stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import BOUNDARY
from policies.context import Context
from policies.resource import Resource, Undecided, World
from policies.rule import Check, Finding, StackCheck, about, across, deferred
from policies.values import as_bool

DECLARED = "spec.workers.publicProxy"


def of_workers(resource: Resource) -> bool:
    """Whether a resource lies below Boundary's cluster."""
    return resource.below(BOUNDARY) is not None


def declared(world: World) -> bool:
    """Whether a cluster of the stack says that users reach its workers from the internet."""
    return any(as_bool(cluster.at(DECLARED).value) is True for cluster in world.of(BOUNDARY))


def closed(*checks: Check) -> tuple[Check | StackCheck, ...]:
    """The checks, all of one mode, from which workers are free where their cluster declares them."""
    return (*map(_elsewhere, checks), unless_declared(*checks))


def unless_declared(*checks: Check) -> StackCheck:
    """The checks, all of one mode, for what lies below a cluster that does not declare its workers."""

    def judge(world: World, context: Context) -> Iterator[Finding]:
        if declared(world):
            return
        for check in checks:
            for resource in filter(of_workers, world.of(*check.types)):
                for finding in _judged(check, resource, context):
                    yield about(resource, finding)

    reads = tuple((token, check.reads) for check in checks for token in check.types)
    return across(judge, (BOUNDARY, (DECLARED,)), *reads, unknown=checks[0].unknown)


def _elsewhere(check: Check) -> Check:
    def judge(resource: Resource, context: Context) -> Iterator[Finding]:
        if not of_workers(resource):
            yield from check.judge(resource, context)

    return Check(check.types, judge, check.reads, check.unknown)


def _judged(check: Check, resource: Resource, context: Context) -> Iterator[Finding]:
    try:
        yield from check.judge(resource, context)
    except Undecided as undecided:
        # Caught here, so that one resource does not hide the others; the check's mode decides what it means.
        yield deferred(undecided.path)
