"""A region from nothing to the morning check's last green line: the bytes of the plan, run as they are, and all gone
afterwards.

The tests stand in the order of a lab's life: what is asked of it as it was made, what changes it, its end.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from components.plan.server import KeyStanza
from components.plan.spec import PRIMARY, PRODUCTS
from components.plan.userdata import encoded, render
from runbook.errors import PASSED
from sandbox.cloud import store
from sandbox.home import TREE
from sandbox.lab.breaking import labs, looking
from sandbox.lab.machines.footprint import Footprint
from sandbox.lab.place import Wish
from tests.lab.machines.rig import booted, until
from tests.lab.proofs.whole import containers_of_others, lacking, processes, told
from tests.products import machines as planned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.proofs.whole import Whole

WISH = Wish((PRIMARY,), "small", "plain")
pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]

KEY, VOLUME = "aws:kms/key:Key", "aws:ebs/volume:Volume"


def rendered(made: Whole) -> dict[str, bytes]:
    """User data by server, and by "" for the clients, rendered from the plan without the engine.

    What only a cloud can tell, ids of keys and disks, is taken from its records.
    """
    plan = made.plan(PRIMARY)
    ids = {
        kind: {row["name"]: row["id"] for row in store.rows(made.place.cloud, type_glob=kind)} for kind in (KEY, VOLUME)
    }
    found: dict[str, bytes] = {}
    for server in planned.machines(plan):
        facts = {
            late.fact: planned.LATE[late.fact](
                KeyStanza("awskms", {"region": plan.region.name, "kms_key_id": str(ids[KEY][late.fact])})
            )
            for late in server.late
        }
        volumes = {disk.purpose: str(ids[VOLUME][f"{server.name}-{disk.purpose}"]) for disk in server.disks}
        devices = {
            purpose: f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
            for purpose, volume in volumes.items()
        }
        text = encoded("aws", render(server, facts, devices))
        found[server.address or ""] = base64.b64decode(text)
    return found


def test_from_nothing_every_check_becomes_green(made: Whole, record_property: Callable[[str, object], None]) -> None:
    for line in told(made):
        record_property("measured", line)
    assert made.made.changed
    assert made.made.healthy, made.made.health
    assert not looking.look(made.breaker).failed


def test_every_machine_runs_the_bytes_that_the_plan_renders(made: Whole) -> None:
    wanted = rendered(made)
    seen: set[str] = set()
    for status in made.statuses():
        instance = made.fleet.instance(status.name)
        machine = instance.wanted()
        assert machine
        address = machine.address if machine.address in wanted else ""
        seen.add(address)
        assert machine.user_data == wanted[address], status.name
        assert made.kept_user_data(status.name) == wanted[address], status.name
    assert seen == wanted.keys()


def test_a_second_up_changes_nothing(made: Whole) -> None:
    made.changes_nothing()


def test_the_morning_check_may_be_asked_for_by_hand(made: Whole) -> None:
    asked = [sys.executable, "-m", "sandbox.lab", "health", "--lab", made.place.name, "--", "--json"]
    done = subprocess.run(asked, cwd=TREE, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert (done.returncode, document["exitCode"]) == (PASSED, PASSED), done.stderr
    assert {f"{product}-{PRIMARY}" for product in PRODUCTS} <= {subject["name"] for subject in document["subjects"]}


def test_a_machine_on_a_plain_image_fetches_its_archives_and_boots(made: Whole) -> None:
    name = next(status.name for status in made.statuses() if "client" in status.name)
    instance = made.fleet.instance(name)
    assert "is in place" in install(made, name)
    layer = made.fleet.lab.prepared
    # Only who makes machines holds this; the follower makes it anew when it is let go.
    with made.fleet.locked():
        layer.unlink()
        instance.purge()
    until(lambda: instance.status().pid, instance.status)
    booted(made.fleet, name)
    said = install(made, name)
    assert "is in place" not in said
    assert {f"installed {artefact} from" in said for artefact in ("consul", "nomad", "node_exporter")} == {True}, said


def install(made: Whole, name: str) -> str:
    """What a machine's boot has said of its programs."""
    return "\n".join(
        line
        for line in looking.journal(made.fleet.instance(name), "platform-boot", lines=1000).splitlines()
        if "install" in line
    )


def test_what_is_destroyed_leaves_the_machine_as_it_was(made: Whole) -> None:
    lab = made.fleet.lab
    assert processes(made.place)
    labs.destroy(made.place)
    assert set(Footprint.take().since(made.before, lab)) <= containers_of_others(made.place)
    assert not made.place.root.exists()
    assert processes(made.place) == []
    assert labs.destroy(made.place) == []
