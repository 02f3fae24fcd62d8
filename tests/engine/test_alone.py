"""A stack alone on an empty platform: what it can show, what it refuses to do, and what it imports for that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS, PRIMARY
from sandbox import service
from tests.deployed import region_stacks
from tests.engine.inventory import believed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.plan.spec import Cloud
    from sandbox.stacks.operation import Result
    from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

PEERS = [cloud for cloud in CLOUDS if cloud != PRIMARY]
SDKS = {"aws": "pulumi_aws", "azure": "pulumi_azure_native", "gcp": "pulumi_gcp"}
TELL = """
import atexit, json, os, sys

def tell():
    if "components.platform" in sys.modules:
        with open(os.environ["IMPORTED"], "w") as file:
            json.dump(sorted(sys.modules), file)

atexit.register(tell)
"""
"""A `sitecustomize` by which the engine's own run of the program says what it had imported at its end."""


@dataclass(frozen=True)
class Alone:
    """A preview on an empty platform, and the modules that the program had imported at its end."""

    result: Result
    modules: frozenset[str]


@pytest.fixture(scope="module")
def empty(sandbox: Sandbox) -> Mapping[Cloud, Stack]:
    """The three stacks, none of them ever up."""
    return region_stacks(sandbox)


@pytest.fixture(scope="module", params=CLOUDS)
def alone(
    request: pytest.FixtureRequest, empty: Mapping[Cloud, Stack], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Cloud, Alone]:
    """A preview of each stack."""
    cloud: Cloud = request.param
    folder: Path = tmp_path_factory.mktemp("imported")
    (folder / "sitecustomize.py").write_text(TELL, encoding="utf-8")
    told = folder / "modules.json"
    result = empty[cloud].preview(env={"PYTHONPATH": str(folder), "IMPORTED": str(told)})
    return cloud, Alone(result, frozenset(json.loads(told.read_text(encoding="utf-8"))))


def test_a_preview_alone_shows_the_whole_region(alone: tuple[Cloud, Alone]) -> None:
    _, seen = alone
    assert seen.result.changes.keys() <= {"create", "read"}
    assert seen.result.changes["create"] > 200
    assert not seen.result.errors


def test_a_preview_alone_says_that_the_primary_is_missing(alone: tuple[Cloud, Alone]) -> None:
    cloud, seen = alone
    warned = [item.message for item in seen.result.diagnostics if item.severity == "warning"]
    assert [f"The primary region ({PRIMARY}) is not up yet" in text for text in warned] == (
        [True] if cloud in PEERS else []
    )


def test_a_run_imports_the_sdk_of_its_own_cloud_alone(alone: tuple[Cloud, Alone]) -> None:
    cloud, seen = alone
    tops = {module.partition(".")[0] for module in seen.modules}
    assert tops & set(SDKS.values()) == {SDKS[cloud]}
    clouds = {module.split(".")[2] for module in seen.modules if module.startswith("components.clouds.")}
    assert clouds == {"contract", "specs", cloud}
    assert not tops & {"sandbox", "tests"}


@pytest.mark.parametrize("cloud", PEERS)
def test_an_up_before_the_primary_is_refused_and_registers_nothing(cloud: Cloud, empty: Mapping[Cloud, Stack]) -> None:
    result = empty[cloud].up(fails=True)
    said = "\n".join(item.message for item in result.errors)
    assert f"The primary region ({PRIMARY}) has no lineage yet." in said
    assert f"pulumi up -s {PRIMARY}" in said
    assert "Traceback" not in said
    assert result.code == 1
    assert believed(empty[cloud]) == {}
    assert not empty[cloud].sandbox.existing("*", cloud)


def test_without_the_simulated_cloud_one_line_says_how_to_start_it(fresh_sandbox: Sandbox) -> None:
    stack = region_stacks(fresh_sandbox)[PRIMARY]
    service.stop(fresh_sandbox.home.cloud)
    result = stack.preview(fails=True)
    said = "\n".join([*(item.message for item in result.diagnostics), result.complaint])
    (line,) = [line for line in said.splitlines() if "simulated cloud is not running" in line]
    assert "make cloud" in line
    assert "Traceback" not in said
