"""What the rules say of a whole stack, counted.

Owns the report's figures. A pair is a rule and a resource that it really looked at; a rule without pairs has nothing to
check, which is not the same as compliant. The rate is the share of pairs of mandatory rules without violation; exempted
pairs count as violated, and what cannot be decided is listed apart and leaves the denominator (runbook, Business Metrics).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from components.plan.change import instant
from policies.catalogue import Entry, catalogue
from policies.exemptions import Exemption
from policies.report.state import State
from policies.rule import Rule
from policies.rules import RULES
from policies.session import Session
from policies.settings import Settings
from policies.verdict import Verdict

NOTHING = "nothing to check"
COMPLIANT = "compliant"
VIOLATED = "violated"
EXEMPTED = "exempted"
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Outcome:
    """What one rule came to.

    Attributes:
        evaluated: URNs that the rule looked at.
        verdicts: all that it said, advice included.
        evidence: SHA-256 over what was judged: rule, URNs and the state's digest; empty where nothing was.
    """

    rule: Entry
    evaluated: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    evidence: str

    @property
    def violations(self) -> list[Verdict]:
        return [each for each in self.verdicts if each.finding.kind == "violation" and each.exemption is None]

    @property
    def exempted(self) -> list[Verdict]:
        return [each for each in self.verdicts if each.exemption is not None]

    @property
    def undecided(self) -> list[Verdict]:
        return [each for each in self.verdicts if each.finding.kind == "deferred"]

    @property
    def advice(self) -> list[Verdict]:
        return [each for each in self.verdicts if each.finding.kind == "advice"]

    @property
    def status(self) -> str:
        """One word; the worst first."""
        for found, word in ((self.violations, VIOLATED), (self.exempted, EXEMPTED), (self.undecided, UNDECIDED)):
            if found:
                return word
        return COMPLIANT if self.evaluated else NOTHING


@dataclass(frozen=True)
class Report:
    """A stack judged at one moment."""

    state: State
    at: datetime
    outcomes: tuple[Outcome, ...]
    exemptions: tuple[Exemption, ...]

    @property
    def blocking(self) -> list[Verdict]:
        """Violations of mandatory rules."""
        return [v for outcome in self.outcomes if outcome.rule.level == "mandatory" for v in outcome.violations]

    @property
    def pairs(self) -> int:
        """Pairs of mandatory rules that could be decided."""
        return sum(len(set(o.evaluated) - _open(o)) for o in self._mandatory())

    @property
    def violated(self) -> int:
        """Pairs of mandatory rules with a violation, exempted or not."""
        return sum(len(_wrong(o)) for o in self._mandatory())

    @property
    def rate(self) -> float | None:
        """The compliance rate; None where nothing was judged."""
        return 1 - self.violated / self.pairs if self.pairs else None

    def _mandatory(self) -> Iterable[Outcome]:
        return (outcome for outcome in self.outcomes if outcome.rule.level == "mandatory")


def _wrong(outcome: Outcome) -> set[str]:
    return {verdict.urn for verdict in (*outcome.violations, *outcome.exempted)}


def _open(outcome: Outcome) -> set[str]:
    """Resources of which a rule cannot say anything yet; a violation that is known counts all the same."""
    return {verdict.urn for verdict in outcome.undecided} - _wrong(outcome)


def evaluate(state: State, settings: Settings, at: datetime, folder: Path, rules: Iterable[Rule] = RULES) -> Report:
    """Judges a state; the record of its change as of when it was saved.

    Args:
        folder: where to search for the stack's file with its exemptions, upwards.
    """
    session = Session(folder, lambda: at, instant(state.saved))
    chosen = tuple(rules)
    said: dict[str, list[Verdict]] = {rule.id: [] for rule in chosen}
    for resource in state.resources:
        for verdict in session.resource((rule for rule in chosen if rule.concerns(resource)), resource, settings):
            said[verdict.rule.id].append(verdict)
    for verdict in (*session.world(chosen, state.world, settings), *session.unused(state.world)):
        said.setdefault(verdict.rule.id, []).append(verdict)
    outcomes = tuple(_outcome(rule, said[rule.id], state) for rule in chosen)
    in_force = tuple(each for each in session.exemptions(state.stack).entries if each.in_force)
    return Report(state, at, outcomes, in_force)


def _outcome(rule: Rule, verdicts: list[Verdict], state: State) -> Outcome:
    looked_at = {resource.urn for resource in state.resources if rule.concerns(resource)}
    looked_at |= {resource.urn for check in rule.on_stacks for resource in state.world.of(*check.types)}
    # A verdict is about a resource too, even one that stands for something missing.
    evaluated = tuple(sorted(looked_at | {verdict.urn for verdict in verdicts if verdict.urn}))
    judged = "\n".join((rule.id, state.digest, *evaluated))
    evidence = hashlib.sha256(judged.encode()).hexdigest() if evaluated else ""
    once = {(verdict.urn, verdict.finding): verdict for verdict in verdicts}
    return Outcome(catalogue()[rule.id], evaluated, tuple(once.values()), evidence)
