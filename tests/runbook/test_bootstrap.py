"""`runbook bootstrap` before it touches anything: what it needs, what it refuses, and what its documents promise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from components.plan import secrets
from components.plan.manifest import settings_of
from components.plan.spec import CLOUDS
from runbook.bootstrap import consul, rules
from runbook.bootstrap.platform import NEEDED
from runbook.bootstrap.report import document
from runbook.bootstrap.steps import State, Step, exit_code
from runbook.entries import LINEAGE
from sandbox.home import TREE
from tests.products.machines import PLATFORM
from tests.runbook.bringup import TOKENS, Ended, Started
from tests.runbook.real import run
from tests.runbook.regions import facts, region
from tests.runbook.strangers import credentials
from tests.runbook.test_command import pulumi

NOWHERE = "127.0.0.77"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A platform none of whose servers runs."""
    folder = tmp_path_factory.mktemp("manifests")
    authority = credentials(folder / "trust", ("server",), (NOWHERE,))
    files: list[Path] = []
    for cloud in CLOUDS:
        clusters = [facts(product, cloud, [NOWHERE]) for product in NEEDED]
        files.append(folder / f"{cloud}.json")
        written = region(cloud, clusters, caCertificate=authority, settings=settings_of(PLATFORM))
        files[-1].write_text(written.model_dump_json(by_alias=True))
    return files


def refuses(ran: Ended, code: int, says: str) -> None:
    assert ran.code == code, ran.err
    assert says in " ".join(ran.err.split())
    assert ran.out == ""


def test_entries_are_demanded_before_anything_is_asked(manifests: list[Path]) -> None:
    for entry in (secrets.CONSUL_REPLICATION, secrets.VAULT_HEALTH, secrets.NOMAD_MANAGEMENT):
        refuses(Started(manifests, entries=without(entry)).end(), 2, f"There is no {entry} in the descriptor")
    refuses(Started(manifests, entries=TOKENS | {secrets.CONSUL_AGENT: "short"}).end(), 2, "is no UUID")
    equal = TOKENS | {secrets.CONSUL_AGENT: TOKENS[secrets.CONSUL_MANAGEMENT]}
    refuses(Started(manifests, entries=equal).end(), 2, "Two entries in the descriptor are equal")


def without(entry: str) -> dict[str, str]:
    return {name: value for name, value in TOKENS.items() if name != entry}


def test_holders_are_checked_before_anything_is_asked(manifests: list[Path], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("nothing")
    refuses(Started(manifests, "--holder", str(key)).end(), 2, "go together")
    words = ("--holder", str(key), "--shares-to", str(tmp_path))
    refuses(Started(manifests, *words).end(), 2, "1 holders for 5 shares")
    refuses(Started(manifests, *words, "--shares", "1", "--threshold", "1").end(), 2, "no public key")


def test_servers_that_do_not_answer_are_undetermined_and_named_for_all_clusters_at_once(manifests: list[Path]) -> None:
    ran = Started(manifests, "--json", "--deadline", "1").end()
    assert ran.code == 3
    assert {cluster["name"]: cluster["state"] for cluster in ran.document["clusters"]} == {
        f"{product}-{cloud}": "unknown" for product in NEEDED for cloud in CLOUDS
    }
    assert any("its tokens come from aws" in said for said in ran.said())


def test_entries_come_from_the_primarys_stack(tmp_path: Path, manifests: list[Path]) -> None:
    said = tmp_path / "lineage.json"
    said.write_text(json.dumps({**TOKENS, secrets.CA_KEY: "-----BEGIN"}))
    path = pulumi(tmp_path, f'echo "$@" >>{tmp_path}/asked; cat {said}')
    words = [word for file in manifests for word in ("--manifest", str(file))]
    ran = run("bootstrap", *words, "--json", "--deadline", "1", tokens=path, cwd=tmp_path)
    assert ran.code == 3
    assert (tmp_path / "asked").read_text() == (
        f"stack output {LINEAGE} --json --non-interactive --stack aws --show-secrets\n"
    )
    said.write_text(json.dumps(without(secrets.CONSUL_NOMAD)))
    ran = run("bootstrap", *words, tokens=path, cwd=tmp_path)
    assert ran.code == 2
    assert "no consul-nomad-token in the lineage of stack aws" in ran.err
    said.write_text("null")
    assert "has no lineage" in run("bootstrap", *words, tokens=path, cwd=tmp_path).err
    for value in TOKENS.values():
        assert value not in ran.err


def test_a_finding_beats_what_is_not_known_and_doing_nothing_is_no_success() -> None:
    def code(*states: State) -> int:
        return exit_code(Step("c", state, "") for state in states)

    assert code() == 3
    assert code(State.UNCHANGED) == code(State.DONE, State.CHANGED, State.LEFT, State.WOULD) == 0
    assert code(State.UNKNOWN, State.DONE) == code(State.HOLDERS) == 3
    assert code(State.WRONG, State.UNKNOWN, State.HOLDERS) == 1
    assert document([Step("c", State.UNCHANGED, "")], 0).state == "unchanged"
    assert document([Step("c", State.UNCHANGED, "a\x1b[31m")], 0).clusters[0].steps[0].says == "a?[31m"


def test_every_chosen_token_is_made_by_the_bootstrap() -> None:
    chosen = {entry for entry, spec in secrets.ENTRIES.items() if spec.origin == "token"}
    assert {entry for entries in NEEDED.values() for entry in entries} == chosen


def test_no_machines_token_rules_access() -> None:
    for entry in consul.TOKENS:
        text = rules.of(consul.policy_of(entry))
        assert ("acl " in re.sub(r"#.*", "", text)) == (entry == secrets.CONSUL_REPLICATION)
    assert secrets.ENTRIES[secrets.CONSUL_REPLICATION].readers == ("consul-server",)
    assert secrets.ENTRIES[secrets.VAULT_HEALTH].readers == ()


def test_the_operators_page_shows_the_policy_that_vaults_clusters_get() -> None:
    page = (TREE / "docs" / "operator.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```hcl\n# vault\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks == [rules.of("vault-health")]


def test_help_tells_the_exit_codes() -> None:
    ran = run("bootstrap", "--help")
    said = " ".join(ran.out.split())
    for words in ("0 everything is as it should be", "1 something is wrong", "2 refused", "or the holders of shares"):
        assert words in said
