"""`runbook bootstrap` on real Vault clusters: once, twice, at the same moment, and killed at every step."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.plan.secrets import VAULT_HEALTH
from tests.rendered.tools import system
from tests.runbook.bringup import (
    TOKENS,
    Ended,
    Fleet,
    Holders,
    Started,
    fleet,
    generated_root,
    key_service,
    killer,
    meeting,
    sizes,
)

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
CHANGES = (
    "init",
    "policy backup",
    "policy health",
    "authentication",
    "role backup",
    "first audit device",
    "second audit device",
    "policy of the revocation",
    "health token",
    "revocation",
)
"""The requests of a first run that change something, in order."""
TOKEN_MADE = CHANGES.index("health token") + 1


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with key_service(tmp_path_factory.mktemp("keys")) as stanza:
        yield stanza


@pytest.fixture
def people(tmp_path: Path) -> Holders:
    return Holders.made(tmp_path / "people")


def run(made: Fleet, *words: str, **options: Any) -> Ended:  # noqa: ANN401
    return Started(made.manifests.values(), *words, "--json", **options).end()


def unchanged(made: Fleet) -> None:
    """A run finds everything and changes nothing."""
    ran = run(made)
    assert (ran.code, ran.document["state"]) == (0, "unchanged"), ran.said()


def roots(made: Fleet, token: str) -> list[str]:
    """Accessors of the root tokens that live."""
    server = made.of("vault")[0]
    _, listed = made.ask(server, "LIST", "/v1/auth/token/accessors", token=token)
    found: list[str] = []
    for accessor in listed["data"]["keys"]:
        _, said = made.ask(server, "POST", "/v1/auth/token/lookup-accessor", {"accessor": accessor}, token=token)
        if "root" in said["data"]["policies"]:
            found.append(accessor)
    return found


def ready(made: Fleet, token: str) -> None:
    """Everything is there that the platform's other parts count on."""
    server = made.of("vault")[0]
    devices = made.ask(server, "GET", "/v1/sys/audit", token=token)[1]["data"]
    assert len(devices) == 2
    written = [leader for leader in made.of("vault") if leader.made.path("/var/log/vault/audit.log").exists()]
    assert [leader.made.path("/opt/vault/audit/audit.log").exists() for leader in written] == [True]
    allowed = made.ask(server, "GET", "/v1/sys/policies/acl/backup", token=token)[1]["data"]["policy"]
    assert "sys/storage/raft/snapshot" in allowed


def test_a_cluster_is_brought_up_once_and_every_further_run_changes_nothing(
    tmp_path: Path, seal: str, people: Holders
) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal, servers=sizes(vault=3)) as made:
        planned = run(made, *people.words, "--dry-run")
        assert planned.code == 0
        assert not planned.said("done", "changed")
        assert not list((people.folder / "shares").iterdir())
        refused = Started(made.manifests.values()).end()
        assert (refused.code, refused.out) == (2, "")
        assert "Nothing was touched" in refused.err
        ran = run(made, *people.words)
        assert ran.code == 0, ran.said()
        assert "vault-aws: all 3 servers are unsealed" in ran.said("unchanged")
        unchanged(made)
        files = list((people.folder / "shares").iterdir())
        assert len(files) == 3
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        shares = people.opened("vault-aws")
        everything = "".join(file.read_text(errors="replace") for file in people.folder.rglob("*") if file.is_file())
        assert not any(share in everything + ran.out + ran.err for share in shares)
        root = generated_root(made, made.of("vault")[0], shares[1:])
        ready(made, root)
        assert len(roots(made, root)) == 1, "only the one that was made just now"


def test_the_snapshot_agents_certificate_logs_in_and_may_do_nothing_else(
    tmp_path: Path, seal: str, people: Holders
) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal) as made:
        assert run(made, *people.words).code == 0
        (server,) = made.of("vault")
        folder = made.trust
        words = ["--cacert", folder / "ca.pem", "--cert", folder / "cert.pem", "--key", folder / "key.pem"]
        url = f"https://{server.address}:8200/v1/auth/cert/login"
        done = subprocess.run(
            ["curl", "--silent", *words, "--data", '{"name": "backup"}', url],
            capture_output=True,
            text=True,
            check=True,
        )
        token = done.stdout.split('"client_token":"')[1].split('"')[0]
        assert made.ask(server, "GET", "/v1/sys/storage/raft/snapshot", token=token)[0] == 200
        for path in ("/v1/sys/policies/acl/backup", "/v1/auth/token/lookup-self", "/v1/sys/audit"):
            assert made.ask(server, "GET", path, token=token)[0] == 403
        looking = TOKENS[VAULT_HEALTH]
        assert made.ask(server, "GET", "/v1/sys/storage/raft/autopilot/state", token=looking)[0] == 200
        for method, path in (
            ("PUT", "/v1/sys/seal"),
            ("GET", "/v1/sys/storage/raft/snapshot"),
            ("POST", "/v1/sys/audit/x"),
        ):
            assert made.ask(server, method, path, {}, token=looking)[0] == 403


@pytest.mark.parametrize("after", range(1, len(CHANGES) + 1), ids=CHANGES)
def test_a_run_that_is_killed_is_continued(after: int, tmp_path: Path, seal: str, people: Holders) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal) as made:
        (server,) = made.of("vault")
        made.until(server, "/v1/sys/seal-status", lambda status, _: status == 200)
        killed = Started(made.manifests.values(), *people.words, hook=killer(tmp_path / "hook", after)).end()
        assert killed.code == -9
        ran = run(made, *people.words)
        if after >= TOKEN_MADE:
            assert ran.code == 0, ran.said()
        else:
            assert ran.code == 3, ran.said()
            assert "what should have followed is missing" in ran.said("needs holders")[0]
        if CHANGES[after - 1] == "init":
            # Killed between Vault's answer and the disk: as the message says, the cluster is made anew.
            assert not list((people.folder / "shares").iterdir())
            assert "empty /opt/vault/data" in ran.out
            server.kill()
            subprocess.run(["rm", "-rf", server.made.path("/opt/vault/data")], check=True)
            server.made.path("/opt/vault/data").mkdir()
            server.start()
            assert run(made, *people.words).code == 0
            unchanged(made)
            return
        root = generated_root(made, server, people.opened("vault-aws")[:2])
        if after < TOKEN_MADE:
            ran = run(made, tokens={"VAULT_TOKEN_AWS": root})
            assert ran.code == 0, ran.said()
            assert len(ran.said("left to you")) == 2
            assert len(roots(made, root)) == 2, "the operator decides on root tokens"
        else:
            assert len(roots(made, root)) == 1, "that of the killed run is revoked"
        unchanged(made)
        ready(made, root)


def test_two_runs_at_the_same_moment_make_one_cluster(tmp_path: Path, seal: str) -> None:
    groups = [Holders.made(tmp_path / name) for name in ("one", "other")]
    with fleet(tmp_path / "fleet", ["vault"], seal=seal, servers=sizes(vault=3)) as made:
        hook = meeting(tmp_path / "hook")
        started = [Started(made.manifests.values(), *group.words, "--json", hook=hook) for group in groups]
        ended = [each.end() for each in started]
        assert [ran.code for ran in ended] == [0, 0], [ran.said() for ran in ended]
        assert sum("vault-aws: another run has initialised it" in ran.said() for ran in ended) == 1
        (kept,) = [group for group in groups if list((group.folder / "shares").iterdir())]
        root = generated_root(made, made.of("vault")[0], kept.opened("vault-aws")[:2])
        ready(made, root)
        assert len(roots(made, root)) == 1
        unchanged(made)


def test_what_differs_is_mended_with_a_root_token_and_said_without(tmp_path: Path, seal: str, people: Holders) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal) as made:
        assert run(made, *people.words).code == 0
        (server,) = made.of("vault")
        root = generated_root(made, server, people.opened("vault-aws")[:2])
        made.ask(
            server,
            "POST",
            "/v1/sys/policies/acl/backup",
            {"policy": 'path "*" { capabilities = ["sudo"] }'},
            token=root,
        )
        ran = run(made)
        assert (ran.code, ran.document["state"]) == (3, "needs holders")
        ran = run(made, tokens={"VAULT_TOKEN": root})
        assert ran.code == 0
        assert ran.said("changed") == ["vault-aws: policy backup"]
        wrong = run(made, entries=TOKENS | {VAULT_HEALTH: "5f2f0c0e-0000-4000-8000-000000000001"})
        assert wrong.code == 3


def test_old_shares_in_the_folder_stop_a_run_before_it_initialises(tmp_path: Path, seal: str, people: Holders) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal) as made:
        assert run(made, *people.words).code == 0
        kept = {file: file.read_bytes() for file in (people.folder / "shares").iterdir()}
        (server,) = made.of("vault")
        server.kill()
        subprocess.run(["rm", "-rf", server.made.path("/opt/vault/data")], check=True)
        server.made.path("/opt/vault/data").mkdir()
        server.start()
        ran = run(made, *people.words)
        assert ran.code == 1
        assert "these shares are of a cluster that is gone" in ran.said("wrong")[0]
        assert {file: file.read_bytes() for file in (people.folder / "shares").iterdir()} == kept
        assert not made.ask(server, "GET", "/v1/sys/seal-status")[1]["initialized"]


def test_a_server_that_does_not_answer_keeps_the_others_from_being_initialised(
    tmp_path: Path, seal: str, people: Holders
) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal, servers=sizes(vault=3)) as made:
        made.of("vault")[1].kill()
        ran = run(made, *people.words, "--deadline", "5")
        assert ran.code == 3
        assert "vault-aws-2 refused" in ran.said("unknown")[0]
        assert not made.ask(made.of("vault")[0], "GET", "/v1/sys/seal-status")[1]["initialized"]


def test_with_shamir_and_age_the_command_unseals_what_it_initialised(tmp_path: Path, people: Holders) -> None:
    with fleet(tmp_path / "fleet", ["vault"], servers=sizes(vault=3)) as made:
        ran = run(made, *people.words)
        assert ran.code == 0, ran.said()
        unchanged(made)
        root = generated_root(made, made.of("vault")[2], people.opened("vault-aws")[1:])
        ready(made, root)


def test_with_shamir_and_pgp_only_the_holders_can_unseal(tmp_path: Path) -> None:
    gpg, home = system("gpg", "gnupg"), tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    shares = tmp_path / "shares"
    shares.mkdir()

    def tool(*words: str, given: bytes | None = None) -> bytes:
        command = [str(gpg), "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always", *words]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    named: list[str] = []
    for number in (1, 2, 3):
        tool("--passphrase", "", "--quick-generate-key", f"holder-{number}@example.com", "rsa2048", "default", "1d")
        tool("--passphrase", "", "--quick-add-key", fingerprint(tool, number), "rsa2048", "encrypt", "1d")
        file = tmp_path / f"holder-{number}.asc"
        file.write_bytes(tool("--armor", "--export", f"holder-{number}@example.com"))
        named += ["--holder", str(file)]
    words = [*named, "--shares", "3", "--threshold", "2", "--shares-to", str(shares)]
    with fleet(tmp_path / "fleet", ["vault"]) as made:
        (server,) = made.of("vault")
        ran = run(made, *words)
        assert ran.code == 3
        assert "only the holders of shares can unseal" in ran.said("needs holders")[0]
        files = sorted(shares.iterdir())
        assert [file.name for file in files] == [
            f"vault-aws-{number}-{fingerprint(tool, number).lower()}.asc" for number in (1, 2, 3)
        ]
        opened = [tool("--decrypt", given=file.read_bytes()).decode() for file in files]
        assert made.ask(server, "GET", "/v1/sys/seal-status")[1]["sealed"]
        for share in opened[1:]:
            assert made.ask(server, "PUT", "/v1/sys/unseal", {"key": share})[0] == 200
        made.until(server, "/v1/sys/leader", lambda status, said: status == 200 and said["is_self"])
        assert run(made).code == 3
        root = generated_root(made, server, opened[:2])
        ran = run(made, tokens={"VAULT_TOKEN": root})
        assert ran.code == 0, ran.said()
        unchanged(made)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)


def fingerprint(tool: Any, number: int) -> str:  # noqa: ANN401 - a function
    listed = tool("--with-colons", "--list-keys", f"holder-{number}@example.com").decode()
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


def test_a_health_token_that_grows_old_is_renewed(tmp_path: Path, seal: str, people: Holders) -> None:
    with fleet(tmp_path / "fleet", ["vault"], seal=seal) as made:
        assert run(made, *people.words).code == 0
        (server,) = made.of("vault")
        root = generated_root(made, server, people.opened("vault-aws")[:2])
        token = TOKENS[VAULT_HEALTH]
        made.ask(server, "POST", "/v1/auth/token/revoke-self", {}, token=token)
        body = {"id": token, "policies": ["health"], "period": "20s", "no_parent": True}
        made.ask(server, "POST", "/v1/auth/token/create", body, token=root)
        made.until(
            server,
            "/v1/auth/token/lookup-self",
            lambda status, said: status == 200 and said["data"]["ttl"] < 10,
            token=token,
        )
        ran = run(made)
        assert ran.said("changed") == ["vault-aws: vault-health-token renewed"]
        assert made.ask(server, "GET", "/v1/auth/token/lookup-self", token=token)[1]["data"]["ttl"] > 10
