"""The commands as a person runs them: what they say, how they end, and that one lab's end is not another's."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from sandbox import service
from sandbox.lab import daemon
from sandbox.lab.breaking import labs as places
from sandbox.lab.machines import footprint
from sandbox.lab.machines.needs import missing
from sandbox.lab.machines.processes import Process, launch, started, until
from sandbox.progress import Board
from tests.lab.breaking.rig import BESIDE, NAMES, NEAR, UNIT, Broken, command, labs, registered
from tests.lab.machines.rig import fleet, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Broken]]:
    with labs(tmp_path_factory.mktemp("commands"), 2) as made:
        yield made


@pytest.fixture
def lab(both: list[Broken]) -> Broken:
    return both[0]


def test_status_says_of_every_machine_how_it_is_and_ends_badly_if_one_failed(lab: Broken) -> None:
    name = lab.place.name
    well = command("status", "--lab", name, "--json")
    assert well.returncode == 0, well.stdout + well.stderr
    told = {row["name"]: row for row in json.loads(well.stdout)["machines"]}
    assert {row["phase"] for row in told.values()} == {"ready"}
    assert set(told) == set(NAMES)
    assert all(row["memory"] > 2**20 for row in told.values())
    killed = command("kill", NEAR.name, "--lab", name)
    assert (killed.returncode, killed.stdout) == (0, f"{NEAR.name} killed\n")
    ill = command("status", "--lab", name)
    assert ill.returncode == 1
    assert "dead" in ill.stdout
    assert command("restore", "--all", "--lab", name).stdout == f"{NEAR.name} started\n"


def test_inside_a_machine_a_commands_end_is_handed_on(lab: Broken) -> None:
    name = lab.place.name
    ran = command("ssh", BESIDE.name, "--lab", name, "--", "sh", "-c", "hostname; exit 7")
    assert (ran.returncode, ran.stdout) == (7, f"{BESIDE.name}\n")
    # What a person's shell holds, such as passphrases, is not for machines.
    told = command("ssh", BESIDE.name, "--lab", name, "--", "env", PULUMI_CONFIG_PASSPHRASE="not-for-machines")
    assert "not-for-machines" not in told.stdout


def test_journal_and_console_are_read_of_dead_machines_too(lab: Broken) -> None:
    name = lab.place.name
    lab.run(BESIDE.name, "sh", "-c", f"systemctl restart {UNIT} && journalctl --sync")
    alive = command("logs", BESIDE.name, "--unit", "clock", "--lab", name)
    assert "Started" in alive.stdout
    command("kill", BESIDE.name, "--lab", name)
    assert command("logs", BESIDE.name, "--unit", "clock", "--lab", name).stdout == alive.stdout
    console = command("logs", BESIDE.name, "--console", "--lab", name).stdout
    assert f"Started {UNIT}" in console
    assert "\x1b" not in console
    command("restore", BESIDE.name, "--lab", name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kill",), "all of them are never meant"),
        (("kill", "nobody"), "has no machine nobody"),
        (("partition",), "What shall be cut off is not clear"),
        (("partition", NEAR.name, "--zone", "a"), "What shall be cut off is not clear"),
        (("partition", "--between", "aws", "aws"), "No tunnel leads from aws to itself"),
        (("partition", "--between", "aws", "mars"), "There is no region 'mars'"),
        (("key", "disable", "aws/seal"), "has no simulated cloud"),
        (("fill", NEAR.name), "Which disk shall be full is not clear"),
        (("restore",), "What shall be mended is not clear"),
        (("logs", NEAR.name, "--console", "--unit", "x"), "The console is not a unit's"),
    ],
    ids=" ".join,
)
def test_a_refusal_says_what_and_how_and_breaks_nothing(lab: Broken, words: tuple[str, ...], said: str) -> None:
    pids = {status.name: status.pid for status in lab.fleet.statuses()}
    done = command(*words, "--lab", lab.place.name)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) >= 2, "there is no way out in it"
    assert {status.name: status.pid for status in lab.fleet.statuses()} == pids


def test_what_was_never_made_is_refused_and_its_end_is_no_error() -> None:
    assert "There is no lab 'nowhere'" in command("status", "--lab", "nowhere").stderr
    done = command("destroy", "--lab", "nowhere")
    assert (done.returncode, done.stdout) == (0, "There is no lab nowhere.\n")
    assert command("destroy", "--lab", "../nowhere").returncode == 1


def test_the_labs_of_this_machine_are_listed(both: list[Broken]) -> None:
    found = {each["name"]: each for each in json.loads(command("list", "--json").stdout)}
    for each in both:
        assert found[each.place.name]["machines"] == len(NAMES)
        assert found[each.place.name]["folder"] == str(each.place.root)


def test_a_lab_is_gone_after_its_end_with_all_its_processes_and_another_stays(tmp_path: Path) -> None:
    with labs(tmp_path, 2) as (one, other):
        before = {status.name: status.pid for status in other.fleet.statuses()}
        # Its follower was killed long ago, and somebody else has its id; its simulated cloud runs.
        with subprocess.Popen(["sleep", "600"]) as stranger:
            one.place.daemon.write_text(f"{stranger.pid} 1\n", encoding="ascii")
            served = service.ensure(one.place.cloud, Board()).pid
            cloud = Process(served, started(served) or "")
            assert cloud.lives
            done = command("destroy", "--lab", one.place.name)
            assert done.returncode == 0, done.stderr
            assert stranger.poll() is None
            stranger.kill()
        assert not cloud.lives
        assert f"{len(NAMES)} machines removed" in done.stdout
        assert not one.place.root.exists()
        assert footprint.of(one.fleet.lab) == []
        assert not registered(one.place.name)
        again = command("destroy", "--lab", one.place.name)
        assert (again.returncode, again.stdout) == (0, f"There is no lab {one.place.name}.\n")
        assert {status.name: status.pid for status in other.fleet.statuses()} == before


def test_a_follower_ends_before_what_it_follows(tmp_path: Path) -> None:
    with labs(tmp_path) as (lab,):
        log = tmp_path / "log"
        follower = launch(["sleep", "600"], identity=lab.place.daemon, log=log, groups=())
        assert daemon.lives(lab.place)
        assert places.destroy(lab.place)[0] == "the follower stopped"
        assert until(lambda: not follower.lives, 10)
        assert not lab.place.root.exists()


def test_a_lab_that_lies_where_no_sandbox_has_one_is_never_destroyed_by_name(tmp_path: Path) -> None:
    kept = tmp_path / "precious"
    kept.mkdir()
    with fleet(tmp_path / "somewhere") as stray:
        stray.apply(world())
        done = command("destroy", "--lab", stray.lab.name)
        assert done.returncode == 1
        assert "is no sandbox's folder" in done.stderr
        assert kept.exists()
        assert stray.network.stands
