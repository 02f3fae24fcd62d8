"""Keys behind the transit engine: a machine seals with its own cloud's key as that cloud allows it, and in no other way."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.plan.spec import CLOUDS, Cloud
from components.products import vault
from sandbox.lab import openbao
from sandbox.lab.services.feed import Feed
from sandbox.lab.services.material import Material
from sandbox.lab.services.places import hosts
from sandbox.lab.services.transit import Transit
from sandbox.stores.exchange import RefusedError, Request
from sandbox.stores.tokens import Tokens
from tests.lab.services import region

EVERY = pytest.mark.parametrize("cloud", CLOUDS)
WORDS = {"aws": "AccessDeniedException", "azure": "ForbiddenByRbac", "gcp": "PERMISSION_DENIED"}
DISABLED = {"aws": "DisabledException", "azure": "KeyDisabled", "gcp": "current state is: DISABLED"}


class Engine:
    """Asks as a machine's OpenBao does, by the paths that its translated seal names."""

    def __init__(self, folder: Path, feed: Feed | None = None) -> None:
        self._transit = Transit((feed or region.told()).ground, Tokens(b"k" * 32), Material(folder))

    def ask(
        self, cloud: Cloud, what: str, asked: Mapping[str, str], name: str = "vault", key: Cloud | None = None
    ) -> tuple[int, str]:
        """Status and answer, for a machine of a cloud with a key of the same or another."""
        stanza = openbao.translated(vault.LATE[vault.SEAL](region.STANZAS[key or cloud]))
        seal = dict(line.strip().split(" = ") for line in stanza.splitlines() if " = " in line)
        path = f"/v1/{json.loads(seal['mount_path'])}/{what}/{json.loads(seal['key_name'])}"
        source = region.machine(cloud, name).address
        body = io.BytesIO(json.dumps(asked).encode())
        request = Request("PUT", openbao.SEAL_HOST, path, {}, source, body, {})
        try:
            answer = self._transit.handle(request)
        except RefusedError as refused:
            answer = refused.answer
        return answer.status, answer.body

    def seal(self, cloud: Cloud, plain: bytes) -> str:
        status, said = self.ask(cloud, "encrypt", {"plaintext": base64.b64encode(plain).decode()})
        assert status == 200, said
        return json.loads(said)["data"]["ciphertext"]


@EVERY
def test_what_was_sealed_is_read_again_after_a_restart_by_who_may_use_the_key(cloud: Cloud, tmp_path: Path) -> None:
    # Longer than a key pair takes in one piece.
    plain = bytes(range(256)) * 8
    sealed = Engine(tmp_path).seal(cloud, plain)
    # OpenBao takes a key's version from between two colons.
    assert len(sealed.split(":")) == 3
    status, said = Engine(tmp_path).ask(cloud, "decrypt", {"ciphertext": sealed})
    assert status == 200, said
    assert base64.b64decode(json.loads(said)["data"]["plaintext"]) == plain


@EVERY
@pytest.mark.parametrize("what", ["encrypt", "decrypt"])
def test_without_the_grant_a_machine_is_refused_in_its_clouds_words(cloud: Cloud, what: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    asked = {"plaintext": "YQ=="} if what == "encrypt" else {"ciphertext": engine.seal(cloud, b"a")}
    status, said = engine.ask(cloud, what, asked, "other")
    assert status == 403
    assert WORDS[cloud] in said


@EVERY
@pytest.mark.parametrize("what", ["encrypt", "decrypt"])
def test_a_disabled_key_serves_nobody(cloud: Cloud, what: str, tmp_path: Path) -> None:
    sealed = Engine(tmp_path).seal(cloud, b"a")
    engine = Engine(tmp_path, region.told(disabled=[region.KEYS[cloud]]))
    asked = {"plaintext": "YQ=="} if what == "encrypt" else {"ciphertext": sealed}
    status, said = engine.ask(cloud, what, asked)
    assert status == 403
    assert DISABLED[cloud] in said
    assert Engine(tmp_path).ask(cloud, "decrypt", {"ciphertext": sealed})[0] == 200


@EVERY
def test_a_machine_uses_no_other_clouds_key(cloud: Cloud, tmp_path: Path) -> None:
    for other in set(CLOUDS) - {cloud}:
        status, said = Engine(tmp_path).ask(cloud, "encrypt", {"plaintext": "YQ=="}, key=other)
        assert (status, "no machine of" in said) == (403, True)


def test_who_is_no_machine_is_refused(tmp_path: Path) -> None:
    engine = Engine(tmp_path, region.told(machines=[]))
    assert engine.ask("aws", "encrypt", {"plaintext": "YQ=="})[0] == 403


@EVERY
def test_a_changed_byte_and_another_labs_key_read_nothing(cloud: Cloud, tmp_path: Path) -> None:
    engine = Engine(tmp_path / "one")
    head, _, packed = engine.seal(cloud, b"abc").rpartition(":")
    data = base64.b64decode(packed)
    broken = base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()
    assert engine.ask(cloud, "decrypt", {"ciphertext": f"{head}:{broken}"})[0] == 400
    assert Engine(tmp_path / "two").ask(cloud, "decrypt", {"ciphertext": f"{head}:{packed}"})[0] in (400, 403)


@pytest.mark.parametrize("asked", [{}, {"plaintext": "?"}, {"plaintext": "YQ"}])
def test_what_cannot_be_read_is_refused_and_not_repeated(asked: dict[str, str], tmp_path: Path) -> None:
    status, said = Engine(tmp_path).ask("aws", "encrypt", asked)
    assert (status, "cannot be read" in said) == (400, True)


def test_machines_find_the_engine_by_name() -> None:
    assert openbao.SEAL_HOST in hosts(region.told().ground)
