"""Whatever happens to the leader, every slot has its backup, from a leader, verified, in both clouds, and it restores."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from components.plan.backup import NOTE_SUFFIX, parse
from components.plan.spec import Product
from components.plan.vault import BACKUP_MOUNT, BACKUP_ROLE
from components.products import backup
from tests.backup.agents import Agents, Ran, manifest
from tests.backup.cutting import line
from tests.backup.members import MANAGEMENT, Cluster, cluster
from tests.products.machines import PLATFORM

TEMPLATES = Path(__file__).parents[2] / "components" / "templates"
CANARY = "canary-value-of-this-run"
QUICK = {"watch": 1}
"""For runs in which nobody has to wait for an election."""


def enable_login(made: Cluster) -> None:
    """What Vault's bootstrap makes for the agent."""
    api = made.api(made.leader())
    api("POST", f"/v1/sys/auth/{BACKUP_MOUNT}", {"type": "cert"})
    policy = (TEMPLATES / "vault" / "backup-policy.hcl").read_text()
    api("POST", f"/v1/sys/policies/acl/{BACKUP_ROLE}", {"policy": policy})
    role = {
        "certificate": (made.trust / "ca.pem").read_text(),
        "allowed_dns_sans": [f"vault-aws.{PLATFORM.domain}"],
        "token_policies": [BACKUP_ROLE],
        "token_ttl": "10m",
    }
    api("POST", f"/v1/auth/{BACKUP_MOUNT}/certs/{BACKUP_ROLE}", role)
    api("POST", "/v1/sys/mounts/secret", {"type": "kv"})


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that is about to happen."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen")


@pytest.fixture(scope="class")
def agents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    """A cluster with an agent on every machine; one for all tests of a product."""
    name: Product = getattr(request.cls, "PRODUCT")  # noqa: B009 - of a class that pytest knows only while it runs
    root = tmp_path_factory.mktemp(name)
    with cluster(name, root) as made:
        if name == "vault":
            enable_login(made)
        yield Agents(made, root / "stores")


class Voters:
    """What holds for the agents of every product."""

    PRODUCT: ClassVar[Product]
    ANSWERS: ClassVar[int]
    """Answers that a leader's agent gets before the snapshot."""
    ELECTION: ClassVar[int] = 9
    """Seconds in which another server surely leads, on a busy machine."""

    def write(self, made: Cluster) -> None:
        raise NotImplementedError

    def read(self, made: Cluster) -> str:
        raise NotImplementedError

    def restore(self, made: Cluster, snapshot: bytes) -> None:
        raise NotImplementedError

    def whole(self, agents: Agents) -> None:
        """The slot has its backup in both clouds, and each is what its note says."""
        for cloud in ("aws", "gcp"):
            names = agents.stored(cloud)
            assert names
            for name in names:
                file = agents.stores / cloud / name
                note = json.loads((agents.stores / cloud / (name + NOTE_SUFFIX)).read_text())
                assert (note["object"], note["size"]) == (name, file.stat().st_size)

    def test_the_leader_alone_stores_and_tells_all_but_secrets(self, agents: Agents) -> None:
        agents.lay_out(**QUICK)
        leader = agents.cluster.leader()
        ran = agents.run()
        assert [run.code for run in ran] == [0, 0, 0], ran
        (name,) = agents.stored("aws")
        assert agents.stored("gcp") == [name]
        for run in ran:
            assert ("another server leads" in run.out) == (run.member is not leader)
        parts = parse(name)
        note = json.loads((agents.stores / "gcp" / (name + NOTE_SUFFIX)).read_text())
        assert (parts.saved, parts.cloud, parts.index) == (self.PRODUCT, "aws", note["index"])
        assert (note["version"], note["cluster"]) == (parts.version, f"{self.PRODUCT}-aws")
        assert note["term"] >= 1
        wanted = {"vault": "vault-seal", "nomad": "nomad-keyring"}.get(self.PRODUCT)
        assert (note["seal"] and note["seal"]["purpose"]) == wanted
        assert ("inspected" in note) == (self.PRODUCT != "vault"), "the twin of Vault has no inspection"
        for cloud in ("aws", "gcp"):
            assert agents.metric(leader, "last_run_failed", destination=cloud) == 0
            assert time.time() - agents.metric(leader, "last_success_timestamp_seconds", destination=cloud) < 60
        assert agents.metric(leader, "size_bytes") == note["size"]
        assert agents.metric(leader, "verified_timestamp_seconds") > 0
        assert agents.metric(leader, "duration_seconds") >= 0
        assert agents.spooled(leader) == []
        self.says_no_secret(agents, ran)

    def says_no_secret(self, agents: Agents, ran: list[Ran]) -> None:
        """Neither output nor anything beside the snapshot holds a credential."""
        made = agents.cluster
        known = {MANAGEMENT.get(self.PRODUCT, ""), made.root_token, *made.keys} - {""}
        known |= {(made.trust / "key.pem").read_text().splitlines()[1]}
        told = [run.out + run.err for run in ran]
        for member in made.members:
            for folder in ("/etc/platform", f"/var/lib/{backup.NAME}", "/var/lib/node_exporter"):
                told += [
                    file.read_text(errors="replace") for file in member.made.path(folder).rglob("*") if file.is_file()
                ]
        told += [note.read_text() for note in agents.stores.rglob(f"*{NOTE_SUFFIX}")]
        assert any(told)
        for secret in known:
            assert not [text for text in told if secret in text]

    def test_a_leader_that_dies_before_its_turn_loses_no_backup(self, agents: Agents) -> None:
        agents.lay_out(watch=self.ELECTION, run=self.ELECTION + 6)
        leader = agents.cluster.leader()
        leader.kill()
        ran = {run.member.spec.name: run for run in agents.run()}
        agents.cluster.settle()
        self.whole(agents)
        dead = ran.pop(leader.spec.name)
        assert dead.code == 1
        assert "nobody can tell who leads" in dead.err
        assert sorted(run.code for run in ran.values()) == [0, 0], ran

    def test_a_leader_that_dies_during_the_snapshot_loses_no_backup(self, agents: Agents) -> None:
        agents.lay_out(watch=self.ELECTION, run=self.ELECTION + 6)
        leader = agents.cluster.leader()
        host, port = leader.address, int(agents.cluster.api(leader).url.rpartition(":")[2])
        with line(host, port, whole=self.ANSWERS, most=3500, lost=leader.kill) as cut:
            agents.rewrite(leader, server={"url": f"https://127.0.0.1:{cut.port}"})
            ran = agents.run()
            assert cut.cut
        agents.cluster.settle()
        self.whole(agents)
        assert {run.member.spec.name: run.code for run in ran} == {
            member.spec.name: int(member is leader) for member in agents.cluster.members
        }, ran

    def test_a_machine_that_dies_during_the_upload_loses_no_backup(self, agents: Agents) -> None:
        agents.lay_out(watch=self.ELECTION, run=self.ELECTION + 6)
        leader = agents.cluster.leader()
        (agents.stores / "aws" / ".fault").write_text("slow")
        started = {member.spec.name: agents.start(member) for member in agents.cluster.members}
        until((agents.stores / "aws" / ".asked").exists, "the first upload")
        started[leader.spec.name].kill()
        leader.kill()
        (agents.stores / "aws" / ".fault").write_text("")
        ran = [agents.ended(member, started[member.spec.name]) for member in agents.cluster.members]
        agents.cluster.settle()
        assert sorted(run.code for run in ran) == [-9, 0, 0], ran
        self.whole(agents)

    @pytest.mark.parametrize(
        ("server", "why"),
        [
            ({"version": "0.0.1"}, "its machine is configured for 0.0.1"),
            ({"servers": ["127.0.0.9"]}, "it is of another cluster: its servers are"),
            ({"inspect": ["false", "snapshot", "inspect"], "optional": False}, "false snapshot inspect refuses it"),
        ],
        ids=["version", "cluster", "inspection"],
    )
    def test_what_does_not_belong_here_is_refused_before_any_upload(
        self, agents: Agents, server: dict[str, object], why: str
    ) -> None:
        agents.lay_out(server=server, watch=0, run=1)
        leader = agents.cluster.leader()
        run = agents.alone(leader, "--now")
        assert run.code == 1
        assert f"platform-backup: {self.PRODUCT}: not taken: " in run.err
        assert why in run.err
        assert run.err.count(f"{self.PRODUCT}: not taken") == 1, "one line a problem"
        assert agents.stored("aws") == agents.stored("gcp") == []
        assert agents.metric(leader, "last_run_failed", destination="gcp") == 1

    def test_a_snapshot_of_a_cluster_that_went_back_is_refused(self, agents: Agents) -> None:
        agents.lay_out(watch=0, run=1)
        leader = agents.cluster.leader()
        leader.made.write(
            f"/var/lib/{backup.NAME}/state.json", json.dumps({self.PRODUCT: {"sent": {}, "index": "999999999"}})
        )
        run = agents.alone(leader)
        assert run.code == 1
        assert "the last was 999999999: the cluster went back" in run.err
        assert agents.stored("aws") == []

    def test_a_backup_restored_into_a_fresh_cluster_gives_the_data_back(self, agents: Agents) -> None:
        made = agents.cluster
        agents.lay_out(**QUICK)
        self.write(made)
        assert [run.code for run in agents.run()] == [0, 0, 0]
        (name,) = agents.stored("gcp")
        snapshot = (agents.stores / "gcp" / name).read_bytes()
        for member in made.members:
            member.kill()
        for member in made.members:
            data = member.made.path(f"/opt/{self.PRODUCT}/data")
            shutil.rmtree(data)
            data.mkdir()
        self.restore(made, snapshot)
        assert self.read(made) == CANARY


@pytest.mark.binaries
class TestConsul(Voters):
    PRODUCT = "consul"
    ANSWERS = 2

    def write(self, made: Cluster) -> None:
        made.api(made.leader())("PUT", "/v1/kv/canary", CANARY.encode())

    def read(self, made: Cluster) -> str:
        (found,) = made.api(made.leader()).until("/v1/kv/canary", bool)
        return base64.b64decode(found["Value"]).decode()

    def restore(self, made: Cluster, snapshot: bytes) -> None:
        for member in made.members:
            member.start()
        made.bootstrap()
        made.api(made.leader())("PUT", "/v1/snapshot", snapshot)

    def test_a_store_that_fails_for_a_while_is_tried_again(self, agents: Agents) -> None:
        agents.lay_out(**QUICK)
        (agents.stores / "gcp" / ".fault").write_text("busy 2")
        assert [run.code for run in agents.run()] == [0, 0, 0]
        assert len(agents.stored("gcp")) == 1

    @pytest.mark.parametrize("fault", ["busy", "refused"])
    def test_a_destination_that_fails_keeps_its_backup_waiting_and_stops_no_other(
        self, agents: Agents, fault: str
    ) -> None:
        agents.lay_out(watch=0, run=2)
        leader = agents.cluster.leader()
        (agents.stores / "gcp" / ".fault").write_text(fault)
        run = agents.alone(leader)
        assert run.code == 1
        assert [line for line in run.err.splitlines() if " consul to gcp: " in line] == [
            f"platform-backup: consul to gcp: gcp is {fault}; it waits in memory and is sent by the next run"
        ]
        (kept,) = agents.stored("aws")
        assert agents.stored("gcp") == []
        assert kept.replace("/", "~") in agents.spooled(leader)
        assert agents.metric(leader, "last_run_failed", destination="aws") == 0
        assert agents.metric(leader, "last_run_failed", destination="gcp") == 1
        (agents.stores / "gcp" / ".fault").unlink()
        (agents.stores / "gcp" / ".asked").unlink()
        time.sleep(1.1)
        run = agents.alone(leader)
        assert (run.code, run.err) == (0, "")
        asked = [name for name in (agents.stores / "gcp" / ".asked").read_text().splitlines() if "consul/" in name]
        assert asked[:2] == [kept, kept + NOTE_SUFFIX], "what waited goes first"
        assert len(agents.stored("gcp")) == len(agents.stored("aws")) == 2
        assert agents.spooled(leader) == []
        assert agents.metric(leader, "last_run_failed", destination="gcp") == 0

    def test_an_object_that_an_interrupted_run_had_stored_is_no_failure(self, agents: Agents) -> None:
        agents.lay_out(watch=0, run=2)
        leader = agents.cluster.leader()
        (agents.stores / "gcp" / ".fault").write_text("busy")
        agents.alone(leader)
        (waiting,) = [name for name in agents.spooled(leader) if name.startswith("consul")]
        place = agents.stores / "gcp" / waiting.replace("~", "/")
        place.parent.mkdir(parents=True)
        shutil.copy(leader.made.path("/run/platform/spool") / waiting, place)
        (agents.stores / "gcp" / ".fault").unlink()
        run = agents.alone(leader)
        assert (run.code, run.err) == (0, "")
        assert agents.spooled(leader) == []

    @pytest.mark.parametrize(
        ("clouds", "admits", "why"),
        [
            (("aws",), True, "the manifest names no bucket in gcp"),
            (("aws", "gcp"), False, "the bucket in gcp admits no consul-server of aws yet"),
        ],
        ids=["no peer", "not admitted"],
    )
    def test_a_destination_that_is_not_there_yet_is_said_and_stops_no_other(
        self,
        agents: Agents,
        clouds: tuple[str, ...],
        admits: bool,  # noqa: FBT001
        why: str,
    ) -> None:
        agents.lay_out(watch=0, run=1)
        leader = agents.cluster.leader()
        agents.tell(manifest(agents.stores, clouds, admits=admits))
        run = agents.alone(leader)
        assert run.code == 1
        assert why.removesuffix(" yet") in run.err
        assert len(agents.stored("aws")) == 1
        assert agents.metric(leader, "last_run_failed", destination="gcp") == 1

    def test_without_a_readable_manifest_backups_go_where_the_last_one_said(self, agents: Agents) -> None:
        agents.lay_out(watch=0, run=1)
        leader = agents.cluster.leader()
        agents.tell(None)
        run = agents.alone(leader)
        assert run.code == 1
        assert "the manifest cannot be read: read-secret: denied" in run.err
        assert len([name for name in agents.spooled(leader) if name.startswith("consul")]) == 1
        agents.tell(manifest(agents.stores))
        assert agents.alone(leader).code == 0
        agents.tell(None)
        time.sleep(1.1)
        run = agents.alone(leader)
        assert "using the last" in run.err
        assert run.code == 0, run.err
        assert len(agents.stored("gcp")) == 3

    def test_a_manifest_is_stored_when_it_changes_and_else_once_a_day(self, agents: Agents) -> None:
        agents.lay_out(watch=0)
        leader = agents.cluster.leader()
        for _ in range(2):
            assert agents.alone(leader).code == 0
            time.sleep(1.1)
        (first,) = agents.stored("aws", "platform")
        changed = manifest(agents.stores).model_copy(update={"tenant": "other"})
        agents.tell(changed)
        time.sleep(1.1)
        assert agents.alone(leader).code == 0
        assert len(agents.stored("aws", "platform")) == 2
        time.sleep(1.1)
        assert agents.alone(leader, "--now").code == 0
        assert len(agents.stored("gcp", "platform")) == 3
        assert first in agents.stored("aws", "platform")

    def test_wrong_settings_are_said_and_end_with_two(self, agents: Agents) -> None:
        agents.lay_out(**QUICK)
        member = agents.cluster.members[0]
        member.made.write("/etc/platform/backup.json", '{"cloud": "aws"}')
        run = agents.alone(member)
        assert run.code == 2
        assert "wrong settings, nothing is backed up: KeyError" in run.err

    def test_help_says_what_it_does_and_what_its_exit_codes_mean(self, agents: Agents) -> None:
        run = agents.alone(agents.cluster.members[0], "--help")
        assert run.code == 0
        assert "Exit code: 0 done, or another server leads; 1" in " ".join(run.out.split())


@pytest.mark.binaries
class TestNomad(Voters):
    PRODUCT = "nomad"
    ANSWERS = 2

    def write(self, made: Cluster) -> None:
        made.api(made.leader())("PUT", "/v1/var/canary", {"Items": {"value": CANARY}})

    def read(self, made: Cluster) -> str:
        return made.api(made.leader()).until("/v1/var/canary", bool)["Items"]["value"]

    def restore(self, made: Cluster, snapshot: bytes) -> None:
        for member in made.members:
            member.start()
        made.bootstrap()
        made.api(made.leader())("PUT", "/v1/operator/snapshot", snapshot)


@pytest.mark.binaries
class TestVault(Voters):
    PRODUCT = "vault"
    ANSWERS = 3

    def write(self, made: Cluster) -> None:
        made.api(made.leader())("POST", "/v1/secret/canary", {"value": CANARY})

    def read(self, made: Cluster) -> str:
        return made.api(made.members[0]).until("/v1/secret/canary", bool)["data"]["value"]

    def restore(self, made: Cluster, snapshot: bytes) -> None:
        first = made.members[0]
        first.start()
        api = made.api(first)
        api.until("/v1/sys/seal-status", lambda said: not said["initialized"])
        fresh = api("POST", "/v1/sys/init", {"secret_shares": 1, "secret_threshold": 1})
        api("POST", "/v1/sys/unseal", {"key": fresh["keys_base64"][0]})
        api.until("/v1/sys/leader", lambda said: said["is_self"])
        old, made.root_token = made.root_token, fresh["root_token"]
        made.api(first)("POST", "/v1/sys/storage/raft/snapshot-force", snapshot)
        made.root_token = old
        api.until("/v1/sys/seal-status", lambda said: said["sealed"])
        api("POST", "/v1/sys/unseal", {"key": made.keys[0]})
