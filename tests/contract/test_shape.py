"""Regions have the same parts under the same words, and say of themselves what was registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan import secrets
from components.plan.manifest import Manifest
from components.plan.spec import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.posture import Posture
    from tests.contract.state import State

pytestmark = pytest.mark.engine

OF_THE_PRIMARY = {
    ("hashicorp:lineage:Roots", "roots"),
    ("hashicorp:clouds:Federation", "worker-federation"),
    ("hashicorp:clouds:SealKey", "boundary-worker-auth"),
    ("hashicorp:clouds:SealKey", "database"),
    ("hashicorp:clouds:Database", "database"),
    ("hashicorp:backup:BackupPlan", "backup-boundary"),
}
"""Made once for all regions."""
OF_A_PAIR = {"hashicorp:mesh:VpnPair", "hashicorp:clouds:Tunnels"}
"""Named after two regions."""


def _components(state: State, cloud: Cloud) -> set[tuple[str, str]]:
    return {
        (found.type, "" if found.type in OF_A_PAIR else found.name.replace(f"-{cloud}", ""))
        for found in state.resources
        if found.type.startswith("hashicorp:")
    }


def _manifest(state: State) -> Manifest:
    return Manifest.model_validate(state.outputs["manifest"])


def test_every_cloud_has_the_same_components(states: Mapping[Cloud, State]) -> None:
    primary = _components(states["aws"], "aws")
    assert primary >= OF_THE_PRIMARY
    for cloud in CLOUDS[1:]:
        assert _components(states[cloud], cloud) == primary - OF_THE_PRIMARY, cloud


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_manifest_names_the_machines_that_exist(
    cloud: Cloud, states: Mapping[Cloud, State], postures: Mapping[Cloud, Posture], plans: Mapping[Cloud, Stack]
) -> None:
    zones = plans[cloud].region.zones
    said = {
        server.name: (server.zone, server.address)
        for cluster in _manifest(states[cloud]).clusters
        for server in cluster.servers
    }
    found = {name: (zones[machine.zone or 0], machine.address) for name, machine in postures[cloud].machines.items()}
    assert said == found


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_manifest_names_every_key_and_entry_by_an_id_that_exists(
    cloud: Cloud, states: Mapping[Cloud, State], postures: Mapping[Cloud, Posture]
) -> None:
    manifest, ids = _manifest(states[cloud]), {found.id for found in states[cloud].resources}
    assert {key.purpose for key in manifest.keys} == postures[cloud].keys.keys()
    # The manifest is an entry too, but comes after all that it speaks of.
    assert manifest.secrets.keys() == secrets.ENTRIES.keys() - {secrets.MANIFEST}
    assert set(manifest.secrets.values()) <= ids
    assert {server.id for cluster in manifest.clusters for server in cluster.servers} <= ids


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_must_survive_the_region_answers_elsewhere(
    cloud: Cloud, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    region = plans[cloud].region
    answering = {key.purpose: set(key.usable_from) for key in _manifest(states[cloud]).keys}
    assert [answering.pop(purpose) for purpose in ("disk", "audit")] == [{region.name}] * 2
    assert set(map(frozenset, answering.values())) == {frozenset({region.name, region.recovery})}


def test_regions_agree_on_the_platform_and_its_root(states: Mapping[Cloud, State]) -> None:
    manifests = [_manifest(states[cloud]) for cloud in CLOUDS]
    assert len({(one.shared, one.ca_certificate, one.primary) for one in manifests}) == 1
    assert "BEGIN CERTIFICATE" in manifests[0].ca_certificate
