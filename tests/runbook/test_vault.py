"""`runbook health` on real servers of Vault: well, one node sealed, short of one, short of a majority, gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.runbook.real import Running, restart, running
from tests.runbook.scenarios import all_lost, majority_lost, one_lost, passes, passes_by_the_least_token, settled

pytestmark = [pytest.mark.binaries, pytest.mark.lab]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("vault", tmp_path_factory.mktemp("vault")) as made:
        yield made


def test_vault_passes_when_it_is_well(vault: Running, record_property: Callable[[str, object], None]) -> None:
    ran = passes(vault, record_property)
    assert "2 audit devices, 2 are needed" in ran.said("fine")


def test_vault_passes_by_the_token_of_the_operators_page(vault: Running) -> None:
    passes_by_the_least_token(vault)


def test_one_sealed_vault_node_is_named_while_the_others_serve(vault: Running) -> None:
    sealed = vault.made.followers()[0]
    restart(vault.made, sealed)
    ran = vault.health()
    assert ran.code == 1
    assert f"{sealed.spec.name} is sealed" in ran.said("wrong")
    assert [line for line in ran.said("wrong") if line.endswith("is sealed")] == [f"{sealed.spec.name} is sealed"]
    assert any(line.endswith("is active") for line in ran.said("fine"))
    settled(vault)


def test_vault_short_of_one_node_names_the_tolerance(vault: Running) -> None:
    one_lost(vault)


def test_vault_short_of_a_majority_has_no_quorum(vault: Running) -> None:
    majority_lost(vault)


def test_vault_that_is_gone_is_undetermined(vault: Running) -> None:
    all_lost(vault)
