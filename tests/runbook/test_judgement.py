"""What is bad is found and named; what nobody said is never fine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from components.plan.spec import PRODUCTS, Product
from runbook.errors import FOUND, PASSED, UNKNOWN
from runbook.health import consul, nomad, vault
from runbook.health.checks import CHECKS
from runbook.health.machines import ENDPOINT, METRICS
from runbook.health.outcome import Verdict
from runbook.health.questions import QUESTIONS
from runbook.health.replies import Answered, Certificate, Unanswered
from tests.runbook.regions import FRESH, NOW, REFUSED, SILENT, World, answers, autopilot, code, metrics, told

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def test_a_healthy_platform_passes_every_check_of_every_cluster() -> None:
    found = World().judged()
    assert (code(found), told(found)) == (PASSED, [])
    judged = {(outcome.subject, outcome.check) for outcome in found}
    for cloud in World().clouds:
        for product in PRODUCTS:
            assert {check for subject, check in judged if subject == f"{product}-{cloud}"} == {
                check.name for check in CHECKS[product]
            }


def test_the_state_of_tunnels_is_said_to_be_unasked_and_never_fine() -> None:
    states = [outcome.verdict for outcome in World().judged() if outcome.check == "tunnels up"]
    assert states == [Verdict.NOT_ASKED] * 3


def _changed(name: str, changes: dict[str, object], index: int = 0) -> Callable[[World], None]:
    def change(world: World) -> None:
        facts = world.facts(name)
        state = autopilot(facts)
        state["Servers"][index] |= changes
        world.all_say(name, consul.AUTOPILOT if facts.product == "consul" else nomad.AUTOPILOT, state)

    return change


def _says(cluster: str, question: str, body: object, status: int = 200) -> Callable[[World], None]:
    def change(world: World) -> None:
        (asked,) = (one for one in QUESTIONS[world.facts(cluster).product] if one.name == question)
        world.all_say(cluster, asked, body, status)

    return change


def _tolerates(cluster: str, tolerance: int) -> Callable[[World], None]:
    def change(world: World) -> None:
        facts = world.facts(cluster)
        question = consul.AUTOPILOT if facts.product == "consul" else nomad.AUTOPILOT
        world.all_say(cluster, question, autopilot(facts, tolerance))

    return change


def _vault_state(changes: dict[str, object]) -> Callable[[World], None]:
    def change(world: World) -> None:
        body = json.loads(json.dumps(answers(world.facts("vault-gcp"), world.clouds)[vault.AUTOPILOT]))
        body["data"] |= changes
        world.say("vault-gcp-1", vault.AUTOPILOT, body)

    return change


def _wan(drop: str = "", dead: str = "") -> Callable[[World], None]:
    def change(world: World) -> None:
        members = answers(world.facts("consul-azure"), world.clouds)[consul.WAN]
        assert isinstance(members, list)
        kept = [
            {**member, "Status": 4 if member["Name"] == dead else 1}
            for member in members
            if member["Tags"]["dc"] != drop and member["Name"] != drop
        ]
        world.all_say("consul-azure", consul.WAN, kept)

    return change


def _cert(server: str, left: dt.timedelta, life: dt.timedelta = 90 * DAY) -> Callable[[World], None]:
    def change(world: World) -> None:
        certificate = Certificate(NOW + left - life, NOW + left)
        for (name, question), reply in world.replies.items():
            if name == server and isinstance(reply, Answered) and reply.certificate:
                world.replies[name, question] = Answered(reply.status, reply.text, certificate)

    return change


def _metrics(cluster: str, text: str, *, only: str = "") -> Callable[[World], None]:
    def change(world: World) -> None:
        for server in world.servers(cluster):
            if not only or server == only:
                world.say(server, METRICS, text, certificate=None)

    return change


def _replicates(**changes: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        status = answers(world.facts("consul-gcp"), world.clouds)[consul.REPLICATION]
        assert isinstance(status, dict)
        world.all_say("consul-gcp", consul.REPLICATION, {**status, **changes})

    return change


NODE = {"ID": "node-id", "Name": "client-9", "Status": "ready", "SchedulingEligibility": "eligible"}


def _half(world: World) -> None:
    mesh = world.regions["aws"].mesh
    assert mesh
    first, *others = mesh.tunnels
    world.change(
        "aws", mesh=mesh.model_copy(update={"tunnels": (first.model_copy(update={"status": "half"}), *others)})
    )


def _local_token(world: World) -> None:
    for server in world.servers("consul-aws"):
        world.say(server, consul.TOKEN, {"AccessorID": "one", "Local": True})


def _old_and_one_silent(world: World) -> None:
    _metrics("vault-azure", metrics("vault", "azure", 3 * DAY))(world)
    world.replies["vault-azure-1", METRICS.name] = SILENT


def _unhealthy(world: World) -> None:
    state = autopilot(world.facts("consul-aws"), 1, Healthy=False)
    world.all_say("consul-aws", consul.AUTOPILOT, state, 429)


WRONG: list[tuple[str, Callable[[World], None], str]] = [
    ("autopilot's status is 429", _unhealthy, "consul-aws autopilot: not healthy"),
    ("a tunnel is declared by one side", _half, "mesh-aws 3 of 4 tunnels to azure are declared"),
    ("a server is gone", lambda w: w.drop("consul-aws-2"), "consul-aws consul-aws-2 refuses connections while others"),
    ("tolerance is lost", _tolerates("consul-azure", 1), "consul-azure failure tolerance 1 of 2"),
    ("tolerance is nought", _tolerates("nomad-gcp", 0), "nomad-gcp failure tolerance 0 of 2"),
    ("a vote is lost", _changed("consul-aws", {"Voter": False}, 1), "consul-aws consul-aws-2 has no vote"),
    ("a stranger votes", _changed("nomad-aws", {"Address": "10.9.9.9:1", "Name": "x"}), "x has a vote and is not"),
    ("autopilot complains", _changed("nomad-aws", {"Healthy": False}), "autopilot calls nomad-aws-1 unhealthy"),
    ("a version differs", _changed("consul-gcp", {"Version": "1.20.6"}), "consul-gcp-1 runs 1.20.6, planned is 1.21.0"),
    ("nobody leads", _says("nomad-aws", "nomad autopilot", "No cluster leader", 500), "nomad-aws no leader"),
    ("a datacenter is away", _wan("gcp"), "consul-azure datacenter gcp is not in the WAN list"),
    ("a far server is dead", _wan(dead="consul-aws-3.aws"), "consul-azure consul-aws-3.aws is not alive in the WAN"),
    ("a far server is away", _wan("consul-aws-3.aws"), "4 of 5 servers of datacenter aws are alive in the WAN list"),
    ("replication stands", _replicates(Running=False), "consul-gcp ACL replication does not run"),
    ("replication fails", _replicates(LastError="2026-11-30T05:59:30Z"), "not succeeded since it last failed"),
    ("tokens are not copied", _replicates(ReplicationType="policies"), "copies policies and no tokens"),
    ("a token is lost", _says("consul-gcp", "consul token", "ACL not found", 403), "consul-gcp-4 does not know a token"),
    ("a node is sealed", lambda w: w.say("vault-aws-2", vault.SEAL, {"initialized": True, "sealed": True,
     "version": "1.21.0"}), "vault-aws vault-aws-2 is sealed"),
    ("a node is blank", lambda w: w.say("vault-aws-2", vault.SEAL, {"initialized": False, "sealed": True,
     "version": "1.21.0"}), "vault-aws vault-aws-2 is not initialised"),
    ("two are active", lambda w: w.say("vault-aws-2", vault.LEADER, {"is_self": True}), "each call themselves active"),
    ("none is active", lambda w: w.say("vault-aws-1", vault.LEADER, {"is_self": False}), "vault-aws no node is active"),
    ("Vault has no slack", _vault_state({"failure_tolerance": 0}), "vault-gcp failure tolerance 0 of 1"),
    ("Vault is unhealthy", _vault_state({"healthy": False}), "vault-gcp autopilot: not healthy"),
    ("a node has no vote", _vault_state({"voters": ["vault-gcp-1"]}), "vault-gcp vault-gcp-3 has no vote"),
    ("one audit device", _says("vault-aws", "vault audit", {"data": {"file/": {}}}), "1 audit devices, 2 are needed"),
    ("a client is down", _says("nomad-aws", "nomad nodes", [NODE | {"Status": "down"}, NODE | {"ID": "m"}]),
     "client client-9 (node-id) is down"),
    ("a client is out", _says("nomad-aws", "nomad nodes", [NODE | {"SchedulingEligibility": "ineligible"}]),
     "client client-9 (node-id) takes no work"),
    ("clients are few", _says("nomad-aws", "nomad nodes", [NODE]), "1 clients are ready, at least 2 are planned"),
    ("a region is apart", _says("nomad-gcp", "nomad regions", ["gcp", "aws"]), "nomad-gcp region azure is not federated"),
    ("a server is unwell", lambda w: w.say("nomad-aws-4", nomad.SELF, {}, 500), "nomad-aws-4 says that it cannot serve"),
    ("a worker is alone", _says("boundary-aws", "boundary worker",
     {"worker_process_info": {"upstream_connection_state": "CONNECTING"}}), "boundary-aws-1 has no connection"),
    ("a port is closed", lambda w: w.dials.update({k: "refused" for k in w.dials if k[0] == "consul-aws-1"
     and k[1].first == 8302}), "consul-aws-1 port 8302 is closed while others are open"),
    ("a certificate ends", _cert("vault-azure-3", 5 * DAY), "vault-azure-3 certificate ends in 5 days (critical)"),
    ("a certificate nears its end", _cert("vault-azure-3", 20 * DAY), "certificate ends in 20 days (warning)"),
    ("a short one nears its end", _cert("nomad-aws-1", 3 * DAY, 10 * DAY), "certificate ends in 3 days (warning)"),
    ("the balancer's ends", _cert("vault-azure", 5 * DAY), "vault-azure (balancer) certificate ends in 5 days"),
    ("a stranger answers", lambda w: w.drop("vault-aws-3", Unanswered("untrusted", "self-signed certificate")),
     "vault-aws-3 certificate cannot be trusted: self-signed certificate"),
    ("the balancer is empty", lambda w: w.replies.update({("consul-aws", ENDPOINT): Answered(200, '""\n', FRESH)}),
     "consul-aws the balancer leads to a server without a leader"),
    ("the balancer fails", lambda w: w.replies.update({("vault-aws", ENDPOINT): Answered(503, "", FRESH)}),
     "vault-aws the balancer leads to a server that cannot serve: 503"),
    ("the balancer is away", lambda w: w.replies.update({("vault-aws", ENDPOINT): REFUSED}),
     "vault-aws the balancer refuses connections while servers answer"),
    ("a disk fills", _metrics("nomad-gcp", metrics("nomad", "gcp", full=0.85)), "disk /opt is 85% full (warning)"),
    ("an exporter is down", lambda w: w.replies.update({("vault-aws-1", METRICS.name): REFUSED}),
     "vault-aws-1 the node exporter is down while the machine answers"),
    ("a backup is old", _metrics("vault-azure", metrics("vault", "azure", dt.timedelta(hours=2))),
     "vault-azure backup of vault in azure is 2.0 hours old"),
    ("there is no backup", _metrics("vault-azure", metrics("nomad", "azure")), "backup of vault in aws: no machine knows"),
    ("a backup is of tomorrow", _metrics("vault-azure", metrics("vault", "azure", -DAY)), "is of the future"),
    ("a backup run failed and none came since",
     _metrics("nomad-aws", metrics("nomad", "aws", 50 * MINUTE).replace('azure"} 0', 'azure"} 1')),
     "nomad-aws-1 its last run failed to bring nomad to azure"),
    ("a tunnel is half", lambda w: w.change("aws", mesh=w.regions["aws"].mesh and w.regions["aws"].mesh.model_copy(
     update={"tunnels": w.regions["aws"].mesh.tunnels[1:]})), "mesh-aws 3 of 4 tunnels to azure are declared"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_bad_is_found_and_named(change: Callable[[World], None], says: str) -> None:
    world = World()
    change(world)
    found = world.judged()
    assert any(says in line for line in told(found, Verdict.WRONG)), told(found)
    assert code(found) == FOUND


def _deny(cluster: str, question: str) -> Callable[[World], None]:
    return _says(cluster, question, "Permission denied", 403)


UNDECIDED: list[tuple[str, Callable[[World], None], str]] = [
    ("the token is local", _local_token, "not known whether tokens arrive"),
    ("a silent machine may have a newer backup", _old_and_one_silent, "(critical), but 1 of 3 machines do not say"),
    ("autopilot may not be read", _deny("consul-aws", "consul autopilot"), "the token may not ask this"),
    ("members may not be read", _says("consul-aws", "consul wan", []), "no list of members: the token may not read it"),
    ("clients may not be read", _deny("nomad-aws", "nomad nodes"), "no list of clients: the token may not ask this"),
    ("audit may not be read", _deny("vault-aws", "vault audit"), "audit devices cannot be listed: the token may not"),
    ("only standbys send on", _says("vault-aws", "vault autopilot", "", 307), "the active node says nothing"),
    ("autopilot is young", _says("consul-aws", "consul autopilot", {"Healthy": True, "FailureTolerance": 0,
     "Servers": None}), "autopilot has not looked at the servers yet"),
    ("regions use two tokens", lambda w: setattr(w, "shared", frozenset()), "not known whether tokens arrive"),
    ("a server hangs", lambda w: w.drop("vault-aws-3", SILENT), "vault-aws-3 does not answer: timed out"),
    ("an answer is garbled", _says("nomad-aws", "nomad nodes", "<html>"), "an answer that this program does not"),
    ("metrics are something else", _metrics("consul-aws", "hello"), "an answer that this program does not"),
    ("no disk is named", _metrics("consul-aws", metrics("consul", "aws").replace("ext4", "tmpfs")), "name no disk"),
    ("the manifest is old", lambda w: w.change("gcp", backup=None, mesh=None), "the manifest says nothing of"),
    ("the balancer has no name", lambda w: w.replies.update({("vault-aws", ENDPOINT): Unanswered("unresolved")}),
     "the balancer cannot be reached: unresolved"),
    ("the machine with the backup is silent", lambda w: [_metrics("vault-azure", metrics("nomad", "azure"))(w),
     w.replies.update({("vault-azure-1", METRICS.name): SILENT})][0], "1 of 3 machines do not say"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), [case[1:] for case in UNDECIDED], ids=[case[0] for case in UNDECIDED])
def test_what_could_not_be_determined_is_said_and_is_neither_fine_nor_wrong(
    change: Callable[[World], None], says: str
) -> None:
    world = World()
    change(world)
    found = world.judged()
    assert any(says in line for line in told(found, Verdict.UNKNOWN)), told(found)
    assert code(found) == UNKNOWN, told(found)


def test_an_elevated_value_is_shown_and_passes() -> None:
    world = World()
    _cert("vault-azure-3", 40 * DAY)(world)
    found = world.judged()
    assert told(found) == ["vault-azure vault-azure-3 certificate ends in 40 days (elevated)"]
    assert code(found) == PASSED


def test_a_failed_run_on_one_machine_passes_while_another_stored_in_time() -> None:
    world = World()
    _metrics("nomad-aws", metrics("nomad", "aws", 50 * MINUTE).replace('azure"} 0', 'azure"} 1'))(world)
    world.say("nomad-aws-3", METRICS, metrics("nomad", "aws", MINUTE), certificate=None)
    found = world.judged()
    says = "its last run failed to bring nomad to azure, and the newest there is in time"
    assert f"nomad-aws nomad-aws-1 {says}" in told(found)
    assert code(found) == PASSED


@pytest.mark.parametrize("cluster", ["consul-aws", "vault-azure", "nomad-gcp"])
@pytest.mark.parametrize("silent", [REFUSED, SILENT])
def test_a_cluster_that_nobody_can_reach_is_undetermined(cluster: str, silent: Unanswered) -> None:
    world = World()
    for server in world.servers(cluster):
        world.drop(server, silent)
    world.drop(cluster, silent)
    found = world.judged(world.facts(cluster).product, clouds=(world.regions[cluster.split("-")[1]].cloud,))  # type: ignore[index]
    assert code(found) == UNKNOWN, told(found)
    assert any("no server can be reached from here" in line for line in told(found))


@pytest.mark.parametrize("cluster", ["consul-aws", "vault-azure", "nomad-gcp"])
def test_a_lost_majority_is_no_quorum_although_the_rest_still_names_a_leader(cluster: str) -> None:
    world = World()
    first, *others = world.servers(cluster)
    for server in [first, *others[: len(others) // 2]]:
        world.drop(server)
    for server in others[len(others) // 2 :]:
        for question in QUESTIONS[world.facts(cluster).product]:
            if question.led:
                world.replies[server, question.name] = SILENT
    lines = told(world.judged(), Verdict.WRONG)
    left, needed = len(others) - len(others) // 2, len(world.servers(cluster)) // 2 + 1
    says = f"{cluster} no quorum: {left} of {len(others) + 1} servers are left, {needed} are needed"
    assert says in lines


@pytest.mark.parametrize("product", ["consul", "nomad"])
def test_silent_servers_that_the_rest_calls_failed_are_lost_and_others_are_not(product: Product) -> None:
    world = World()
    lost = world.facts(f"{product}-aws").servers[:3]
    for server in lost:
        world.drop(server.name, SILENT)
    for server in world.facts(f"{product}-aws").servers[3:]:
        for question in QUESTIONS[product]:
            if question.led:
                world.replies[server.name, question.name] = SILENT
    assert not any("no quorum" in line for line in told(world.judged()))
    for server in world.facts(f"{product}-aws").servers[3:]:
        failed = [{"Name": one.name, "Addr": one.address, "Tags": {}, "Status": 4} for one in lost]
        world.say(server.name, consul.LAN, failed)
        world.say(server.name, nomad.MEMBERS, {"Members": [one | {"Status": "failed"} for one in failed]})
    assert f"{product}-aws no quorum: 2 of 5 servers are left, 3 are needed" in told(world.judged())
