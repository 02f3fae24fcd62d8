"""What holds for every rule, proven on its cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.catalogue import catalogue
from policies.resource import FACTS_OUTPUT, ROOT_TYPE, Resource
from policies.rule import Finding, Rule
from policies.rules import RULES
from policies.values import UNKNOWN
from policies.verdict import Verdict
from tests.policies.case import Case, StackCase, patched, paths, urn, world
from tests.policies.cases import cases
from tests.policies.watching import related

CANARY = "hvs.CANARYcanaryCANARYcanary00"


def each(kind: type, rules: Sequence[Rule] = RULES) -> list[Any]:
    """Rule and case, for each case of a kind."""
    return list(_generated(kind, rules))


def _generated(kind: type, rules: Sequence[Rule]) -> Iterator[Any]:
    for rule in rules:
        for number, case in enumerate(cases()[rule.id]):
            if isinstance(case, kind):
                label = case.type if isinstance(case, Case) else "stack"
                yield pytest.param(rule, case, id=f"{rule.id}-{number}-{label}")


def breaks(kind: type, rules: Sequence[Rule] = RULES) -> list[Any]:
    """Rule, case and what breaks it, for each break of the cases of a kind."""
    return list(_broken(kind, rules))


def _broken(kind: type, rules: Sequence[Rule]) -> Iterator[Any]:
    for given in each(kind, rules):
        rule, case = given.values
        for path, values in case.breaks.items():
            if isinstance(case, Case):
                for number, value in enumerate(values):
                    yield pytest.param(rule, case, path, value, id=f"{given.id}-{path}-{number}")
            else:
                yield pytest.param(rule, case, path, id=f"{given.id}-{path}")


def _of(findings: list[Finding], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


@pytest.mark.parametrize(("rule", "case"), each(Case))
def test_a_compliant_resource_passes(rule: Rule, case: Case) -> None:
    assert rule.concerns(case.resource()), f"{rule.id} has no check for {case.type}"
    found = rule.judge(case.resource(), case.context)
    assert not _of(found, "violation")
    assert not _of(found, "deferred")


@pytest.mark.parametrize(("rule", "case", "path", "value"), breaks(Case))
def test_one_property_changed_is_a_violation_that_says_what_to_do(
    rule: Rule,
    case: Case,
    path: str,
    value: Any,  # noqa: ANN401
) -> None:
    found = _of(rule.judge(case.resource(patched(case.good, path, value)), case.context), "violation")
    assert found, f"{rule.id} lets {path} = {value!r} pass"
    _names_what_it_reads(rule, case, found)
    for finding in found:
        message = Verdict(catalogue()[rule.id], case.resource().urn, finding).message
        assert message.startswith(f"{rule.id}: ")
        assert message.endswith(catalogue()[rule.id].remediation)


def _names_what_it_reads(rule: Rule, case: Case, found: list[Finding]) -> None:
    told = [path for check in rule.on_resources if check.concerns(case.resource()) for path in check.reads]
    for finding in found:
        assert "the rule failed" not in finding.problem, finding
        assert not finding.path or any(related(finding.path, path) for path in told), finding.path


@pytest.mark.parametrize(("rule", "case"), [given for given in each(Case) if given.values[1].broken_options])
def test_a_resource_without_its_options_is_a_violation(rule: Rule, case: Case) -> None:
    for options in case.broken_options:
        assert _of(rule.judge(case.resource(options=options), case.context), "violation"), options


@pytest.mark.parametrize(("rule", "case"), [given for given in each(Case) if given.values[1].advises])
def test_what_is_only_advised_against_blocks_nothing(rule: Rule, case: Case) -> None:
    for path, values in case.advises.items():
        for value in values:
            found = rule.judge(case.resource(patched(case.good, path, value)), case.context)
            assert _of(found, "advice"), f"{rule.id} says nothing of {path} = {value!r}"
            assert not _of(found, "violation")
            _names_what_it_reads(rule, case, found)


@pytest.mark.parametrize(("rule", "case"), each(Case))
def test_an_unknown_never_passes_silently(rule: Rule, case: Case) -> None:
    resource = case.resource()
    for check in rule.on_resources:
        if not check.concerns(resource):
            continue
        for read in check.reads:
            for path in paths(case.good, read):
                found = check.judge(case.resource(patched(case.good, path, UNKNOWN)), case.context)
                told = replace(rule, checks=(check,)).judge(
                    case.resource(patched(case.good, path, UNKNOWN)), case.context
                )
                silent = not _of(told, "violation") and not _of(told, "deferred")
                assert silent is (read in case.indifferent), f"{rule.id}: {path} unknown: {found}"


@pytest.mark.parametrize(("rule", "case"), each(Case))
def test_no_message_repeats_a_value(rule: Rule, case: Case) -> None:
    broken = [case.good, *(patched(case.good, path, value) for path, values in case.breaks.items() for value in values)]
    for props in broken:
        for path in _texts(props):
            for finding in rule.judge(case.resource(patched(props, path, CANARY)), case.context):
                assert CANARY not in finding.problem, f"{rule.id} repeats {path}"
                assert CANARY not in finding.path


def _texts(value: Any, path: str = "") -> list[str]:  # noqa: ANN401
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _texts(item, f"{path}.{key}" if path else key)]
    if isinstance(value, (list, tuple)):
        return [text for index, item in enumerate(value) for text in _texts(item, f"{path}[{index}]")]
    return [path] if isinstance(value, str) else []


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES if rule.on_resources])
def test_unrelated_types_are_not_touched(rule: Rule) -> None:
    context = next(case.context for case in cases()[rule.id] if isinstance(case, Case))
    for token in ("random:index/randomPet:RandomPet", "aws:sqs/queue:Queue", "hashicorp:clouds:Unheard"):
        stranger = Resource(urn(token, "stranger"), token, "stranger", {"encrypted": False, "policy": "*"})
        wildcard = any(name.endswith(":") and token.startswith(name) for c in rule.on_resources for name in c.types)
        assert rule.concerns(stranger) is wildcard
        assert wildcard or not rule.judge(stranger, context)


@pytest.mark.parametrize(("rule", "case"), each(StackCase))
def test_a_compliant_stack_passes(rule: Rule, case: StackCase) -> None:
    found = rule.judge_stack(world(case.good), case.context)
    assert not _of(found, "violation")
    assert not _of(found, "deferred")


@pytest.mark.parametrize(("rule", "case", "label"), breaks(StackCase))
def test_one_thing_changed_in_a_stack_is_a_violation(rule: Rule, case: StackCase, label: str) -> None:
    found = _of(rule.judge_stack(world(case.breaks[label](case.good)), case.context), "violation")
    assert found, f"{rule.id} lets a stack with {label} pass"
    _names_what_it_reads_of_stacks(rule, found)


def _names_what_it_reads_of_stacks(rule: Rule, found: list[Finding]) -> None:
    told = {path for check in rule.on_stacks for _, paths in check.reads for path in paths} | {FACTS_OUTPUT}
    everything = any(ROOT_TYPE in check.types for check in rule.on_stacks)
    assert all(not each.path or everything or any(related(each.path, path) for path in told) for each in found), found
    assert all("the rule failed" not in finding.problem for finding in found), found


@pytest.mark.parametrize(("rule", "case"), each(StackCase))
def test_a_stack_is_advised_and_deferred_where_it_must_be(rule: Rule, case: StackCase) -> None:
    for kind, changes in (("advice", case.advises), ("deferred", case.defers)):
        for label, change in changes.items():
            found = rule.judge_stack(world(change(case.good)), case.context)
            assert _of(found, kind), f"{rule.id}: {label} is not {kind}: {found}"
            assert not _of(found, "violation"), f"{rule.id}: {label}: {found}"
            _names_what_it_reads_of_stacks(rule, found)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])
def test_every_path_that_a_rule_reads_occurs_in_a_case(rule: Rule) -> None:
    covered: set[str] = set()
    wanted: dict[str, str] = {}
    for check in rule.on_resources:
        for read in check.reads:
            wanted[_tail(read)] = f"{rule.id} reads {read} of {check.types}, which no case has"
            if any(
                _occurs(case, read)
                for case in cases()[rule.id]
                if isinstance(case, Case) and check.concerns(case.resource())
            ):
                covered.add(_tail(read))
    assert not [why for tail, why in wanted.items() if tail not in covered]


def _tail(read: str) -> str:
    """The path inside a pod spec, which several kinds hold in several places; other paths as they are."""
    return read.rpartition("spec?.")[2].replace("initContainers", "containers")


def _occurs(case: Case, read: str) -> bool:
    changed = (*case.breaks.items(), *case.advises.items())
    return bool(paths(case.good, read)) or any(
        paths(patched(case.good, path, value), read) for path, values in changed for value in values
    )
