"""Whether a preview may become an update; pure.

Owns the gate's own demands:

- nothing that cannot be made again is deleted or replaced, unless a major change says so;
- at most one voter of a cluster is touched at a time, unless the whole cluster goes with a major change;
- the pack has judged the preview and found no mandatory violation;
- the stack's change is recorded, and now lies in its window: on a pull request this is advice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.concepts.clusters import raft_cluster
from policies.concepts.facts import FACTS
from policies.concepts.guarded import PROTECTED
from policies.context import Context
from policies.gate.preview import Preview, Step
from policies.resource import Resource
from policies.rules.change import change_recorded, change_window

GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced"})
REPLACED = frozenset({"replace", "create-replacement", "import-replacement", "read-replacement"})
_UPDATED = frozenset({"update"})
_MACHINES = frozenset(
    {
        "aws:ec2/instance:Instance",
        "azure-native:compute:VirtualMachine",
        "gcp:compute/instance:Instance",
    }
)
_LABELS = frozenset({"tags", "tagsAll", "labels", "effectiveLabels", "pulumiLabels", "volumeTags"})
"""Properties whose change touches no running machine."""


@dataclass(frozen=True)
class Problem:
    """Why the gate stays shut, or what it has to say besides.

    Attributes:
        what: what is planned, and why that hurts.
        fix: what to do.
        blocks: whether the gate stays shut for it.
    """

    urn: str
    what: str
    fix: str
    blocks: bool = True


def judge(preview: Preview, context: Context, *, pull_request: bool, destroying: bool) -> list[Problem]:
    """Everything that speaks against a preview.

    Args:
        pull_request: nothing is deployed yet, so that the change record is only advised.
        destroying: it is the preview of a destroy, which the engine shows to no pack.
    """
    major = _category(preview) == "major"
    return [
        *_ended(preview),
        *(() if major else _lost(preview)),
        *_voters(preview, major=major),
        *(() if destroying else _judged(preview)),
        *_recorded(preview, context, pull_request=pull_request),
    ]


def _ended(preview: Preview) -> Iterator[Problem]:
    if not preview.succeeded or preview.errors:
        yield Problem(
            "",
            "The preview did not succeed, so it does not show all that would change.",
            "Mend what it complains of and preview again.",
        )


def _lost(preview: Preview) -> Iterator[Problem]:
    seen: set[str] = set()
    for step in preview.steps:
        resource = step.resource
        guarded = resource.kind in PROTECTED or resource.options.protect
        if guarded and step.operation in GONE | REPLACED and resource.urn not in seen:
            seen.add(resource.urn)
            yield Problem(
                resource.urn,
                f"would be {_word(step)}, and what it holds cannot be made again.",
                "Undo what causes it, or run it as a change of the category major.",
            )


def _word(step: Step) -> str:
    return "replaced" if step.operation in REPLACED or step.operation.endswith("-replaced") else "deleted"


def _voters(preview: Preview, *, major: bool) -> Iterator[Problem]:
    """More than one voter of a cluster that is touched; all of them where the cluster itself goes."""
    touched: dict[str, dict[str, Step]] = {}
    standing: dict[str, set[str]] = {}
    for step in preview.steps:
        cluster = raft_cluster(step.resource) if step.resource.kind in _MACHINES else None
        if cluster is None or step.operation == "create":
            continue
        standing.setdefault(cluster, set()).add(step.resource.urn)
        if _touches(step):
            touched.setdefault(cluster, {}).setdefault(step.resource.urn, step)
    for cluster, steps in touched.items():
        if len(steps) < 2:
            continue
        names = ", ".join(sorted(step.resource.name for step in steps.values()))
        gone = {step.resource.urn for step in preview.steps if step.operation == "delete"}
        if standing[cluster] <= gone:
            if not major:
                yield Problem(
                    "",
                    f"All voters of {_short(cluster)} would be deleted ({names}), and with them the cluster.",
                    "Run it as a change of the category major, with a backup that was restored once.",
                )
            continue
        yield Problem(
            "",
            f"{len(steps)} voters of {_short(cluster)} would be touched at once ({names}): it could lose its quorum.",
            "Name one server in `rollout`, and the next once that one votes again.",
        )


def _touches(step: Step) -> bool:
    if step.operation in GONE | REPLACED:
        return True
    return step.operation in _UPDATED and not (step.changed and all(_label(path) for path in step.changed))


def _label(path: str) -> bool:
    return path.partition(".")[0].partition("[")[0] in _LABELS


def _short(cluster: str) -> str:
    return cluster.rpartition(":")[2]


def _judged(preview: Preview) -> Iterator[Problem]:
    if not preview.judged:
        yield Problem(
            "",
            "The policy pack did not judge this preview, so nobody knows whether it complies.",
            "Preview with `--policy-pack policies`.",
        )
    for told in preview.told:
        if told.level == "mandatory":
            yield Problem(told.urn, told.message, "See docs/compliance.md.")


def _recorded(preview: Preview, context: Context, *, pull_request: bool) -> Iterator[Problem]:
    facts = _facts(preview)
    if facts is None:
        yield Problem(
            "",
            "The stack says nothing of itself, so nobody knows under which change it would run.",
            "Build it with this program, whose `hashicorp:compliance:Facts` holds the record.",
            blocks=not pull_request,
        )
        return
    for rule in (change_recorded.RULE, change_window.RULE):
        for finding in rule.judge(facts, context):
            yield Problem(
                facts.urn,
                f"{rule.id}: {finding.path} {finding.problem}.",
                "Fill `change` in the stack's file, or name the file that holds the record in HMC_CHANGE.",
                blocks=not pull_request,
            )


def _facts(preview: Preview) -> Resource | None:
    """What the stack will say of itself; what it said, where it is destroyed."""
    known = [*preview.planned.values(), *(step.resource for step in preview.steps)]
    return next((resource for resource in known if resource.type == FACTS), None)


def _category(preview: Preview) -> object:
    facts = _facts(preview)
    return facts.at("change.category").value if facts else None
