"""The agent as a machine gets it brings a real cluster's snapshot into both clouds' stores, as the machine's own identity.

Real: Consul's servers, the packed agent and its loader, what it imports, the stores' authentication and grants. Played:
`read-secret` alone. How a leader's death or a cut answer ends is `test_agent`'s, what each store refuses is
`tests/stores`'.

The servers listen in the machine's own network, so this process enters it for as long as they run.
"""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components.plan.backup import NOTE_SUFFIX, parse
from components.plan.spec import Cloud
from components.products import backup
from sandbox.stores import namespace
from tests.backup.agents import Agents, Ran, regional
from tests.backup.members import MANAGEMENT, cluster
from tests.products.machines import stack
from tests.stores import region
from tests.stores.conftest import Rig, able

HOME: Cloud = "aws"
SECOND: Cloud = "gcp"
MACHINE = f"{HOME}-consul-server"
SETS = {"consul", "platform"}
"""Of a consul server, where no database is."""
_CLONE_NEWNET = 0x40000000
_SECRET = re.compile(r"[\w-]{40}|ASIA|Bearer")
"""Every secret of the stores: none is shorter, and nothing else that the agent says is as long."""


@contextmanager
def within(place: namespace.Place) -> Iterator[None]:
    """This thread, and what it starts, in a machine's network."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(network: int) -> None:
        if libc.setns(network, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "entering a network")

    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/proc/{place.pid}/ns/net").open() as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(here.fileno())


@dataclass
class Region:
    """The agents of a region's Consul and the stores that they reach."""

    agents: Agents
    rig: Rig

    def held(self, store: Cloud) -> set[str]:
        """Names of all that a store holds."""
        query = "list-type=2" if store == "aws" else ""
        answer = self.rig.restorer(store, "GET", query=query)
        assert answer["status"] == 200, answer
        found = re.findall(r"<Key>([^<]+)</Key>|\"name\": ?\"([^\"]+)\"", answer["text"])
        return {one or other for one, other in found}

    def whole(self, store: Cloud, names: set[str]) -> None:
        """Each name is a backup's, with a note that tells what the stored bytes are."""
        for name in names:
            assert not parse(name).is_note
            assert parse(name + NOTE_SUFFIX).is_note
            note = json.loads(self.rig.read(store, name + NOTE_SUFFIX)["text"])
            assert note["object"] == name
            assert note["sha256"] == self.rig.read(store, name)["sha256"]

    def fails(self, product: str, store: Cloud) -> bool:
        """What the leader's metric says of a destination."""
        return self.agents.metric(self.agents.cluster.leader(), "last_run_failed", product, destination=store) == 1

    def sent(self, product: str, store: Cloud) -> float:
        """When the leader's metric says that a destination last got a set."""
        leader = self.agents.cluster.leader()
        return self.agents.metric(leader, "last_success_timestamp_seconds", product, destination=store)


def backups(names: set[str]) -> set[str]:
    """Without notes, each of which has its backup."""
    found = {name for name in names if not parse(name).is_note}
    assert names == found | {name + NOTE_SUFFIX for name in found}
    return found


def says_no_secret(ran: list[Ran]) -> None:
    for run in ran:
        assert not _SECRET.search(run.out + run.err)
        assert MANAGEMENT["consul"] not in run.out + run.err


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    able()
    ground = region.ground()
    wanted = {MACHINE, *(f"{store}-{region.RESTORER}" for store in (HOME, SECOND))}
    ground = replace(ground, machines=tuple(one for one in ground.machines if one.name in wanted))
    root = tmp_path_factory.mktemp("e2e")
    way = region.writer(HOME, SECOND, "consul-server")
    assert way
    told = regional({store: region.ATTRIBUTES[store] for store in (HOME, SECOND)}, {"consul-server": way})
    with namespace.stores(ground, tmp_path_factory.mktemp("stores")) as stores:
        place = stores.machines[MACHINE]
        with within(place), cluster("consul", root) as made:
            agents = Agents(made, root / "none", backup.packed(stack(HOME)), place.command)
            agents.lay_out(watch=1)
            agents.tell(told)
            yield Region(agents, Rig(stores))


def test_one_run_brings_every_set_and_its_note_into_both_clouds(running: Region) -> None:
    before = {store: running.held(store) for store in (HOME, SECOND)}
    ran = running.agents.run()
    assert [run.code for run in ran] == [0, 0, 0], ran
    new = backups(running.held(HOME) - before[HOME])
    assert {parse(name).saved for name in new} == SETS
    assert len(new) == len(SETS), "the leader alone stores"
    assert backups(running.held(SECOND) - before[SECOND]) == new
    for store in (HOME, SECOND):
        running.whole(store, new)
        for product in SETS:
            assert not running.fails(product, store)
            assert running.sent(product, store) > 0
    assert running.agents.spooled(running.agents.cluster.leader()) == []
    says_no_secret(ran)


def test_what_a_store_in_trouble_did_not_take_waits_and_is_sent_by_the_next_run(running: Region) -> None:
    agents, leader = running.agents, running.agents.cluster.leader()
    before = {store: running.held(store) for store in (HOME, SECOND)}
    file = leader.made.path("/etc/platform/backup.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "run": 5}))
    # Whoever repeats what the store says would tell what was sent.
    running.rig.fail(host="storage.googleapis.com", status=503, echo=True)
    try:
        failed = agents.alone(leader, "--now")
    finally:
        running.rig.faults.unlink()
    assert failed.code == 1, failed
    assert "503" in failed.err
    assert running.held(SECOND) == before[SECOND]
    kept = backups(running.held(HOME) - before[HOME])
    assert {parse(name).saved for name in kept} == SETS
    assert set(agents.spooled(leader)) == {name.replace("/", "~") for name in kept}
    for product in SETS:
        assert (running.fails(product, HOME), running.fails(product, SECOND)) == (False, True)

    healed = agents.alone(leader)
    assert healed.code == 0, healed
    assert agents.spooled(leader) == []
    assert list(leader.made.path("/run/platform/spool/work").iterdir()) == []
    assert kept <= backups(running.held(SECOND) - before[SECOND])
    assert running.held(HOME) - before[HOME] == running.held(SECOND) - before[SECOND]
    for store in (HOME, SECOND):
        running.whole(store, kept)
        for product in SETS:
            assert not running.fails(product, store)
    says_no_secret([failed, healed])
