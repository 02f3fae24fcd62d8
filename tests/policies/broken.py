"""Which broken resources are shown to the engine: for each rule, one in each place that the (simulated) cloud would take.

A program whose resource the provider refuses would stop before the pack speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.resource import Options
from policies.rule import Rule
from policies.values import ABSENT, UNKNOWN
from sandbox.cloud import packages
from sandbox.cloud.draft import Provider
from sandbox.cloud.operations import Cloud
from sandbox.cloud.schema import SchemaBook, package_of
from tests.policies.case import Case, Stack, StackCase, patched, urn
from tests.policies.cases import cases
from tests.policies.cells import place

# Checking inputs touches neither records nor faults.
_CLOUD = Cloud(None, SchemaBook(), None)  # type: ignore[arg-type]
CONFIGURATION = {"region": "us-west-2", "location": "westus2", "project": "hashicorp-multicloud", "zone": "us-west1-a"}


@dataclass(frozen=True)
class Broken:
    """What to register to see a rule fire."""

    rule: str
    entries: tuple[dict[str, Any], ...]


def broken(rule: Rule) -> Iterator[Broken]:
    """One broken resource of each place; a whole stack where only stacks are judged."""
    seen: set[str] = set()
    for number, case in enumerate(cases()[rule.id]):
        if isinstance(case, Case) and place(case.type) not in seen:
            for props, options in _variants(rule, case):
                seen.add(place(case.type))
                name = f"{rule.id}-{number}"
                yield Broken(rule.id, (_entry(case.type, name, props, case.above, options),))
                break
    for number, case in enumerate(cases()[rule.id]):
        if isinstance(case, StackCase) and not seen:
            for change in case.breaks.values():
                stack = change(case.good)
                if all(_taken(held.type, held.props) for held in stack):
                    seen |= set(case.places)
                    yield Broken(rule.id, tuple(_held(stack, f"{rule.id}-{number}-")))
                    break


def _variants(rule: Rule, case: Case) -> Iterator[tuple[Mapping[str, Any], Options]]:
    """Broken forms that the SDK takes and that are still broken with what a program can say."""
    if case.provider is not None or case.exemptions.entries:
        return
    if _taken(case.type, case.good):
        yield from ((case.good, options) for options in case.broken_options)
    for path, values in case.breaks.items():
        for value in values:
            props = patched(case.good, path, value)
            if _taken(case.type, props) and rule.judge(case.resource(props), case.context):
                yield props, case.options


def _taken(token: str, props: Mapping[str, Any]) -> bool:
    if token.startswith(("hashicorp:", "pulumi:")):
        return True
    provider = Provider(packages.package(package_of(token)), CONFIGURATION)
    return not _CLOUD.check(provider, urn(token, "broken"), token, {}, _listed(props), b"")[1]


def _listed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items() if item is not ABSENT}
    if isinstance(value, (list, tuple)):
        return [_listed(item) for item in value]
    return "<unknown>" if value is UNKNOWN else value


def _entry(token: str, name: str, props: Mapping[str, Any], above: Any, options: Options) -> dict[str, Any]:  # noqa: ANN401
    return {
        "type": token,
        "name": name,
        "props": _listed(props),
        "above": list(above),
        "protect": options.protect,
        "ignoreChanges": list(options.ignore_changes),
        "depends": {},
    }


def _held(stack: Stack, prefix: str) -> Iterator[dict[str, Any]]:
    """Dependencies first, as a program must write them."""
    for held in sorted(stack, key=lambda each: len(each.depends)):
        depends = {prop: [f"{prefix}{name}" for name in names] for prop, names in held.depends.items()}
        yield {**_entry(held.type, f"{prefix}{held.name}", held.props, held.above, held.options), "depends": depends}
