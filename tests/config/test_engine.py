"""Configuration on the real engine: its merge of defaults, and what a wrong one leaves behind."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from components.plan.change import VARIABLE
from components.plan.spec import CLOUDS
from config import parse
from sandbox.home import TREE
from tests.config.files import merged, project

if TYPE_CHECKING:
    from tests.harness import Sandbox

pytestmark = pytest.mark.engine

# Without the record that the sandbox supplies: what the files say is compared.
READ = f"""
import os
import sys
import pulumi
os.environ.pop({VARIABLE!r})
sys.path.insert(0, {str(TREE)!r})
import config
pulumi.export("stack", repr(config.load()))
"""


def test_a_wrong_configuration_registers_nothing_and_says_everything(fresh_sandbox: Sandbox) -> None:
    stack = fresh_sandbox.stack("gcp")
    regions = merged("gcp", {"regions.gcp.cidr": "10.2.0.0/16"})["regions"]
    stack.configure(domian="x.org", servers={"consul": 4}, regions=regions, rollout="consul-gcp-1")

    for result in (stack.preview(fails=True), stack.up(fails=True)):
        said = "\n".join(item.message for item in result.errors)
        assert "The configuration of the stack gcp has 4 problems; nothing was registered." in said
        for start in ("1. domian: no such key.", "2. rollout: is the text", "3. regions.gcp.cidr: ", "4. servers.con"):
            assert start in said
        assert "Traceback" not in said
        assert result.code == 1
        assert all("::pulumi:pulumi:Stack::" in urn for urn in result.touched())
    assert not fresh_sandbox.existing()


def test_the_engine_merges_the_defaults_of_maps_and_lists(fresh_sandbox: Sandbox) -> None:
    folder = fresh_sandbox.program(READ, project()["name"])
    runtime = {"name": "python", "options": {"virtualenv": str(TREE / ".venv")}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**project(), "runtime": runtime}), encoding="utf-8")
    for cloud in CLOUDS:
        shutil.copy(TREE / f"Pulumi.{cloud}.yaml", folder)
        assert fresh_sandbox.stack(cloud, folder).up().outputs["stack"] == repr(parse(merged(cloud)))
