from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Change, Held, Stack, StackCase, changed, joined, urn, without

_PLAN = "hashicorp:backup:BackupPlan"
_PART = "hashicorp:backup:Runner"
_CRON, _JOB = "kubernetes:batch/v1:CronJob", "nomad:index/job:Job"
_SCHEDULE = "aws:scheduler/schedule:Schedule"
_AGENT = "vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig"


def _all(*changes: Change) -> Change:
    def change(stack: Stack) -> Stack:
        for each in changes:
            stack = each(stack)
        return stack

    return change


def _plan(product: str, *contents: str, minutes: int = 60) -> Held:
    spec = {
        "product": product,
        "cluster": f"{product}-aws",
        "cloud": "aws",
        "intervalMinutes": minutes,
        "rpoMinutes": minutes,
        "contents": list(contents),
    }
    return Held(_PLAN, product, {"spec": spec})


def _cluster(product: str, **more: object) -> Held:
    spec = {"cluster": f"{product}-aws", "cloud": "aws", "rpoMinutes": 60, **more}
    return Held(f"hashicorp:products:{product.capitalize()}Cluster", f"{product}-cluster", {"spec": spec})


_STACK = (
    _cluster("consul"),
    _cluster("vault"),
    _cluster("nomad", rpoMinutes=30),
    _cluster("boundary", nodes=2, rpoMinutes=30),
    _plan("consul", "raft-snapshot"),
    _plan("vault", "raft-snapshot", "more"),
    _plan("nomad", "raft-snapshot", "keyring", minutes=30),
    _plan("boundary", "database-dump"),
    _plan("platform", "manifest"),
)
_POD = {"containers": [{"name": "backup", "image": "backup@sha256:0"}], "restartPolicy": "Never"}
_TEMPLATE = {"spec": {"template": {"spec": _POD}}}


def _below(type_: str, props: dict[str, Any]) -> tuple[Held, ...]:
    """A schedule two levels below its plan, and one that is no backup's."""
    return (
        Held(_PLAN, "plan", {"spec": {"product": "other", "intervalMinutes": 30, "rpoMinutes": 30}}),
        Held(_PART, "part", {}, parent=urn(_PLAN, "plan"), above=(_PLAN,)),
        Held(type_, "schedule", props, parent=urn(_PART, "part", (_PLAN,)), above=(_PLAN, _PART)),
        Held(type_, "elsewhere", {}),
    )


CASES = (
    StackCase(
        ("component",),
        _STACK,
        breaks={
            **{f"no plan of {product}": without(product) for product in ("consul", "vault", "nomad", "boundary")},
            "no plan of the manifest": without("platform"),
            "two plans": joined(Held(_PLAN, "twin", _plan("vault", "raft-snapshot").props)),
            "two plans of workers alone": _all(
                changed("boundary-cluster", "spec.nodes", ABSENT),
                joined(Held(_PLAN, "twin", _plan("boundary", "database-dump").props)),
            ),
            "a plan of another cloud": changed("vault", "spec.cloud", "gcp"),
            "a plan of another cluster": changed("vault", "spec.cluster", "vault-gcp"),
            "too seldom": changed("vault", "spec.intervalMinutes", 61),
            "no interval": changed("vault", "spec.intervalMinutes", ABSENT),
            "no bound": changed("vault", "spec.rpoMinutes", ABSENT),
            "more than the cluster may lose": changed("vault", "spec.rpoMinutes", 61),
            "a cluster without a bound": changed("vault-cluster", "spec.rpoMinutes", ABSENT),
            "no snapshot": changed("consul", "spec.contents", []),
            "no keyring": changed("nomad", "spec.contents", ["raft-snapshot"]),
            "no dump": changed("boundary", "spec.contents", ABSENT),
            "no manifest": changed("platform", "spec.contents", []),
            "an interval that is not known yet": changed("vault", "spec.intervalMinutes", UNKNOWN),
            "a cluster that is not known yet": changed("vault-cluster", "spec.cluster", UNKNOWN),
        },
    ),
    StackCase(
        (),
        (
            _cluster("boundary", workers={"nodes": 3}),
            _plan("platform", "manifest"),
            Held(_PLAN, "unheard", _plan("unheard").props),
        ),
        breaks={"controllers without a plan": changed("boundary-cluster", "spec.nodes", 2)},
    ),
    StackCase((), (Held(_PLAN, "vault", _plan("vault", "raft-snapshot").props),)),
    StackCase(
        ("kubernetes",),
        _below(
            _CRON,
            {
                "spec": {
                    "schedule": "*/30 * * * *",
                    "suspend": False,
                    "concurrencyPolicy": "Forbid",
                    "jobTemplate": _TEMPLATE,
                }
            },
        ),
        breaks={
            "suspended": changed("schedule", "spec.suspend", value=True),
            "side by side": changed("schedule", "spec.concurrencyPolicy", "Allow"),
            "nothing said of it": changed("schedule", "spec.concurrencyPolicy", ABSENT),
            "too seldom": changed("schedule", "spec.schedule", "0 * * * *"),
            "not every day": changed("schedule", "spec.schedule", "*/30 * * * 1-5"),
            "no schedule": changed("schedule", "spec.schedule", ABSENT),
            "a plan without an interval": changed("plan", "spec.intervalMinutes", ABSENT),
            "no plan": without("plan"),
            "an oftener plan": changed("plan", "spec.intervalMinutes", 29),
            "a schedule that is not known yet": changed("schedule", "spec.schedule", UNKNOWN),
        },
    ),
    StackCase(
        ("nomad",),
        _below(_JOB, {"jobspec": "job", "periodicConfigs": [{"enabled": False}, {"spec": "*/30 * * * *"}]}),
        breaks={
            "switched off": changed("schedule", "periodicConfigs[1].enabled", value=False),
            "not periodic": changed("schedule", "periodicConfigs", []),
        },
        defers={"what the server has not said yet": changed("schedule", "periodicConfigs", UNKNOWN)},
    ),
    StackCase(
        ("aws",),
        _below(
            _SCHEDULE,
            {
                "state": "ENABLED",
                "scheduleExpression": "rate(30 minutes)",
                "flexibleTimeWindow": {"mode": "OFF"},
                "target": {"arn": "arn:aws:lambda:us-west-2:1:function:f", "roleArn": "arn:aws:iam::1:role/r"},
            },
        ),
        breaks={
            "switched off": changed("schedule", "state", "DISABLED"),
            "too seldom": changed("schedule", "scheduleExpression", "rate(31 minutes)"),
            "once": changed("schedule", "scheduleExpression", "at(2027-01-01T00:00:00)"),
        },
    ),
    StackCase(
        ("vault",),
        _below(_AGENT, {"intervalSeconds": 1800, "pathPrefix": "/", "storageType": "local"}),
        breaks={
            "no interval": changed("schedule", "intervalSeconds", ABSENT),
            "never": changed("schedule", "intervalSeconds", 0),
            "a second too seldom": changed("schedule", "intervalSeconds", 1801),
        },
    ),
)
