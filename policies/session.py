"""One run of the pack over one stack, on whatever brings the resources: the engine, or a state.

Owns what lasts longer than one resource: the thresholds, each stack's exemptions, and which of them were used, so that
an exemption that no longer suppresses anything is found out at the end. Judging is in `verdict`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from policies.catalogue import catalogue
from policies.context import Context, now
from policies.exemptions import Exemption, Exemptions, read
from policies.resource import Resource, World
from policies.rule import Finding, Rule
from policies.settings import Settings
from policies.verdict import Verdict, on_resource, on_stack

VALID = "exemption-valid"


class Session:
    """The pack's memory of one operation. Safe to use from several threads.

    Args:
        applied: when the stack was changed, where it is judged afterwards.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = now, applied: datetime | None = None) -> None:
        self._folder = folder
        self._applied = applied
        self._clock = clock
        self._exemptions: dict[str, Exemptions] = {}
        self._judged: set[tuple[int, str]] = set()
        self._used: set[int] = set()
        self._lock = threading.Lock()

    def exemptions(self, stack: str) -> Exemptions:
        """What the stack's file holds; read once."""
        with self._lock:
            if stack not in self._exemptions:
                self._exemptions[stack] = read(stack, self._folder, self._clock().date())
            return self._exemptions[stack]

    def resource(self, rules: Iterable[Rule], resource: Resource, settings: Settings) -> list[Verdict]:
        """Verdicts of resource rules about one resource."""
        chosen = tuple(rules)
        found = list(on_resource(chosen, resource, self._context(resource.stack, settings)))
        self._note(found, {rule.id for rule in chosen if rule.concerns(resource)}, resource)
        return found

    def world(self, rules: Iterable[Rule], world: World, settings: Settings) -> list[Verdict]:
        """Verdicts of stack rules about a stack."""
        chosen = tuple(rules)
        found = list(on_stack(chosen, world, self._context(_stack(world), settings)))
        self._note(found, {rule.id for rule in chosen if rule.on_stacks}, *world.resources)
        return found

    def unused(self, world: World) -> list[Verdict]:
        """A verdict for each exemption that suppresses nothing any more. Ask last."""
        root = world.root.urn if world.root else ""
        return [
            Verdict(catalogue()[VALID], root, Finding(f"exemptions[{each.index}]", why))
            for each in self.exemptions(_stack(world)).entries
            if each.in_force and each.index not in self._used and (why := self._idle(each, world))
        ]

    def _context(self, stack: str, settings: Settings) -> Context:
        return Context(settings, self._clock(), self.exemptions(stack), self._applied)

    def _note(self, found: Iterable[Verdict], rules: set[str], *resources: Resource) -> None:
        with self._lock:
            self._used |= {verdict.exemption.index for verdict in found if verdict.exemption}
            for stack in {resource.stack for resource in resources}:
                for each in self._exemptions.get(stack, Exemptions()).entries:
                    if each.entry.rule in rules:
                        self._judged |= {(each.index, r.urn) for r in resources if each.covers(each.entry.rule, r.urn)}

    def _idle(self, exemption: Exemption, world: World) -> str:
        """Why an unused exemption is a violation; empty where its rule was not asked about its resources."""
        if any(index == exemption.index for index, _ in self._judged):
            return f"suppresses nothing any more: {exemption.entry.rule} finds nothing there"
        if not any(fnmatchcase(resource.urn, exemption.entry.urn) for resource in world.resources):
            return "matches no resource of the stack"
        return ""


def _stack(world: World) -> str:
    return world.resources[0].stack if world.resources else ""
