"""OpenBao in Vault's place: it takes what a machine's boot has written, and seals with the machine's own key."""

from __future__ import annotations

import io
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.plan.spec import CLOUDS, Cloud
from components.products import vault
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab import openbao as stand_in
from sandbox.lab import up
from sandbox.lab.breaking import looking
from sandbox.lab.place import Place, Wish
from sandbox.lab.programs import VAULT_STAND_IN, behind, programs
from sandbox.lab.services.feed import Feed
from sandbox.lab.services.material import Material
from sandbox.lab.services.transit import Transit
from sandbox.progress import Board
from sandbox.stores.exchange import RefusedError, Request
from sandbox.stores.tokens import Tokens
from sandbox.toolchain import golang, openbao
from tests.lab.services import region
from tests.products.machines import PLATFORM, Case, machine
from tests.rendered.rig import Rig
from tests.rendered.test_accepted import free_port, provisioned
from tests.rendered.tools import packaged

_PATIENCE = 60.0
_NUMBER = PLATFORM.versions["vault"]


class Engine:
    """The lab's transit engine on the loopback, for the machine that may use its cloud's key, in clear."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._tokens, self._material = Tokens(b"k" * 32), Material(folder)
        self.tell(region.told())
        engine, source = self, region.machine(cloud, "vault").address
        self.asked: set[str] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                engine.asked.add(self.path.split("/")[3])
                body = io.BytesIO(self.rfile.read(int(self.headers["Content-Length"])))
                asked = Request("PUT", stand_in.SEAL_HOST, self.path, {}, source, body, {})
                try:
                    answer = engine.transit.handle(asked)
                except RefusedError as refused:
                    answer = refused.answer
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tell(self, feed: Feed) -> None:
        """What stands in the clouds from now on."""
        self.transit = Transit(feed.ground, self._tokens, self._material)


class Server:
    """OpenBao on the translation of a machine's whole /etc/vault.d, whose addresses and paths are of this test."""

    def __init__(self, made: Rig, cloud: Cloud, engine: Engine, folder: Path) -> None:
        packaged("bao")
        self._folder = folder
        self.log = folder / "log"
        self._port, cluster, dead = free_port(), free_port(), free_port()
        made.write("/etc/vault.d/seal.hcl", vault.LATE[vault.SEAL](region.STANZAS[cloud]))
        stand_in.translate(made.path("/etc/vault.d"), folder / "translated")
        own = machine(Case(cloud, "vault-server")).address
        for file in (folder / "translated").iterdir():
            text = file.read_text().replace(f"{own}:8201", f"127.0.0.1:{cluster}")
            text = re.sub(rf"(0\.0\.0\.0|{own}):8200", f"127.0.0.1:{self._port}", text)
            text = re.sub(r"10\.\d\.\d\.\d+:8200", f"127.0.0.1:{dead}", text)
            text = text.replace('"/run/', f'"{made.root}/run/').replace('"/opt/', f'"{made.root}/opt/')
            text = text.replace(f"https://{stand_in.SEAL_HOST}", f"http://127.0.0.1:{engine.server.server_port}")
            # The way is the other test's: no certificate is needed to ask.
            text = text.replace('  tls_min_version          = "tls12"\n', "  tls_disable = true\n")
            file.write_text(text.replace(f"https://127.0.0.1:{self._port}", f"http://127.0.0.1:{self._port}"))
        made.path("/opt/vault/data").mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # Given by name, because a folder's files are read without a word about keys that are not known.
        files = [f"-config={file}" for file in sorted((self._folder / "translated").iterdir())]
        with self.log.open("wb") as log:
            command = [str(openbao.numbered(_NUMBER)), "server", *files]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    def exited(self) -> int:
        """How it ended by itself."""
        assert self._process
        return self._process.wait(_PATIENCE)

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> dict[str, Any]:
        """An answer, whatever its status; empty where there is none."""
        headers = {"X-Vault-Token": token} if token else {}
        try:
            url = f"http://127.0.0.1:{self._port}/v1/{path}"
            answer = httpx.request(method, url, json=body, headers=headers, timeout=30)
        except httpx.TransportError:
            return {}
        return answer.json() if answer.content else {}

    def until(self, path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first answer of that kind; fails with the log where none comes."""
        end = time.monotonic() + _PATIENCE
        while not wanted(said := self.ask("GET", path)):
            assert self._process
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.2)
        return said


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    return request.param


@pytest.fixture
def engine(cloud: Cloud, tmp_path: Path) -> Iterator[Engine]:
    made = Engine(cloud, tmp_path / "keys")
    yield made
    made.server.shutdown()
    made.server.server_close()


@contextmanager
def server(cloud: Cloud, engine: Engine, folder: Path) -> Iterator[Server]:
    work = folder / "work"
    work.mkdir()
    made = Server(provisioned(folder / "machine", Case(cloud, "vault-server")), cloud, engine, work)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.mark.binaries
def test_openbao_takes_a_machines_whole_configuration_and_unseals_by_its_own_key(
    cloud: Cloud, engine: Engine, tmp_path: Path
) -> None:
    with server(cloud, engine, tmp_path) as made:
        said = made.until("sys/seal-status", lambda said: "initialized" in said)
        assert (said["initialized"], said["storage_type"], said["recovery_seal"]) == (False, "raft", True)
        assert said["version"] == _NUMBER, "the snapshot agent compares it"
        assert "unknown or unsupported field" not in made.log.read_text()
        root = made.ask("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})["root_token"]
        made.until("sys/leader", lambda said: said.get("is_self", False))
        file = {"type": "file", "options": {"file_path": str(tmp_path / "audit.log")}}
        assert made.ask("PUT", "sys/audit/first", file, root) == {}
        assert made.ask("GET", "sys/audit", token=root)["data"]["first/"]["type"] == "file"

        made.kill()
        made.start()
        made.until("sys/seal-status", lambda said: said.get("sealed") is False)
        assert engine.asked == {"encrypt", "decrypt"}, "nobody issued its token, and nobody renews it"

        made.kill()
        engine.tell(region.told(disabled=[region.KEYS[cloud]]))
        made.start()
        assert made.exited() == 1
        assert re.search("(?i)disabled", looking.sealed(made.log.read_text())), "what `lab status` says"


def test_what_openbao_lacks_is_left_out_and_everything_else_stays(cloud: Cloud, tmp_path: Path) -> None:
    made = provisioned(tmp_path, Case(cloud, "vault-server"))
    stand_in.translate(made.path("/etc/vault.d"), tmp_path / "translated")
    before, after = (
        (folder / "server.hcl").read_text().splitlines()
        for folder in (made.path("/etc/vault.d"), tmp_path / "translated")
    )
    gone = {line.split()[0] for line in before if line not in after}
    assert gone == {"disable_mlock", "service_registration", "address", "service", "service_tags"}
    assert set(after) <= set(before)
    made.path("/etc/vault.d/seal.hcl").unlink()
    stand_in.translate(made.path("/etc/vault.d"), tmp_path / "sealed by shares")
    assert not (tmp_path / "sealed by shares/seal.hcl").exists()


def test_a_seal_of_no_known_kind_goes_to_openbao_as_it_is() -> None:
    block = 'seal "ocikms" {\n  key_id = "one"\n}\n'
    assert stand_in.translated(block) == block


def test_every_command_but_the_server_is_openbaos_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: ran.append([program, *words[1:]]))
    monkeypatch.setattr(stand_in.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    stand_in.main(["operator", "raft", "snapshot", "inspect", "-format=json", "a.snap"])
    assert "".join(capsys.readouterr()) == ""
    (tmp_path / "vault.d").mkdir()
    (tmp_path / "vault.d/server.hcl").write_text("disable_mlock = true\nui = true\n", encoding="ascii")
    stand_in.main(["server", f"-config={tmp_path}/vault.d"])
    assert ran == [
        [stand_in.SERVER, "operator", "raft", "snapshot", "inspect", "-format=json", "a.snap"],
        [stand_in.SERVER, "server", f"-config={tmp_path}/1"],
    ]
    assert (tmp_path / "1/server.hcl").read_text(encoding="ascii") == "ui = true\n"


def test_vault_is_vault_where_it_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "build", lambda *_: tmp_path)
    assert openbao.vault(Board(), instead=False) == tmp_path / "vault"
    assert behind({"vault": tmp_path / "vault"}, PLATFORM.versions) == {}


def test_the_stand_in_and_what_it_runs_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "build", lambda *_: tmp_path)
    monkeypatch.setattr("sandbox.lab.programs.packages.program", lambda _: tmp_path)
    monkeypatch.setattr("sandbox.lab.programs._dump_programs", lambda *_: tmp_path)
    found = programs(Board(), {}, without_vault=True)
    assert found["vault"] == VAULT_STAND_IN
    assert os.access(VAULT_STAND_IN, os.X_OK)
    packaged("bao")
    assert behind(found, PLATFORM.versions) == {stand_in.SERVER: openbao.numbered(_NUMBER)}


def test_a_lab_stays_with_the_program_that_it_was_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built, asked = {"vault": VAULT_STAND_IN}, list[bool]()

    def found(_: Board, *, without_vault: bool) -> dict[str, Path]:
        asked.append(without_vault)
        return built

    monkeypatch.setattr(up, "programs", found)
    monkeypatch.setattr(up, "behind", lambda found, _: {"a": tmp_path} if found["vault"] == VAULT_STAND_IN else {})
    monkeypatch.setattr(up, "archives", lambda *_: tmp_path)
    monkeypatch.setattr(up, "prepared", lambda *_: tmp_path)
    for wish, wanted in ((Wish(), [False, True]), (Wish(vault="openbao"), [True, True])):
        place = Place(wish.vault, tmp_path)
        place.settle(wish)
        for _ in wanted:
            up.supply(place, wish, TREE / "Pulumi.aws.yaml", Board())
        assert asked == wanted
        asked.clear()
    built = {"vault": tmp_path / "vault"}
    place = Place("other", tmp_path)
    place.settle(Wish())
    up.supply(place, Wish(), TREE / "Pulumi.aws.yaml", Board())
    assert not place.openbao.exists()
    built = {"vault": VAULT_STAND_IN}
    with pytest.raises(SandboxError, match="was made with Vault"):
        up.supply(place, Wish(), TREE / "Pulumi.aws.yaml", Board())
    assert not place.openbao.exists()
