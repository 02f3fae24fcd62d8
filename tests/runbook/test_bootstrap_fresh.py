"""`runbook bootstrap` on fresh Consul and Nomad clusters: killed after every change, run twice at once, and what follows.

Apart from the regions of `test_bootstrap_platform`, which hold the same addresses while its tests run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.plan import secrets
from components.plan.spec import Product
from runbook.bootstrap.consul import TOKENS as MADE
from tests.runbook.bringup import TOKENS, Ended, Fleet, Holders, Started, fleet, killer, sizes

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
POOL: tuple[Product, ...] = ("consul", "nomad")
MANAGEMENT = TOKENS[secrets.CONSUL_MANAGEMENT]


def run(made: Fleet, *words: str) -> Ended:
    return Started(made.manifests.values(), *words, "--json").end()


def unchanged(made: Fleet) -> None:
    """A run finds everything and changes nothing."""
    ran = run(made)
    assert (ran.code, ran.document["state"]) == (0, "unchanged"), ran.said()


def test_a_run_that_is_killed_after_every_change_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    hook = killer(tmp_path / "hook", 1)
    with fleet(tmp_path / "fleet", POOL) as made:
        codes = []
        while not codes or codes[-1] == -9:
            codes.append(Started(made.manifests.values(), "--json", hook=hook).end().code)
            assert len(codes) < 30
        assert codes[-1] == 0
        # A policy and a token of each entry, and Nomad's access control; Consul makes its first token by itself.
        assert len(codes) - 1 >= 2 * len(MADE) + 1
        unchanged(made)


def test_two_runs_at_the_same_moment_both_end_well(tmp_path: Path) -> None:
    with fleet(tmp_path / "fleet", POOL, servers=sizes(consul=3, nomad=3)) as made:
        started = [Started(made.manifests.values(), "--json") for _ in range(2)]
        ended = [each.end() for each in started]
        assert [ran.code for ran in ended] == [0, 0], [ran.said() for ran in ended]
        unchanged(made)
        known = made.ask(made.of("consul")[0], "GET", "/v1/acl/tokens", token=MANAGEMENT)[1]
        assert len(known) == 2 + len(MADE)


def test_vault_and_nomad_register_with_consul_once_their_tokens_exist(tmp_path: Path) -> None:
    people = Holders.made(tmp_path / "people")
    with fleet(tmp_path / "fleet", ("consul", "vault", "nomad")) as made:
        ran = run(made, *people.words)
        assert ran.code == 0, ran.said()
        (consul,) = made.of("consul")

        def registered(status: int, said: Any) -> bool:  # noqa: ANN401 - any JSON value
            return status == 200 and {"consul", "vault", "nomad"} <= set(said)

        made.until(consul, "/v1/catalog/services", registered, token=MANAGEMENT)
        made.until(
            consul,
            "/v1/health/service/vault?passing",
            lambda status, said: status == 200 and len(said) == 1,
            token=MANAGEMENT,
        )
