"""The plan of each region, byte for byte, from what the deployed others kept; and that nothing else is missing."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING

import pytest

from components.plan.backup import WRITING_ROLES
from components.plan.manifest import Manifest, packed
from components.plan.rebuild import blueprint, key_purposes, last_word, read, stack_of
from components.plan.secrets import ENTRIES
from components.plan.spec import CLOUDS
from tests.deployed import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud
    from tests.deployed import Deployed

pytestmark = pytest.mark.engine

SMALLEST_STORE = 25_000
"""Characters of a secret in Azure, the least of the three."""


@pytest.fixture(scope="module")
def manifests(deployed: Deployed) -> Mapping[Cloud, Manifest]:
    """What each region says of itself."""
    return {cloud: read(deployed.stack(cloud).outputs()["manifest"]) for cloud in CLOUDS}


def survivors(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> dict[Cloud, Manifest]:
    return {by: manifest for by, manifest in manifests.items() if by != cloud}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_plan_of_a_lost_region_is_rebuilt_byte_for_byte(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> None:
    expected = blueprint(plan(cloud))
    assert blueprint(stack_of(cloud, survivors(cloud, manifests))) == expected
    for by, manifest in survivors(cloud, manifests).items():
        assert blueprint(stack_of(cloud, {by: manifest})) == expected


@pytest.mark.parametrize("cloud", CLOUDS)
def test_both_survivors_kept_what_only_the_lost_cloud_knew(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> None:
    lost = manifests[cloud]
    stack = plan(cloud)
    for manifest in survivors(cloud, manifests).values():
        kept = last_word(cloud, {manifest.cloud: manifest})
        assert {key.purpose: key.attributes for key in kept.keys} == {key.purpose: key.attributes for key in lost.keys}
        assert {key.purpose for key in kept.keys} == set(key_purposes(stack))
        assert all(key.attributes for key in kept.keys)
        assert kept.secrets == lost.secrets
        # The records themselves come after the manifest that they hold.
        assert kept.secrets.keys() >= {entry for entry, spec in ENTRIES.items() if spec.origin != "record"}
        assert kept.backup
        assert lost.backup
        assert kept.backup.bucket == lost.backup.bucket
        assert kept.backup.restorer == lost.backup.restorer
        assert kept.backup.bucket.attributes
        assert kept.identities == lost.identities
        assert kept.database == lost.database
        assert (kept.database is not None) == stack.is_primary
        assert [server.id for cluster in kept.clusters for server in cluster.servers] == [
            server.id for cluster in lost.clusters for server in cluster.servers
        ]
    whole = last_word(cloud, survivors(cloud, manifests))
    assert whole.backup
    assert lost.backup
    assert whole.backup.writers == lost.backup.writers
    sources = {source for source, target in stack.platform.backup.copies.items() if target == cloud}
    assert whole.backup.writers.keys() == sources
    assert all(roles.keys() == set(WRITING_ROLES) for roles in whole.backup.writers.values())


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_machines_are_handed_fits_every_secret_store(
    cloud: Cloud, manifests: Mapping[Cloud, Manifest], capsys: pytest.CaptureFixture[str]
) -> None:
    text = packed(manifests[cloud])
    with capsys.disabled():
        print(f"\n  manifest of {cloud}: {len(text)} characters packed")  # noqa: T201 - a measured figure
    assert len(text) < 0.8 * SMALLEST_STORE
    assert read(json.loads(gzip.decompress(base64.b64decode(text)))).peers.keys() == set(CLOUDS) - {cloud}
