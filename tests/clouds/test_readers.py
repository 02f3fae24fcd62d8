"""What the boot relies on when it reads secrets, whichever cloud's store is asked: one suite for three scripts."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from components.clouds.azure.guest import FACTS, facts
from components.plan.spec import CLOUDS, Cloud
from tests.clouds import surroundings
from tests.clouds.surroundings import Service, printed, surrounded
from tests.products.machines import guest, stack

REFUSED = {"error": "not for you"}
METADATA: Mapping[str, str] = {
    "/latest/meta-data/placement/region": "us-west-2",
    "/latest/meta-data/iam/security-credentials/": "role",
    "/latest/meta-data/iam/security-credentials/role": json.dumps(
        {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "hush", "Token": "hush"}
    ),
    "/metadata/identity/oauth2/token": '{"access_token": "hush"}',
    "/computeMetadata/v1/project/project-id": "project",
    "/computeMetadata/v1/instance/service-accounts/default/token": '{"access_token": "hush"}',
}
"""What the metadata services of all clouds say."""
HOSTS: Mapping[Cloud, tuple[str, str]] = {
    "aws": ("169.254.169.254", "secretsmanager.us-west-2.amazonaws.com"),
    "azure": ("169.254.169.254", "vault.vault.azure.net"),
    "gcp": ("metadata.google.internal", "secretmanager.googleapis.com"),
}
ANSWERS: Mapping[Cloud, Callable[[str], Any]] = {
    "aws": lambda value: {"SecretString": value},
    "azure": lambda value: {"value": value},
    "gcp": lambda value: {"payload": {"data": base64.b64encode(value.encode()).decode()}},
}


@dataclass
class World:
    """What the services of a cloud hold, and how often they were asked."""

    cloud: Cloud
    values: dict[str, str] = field(
        default_factory=lambda: {"one": "hush\n", "two": "hush ü\t2", "big": "hush" * 30_000}
    )
    halved: str = ""
    """The entry of which half an answer comes."""
    silent: str = ""
    """The entry for which no answer comes."""
    metadata: Counter[str] = field(default_factory=Counter[str])
    asked: list[str] = field(default_factory=list[str])

    def told(self, service: Service) -> None:
        """An answer of the metadata service."""
        path = service.path.partition("?")[0]
        self.metadata[path] += 1
        service.say(200 if path in METADATA else 404, METADATA.get(path, "").encode())

    def answer(self, service: Service, name: str) -> None:
        """An answer of the store."""
        self.asked.append(name)
        if name == self.silent:
            return
        if name not in self.values:
            service.say_json(403, REFUSED, indent=2)
            return
        body = json.dumps(ANSWERS[self.cloud](self.values[name])).encode()
        service.send_response(200)
        service.send_header("Content-Length", str(len(body)))
        service.end_headers()
        service.wfile.write(body[: len(body) // 2] if name == self.halved else body)


def _metadata(world: World) -> type[Service]:
    class Metadata(Service):
        def do_PUT(self) -> None:  # noqa: N802 - http.server asks for the name
            world.metadata[self.path] += 1
            self.say(200, b"session")

        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            world.told(self)

    return Metadata


def _store(world: World) -> type[Service]:
    class Store(Service):
        def do_POST(self) -> None:  # noqa: N802 - http.server asks for the name
            world.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"])

        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            world.answer(self, self.path.partition("/secrets/")[2].partition("?")[0].partition("/")[0])

    return Store


@dataclass
class Machine(surroundings.Machine):
    """A machine of any cloud."""

    world: World

    def call(self, *names: str) -> subprocess.CompletedProcess[bytes]:
        file = guest(stack(self.world.cloud)).read_secret
        about = self.folder / "azure.env"
        about.write_text(facts("client", "vault"), encoding="utf-8")
        return self.run(replace(file, content=file.content.replace(FACTS, str(about))), *names)


@pytest.fixture(params=CLOUDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    world = World(request.param)
    metadata, store = HOSTS[world.cloud]
    with surrounded(tmp_path, metadata=(metadata, _metadata(world)), store=(store, _store(world))):
        yield Machine(tmp_path, world)


def test_many_secrets_cost_one_identity_and_each_is_asked_for_once(machine: Machine) -> None:
    ended = machine.call("two", "big", "one")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert printed(ended.stdout) == {name: value.encode() for name, value in machine.world.values.items()}
    assert machine.world.asked == ["two", "big", "one"]
    assert set(machine.world.metadata.values()) == {1}
    assert "hush" not in machine.arguments


def test_more_secrets_start_no_more_programs(machine: Machine) -> None:
    machine.call("one")
    for_one = len(machine.arguments.splitlines())
    machine.call("one", "two", "big")
    assert len(machine.arguments.splitlines()) == 2 * for_one


def test_what_is_refused_is_said_and_the_others_are_printed(machine: Machine) -> None:
    ended = machine.call("one", "none", "two")
    assert ended.returncode == 1
    assert printed(ended.stdout) == {name: machine.world.values[name].encode() for name in ("one", "two")}
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith("read-secret: none in ")
    assert line.endswith(': { "error": "not for you" }')


def test_half_an_answer_is_neither_a_value_nor_repeated(machine: Machine) -> None:
    machine.world.halved = "two"
    ended = machine.call("one", "two")
    assert ended.returncode == 1
    assert list(printed(ended.stdout)) == ["one"]
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith("read-secret: two in ")
    assert line.endswith(": no answer (curl 18)")


def test_a_store_that_does_not_answer_is_not_asked_for_the_rest(machine: Machine) -> None:
    machine.world.silent = "two"
    ended = machine.call("one", "two", "big", "none")
    assert ended.returncode == 1
    assert list(printed(ended.stdout)) == ["one"]
    assert machine.world.asked == ["one", "two"]
    lines = ended.stderr.decode().splitlines()
    assert [line.split()[1] for line in lines] == ["two", "big", "none"]
    assert all(line.endswith(": no answer (curl 52)") for line in lines)


def test_an_empty_secret_is_no_secret(machine: Machine) -> None:
    machine.world.values["one"] = ""
    ended = machine.call("one")
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr.startswith(b"read-secret: one in ")
