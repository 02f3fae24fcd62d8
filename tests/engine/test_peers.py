"""What stacks read of each other and of themselves, on the real engine with a program that builds nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.spec import CLOUDS
from sandbox.home import TREE

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

PROGRAM = f"""
import json
import sys
from pathlib import Path
import pulumi
import pulumi_random
sys.path.insert(0, {str(TREE)!r})
from components.peers import read
from config import parse
from tests.config.files import merged

async def main():
    given = json.loads((Path(__file__).parent / f"{{pulumi.get_stack()}}.json").read_text())
    stack = parse(merged(given["cloud"], given["changes"]))
    peers = await read(stack, "")
    pulumi.log.info(f"standing: {{peers.standing}}, peers: {{sorted(peers.manifests)}}")
    guarded = pulumi.ResourceOptions(protect=True)
    pulumi_random.RandomId("bucket", byte_length=4, opts=guarded)
    pulumi_random.RandomId("machine", byte_length=4)
    backup = {{"lock": stack.platform.backup.lock, "lockDays": stack.platform.backup.lock_days}}
    manifest = {{"backup": {{"bucket": backup}}, "audit": {{"keepDays": stack.platform.audit_days}}}}
    return {{"manifest": manifest, "lineage": {{"ca-cert": "x"}}}}

pulumi.run(main)
"""


def project(sandbox: Sandbox) -> Path:
    return sandbox.program(PROGRAM, "peers")


def configure(stack: Stack, cloud: Cloud = "aws", **changes: object) -> None:
    """Gives the program what to change in the committed configuration of a region; `_` stands for the dots of a path."""
    given = {"cloud": cloud, "changes": {path.replace("_", "."): value for path, value in changes.items()}}
    (stack.project / f"{stack.name}.json").write_text(json.dumps(given), encoding="utf-8")


def said(result: Any) -> str:  # noqa: ANN401 - `Result` is a type only
    return "\n".join(item.message for item in result.diagnostics)


def test_peers_without_a_stack_are_all_refused_at_once_with_the_way_out(fresh_sandbox: Sandbox) -> None:
    stack = fresh_sandbox.stack("blue", project(fresh_sandbox))
    configure(stack)
    for result in (stack.preview(fails=True), stack.up(fails=True)):
        text = said(result)
        assert "1. regions.azure: there is no stack organization/peers/azure." in text
        assert "2. regions.gcp: there is no stack organization/peers/gcp." in text
        assert "Fix: Create it: pulumi stack init azure" in text
        assert "nothing was registered" in text
        assert "unknown stack" not in text
        assert "Traceback" not in text
        assert not [urn for urn in result.touched() if "RandomId" in urn]

    fresh_sandbox.stack("azure", stack.project)
    assert "1. regions.gcp: there is no stack" in said(stack.preview(fails=True))
    fresh_sandbox.stack("gcp", stack.project)
    assert "standing: Standing(backup=False, lock_days=0, audit_days=0, recovery=False), peers: []" in said(
        stack.preview()
    )


def test_a_stack_knows_its_own_locks_at_every_update_and_after_a_destroy(fresh_sandbox: Sandbox) -> None:
    """Under a name that is no cloud's: a stack reads itself by its own name."""
    folder = project(fresh_sandbox)
    stack = fresh_sandbox.stack("blue", folder)
    for peer in ("azure", "gcp"):
        fresh_sandbox.stack(peer, folder)
    nothing = "standing: Standing(backup=False, lock_days=0, audit_days=0, recovery=False)"
    locked = "standing: Standing(backup=True, lock_days=35, audit_days=400, recovery=False)"
    configure(stack)
    assert nothing in said(stack.preview())
    assert nothing in said(stack.up())
    assert locked in said(stack.preview())
    assert locked in said(stack.up())

    configure(stack, backup_lockDays=34, audit_keepDays=399, backup_lock="governance")
    for result in (stack.preview(fails=True), stack.up(fails=True)):
        text = said(result)
        assert "1. backup.lock: governance where compliance stands." in text
        assert "2. backup.lockDays: 34 days where backups are locked for 35." in text
        assert "3. audit.keepDays: 399 days where the audit trail is locked for 400." in text
        assert "Fix: Write 35 or more." in text
        assert "Traceback" not in text
    configure(stack)
    assert locked in said(stack.up())

    stack.destroy("--exclude-protected")
    assert locked in said(stack.preview())
    configure(stack, backup_lockDays=1)
    assert "locked for 35" in said(stack.up(fails=True))
    configure(stack, backup_lockDays=36)
    assert locked in said(stack.up())
    assert "lock_days=36" in said(stack.preview())


def test_locks_that_administrators_can_lift_bind_nobody(fresh_sandbox: Sandbox) -> None:
    folder = project(fresh_sandbox)
    stack = fresh_sandbox.stack("aws", folder)
    for peer in ("azure", "gcp"):
        fresh_sandbox.stack(peer, folder)
    configure(stack, backup_lock="governance")
    stack.up()
    configure(stack, backup_lock="governance", backup_lockDays=1, audit_keepDays=365)
    assert "standing: Standing(backup=True, lock_days=0, audit_days=0, recovery=False)" in said(stack.up())
    configure(stack, backup_lockDays=2)
    stack.up()
    assert "Standing(backup=True, lock_days=2, audit_days=400, recovery=False)" in said(stack.preview())


def test_a_manifest_of_another_schema_is_refused_with_the_way_out(fresh_sandbox: Sandbox) -> None:
    """What this program writes is no whole manifest."""
    folder = project(fresh_sandbox)
    stacks = {cloud: fresh_sandbox.stack(cloud, folder) for cloud in CLOUDS}
    for cloud in CLOUDS:
        configure(stacks[cloud], cloud)
    assert "The primary region (aws) has no lineage yet." in said(stacks["gcp"].up(fails=True))
    stacks["aws"].up()
    text = said(stacks["gcp"].preview(fails=True))
    assert "The manifest of the stack aws cannot be read" in text
    assert "pulumi up -s aws" in text
    assert "Traceback" not in text
