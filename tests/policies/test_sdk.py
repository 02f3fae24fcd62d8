"""Rules name types and properties that the installed SDKs have, and their cases are resources that the SDKs take."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from functools import cache
from typing import Any

import pytest

from policies.catalogue import catalogue
from policies.kinds import TWINS, canonical
from policies.resource import ROOT_TYPE
from policies.rule import Rule
from policies.rules import RULES
from sandbox.cloud.check import check
from sandbox.cloud.schema import SchemaBook, Shape, TypeSchema
from tests.policies.case import Case
from tests.policies.cases import cases

_BOOK = SchemaBook()
_OWN = "hashicorp:"
_PROVIDERS = "pulumi:providers:"
# Outputs that the SDKs do not declare on the resource's class.
_BUILT_IN = frozenset({"id", "urn"})


def _foreign(token: str) -> bool:
    """Whether a token is an SDK's: not the project's own, no wildcard, not the engine's."""
    return not token.startswith((_OWN, _PROVIDERS)) and token != ROOT_TYPE and not token.endswith(":")


@cache
def _inputs(token: str) -> dict[str, Shape]:
    return _BOOK.get(token).inputs


def _outputs(token: str) -> dict[str, Shape]:
    schema = _BOOK.get(token)
    return {**schema.inputs, **schema.computed}


def _leads(schema: TypeSchema, properties: dict[str, Shape], path: str) -> str:
    """Why a path leads nowhere; empty if it does lead somewhere."""
    step, _, rest = path.partition(".")
    name, listed = step.rstrip("?").removesuffix("[]"), "[]" in step
    if name not in properties:
        return f"there is no {name}, only {', '.join(sorted(properties))}"
    return _below(schema, properties[name], rest, listed=listed)


def _below(schema: TypeSchema, shape: Shape, rest: str, *, listed: bool) -> str:
    kind = shape["kind"]
    if kind == "union":
        return min((_below(schema, each, rest, listed=listed) for each in shape["of"]), key=len)
    if kind in ("any", "map"):
        return ""
    if listed != (kind == "list"):
        return f"[] stands where the SDK has a {kind}, or is missing at a list, before {rest or 'the end'}"
    if kind == "list":
        return _below(schema, shape["items"], rest, listed=False)
    if not rest:
        return ""
    return (
        _leads(schema, schema.objects[shape["ref"]].properties, rest)
        if kind == "object"
        else f"{rest} lies below a {kind}"
    )


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])
def test_every_type_and_property_that_a_rule_reads_exists_in_the_sdk(rule: Rule) -> None:
    wrong: list[str] = []
    for each in rule.on_resources:
        for token in filter(_foreign, each.types):
            schema = _BOOK.get(token)
            wrong += [f"{token} {read}: {why}" for read in each.reads if (why := _leads(schema, schema.inputs, read))]
    for each in rule.on_stacks:
        for token, reads in each.reads:
            if _foreign(token):
                held = [read for read in reads if read.split(".")[0] not in _BUILT_IN]
                wrong += [f"{token} {r}: {why}" for r in held if (why := _leads(_BOOK.get(token), _outputs(token), r))]
    assert not wrong


def test_every_setting_of_a_provider_that_a_rule_reads_exists_in_the_sdk() -> None:
    for rule in RULES:
        for each in rule.on_resources:
            for token in each.types:
                if token.startswith(_PROVIDERS) and not token.endswith(":"):
                    missing = {read.split(".")[0].rstrip("?[]") for read in each.reads} - _settings(token)
                    # One check may judge several providers; each path must be a setting of one of them.
                    others = set().union(*(_settings(t) for t in each.types if t.startswith(_PROVIDERS)))
                    assert missing <= others, f"{rule.id}: {token} has no {missing - others}"


@cache
def _settings(token: str) -> frozenset[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of functions that nobody asked for
        module = importlib.import_module(f"pulumi_{token.removeprefix(_PROVIDERS).replace('-', '_')}")
    taken = set(inspect.signature(module.ProviderArgs.__init__).parameters)
    return frozenset(re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in taken)


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        pytest.param(rule, case, id=f"{rule.id}-{number}-{case.type}")
        for rule in RULES
        for number, case in enumerate(cases()[rule.id])
        if isinstance(case, Case) and _foreign(case.type)
    ],
)
def test_cases_are_resources_that_the_sdk_takes(rule: Rule, case: Case) -> None:
    failures = check(_BOOK.get(case.type), _plain(case.good))
    assert not failures, f"{rule.id}: {failures}"


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def test_twins_and_what_they_stand_for_exist() -> None:
    for twin, token in TWINS.items():
        assert _BOOK.get(twin).inputs
        assert _BOOK.get(token).inputs
        assert canonical(twin) == token


def test_the_rules_are_those_of_the_catalogue_in_its_order() -> None:
    assert [rule.id for rule in RULES] == list(catalogue())
