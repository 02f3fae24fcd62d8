"""`runbook bootstrap` on real Consul datacenters and Nomad regions: joined, replicated, killed, raced, and with faults."""

from __future__ import annotations

import http.server
import ssl
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.plan import secrets
from components.plan.manifest import Manifest
from components.plan.spec import CLOUDS, Product
from runbook.bootstrap import rules
from runbook.bootstrap.consul import TOKENS as MADE
from runbook.bootstrap.consul import policy_of
from runbook.bootstrap.servers import PORTS
from tests.runbook.bringup import BESIDE, TOKENS, Ended, Fleet, Machine, Started, fleet

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
POOL: tuple[Product, ...] = ("consul", "nomad")
MANAGEMENT, NOMAD = TOKENS[secrets.CONSUL_MANAGEMENT], TOKENS[secrets.NOMAD_MANAGEMENT]


def run(made: Fleet, *words: str, **options: Any) -> Ended:  # noqa: ANN401
    return Started(made.manifests.values(), *words, "--json", **options).end()


def unchanged(made: Fleet) -> None:
    """A run finds everything and changes nothing."""
    ran = run(made)
    assert (ran.code, ran.document["state"]) == (0, "unchanged"), ran.said()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three regions that started before a way led from one to the other, brought up."""
    with fleet(tmp_path_factory.mktemp("world"), POOL, CLOUDS, alone=True) as made:
        ran = run(made)
        assert ran.code == 0, ran.said()
        for product in POOL:
            for cloud in CLOUDS[1:]:
                assert any(said.startswith(f"{product}-{cloud}: joined to ") for said in ran.said("done")), ran.said()
        yield made


def test_regions_that_started_apart_are_joined_and_every_token_works_in_each(world: Fleet) -> None:
    unchanged(world)
    for cloud in CLOUDS:
        (server,) = world.of("consul", cloud)
        for entry in MADE:
            status, said = world.ask(server, "GET", "/v1/acl/token/self?stale", token=TOKENS[entry])
            assert (status, [link["Name"] for link in said["Policies"]]) == (200, [policy_of(entry)])
        (server,) = world.of("nomad", cloud)
        assert world.ask(server, "GET", "/v1/acl/token/self", token=NOMAD)[1]["Type"] == "management"
        assert world.ask(server, "GET", "/v1/regions")[1] == list(CLOUDS)


@pytest.mark.parametrize(
    ("entry", "allowed", "forbidden"),
    [
        (secrets.CONSUL_AGENT, ("register", "consul-aws-1"), ("service", "vault")),
        (secrets.CONSUL_VAULT, ("service", "vault"), ("service", "nomad")),
        (secrets.CONSUL_NOMAD, ("service", "anything"), ("acl", "")),
        (secrets.CONSUL_BOUNDARY, ("service", "boundary-worker"), ("service", "vault")),
        (secrets.CONSUL_REPLICATION, ("acl", ""), ("service", "vault")),
    ],
)
def test_a_token_may_do_its_work_and_nothing_else(
    world: Fleet, entry: str, allowed: tuple[str, str], forbidden: tuple[str, str]
) -> None:
    (server,) = world.of("consul")

    def tried(what: tuple[str, str]) -> int:
        kind, name = what
        token = TOKENS[entry]
        if kind == "service":
            status, _ = world.ask(server, "PUT", "/v1/agent/service/register", {"Name": name}, token=token)
            world.ask(server, "PUT", f"/v1/agent/service/deregister/{name}", token=MANAGEMENT)
            return status
        if kind == "register":
            body = {"Node": name, "Address": server.address, "SkipNodeUpdate": False}
            return world.ask(server, "PUT", "/v1/catalog/register", body, token=token)[0]
        return world.ask(server, "GET", "/v1/acl/tokens", token=token)[0]

    assert tried(allowed) == 200
    assert tried(forbidden) == 403
    keys = world.ask(server, "PUT", "/v1/kv/x", "y", token=TOKENS[entry])[0]
    assert keys == 403


def test_a_policy_with_another_text_and_a_token_with_another_policy_are_mended_and_said(world: Fleet) -> None:
    (server,) = world.of("consul")
    _, policy = world.ask(server, "GET", "/v1/acl/policy/name/consul-vault", token=MANAGEMENT)
    body = {"Name": "consul-vault", "Rules": 'operator = "write"'}
    assert world.ask(server, "PUT", f"/v1/acl/policy/{policy['ID']}", body, token=MANAGEMENT)[0] == 200
    _, token = world.ask(server, "GET", "/v1/acl/token/self", token=TOKENS[secrets.CONSUL_BOUNDARY])
    body = {"Description": "x", "Policies": [{"Name": "consul-nomad"}]}
    assert world.ask(server, "PUT", f"/v1/acl/token/{token['AccessorID']}", body, token=MANAGEMENT)[0] == 200
    looked = run(world, "--dry-run")
    assert looked.code == 0
    assert len(looked.said("would be done")) >= 2
    ran = run(world)
    assert ran.code == 0
    assert ran.said("changed") == ["consul-aws: policy consul-vault", "consul-aws: consul-boundary-token"]
    _, policy = world.ask(server, "GET", "/v1/acl/policy/name/consul-vault", token=MANAGEMENT)
    assert policy["Rules"] == rules.of("consul-vault")
    unchanged(world)


@contextmanager
def forgetful(world: Fleet, behind: Machine, *, until_a_write: bool) -> Iterator[dict[str, Path]]:
    """A secondary that does not know one token: at once after a write in the primary it does, or it never does."""
    primary, lost = world.of("consul")[0], TOKENS[secrets.CONSUL_VAULT]
    trusted = ssl.create_default_context(cafile=str(world.trust / "ca.pem"))

    def written() -> str:
        url = f"https://{primary.address}:{PORTS['consul']}/v1/acl/tokens"
        request = urllib.request.Request(url, headers={"X-Consul-Token": MANAGEMENT})
        with urllib.request.urlopen(request, context=trusted, timeout=30) as answer:  # noqa: S310 - https
            return answer.headers["X-Consul-Index"]

    before = written()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("X-Consul-Token", "")
            asked = self.path.startswith("/v1/acl/token/self") and token == lost
            if asked and (not until_a_write or written() == before):
                self._answer(403, b"ACL not found")
                return
            url = f"https://{behind.address}:{PORTS['consul']}{self.path}"
            request = urllib.request.Request(url, headers={"X-Consul-Token": token})
            try:
                with urllib.request.urlopen(request, context=trusted, timeout=30) as answer:  # noqa: S310 - https
                    self._answer(answer.status, answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.trust / "cert.pem", world.trust / "key.pem")
    with http.server.ThreadingHTTPServer((BESIDE, PORTS["consul"].first), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        manifest = Manifest.model_validate_json(world.manifests["azure"].read_text())
        text = manifest.model_dump_json(by_alias=True).replace(f'"{behind.address}"', f'"{BESIDE}"')
        changed = world.root / "forgetful.json"
        changed.write_text(text)
        try:
            yield {**world.manifests, "azure": changed}
        finally:
            server.shutdown()
            thread.join()


def test_a_token_that_was_not_replicated_is_noticed_and_brought_by_a_write_in_the_primary(world: Fleet) -> None:
    (azure,) = world.of("consul", "azure")
    with forgetful(world, azure, until_a_write=True) as manifests:
        ran = Started(manifests.values(), "--json").end()
    assert ran.code == 0, ran.said()
    assert ran.said("done") == ["consul-azure: a token had not been replicated; a write in the primary brought it"]
    (server,) = world.of("consul")
    known = world.ask(server, "GET", "/v1/acl/tokens", token=MANAGEMENT)[1]
    assert {token["Description"] for token in known} == {
        *MADE,
        "Initial Management Token",
        "Anonymous Token",
    }, "nothing is left of the write"


def test_a_token_that_never_arrives_is_a_finding(world: Fleet) -> None:
    (azure,) = world.of("consul", "azure")
    with forgetful(world, azure, until_a_write=False) as manifests:
        ran = Started(manifests.values(), "--json", "--deadline", "12").end()
    assert ran.code == 1
    (said,) = ran.said("wrong")
    assert "1 tokens have not arrived after 1 nudges: consul-vault-token on consul-azure-1 (answers 403)" in said
    assert not [said for said in ran.said("wrong", "unknown") if not said.startswith("consul-azure")]


def test_another_management_token_is_a_finding_and_says_what_it_means(world: Fleet) -> None:
    other = TOKENS | {secrets.CONSUL_MANAGEMENT: str(uuid.uuid4()), secrets.NOMAD_MANAGEMENT: str(uuid.uuid4())}
    ran = run(world, entries=other)
    assert ran.code == 1
    wrong = ran.said("wrong")
    assert len(wrong) == 2
    assert all("was set up with another" in said for said in wrong)
    assert len(ran.said("unknown")) == 4, "the other regions say what they wait for"
    unchanged(world)


def test_a_region_that_cannot_be_reached_stops_no_other_and_without_the_primary_the_rest_says_what_it_waits_for(
    world: Fleet,
) -> None:
    def far(cloud: str) -> Path:
        text = world.manifests[cloud].read_text()  # pyright: ignore[reportArgumentType] - a cloud
        for machine in (*world.of("consul", cloud), *world.of("nomad", cloud)):  # pyright: ignore[reportArgumentType]
            text = text.replace(f'"{machine.address}"', '"127.0.0.77"')
        file = world.root / f"far-{cloud}.json"
        file.write_text(text)
        return file

    ran = Started({**world.manifests, "gcp": far("gcp")}.values(), "--json", "--deadline", "3").end()
    assert ran.code == 3
    assert {said.split(":")[0] for said in ran.said("unknown")} == {"consul-gcp", "nomad-gcp"}
    ran = Started({**world.manifests, "aws": far("aws")}.values(), "--json", "--deadline", "3").end()
    assert ran.code == 3
    assert len(ran.said("unknown")) == 6
    assert any("consul-azure: its tokens come from aws, which is not ready" in said for said in ran.said("unknown"))
    ran = Started([world.manifests["azure"]], "--json").end()
    assert ran.code == 3
    assert all("which has no manifest here" in said for said in ran.said())
