"""Every cluster has one plan, often enough and of all that a restore needs, and what runs it is switched on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from policies.concepts.apart import apart
from policies.concepts.backups import CONTENTS, MANIFEST, PLAN
from policies.concepts.clusters import CLUSTERS, RAFT, Declared, declared
from policies.concepts.schedules import longest_gap
from policies.conditions import NOT_TRUE, one_of
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, about, across, demand
from policies.values import as_bool, as_int

_CRON = "kubernetes:batch/v1:CronJob"
_AGENT = "vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig"
_SCHEDULE = "aws:scheduler/schedule:Schedule"
_JOB = "nomad:index/job:Job"


# Plans.


def _planned(world: World, _: Context) -> Iterator[Finding]:
    clusters = list(declared(world, *CLUSTERS))
    specs = [spec for _, spec in world.specs(PLAN)]
    for cluster in clusters:
        yield from apart(cluster.component, _one_plan(cluster, specs))
    for plan, spec in world.specs(PLAN):
        yield from apart(plan, _plan(clusters, spec))
    if clusters and MANIFEST not in {spec.at("product").value for spec in specs}:
        yield Finding("", "has no plan that saves its manifest, without which no backup finds its keys")


def _one_plan(cluster: Declared, specs: Sequence[Node]) -> Iterator[Finding]:
    own = _identity(cluster.spec)
    number = sum(_identity(spec) == own for spec in specs)
    # Boundary's state is its controllers'; a region that runs workers alone has nothing to save.
    idle = cluster.product == "boundary" and not as_int(cluster.spec.get("nodes"))
    if number != 1 and not (idle and number == 0):
        yield Finding("", f"has {number} backup plans, not one")


def _identity(spec: Node) -> tuple[object, object]:
    return spec.get("cluster"), spec.get("cloud")


def _plan(clusters: Sequence[Declared], spec: Node) -> Iterator[Finding]:
    interval, rpo = as_int(spec.get("intervalMinutes")), as_int(spec.get("rpoMinutes"))
    if interval is None or rpo is None or interval > rpo:
        yield Finding("spec.intervalMinutes", "must be at most rpoMinutes")
    for cluster in clusters:
        # Boundary's database has a log of its own, so that less is lost than lies between two dumps.
        if cluster.component.kind in RAFT and _identity(cluster.spec) == _identity(spec):
            bound = as_int(cluster.spec.get("rpoMinutes"))
            if bound is None or rpo is None or rpo > bound:
                yield Finding("spec.rpoMinutes", "must be at most the cluster's")
    missing = CONTENTS.get(str(spec.get("product")), frozenset()) - {node.known() for node in spec.each("contents[]")}
    if missing:
        yield Finding("spec.contents", f"must hold {', '.join(sorted(missing))}")


# What runs them, where it is a resource.


def _running(world: World, _: Context) -> Iterator[Finding]:
    for job in filter(_below, world.of(_CRON)):
        yield from apart(job, _cron(world, job))
    for schedule in filter(_below, world.of(_SCHEDULE)):
        yield from apart(schedule, _scheduled(world, schedule))
    for agent in filter(_below, world.of(_AGENT)):
        seconds = as_int(agent.get("intervalSeconds"))
        yield from apart(agent, _often(world, agent, "intervalSeconds", seconds and math.ceil(seconds / 60)))


def _jobs(world: World, _: Context) -> Iterator[Finding]:
    for job in filter(_below, world.of(_JOB)):
        configs = job.each("periodicConfigs[]")
        if not any(as_bool(config.get("enabled")) is not False for config in configs):
            yield about(job, Finding("periodicConfigs", "must be periodic and enabled"))


def _below(resource: Resource) -> bool:
    return resource.below(PLAN) is not None


def _cron(world: World, job: Resource) -> Iterator[Finding]:
    yield from demand(job.at("spec.suspend"), NOT_TRUE)
    yield from demand(job.at("spec.concurrencyPolicy"), one_of("Forbid"))
    yield from _often(world, job, "spec.schedule", longest_gap(job.get("spec.schedule")))


def _scheduled(world: World, schedule: Resource) -> Iterator[Finding]:
    yield from demand(schedule.at("state"), one_of("ENABLED"))
    yield from _often(world, schedule, "scheduleExpression", longest_gap(schedule.get("scheduleExpression")))


def _often(world: World, resource: Resource, path: str, minutes: int | None) -> Iterator[Finding]:
    """Whether something runs as often as the plan above it says."""
    above = resource
    while above is not None and above.kind != PLAN:
        above = world.by_urn.get(above.parent or "")
    interval = as_int(above.get("spec.intervalMinutes")) if above else None
    if not minutes or interval is None or minutes > interval:
        yield Finding(path, "must run as often as its plan's intervalMinutes, on every day")


_SAID = ("product", "cluster", "cloud", "intervalMinutes", "rpoMinutes", "contents[]")
RULE = Rule(
    "backup-scheduled-all",
    (
        across(
            _planned,
            (PLAN, tuple(f"spec.{name}" for name in _SAID)),
            *((token, ("spec.cluster", "spec.cloud", "spec.rpoMinutes", "spec.nodes")) for token in CLUSTERS),
            unknown="fail",
        ),
        across(
            _running,
            (_CRON, ("spec.suspend", "spec.concurrencyPolicy", "spec.schedule")),
            (_SCHEDULE, ("state", "scheduleExpression")),
            (_AGENT, ("intervalSeconds",)),
            (PLAN, ("spec.intervalMinutes",)),
            unknown="fail",
        ),
        # Nomad's server reads the job and says what it found; before that nobody knows.
        across(_jobs, (_JOB, ("periodicConfigs[].enabled",))),
    ),
)
