"""From findings to verdicts: levels, exemptions and the words that people read.

Owns what becomes of a finding: reported at its rule's level, or suppressed by an exemption and said so. Used by the pack
in the engine and by the report over a stack's state, so that both judge alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.catalogue import Entry, Level, catalogue
from policies.context import Context
from policies.exemptions import Exemption
from policies.resource import Resource, World
from policies.rule import Finding, Rule

USED = "exemption-used"


@dataclass(frozen=True)
class Verdict:
    """One finding about one resource.

    Attributes:
        exemption: the entry that suppresses it; then it blocks nothing.
    """

    rule: Entry
    urn: str
    finding: Finding
    exemption: Exemption | None = None

    @property
    def level(self) -> Level:
        if self.finding.kind != "violation" or self.exemption is not None:
            return "advisory"
        return self.rule.level

    @property
    def message(self) -> str:
        """What is wrong and what to do; holds the rule's id first and no value."""
        problem = f"{self.finding.path or 'this resource'} {self.finding.problem}"
        if self.exemption is None:
            return f"{self.rule.id}: {problem}. {self.rule.remediation}"
        said = self.exemption.entry
        return (
            f"{USED}: {self.rule.id} is suppressed here ({problem}) by {said.ticket} of {said.owner}, "
            f"{self.exemption.days_left} days left: {said.reason}"
        )


def on_resource(rules: Iterable[Rule], resource: Resource, context: Context) -> Iterator[Verdict]:
    """Verdicts of resource rules about a resource."""
    for rule in rules:
        if rule.concerns(resource):
            for finding in rule.judge(resource, context):
                yield _verdict(rule, finding.urn or resource.urn, finding, context)


def on_stack(rules: Iterable[Rule], world: World, context: Context) -> Iterator[Verdict]:
    """Verdicts of stack rules about a stack; a finding without a URN is about the stack itself."""
    root = world.root.urn if world.root else ""
    for rule in rules:
        for finding in rule.judge_stack(world, context):
            yield _verdict(rule, finding.urn or root, finding, context)


def _verdict(rule: Rule, urn: str, finding: Finding, context: Context) -> Verdict:
    entry = catalogue()[rule.id]
    silenced = finding.kind == "violation" and finding.exemptible and entry.exemptible
    return Verdict(entry, urn, finding, context.exemptions.covering(rule.id, urn) if silenced else None)
