"""Every backup plan writes to another cloud too, by its own path."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.backups import PLAN, each_plan
from policies.concepts.facts import peers
from policies.conditions import NOT_TRUE, UNSET, one_of, optional
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, across, advice, need, on
from policies.values import ABSENT, as_int

_TRANSFER = "gcp:storage/transferJob:TransferJob"
_OPTIONS = "transferSpec.transferOptions"


def _two_clouds(plan: Resource, _: Context) -> Iterator[Finding]:
    own = plan.get("cloud")
    clouds: set[object] = set()
    for target in plan.each("targets[]"):
        cloud, bucket = target.get("cloud"), target.get("bucket")
        clouds.add(cloud)
        if cloud in (ABSENT, "") or bucket == "" or (bucket is ABSENT and cloud == own):
            yield Finding(target.path, "must name cloud and bucket")
        elif bucket is ABSENT:
            # Which bucket it is, the other cloud's stack says; the stack rule waits for that.
            yield advice(target.path, "names no bucket yet")
    if own not in clouds:
        yield Finding("targets", "must hold one in the cluster's own cloud")
    if not clouds - {own}:
        yield Finding("targets", "must hold one in another cloud")


def _existing(world: World, _: Context) -> Iterator[Finding]:
    yield from each_plan(world, lambda spec: _targets(world, spec), "its buckets cannot be known")


def _targets(world: World, spec: Node) -> Iterator[Finding]:
    own, known = spec.get("cloud"), peers(world)
    for target in spec.each("targets[]"):
        cloud = target.get("cloud")
        said = known.get(str(cloud))
        if cloud == own or said is None or said.absent:
            continue
        locked = {bucket.get("name") for bucket in said.each("buckets[]") if (as_int(bucket.get("lockDays")) or 0) > 0}
        if target.get("bucket") not in locked:
            yield Finding(target.path, f"is no locked bucket of {cloud}")


RULE = Rule(
    "backup-second-cloud",
    (
        Check((PLAN,), _two_clouds, ("cloud", "targets[].cloud", "targets[].bucket"), "fail"),
        across(_existing, (PLAN, ("spec.cloud", "spec.targets[].cloud", "spec.targets[].bucket")), unknown="fail"),
        on(
            _TRANSFER,
            need("status", optional(one_of("ENABLED"))),
            need(f"{_OPTIONS}.deleteObjectsFromSourceAfterTransfer", NOT_TRUE),
            need(f"{_OPTIONS}.deleteObjectsUniqueInSink", NOT_TRUE),
            need("transferSpec.awsS3DataSource.awsAccessKey.accessKeyId", UNSET),
            unknown="fail",
        ),
    ),
)
