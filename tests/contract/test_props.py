"""A policy that reads a component's props reads the same ones in every cloud."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.spec import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.state import Resource, State

pytestmark = pytest.mark.engine

CLOUDS_TOKEN = "hashicorp:clouds:"
READ = {
    "Network": {"cloud", "cidr", "subnets[].cidr", "flowLogs"},
    "SealKey": {"region", "keyRef", "usableFrom[]"},
}
"""Props that rules read (policy catalogue, "Component props")."""


def _paths(value: object, at: str = "") -> Iterator[str]:
    """Where values stand in a spec; a list's first element speaks for all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        yield from _paths(value[0] if value else None, f"{at}[]")
    else:
        yield at


def _components(state: State) -> list[Resource]:
    return [found for found in state.resources if found.type.startswith(CLOUDS_TOKEN)]


def _classes(cloud: Cloud) -> set[type[Any]]:
    kit = importlib.import_module(f"components.clouds.{cloud}").KIT
    return {part for part in vars(kit).values() if isinstance(part, type)}


def test_components_of_a_type_say_the_same_things_in_every_cloud(states: Mapping[Cloud, State]) -> None:
    said: dict[str, dict[frozenset[str], set[Cloud]]] = {}
    for cloud in CLOUDS:
        for found in _components(states[cloud]):
            said.setdefault(found.type, {}).setdefault(frozenset(_paths(found.inputs)), set()).add(cloud)
    differing = {
        type_: {
            tuple(sorted(clouds)): sorted(paths - frozenset.intersection(*forms)) for paths, clouds in forms.items()
        }
        for type_, forms in said.items()
        if len(forms) > 1
    }
    assert differing == {}
    assert said.keys() >= {f"{CLOUDS_TOKEN}{kind}" for kind in READ}
    for kind, paths in READ.items():
        (form,) = said[f"{CLOUDS_TOKEN}{kind}"]
        assert form >= paths, kind


@pytest.mark.parametrize("cloud", CLOUDS)
def test_rules_of_a_resource_and_of_a_stack_see_the_same(cloud: Cloud, states: Mapping[Cloud, State]) -> None:
    for found in _components(states[cloud]):
        assert found.inputs, found.urn
        assert found.outputs["spec"] == found.inputs, found.urn


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_prop_is_taken_for_an_attribute_of_its_component(cloud: Cloud, states: Mapping[Cloud, State]) -> None:
    said = {key for found in _components(states[cloud]) for key in found.inputs}
    declared = {
        name for part in _classes(cloud) for kind in part.__mro__ for name in vars(kind).get("__annotations__", {})
    }
    assert len(declared) > len(CLOUDS)
    assert not said & declared


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_seal_key_outlives_its_region_and_the_disks_key_is_none(
    cloud: Cloud, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    region = plans[cloud].region
    seals = [found.inputs["usableFrom"] for found in states[cloud].of(f"{CLOUDS_TOKEN}SealKey")]
    (disks,) = states[cloud].of(f"{CLOUDS_TOKEN}DataKey")
    assert seals
    assert all(places == [region.name, region.recovery] for places in seals)
    assert (disks.inputs["purpose"], disks.inputs["usableFrom"]) == ("disk", [region.name])
