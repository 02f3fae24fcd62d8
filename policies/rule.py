"""What a rule is, and how it is run on a resource or on a stack.

Owns the forms (`Rule`, `Check`, `StackCheck`, `Finding`) and the runner. A rule is a set of checks bound to type
tokens; its id, level and texts are the catalogue's. Checks are pure: they read a resource and yield findings.

Dangerous edges: a rule must never pass because it could not decide, and never bring a preview down. So an unknown value
becomes a finding of its own, and any other exception becomes a violation that names the place in the code and nothing
of the data.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from policies.conditions import Condition
from policies.context import Context
from policies.kinds import canonical
from policies.resource import Node, Resource, Undecided, World
from policies.values import UNKNOWN

Kind = Literal["violation", "advice", "deferred"]
"""`violation` has the rule's own level; `advice` and `deferred` are advisory in any rule."""
Unknown = Literal["defer", "fail"]
"""What an unknown value means: judged at the update, or a violation because it must be a literal."""


@dataclass(frozen=True)
class Finding:
    """What a check has to say.

    Attributes:
        path: the property; empty for the resource as a whole.
        problem: what is wrong, as the end of a sentence that starts with the path. Holds no value, unless it is of a
            harmless kind: a port, an address range, a type, a resource's name, a version, a region, a number.
        urn: the resource, where a stack check is about one.
        exemptible: whether an exemption may suppress it, where the catalogue limits exemptions to some cases. None covers
            what nobody can see.
    """

    path: str
    problem: str
    kind: Kind = "violation"
    urn: str | None = None
    exemptible: bool = True


Judge = Callable[[Resource, Context], Iterable[Finding]]
StackJudge = Callable[[World, Context], Iterable[Finding]]
ElementJudge = Callable[[Node, Resource, Context], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """What a rule demands of resources of some types.

    Attributes:
        types: canonical tokens (`kinds`); a token ending in `:` stands for all types that start with it.
        reads: the property paths that the judge reads, as inputs. Tests compare them with the SDK.
        unknown: what an unknown value at one of them means.
    """

    types: tuple[str, ...]
    judge: Judge
    reads: tuple[str, ...] = ()
    unknown: Unknown = "defer"

    def concerns(self, resource: Resource) -> bool:
        """Whether the check has anything to say about resources of this type."""
        return any(
            resource.kind == token or (token.endswith(":") and resource.kind.startswith(token)) for token in self.types
        )


@dataclass(frozen=True)
class StackCheck:
    """What a rule demands of a stack as a whole.

    Attributes:
        types: canonical tokens that the judge looks at: a resource of one of them counts as evaluated.
        reads: by type, the property paths that the judge reads, as outputs. Tests compare them with the SDK.
    """

    types: tuple[str, ...]
    judge: StackJudge
    reads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unknown: Unknown = "defer"


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue: its id there and its checks."""

    id: str
    checks: tuple[Check | StackCheck, ...]

    @property
    def on_resources(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if isinstance(check, Check))

    @property
    def on_stacks(self) -> tuple[StackCheck, ...]:
        return tuple(check for check in self.checks if isinstance(check, StackCheck))

    def concerns(self, resource: Resource) -> bool:
        """Whether a resource rule of this id has anything to judge in the resource."""
        return any(check.concerns(resource) for check in self.on_resources)

    def judge(self, resource: Resource, context: Context) -> list[Finding]:
        """All findings about one resource."""
        found: list[Finding] = []
        for check in self.on_resources:
            if check.concerns(resource):
                found += _settled(_run(lambda check=check: check.judge(resource, context)), check.unknown)
        return list(dict.fromkeys(found))

    def judge_stack(self, world: World, context: Context) -> list[Finding]:
        """All findings about a stack."""
        found: list[Finding] = []
        for check in self.on_stacks:
            found += _settled(_run(lambda check=check: check.judge(world, context)), check.unknown)
        return list(dict.fromkeys(found))


def _run(judge: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """A judge's findings; what it found before it met an unknown or broke is kept."""
    found: list[Finding] = []
    try:
        found.extend(judge())  # extended as it goes: what came before an exception stays
    except Undecided as undecided:
        found.append(deferred(undecided.path))
    except Exception as error:  # noqa: BLE001 - a broken rule must say so and must not bring the preview down
        found.append(Finding("", f"could not be judged: the rule failed ({_place(error)})"))
    return found


def _settled(found: list[Finding], unknown: Unknown) -> list[Finding]:
    """The findings, with each decision put off as a violation where the check demands a literal."""
    if unknown != "fail":
        return found
    return [replace(not_plain(each.path), urn=each.urn) if each.kind == "deferred" else each for each in found]


def _place(error: Exception) -> str:
    """Where an exception came from; its text may hold values and is left out."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def deferred(path: str) -> Finding:
    """That a value is not known yet; the rule decides at the update. A violation where the check demands a literal."""
    return Finding(path, "cannot be decided before up", "deferred")


def not_plain(path: str) -> Finding:
    """That a value is not known yet, where that is a violation."""
    problem = "is not known before the update, but must be a plain value that a preview can judge"
    return Finding(path, problem, exemptible=False)


def advice(path: str, problem: str) -> Finding:
    """A finding that blocks nothing."""
    return Finding(path, problem, "advice")


def about(resource: Resource, finding: Finding) -> Finding:
    """A stack check's finding about one resource."""
    return replace(finding, urn=resource.urn)


# How checks are written.

Need = tuple[str, Condition]


def need(path: str, condition: Condition) -> Need:
    """A demand on what lies at a path; on each element where the path goes through lists."""
    return path, condition


def on(
    types: str | tuple[str, ...],
    *needs: Need,
    unknown: Unknown = "defer",
    when: Callable[[Resource], bool] | None = None,
    reads: tuple[str, ...] = (),
) -> Check:
    """A check made of demands on properties.

    Args:
        types: tokens.
        when: whether the demands apply to a resource; to all of the types when left out.
        reads: the paths that `when` reads.
    """

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        if when is not None and not when(resource):
            return
        for path, condition in needs:
            for node in resource.each(path):
                yield from demand(node, condition)

    return Check(_tuple(types), judge, (*reads, *(path for path, _ in needs)), unknown)


def demand(node: Node, condition: Condition) -> Iterator[Finding]:
    """What a condition has to say about a value."""
    if node.value is UNKNOWN:
        if not condition.accepts_unknown:
            yield deferred(node.path)
    elif not condition.holds(node.value):
        yield Finding(node.path, condition.says, "advice" if condition.advisory else "violation")


def each(
    types: str | tuple[str, ...],
    path: str,
    judge: ElementJudge,
    reads: tuple[str, ...],
    unknown: Unknown = "defer",
) -> Check:
    """A check that judges each element of a list on its own: one with an unknown does not hide the others.

    Args:
        reads: paths below the element.
    """

    def all_of(resource: Resource, context: Context) -> Iterator[Finding]:
        for node in resource.each(path):
            if node.unknown:
                yield deferred(node.path)
            else:
                yield from _run(lambda node=node: judge(node, resource, context))

    return Check(_tuple(types), all_of, tuple(f"{path}.{below}" if below else path for below in reads), unknown)


def forbidden(types: str | tuple[str, ...], problem: str) -> Check:
    """A check that no resource of the types exists."""
    return Check(_tuple(types), lambda _resource, _context: (Finding("", problem),))


def across(judge: StackJudge, *reads: tuple[str, tuple[str, ...]], unknown: Unknown = "defer") -> StackCheck:
    """A check of the whole stack.

    Args:
        reads: a type token and the paths that the judge reads of it, for each type that it looks at.
    """
    tokens = _tuple(tuple(token for token, _ in reads))
    return StackCheck(tokens, judge, reads, unknown)


def _tuple(types: str | tuple[str, ...]) -> tuple[str, ...]:
    tokens = (types,) if isinstance(types, str) else types
    for token in tokens:
        if not token.endswith(":") and canonical(token) != token:
            raise ValueError(f"{token} is a twin: name {canonical(token)}")
    return tokens
