"""The command over a whole platform of three regions that is served on the loopback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from components.plan.spec import CLOUDS, PRODUCTS
from runbook.health import vault
from tests.runbook.real import Ran, run
from tests.runbook.regions import World
from tests.runbook.stage import serving, world

TOKENS = {"CONSUL_HTTP_TOKEN": "consul-token", "VAULT_TOKEN": "vault-token", "NOMAD_TOKEN": "nomad-token"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[str]]]:
    folder = tmp_path_factory.mktemp("platform")
    made = world(folder, dt.datetime.now(dt.UTC))
    words: list[str] = []
    for cloud, region in made.regions.items():
        file = folder / f"{cloud}.json"
        file.write_text(region.model_dump_json(by_alias=True))
        words += ["--manifest", str(file)]
    with serving(made, folder):
        yield made, words


def health(platform: tuple[World, list[str]], *words: str) -> Ran:
    return run("health", *platform[1], "--deadline", "30", *words, tokens=TOKENS)


def test_three_regions_are_green_in_one_run(
    platform: tuple[World, list[str]], record_property: Callable[[str, object], None]
) -> None:
    ran = health(platform, "--json")
    assert (ran.code, ran.said()) == (0, [])
    subjects = {subject["name"]: subject["verdict"] for subject in ran.document["subjects"]}
    clusters = {f"{product}-{cloud}": "fine" for cloud in CLOUDS for product in PRODUCTS}
    unasked = {f"{name}-{cloud}": "not asked" for cloud in CLOUDS for name in ("mesh", "clients")}
    assert (subjects, ran.document["verdict"]) == (clusters | unasked, "fine")
    machines = len({name for name, _ in platform[0].dials})
    took = ran.document["seconds"]
    record_property(
        "measured", f"runbook health over {machines} machines of 12 clusters, all on this machine: {took:.1f} s"
    )


def test_the_table_has_a_row_for_each_and_names_what_is_wrong(platform: tuple[World, list[str]]) -> None:
    made, _ = platform
    kept = dict(made.replies)
    made.say("vault-gcp-2", vault.SEAL, {"initialized": True, "sealed": True, "version": "1.21.0"})
    try:
        ran = health(platform, "--cloud", "gcp")
    finally:
        made.replies.update(kept)
    for name in (*PRODUCTS, "mesh"):
        assert f"{name}-gcp" in ran.out
        assert f"{name}-aws" not in ran.out
    (row,) = [line for line in ran.out.splitlines() if "vault-gcp-2 is sealed" in line]
    assert "A Vault node is sealed" in row
    assert ran.code == 1


def test_a_secondary_alone_is_compared_with_the_primary(platform: tuple[World, list[str]]) -> None:
    ran = health(platform, "--cloud", "azure", "--product", "consul", "--json")
    assert (ran.code, ran.said()) == (0, [])
    assert [subject["name"] for subject in ran.document["subjects"]] == ["consul-azure"]
