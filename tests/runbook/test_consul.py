"""`runbook health` on real servers of Consul: well, short of one, short of a majority, hanging, gone."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from components.plan.spec import PRODUCTS
from runbook.credentials import tokens
from runbook.health.checks import Scope
from runbook.health.outcome import Verdict
from runbook.health.survey import survey
from tests.rendered.test_region import SMALL
from tests.runbook.real import Running, running
from tests.runbook.regions import bands, told
from tests.runbook.scenarios import all_lost, majority_lost, one_lost, passes, passes_by_the_least_token, settled

pytestmark = [pytest.mark.binaries, pytest.mark.lab]


@pytest.fixture(scope="module")
def consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("consul", tmp_path_factory.mktemp("consul")) as made:
        yield made


def test_consul_passes_when_it_is_well(consul: Running, record_property: Callable[[str, object], None]) -> None:
    ran = passes(consul, record_property)
    (subject,) = ran.document["subjects"]
    assert (subject["name"], subject["verdict"]) == ("consul-aws", "fine")
    assert "failure tolerance 1 of 1" in ran.said("fine")


def test_consul_passes_by_the_token_of_the_operators_page(consul: Running) -> None:
    passes_by_the_least_token(consul)


def test_consul_without_a_token_is_undetermined(consul: Running) -> None:
    ran = consul.health(tokens={})
    assert ran.code == 3, ran.said()
    assert "the leader says nothing: the token may not ask this (see Tokens)" in ran.said("unknown")


def test_consuls_balancer_is_asked_by_its_name(consul: Running) -> None:
    name = f"consul.{SMALL.domain}"
    facts = consul.manifest.clusters[0].model_copy(
        update={"endpoint": f"https://{name}:8501", "health": f"https://{name}:8501/v1/status/leader"}
    )
    manifest = consul.manifest.model_copy(update={"clusters": (facts,)})

    async def balanced(host: str) -> str:
        assert host == name
        return consul.made.members[1].address

    scope = Scope(frozenset({"aws"}), frozenset(PRODUCTS), links=False)
    found = survey({"aws": manifest}, scope, tokens(consul.tokens), bands(), 20, balanced)
    assert told(found) == []
    fine = told(found, Verdict.FINE)
    assert "consul-aws the balancer leads to a server that serves" in fine
    assert any(line.startswith("consul-aws consul-aws (balancer) certificate ends in ") for line in fine)


def test_a_hanging_consul_server_is_named_and_holds_nothing_up(consul: Running) -> None:
    stuck = consul.made.followers()[0]
    assert stuck.process
    stuck.process.send_signal(signal.SIGSTOP)
    try:
        ran = consul.health("--deadline", "4")
    finally:
        stuck.process.send_signal(signal.SIGCONT)
    assert ran.code in (1, 3)
    assert f"{stuck.spec.name} does not answer: timed out" in ran.said("unknown"), ran.said()
    assert ran.document["seconds"] < 4 + 5
    settled(consul)


def test_a_majority_that_hangs_is_no_quorum_once_the_rest_calls_it_failed(consul: Running) -> None:
    stuck = [consul.made.leader(), consul.made.followers()[0]]
    for member in stuck:
        assert member.process
        member.process.send_signal(signal.SIGSTOP)
    try:
        says = "no quorum: 1 of 3 servers are left, 2 are needed"
        ran = consul.until(lambda ran: says in ran.said("wrong"), "--deadline", "3")
    finally:
        for member in stuck:
            if member.process:
                member.process.send_signal(signal.SIGCONT)
    assert ran.code == 1
    settled(consul)


def test_consul_short_of_one_server_names_the_tolerance(consul: Running) -> None:
    one_lost(consul)


def test_consul_short_of_a_majority_has_no_quorum(consul: Running) -> None:
    majority_lost(consul)


def test_consul_that_is_gone_is_undetermined(consul: Running) -> None:
    all_lost(consul)
