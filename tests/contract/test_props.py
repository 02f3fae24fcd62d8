"""A policy that reads a component's props reads the same ones in every cloud."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.spec import CLOUDS, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.state import Resource, State

pytestmark = pytest.mark.engine

CLOUDS_TOKEN = "hashicorp:clouds:"
READ = {
    "Network": {"cloud", "cidr", "subnets[].cidr", "flowLogs"},
    "SealKey": {"region", "keyRef", "usableFrom[]"},
    "BackupBucket": {"cloud", "name", "keyRef", "versioned", "lockMode", "lockDays", "expireDays"},
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
def test_keys_of_the_lineage_outlive_their_region_and_keys_of_local_data_do_not(
    cloud: Cloud, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    region = plans[cloud].region
    seals = [found.inputs["usableFrom"] for found in states[cloud].of(f"{CLOUDS_TOKEN}SealKey")]
    data = {found.inputs["purpose"]: found.inputs["usableFrom"] for found in states[cloud].of(f"{CLOUDS_TOKEN}DataKey")}
    assert seals
    assert all(places == [region.name, region.recovery] for places in seals)
    assert data == {"disk": [region.name], "audit": [region.name]}


PAIR = {
    "pair",
    "routing",
    "a.cloud",
    "a.asn",
    "b.cloud",
    "b.asn",
    *(f"tunnels[].{prop}" for prop in ("index", "aEndpoint", "bEndpoint", "insideCidr", "pskRef", "ikeVersion")),
}
PLAN = {
    *(
        "product",
        "cluster",
        "cloud",
        "intervalMinutes",
        "rpoMinutes",
        "retentionDays",
        "writer",
        "restorer",
        "contents[]",
    ),
    *(f"targets[].{prop}" for prop in ("cloud", "bucket", "keyRef")),
}


def test_both_stacks_of_a_pair_say_the_same_of_it(states: Mapping[Cloud, State]) -> None:
    said: dict[str, list[Mapping[str, Any]]] = {}
    for cloud in CLOUDS:
        for pair in states[cloud].of("hashicorp:mesh:VpnPair"):
            assert set(_paths(pair.inputs)) == PAIR
            assert pair.outputs["spec"] == pair.inputs
            assert cloud in (pair["a"]["cloud"], pair["b"]["cloud"])
            said.setdefault(pair["pair"], []).append(pair.inputs)
    assert {name: len(specs) for name, specs in said.items()} == {"aws-azure": 2, "aws-gcp": 2, "azure-gcp": 2}
    assert all(one == other for one, other in said.values())


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_product_of_a_region_is_saved_in_two_clouds(cloud: Cloud, states: Mapping[Cloud, State]) -> None:
    saved = {plan["product"]: plan for plan in states[cloud].of("hashicorp:backup:BackupPlan")}
    assert saved.keys() == {"consul", "vault", "nomad", "platform", *(["boundary"] if cloud == PRIMARY else [])}
    buckets = {there: bucket["name"] for there in CLOUDS for bucket in states[there].of(f"{CLOUDS_TOKEN}BackupBucket")}
    for plan in saved.values():
        assert set(_paths(plan.inputs)) == PLAN
        assert plan.outputs["spec"] == plan.inputs
        assert plan["writer"] != plan["restorer"]
        assert next(target["cloud"] for target in plan["targets"]) == cloud
        assert len({target["cloud"] for target in plan["targets"]}) == 2
        assert all(target["bucket"] == buckets[target["cloud"]] for target in plan["targets"])
