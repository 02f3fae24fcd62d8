"""A lost region is planned again, byte for byte, from what the others kept; what only the cloud knew is there too."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import values
from components.plan.manifest import Manifest, packed
from components.plan.rebuild import RebuildError, blueprint, key_purposes, last_word, read, stack_of
from components.plan.spec import CLOUDS, Cloud, Platform, Stack
from config import parse
from tests.config.files import merged
from tests.plan.composed import compose, passes, through_the_engine, update
from tests.plan.platforms import platforms, stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURED: Mapping[Cloud, Stack] = {cloud: parse(merged(cloud), stack=cloud) for cloud in CLOUDS}
PLATFORM = CONFIGURED["aws"].platform
IMAGES: Mapping[Cloud, str] = {cloud: stack.image for cloud, stack in CONFIGURED.items()}
KEY_VAULT_LIMIT = 25_000
"""Characters of a secret in Azure, the least of the three."""


@pytest.fixture(scope="module")
def settled() -> dict[Cloud, Manifest]:
    """The committed platform after three updates of each stack, as a reader finds it."""
    return {cloud: through_the_engine(document) for cloud, document in passes(PLATFORM, IMAGES, 3).items()}


def others(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> dict[Cloud, Manifest]:
    return {by: document for by, document in manifests.items() if by != cloud}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_plan_of_a_lost_region_is_the_same_text_from_the_files_and_from_either_survivor(
    cloud: Cloud, settled: dict[Cloud, Manifest]
) -> None:
    expected = blueprint(CONFIGURED[cloud])
    assert blueprint(stack_of(cloud, others(cloud, settled))) == expected
    for by in others(cloud, settled):
        assert blueprint(stack_of(cloud, {by: settled[by]})) == expected
    assert len({blueprint(stack) for stack in CONFIGURED.values()}) == len(CLOUDS)


@settings(max_examples=15)
@given(platforms())
def test_so_it_is_for_every_platform_of_more_than_one_region(platform: Platform) -> None:
    images: dict[Cloud, str] = {cloud: f"image-of-{cloud}" for cloud in platform.clouds}
    written = passes(platform, images, 2)
    for cloud in platform.clouds:
        if survivors := others(cloud, written):
            assert blueprint(stack_of(cloud, survivors)) == blueprint(Stack(platform, cloud, "", images[cloud], ()))


@settings(max_examples=25)
@given(stacks())
def test_a_blueprint_is_plain_json_that_changes_with_whatever_is_planned(stack: Stack) -> None:
    text = blueprint(stack)
    plan = json.loads(text)
    assert json.dumps(plan, indent=2, sort_keys=True) + "\n" == text
    assert values.secret_like(text) is None
    platform = stack.platform
    moved = replace(stack.region, zones=tuple(reversed(stack.region.zones)))
    changes: dict[str, object] = {
        "name": "another",
        "domain": "example.org",
        "regions": {**platform.regions, stack.cloud: moved},
        "servers": {**platform.servers, "consul": platform.servers["consul"] + 2},
        "versions": {**platform.versions, "vault": "1.20.9"},
        "asns": {**platform.asns, stack.cloud: 64999 if platform.asns[stack.cloud] != 64999 else 64998},
        "backup": replace(platform.backup, lock_days=platform.backup.lock_days + 1),
        "audit_days": platform.audit_days + 1,
        "profile": "small" if platform.profile == "production" else "production",
    }
    texts = [text, *(blueprint(replace(stack, platform=replace(platform, **{k: v}))) for k, v in changes.items())]
    texts += [blueprint(replace(stack, image="other")), blueprint(replace(stack, account="123456789012"))]
    assert len(set(texts)) == len(texts)
    assert blueprint(replace(stack, rollout=("vault-aws-1",), deletion="open")) == text


def test_a_blueprint_shows_where_every_thing_of_a_region_goes() -> None:
    plan: dict[str, Any] = json.loads(blueprint(replace(CONFIGURED["gcp"], account="my-project")))
    assert plan["subnets"]["servers"] == ["10.3.1.0/24", "10.3.2.0/24", "10.3.3.0/24"]
    server = next(server for server in plan["servers"] if server["name"] == "vault-gcp-2")
    assert (server["zone"], server["address"]) == ("us-west1-b", "10.3.2.20")
    assert server["size"]["instance_type"] == "n2-standard-8"
    assert {"name": "vault-gcp", "addresses": plan["frontEnds"]["vault"]["addresses"][:1]} in plan["records"]
    assert [flow["port"]["first"] for flow in plan["flows"]] == sorted(flow["port"]["first"] for flow in plan["flows"])
    assert [pair["name"] for pair in plan["mesh"]["pairs"]] == ["aws-gcp", "azure-gcp"]
    assert [len(pair["tunnels"]) for pair in plan["mesh"]["pairs"]] == [4, 4]
    assert plan["names"]["buckets"].keys() == {"backups", "backups-replica", "audit"}
    assert plan["names"]["keys"]["vault-seal"] == "hashicorp-vault-seal"
    assert {saved["saved"] for saved in plan["backup"]["sets"]} == {"consul", "vault", "nomad", "platform"}
    assert plan["backup"]["retention"]["lock_days"] == 35


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_only_the_cloud_knew_is_in_both_survivors(cloud: Cloud, settled: dict[Cloud, Manifest]) -> None:
    lost = settled[cloud]
    for by in others(cloud, settled):
        kept = settled[by].peers[cloud]
        for fact in (
            "keys",
            "secrets",
            "identities",
            "clusters",
            "clients",
            "network",
            "audit",
            "database",
            "worker_auth",
        ):
            assert getattr(kept, fact) == getattr(lost, fact), fact
        assert kept.backup
        assert lost.backup
        assert (kept.backup.bucket, kept.backup.restorer) == (lost.backup.bucket, lost.backup.restorer)
        assert kept.backup.writers.keys() <= {by}
        assert kept.backup.writers.get(by) == lost.backup.writers.get(by)
        assert kept.mesh
        assert lost.mesh
        assert kept.mesh.endpoints == lost.mesh.endpoints
        assert {key.purpose for key in kept.keys} == set(key_purposes(CONFIGURED[cloud]))
    whole = last_word(cloud, others(cloud, settled))
    assert whole.backup
    assert lost.backup
    assert whole.backup.writers == lost.backup.writers


@settings(max_examples=10)
@given(platforms(), st.data())
def test_updates_settle_and_never_grow(platform: Platform, data: st.DataObject) -> None:
    """What machines are handed stands after two passes, and what stacks write after the third, which sees both sides of
    every tunnel declared. From then on nothing changes, whoever updates first.
    """
    images: dict[Cloud, str] = dict.fromkeys(platform.clouds, "an-image")
    written = passes(platform, images, 2)
    handed = {cloud: packed(document) for cloud, document in written.items()}
    for cloud in platform.clouds:
        update(platform, cloud, written, images)
    before = {cloud: document.model_dump_json() for cloud, document in written.items()}
    for cloud in data.draw(st.permutations(platform.clouds)):
        update(platform, cloud, written, images)
    assert {cloud: document.model_dump_json() for cloud, document in written.items()} == before
    assert {cloud: packed(document) for cloud, document in written.items()} == handed
    assert all(not memory.peers for document in written.values() for memory in document.peers.values())
    statuses = {tunnel.status for document in written.values() if document.mesh for tunnel in document.mesh.tunnels}
    assert statuses == ({"up"} if len(platform.clouds) > 1 else set())


def test_a_rebuilt_region_is_known_anew_after_one_update_of_each_peer() -> None:
    written = passes(PLATFORM, IMAGES, 3)
    update(PLATFORM, "gcp", written, IMAGES, generation=2)
    for cloud in ("aws", "azure"):
        update(PLATFORM, cloud, written, IMAGES)
        assert written[cloud].peers["gcp"].clusters == written["gcp"].clusters
    assert blueprint(stack_of("gcp", others("gcp", written))) == blueprint(CONFIGURED["gcp"])


def test_memories_that_differ_are_refused_and_either_alone_is_taken(settled: dict[Cloud, Manifest]) -> None:
    written = dict(settled)
    update(PLATFORM, "gcp", written, IMAGES, generation=2)
    update(PLATFORM, "aws", written, IMAGES)
    survivors = others("gcp", written)
    with pytest.raises(RebuildError, match=r"disagree about the last word of gcp: aws, azure differ.*updated last"):
        last_word("gcp", survivors)
    assert last_word("gcp", {"aws": survivors["aws"]}).clusters == written["gcp"].clusters
    assert last_word("gcp", {"azure": survivors["azure"]}).clusters == settled["gcp"].clusters
    # Its plan is not in doubt: only ids differ.
    assert blueprint(stack_of("gcp", survivors)) == blueprint(CONFIGURED["gcp"])


def test_survivors_of_two_configurations_are_refused(settled: dict[Cloud, Manifest]) -> None:
    other = settled["aws"].model_copy(update={"shared": "0" * 16})
    with pytest.raises(RebuildError, match=r"disagree about the platform's settings: aws, azure differ"):
        stack_of("gcp", {"aws": other, "azure": settled["azure"]})
    assert stack_of("gcp", {"azure": settled["azure"]}).cloud == "gcp"


def _remembering(manifest: Manifest, cloud: Cloud, **changes: object) -> Manifest:
    return manifest.model_copy(
        update={"peers": {**manifest.peers, cloud: manifest.peers[cloud].model_copy(update=changes)}}
    )


def test_a_memory_whose_settings_are_not_those_it_was_built_from_is_refused(settled: dict[Cloud, Manifest]) -> None:
    forged = {**settled["aws"].settings, "domain": "example.org"}
    with pytest.raises(RebuildError, match="disagree about the platform's settings"):
        stack_of("gcp", {"aws": _remembering(settled["aws"], "gcp", settings=forged)})


def test_other_versions_in_one_memory_are_refused(settled: dict[Cloud, Manifest]) -> None:
    """Regions differ in versions during an upgrade; a snapshot restores only to its own line."""
    upgraded = {**settled["aws"].settings, "versions": {**PLATFORM.versions, "vault": "1.21.1"}}
    with pytest.raises(RebuildError, match="disagree about the settings of gcp: aws, azure differ"):
        stack_of("gcp", {"aws": _remembering(settled["aws"], "gcp", settings=upgraded), "azure": settled["azure"]})


def test_a_region_that_nobody_remembers_is_refused(settled: dict[Cloud, Manifest]) -> None:
    alone = compose(CONFIGURED["aws"], {})
    tried: list[tuple[dict[Cloud, Manifest], str]] = [
        ({}, "given: none"),
        ({"gcp": settled["gcp"]}, "given: none"),
        ({"aws": alone}, "given: aws"),
    ]
    for given_, said in tried:
        with pytest.raises(RebuildError, match=rf"No manifest remembers gcp \({said}\)"):
            stack_of("gcp", given_)
        with pytest.raises(RebuildError, match="No manifest remembers gcp"):
            last_word("gcp", given_)


def test_a_memory_from_before_manifests_held_settings_is_refused(settled: dict[Cloud, Manifest]) -> None:
    for missing in ({"settings": {}}, {"stack": None}):
        with pytest.raises(RebuildError, match="before manifests held the configuration"):
            stack_of("gcp", {"aws": _remembering(settled["aws"], "gcp", **missing)})


@pytest.mark.parametrize("other", [{"added": 1}, {"regions": {}, "domain": None}])
def test_settings_of_another_version_are_refused(other: dict[str, object], settled: dict[Cloud, Manifest]) -> None:
    strange = {**settled["aws"].settings, **other}
    with pytest.raises(RebuildError, match=r"settings of gcp that aws remember are of another version"):
        stack_of("gcp", {"aws": _remembering(settled["aws"], "gcp", settings=strange)})


@pytest.mark.parametrize("change", [{"schemaVersion": 2}, {"added": 1}, {"settings": []}])
def test_a_manifest_of_another_schema_is_refused(change: dict[str, object], settled: dict[Cloud, Manifest]) -> None:
    document = settled["aws"].model_dump(by_alias=True, mode="json")
    assert read(document) == settled["aws"]
    with pytest.raises(RebuildError, match=rf"its schema is {change.get('schemaVersion', 1)}, this program reads 1"):
        read({**document, **change})
    with pytest.raises(RebuildError, match="its schema is None"):
        read("nothing of the kind")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_machines_are_handed_fits_every_secret_store(
    cloud: Cloud, settled: dict[Cloud, Manifest], capsys: pytest.CaptureFixture[str]
) -> None:
    text = packed(settled[cloud])
    with capsys.disabled():
        print(f"\n  manifest of {cloud}: {len(text)} characters packed")  # noqa: T201 - a measured figure
    assert len(text) < 0.8 * KEY_VAULT_LIMIT
    document = json.loads(gzip.decompress(base64.b64decode(text)))
    kept = read(document)
    assert kept.peers.keys() == set(CLOUDS) - {cloud}
    assert blueprint(stack_of(kept.cloud, {by: settled[by] for by in kept.peers})) == blueprint(CONFIGURED[cloud])
    assert values.secret_like(json.dumps(document)) is None
