"""Everything that can carry the platform's tags carries them, and everything has the platform's name in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components.plan.naming import labels, tags
from components.plan.spec import CLOUDS, PRODUCTS
from sandbox.cloud.registry import model_of
from sandbox.cloud.schema import SchemaBook, package_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.plan.spec import Cloud, Product, Stack
    from tests.contract.state import Resource, State

pytestmark = pytest.mark.engine

PACKAGES = {"aws", "azure-native", "gcp"}

NAMED_BY_OTHERS = {
    "aws:iam/rolePolicy:RolePolicy": "lies inside its role",
    "aws:route53/zone:Zone": "the domain",
    "aws:cloudwatch/logGroup:LogGroup": "begins with the service that writes it",
    "aws:route53/record:Record": "a name in the domain",
    "gcp:dns/recordSet:RecordSet": "a name in the domain",
    "azure-native:privatedns:PrivateZone": "the domain, or the service's own",
    "azure-native:privatedns:PrivateRecordSet": "a name in the domain",
    "azure-native:network:PrivateDnsZoneGroup": "lies inside its endpoint",
    "azure-native:authorization:RoleAssignment": "an id",
    "azure-native:authorization:RoleDefinition": "an id",
    "azure-native:storage:StorageAccount": "the world's, without a dash",
    "azure-native:storage:BlobContainer": "lies inside its account",
    "azure-native:storage:BlobServiceProperties": "lies inside its account",
    "azure-native:storage:ManagementPolicy": "lies inside its account",
    "azure-native:storage:ObjectReplicationPolicy": "an id of the service's",
}
"""Types whose names are not ours to choose."""


def _product(state: State, resource: Resource) -> Product | None:
    clusters: dict[str, Product] = {
        f"hashicorp:products:{product.capitalize()}Cluster": product for product in PRODUCTS
    }
    return next((clusters[found.type] for found in state.ancestors(resource) if found.type in clusters), None)


def _built(state: State) -> Iterator[Resource]:
    return (found for found in state.resources if package_of(found.type) in PACKAGES)


def _carried(resource: Resource) -> Mapping[str, Any]:
    """Tags of a resource, whatever form it keeps them in; where labels mean something else, those of the user."""
    found = next((kept for form in FORMS if (kept := resource.inputs.get(form))), {})
    return {tag["key"]: tag["value"] for tag in found} if isinstance(found, list) else found


FORMS = ("tags", "userLabels", "labels")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_whatever_takes_tags_has_the_common_ones(
    cloud: Cloud, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    schemas, state = SchemaBook(), states[cloud]
    form = labels if cloud == "gcp" else dict
    checked: set[str] = set()
    wrong: dict[str, Mapping[str, Any]] = {}
    for resource in _built(state):
        if not {*FORMS} & schemas.get(resource.type).inputs.keys():
            continue
        checked.add(resource.type)
        wanted = form(tags(plans[cloud].platform, cloud, _product(state, resource)))
        if not wanted.items() <= _carried(resource).items():
            wrong[resource.urn.rpartition("$")[2]] = _carried(resource)
    assert wrong == {}
    assert len(checked) > 5


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_name_starts_with_the_platform(
    cloud: Cloud, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    prefix = plans[cloud].platform.name
    starts = (f"{prefix}-", f"alias/{prefix}-", f"rg-hashicorp-multicloud-{prefix}")
    named = 0
    wrong: dict[str, str] = {}
    for resource in _built(states[cloud]):
        naming = model_of(resource.type).name
        name = resource.inputs.get(naming.property) if naming and resource.type not in NAMED_BY_OTHERS else None
        if name is None:
            continue
        named += 1
        if not name.startswith(starts) or name.startswith(f"{prefix}-{prefix}-"):
            wrong[resource.urn.rpartition("$")[2]] = name
    assert wrong == {}
    assert named > 20
