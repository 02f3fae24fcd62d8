"""Servers that vote are replaced one at a time, and by nothing but a rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import RAFT, ROLLOUT, declared, voting
from policies.concepts.jobspecs import JOB, Block, jobs
from policies.concepts.jobspecs import READS as JOB_READS
from policies.concepts.workloads import WORKLOAD_READS, voters
from policies.conditions import NOT_TRUE, TRUE, at_least, between, none_of, one_of, optional
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, demand, need, on
from policies.values import as_bool, as_int

_AWS, _AZURE, _GOOGLE = (
    "aws:ec2/instance:Instance",
    "azure-native:compute:VirtualMachine",
    "gcp:compute/instance:Instance",
)
_MADE_WITH: Mapping[str, tuple[tuple[str, ...], ...]] = {
    _AWS: (("ami",), ("userData", "userDataBase64")),
    _AZURE: (("storageProfile.imageReference",), ("osProfile.customData",), ("userData",)),
    _GOOGLE: (("bootDisk.initializeParams.image",), ("metadata",), ("metadataStartupScript",)),
}
"""What a machine is made with, by its type; paths that stand for one thing together."""

_ASG = "aws:autoscaling/group:Group"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_REGIONAL = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
_ZONAL = "gcp:compute/instanceGroupManager:InstanceGroupManager"
_DEPLOYMENT, _STATEFUL = "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"

_REFRESH = "instanceRefresh.preferences"
_LEAST_HEALTHY, _MOST_HEALTHY, _BATCH = 90, 100, 20
"""Percentages that the clouds take where none is said."""
_MANY = 1000
"""Machines of a group that does not say how many it has."""
_GRACE = optional(at_least(300, " seconds"))
_LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
_ROLLING = "upgradePolicy.rollingUpgradePolicy.maxBatchInstancePercent"
_CLAIMS = "spec.volumeClaimTemplates[]"
_AFFINITY = "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
_APART = f"{_AFFINITY}[].topologyKey"
_HOST = "kubernetes.io/hostname"
_ONE = between(1, 1)
_NONE = between(0, 0)


def _rolled_out(cluster: Resource, _: Context) -> Iterator[Finding]:
    named = [node.known() for node in cluster.each("replacement.rollout[]")]
    if len(named) > 1:
        yield Finding("replacement.rollout", f"names {len(named)} servers, and must name one at most")


# Machines.


def _kept(world: World, _: Context) -> Iterator[Finding]:
    """Whether a change of what they are made with leaves servers alone that the rollout does not name."""
    rolled = {name for cluster in declared(world, *RAFT) for name in cluster.rolled}
    for machine in world.of(*_MADE_WITH):
        if not voting(machine) or machine.name in rolled:
            continue
        for paths in _MADE_WITH[machine.kind]:
            said = [path for path in paths if not machine.at(path).absent]
            if said and not any(_ignored(machine, path) for path in said):
                problem = "must be among the ignored changes (`ignore_changes`) of a server that no rollout names"
                yield about(machine, Finding(said[0], problem))


def _ignored(machine: Resource, path: str) -> bool:
    """Whether changes of a property, or of one that holds it, are ignored."""
    return any(f"{path}.".startswith(f"{held}.") for held in machine.options.ignore_changes)


# Groups of machines.


def _refreshed(group: Resource, _: Context) -> Iterator[Finding]:
    if not voting(group):
        return
    if not group.at("instanceRefresh").absent:
        size = _number(group, "maxSize", _MANY)
        least, most = (
            _number(group, f"{_REFRESH}.{name}HealthyPercentage", usual)
            for name, usual in (("min", _LEAST_HEALTHY), ("max", _MOST_HEALTHY))
        )
        if size * (100 - least) // 100 > 1 or size * (most - 100) // 100 > 1:
            yield Finding(_REFRESH, "must replace one instance at a time")
    yield from demand(group.at("healthCheckGracePeriod"), _GRACE)
    if _LAUNCHING not in {node.known() for node in group.each("initialLifecycleHooks[].lifecycleTransition")}:
        yield Finding("initialLifecycleHooks", f"must hold a server back until it has joined: {_LAUNCHING}")


def _number(group: Resource, path: str, usual: int) -> int:
    """A number, or what the cloud takes where there is none."""
    number = as_int(group.get(path))
    return usual if number is None else number


def _upgraded(group: Resource, _: Context) -> Iterator[Finding]:
    if not voting(group):
        return
    mode = group.get("upgradePolicy.mode")
    if mode == "Rolling":
        if _number(group, "sku.capacity", _MANY) * _number(group, _ROLLING, _BATCH) > 100:
            yield Finding(_ROLLING, "must be one instance at a time")
    elif mode != "Manual":
        yield Finding("upgradePolicy.mode", "must be Manual, or Rolling by one instance")
    flexible = group.get("orchestrationMode") == "Flexible"
    if as_bool(group.get("overprovision")) is not False and not (flexible and group.at("overprovision").absent):
        yield Finding("overprovision", "must be false: a server too many is a voter too many")


def _proactive(group: Resource) -> bool:
    return voting(group) and group.get("updatePolicy.type") == "PROACTIVE"


# Kubernetes.


def _no_deployment(workload: Resource, _: Context) -> Iterator[Finding]:
    for product in voters(workload):
        yield Finding("", f"runs servers of {product}, which must be a StatefulSet with volumes of their own")


def _stateful(workload: Resource, _: Context) -> Iterator[Finding]:
    products = voters(workload)
    if not products:
        return
    strategy = one_of("OnDelete") if "vault" in products else optional(one_of("RollingUpdate"))
    yield from demand(workload.at("spec.updateStrategy.type"), strategy)
    yield from demand(workload.at("spec.persistentVolumeClaimRetentionPolicy.whenDeleted"), none_of("Delete"))
    if not list(workload.each(_CLAIMS)):
        yield Finding("spec.volumeClaimTemplates", "must claim a volume")
    if _HOST not in {node.known() for node in workload.each(_APART)}:
        yield Finding(_AFFINITY, f"must keep servers on different nodes: {_HOST}")


def _of_vault(release: Resource) -> bool:
    return chart(release) == "vault"


# Nomad.


def _one_by_one(job: Resource, _: Context) -> Iterator[Finding]:
    for text in jobs(job):
        for outer in (text, *text.every("job")):
            for group in outer.within("group"):
                if list(group.within("volume", "volumes")) and _parallel(group, outer) != "1":
                    yield advice("jobspec", "has a group with volumes that does not update one at a time: max_parallel")


def _parallel(*blocks: Block) -> str | None:
    """How many are updated at once, as the innermost block says that says so; None where none does."""
    said = (update.get("max_parallel") for block in blocks for update in block.within("update"))
    return next((number for number in said if number), None)


RULE = Rule(
    "replacement-serial",
    (
        on(
            RAFT,
            need("replacement.strategy", one_of("serial")),
            need("replacement.maxUnavailable", _ONE),
            need("replacement.healthGate", one_of("autopilot", "raft-peers")),
            unknown="fail",
        ),
        Check(RAFT, _rolled_out, ("replacement.rollout[]",), unknown="fail"),
        across(
            _kept,
            *((token, tuple(path for paths in made for path in paths)) for token, made in _MADE_WITH.items()),
            *((token, (ROLLOUT,)) for token in RAFT),
            unknown="fail",
        ),
        on(_AWS, need("userDataReplaceOnChange", NOT_TRUE), when=voting, unknown="fail"),
        Check(
            (_ASG,),
            _refreshed,
            (
                "maxSize",
                f"{_REFRESH}.minHealthyPercentage",
                f"{_REFRESH}.maxHealthyPercentage",
                "healthCheckGracePeriod",
                "initialLifecycleHooks[].lifecycleTransition",
            ),
            unknown="fail",
        ),
        Check(
            (_SCALE_SET,),
            _upgraded,
            ("upgradePolicy.mode", _ROLLING, "sku.capacity", "orchestrationMode", "overprovision"),
            unknown="fail",
        ),
        on(_REGIONAL, need("updatePolicy.type", one_of("OPPORTUNISTIC")), when=voting, unknown="fail"),
        on(_ZONAL, need("updatePolicy.type", one_of("OPPORTUNISTIC", "PROACTIVE")), when=voting, unknown="fail"),
        on(
            _ZONAL,
            need("updatePolicy.maxUnavailableFixed", _ONE),
            need("updatePolicy.maxSurgeFixed", _NONE),
            when=_proactive,
            reads=("updatePolicy.type",),
            unknown="fail",
        ),
        Check((_DEPLOYMENT,), _no_deployment, WORKLOAD_READS, unknown="fail"),
        Check(
            (_STATEFUL,),
            _stateful,
            (
                *WORKLOAD_READS,
                "spec.updateStrategy.type",
                "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
                _CLAIMS,
                _APART,
            ),
            unknown="fail",
        ),
        on(
            RELEASE,
            need("values.server.updateStrategyType", one_of("OnDelete")),
            need("values.server.ha.raft.enabled", TRUE),
            when=_of_vault,
            reads=("chart",),
            unknown="fail",
        ),
        Check((JOB,), _one_by_one, JOB_READS),
    ),
)
