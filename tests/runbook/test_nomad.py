"""`runbook health` on real servers of Nomad: well, short of one, short of a majority, gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.runbook.real import Running, running
from tests.runbook.scenarios import all_lost, majority_lost, one_lost, passes, passes_by_the_least_token

pytestmark = [pytest.mark.binaries, pytest.mark.lab]


@pytest.fixture(scope="module")
def nomad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("nomad", tmp_path_factory.mktemp("nomad")) as made:
        yield made


def test_nomad_passes_when_it_is_well(nomad: Running, record_property: Callable[[str, object], None]) -> None:
    ran = passes(nomad, record_property)
    assert "regions aws are federated" in ran.said("fine")


def test_nomad_passes_by_the_token_of_the_operators_page(nomad: Running) -> None:
    passes_by_the_least_token(nomad)


def test_nomad_short_of_one_server_names_the_tolerance(nomad: Running) -> None:
    one_lost(nomad)


def test_nomad_short_of_a_majority_has_no_quorum(nomad: Running) -> None:
    majority_lost(nomad)


def test_nomad_that_is_gone_is_undetermined(nomad: Running) -> None:
    all_lost(nomad)
