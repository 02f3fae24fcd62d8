"""How the rules are grouped into policies, and what the policies are called.

Owns the grouping: one policy an area, since every policy costs another reading of every resource; one each for the rules
whose level the pack's configuration sets; and one for all that blocks nothing. A group is up to two policies: one on
resources, and one on the stack with `-stack` after its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.catalogue import RAISED, Level, catalogue
from policies.rule import Rule
from policies.rules import AREAS, RULES
from policies.verdict import Verdict

ADVICE = "advice"
STACK = "-stack"


@dataclass(frozen=True)
class Group:
    """Rules that are reported together.

    Attributes:
        level: the level unless the configuration says otherwise, which it may for a rule of its own only.
    """

    name: str
    rules: tuple[Rule, ...]
    level: Level

    @property
    def on_resources(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.on_resources)

    @property
    def on_stacks(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.on_stacks)

    @property
    def names(self) -> Iterator[str]:
        """The policies' names."""
        if self.on_resources:
            yield self.name
        if self.on_stacks:
            yield f"{self.name}{STACK}"

    def reports(self, verdict: Verdict) -> bool:
        """Whether a verdict is this group's to report; each is exactly one group's."""
        if self.name == ADVICE:
            return not _blocks(verdict) and not _own(verdict)
        return _own(verdict) if self.name in RAISED else _blocks(verdict)


def _blocks(verdict: Verdict) -> bool:
    return verdict.level == "mandatory" and verdict.rule.id not in RAISED


def _own(verdict: Verdict) -> bool:
    """What a rule of its own policy reports at that policy's level, which the configuration may have set."""
    return verdict.rule.id in RAISED and verdict.finding.kind == "violation" and verdict.exemption is None


def groups() -> tuple[Group, ...]:
    """Every group, in the order in which the engine is given them: what must come last, last."""
    areas = (
        Group(area, tuple(rule for rule in rules if rule.id not in RAISED), "mandatory")
        for area, rules in AREAS.items()
    )
    own = (Group(rule.id, (rule,), catalogue()[rule.id].level) for rule in RULES if rule.id in RAISED)
    return (*own, *areas, Group(ADVICE, RULES, "advisory"))
