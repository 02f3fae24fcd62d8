"""A real Vault with each cloud's seal as it is rendered: what it needs of the cloud, and what it does without."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.plan import flows
from components.plan.spec import CLOUDS, Cloud
from components.products import vault
from sandbox.stores.namespace import Place
from tests.lab.services import region
from tests.lab.services.rig import Rig
from tests.rendered.tools import product

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
_PATIENCE = 90
_API = flows.VAULT_API.first


class Node:
    """Vault on the machine that is granted the seal key; its data outlive it."""

    def __init__(self, binary: Path, place: Place, cloud: Cloud, folder: Path) -> None:
        self._binary, self._place, self._folder = binary, place, folder
        self.cloud: Cloud = cloud
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "raft").mkdir(parents=True)
        (folder / "server.hcl").write_text(
            f'storage "raft" {{\n  path = "{folder}/raft"\n  node_id = "only"\n  performance_multiplier = 1\n}}\n'
            f'listener "tcp" {{\n  address = "127.0.0.1:{_API}"\n  tls_disable = true\n}}\n'
            f'api_addr = "http://127.0.0.1:{_API}"\ncluster_addr = "https://127.0.0.1:{_API + 1}"\n'
            "disable_mlock = true\n" + vault.LATE[vault.SEAL](region.STANZAS[cloud])
        )

    @property
    def log(self) -> Path:
        """Of the last start."""
        return self._folder / "vault.log"

    def start(self) -> None:
        assert self._process is None
        words = [str(self._binary), "server", f"-config={self._folder / 'server.hcl'}"]
        with self.log.open("wb") as log:
            # A clean environment: a variable of the cloud's own libraries would replace what the stanza says.
            self._process = subprocess.Popen(
                self._place.command("env", "-i", *words), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_PATIENCE)
            self._process = None

    def exited(self) -> int:
        """How it ended by itself."""
        assert self._process
        code = self._process.wait(_PATIENCE)
        self._process = None
        return code

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Status and answer; status 0 where there is none."""
        words = [
            "curl",
            "--silent",
            "--max-time",
            "60",
            "--request",
            method,
            "--write-out",
            "\n%{http_code}",
            "--config",
        ]
        told = f'header = "X-Vault-Token: {self.token}"\n' if self.token else ""
        told += f"data = {json.dumps(json.dumps(body))}\n" if body is not None else ""
        url = f"http://127.0.0.1:{_API}/v1/{path}"
        done = subprocess.run(
            self._place.command("env", "-i", *words, "-", url), input=told, capture_output=True, text=True, check=False
        )
        said, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(said) if said.strip().startswith("{") else {}

    def until(self, what: Callable[[], bool]) -> None:
        """Wait for something; fails with the log's end where it does not come."""
        end = time.monotonic() + _PATIENCE
        while not what():
            assert self._process
            ended = self._process.poll()
            assert ended is None, f"ended with {ended}:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < end, self.log.read_text()[-3000:]
            time.sleep(0.2)

    def listening(self) -> bool:
        return self.ask("GET", "sys/seal-status")[0] == 200

    def serving(self) -> bool:
        """Whether it is active and gives out what it was given."""
        return self.ask("GET", "sys/health")[0] == 200 and self.ask("GET", "proof/kept")[1].get("data") == {"a": "b"}

    def sealed(self) -> bool:
        return self.ask("GET", "sys/seal-status")[1]["sealed"]


@pytest.fixture(scope="module", params=CLOUDS)
def node(request: pytest.FixtureRequest, lab: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Initialised, with something in it."""
    cloud: Cloud = request.param
    made = Node(product("vault"), lab.machines[f"{cloud}-vault"], cloud, tmp_path_factory.mktemp("vault") / cloud)
    try:
        made.start()
        made.until(made.listening)
        status, said = made.ask("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
        assert status == 200, f"{said}\n{made.log.read_text()[-3000:]}"
        made.token = said["root_token"]
        made.until(lambda: made.ask("GET", "sys/health")[0] == 200)
        made.until(lambda: made.ask("POST", "sys/mounts/proof", {"type": "kv"})[0] in (204, 400))
        assert made.ask("PUT", "proof/kept", {"a": "b"})[0] == 204
        yield made
    finally:
        made.kill()
        lab.cloud.tell(region.told())


@pytest.fixture
def stopped(node: Node, lab: Rig) -> Iterator[Node]:
    """The same, killed; everything is in order again afterwards."""
    node.kill()
    yield node
    node.kill()
    lab.cloud.tell(region.told())


def test_vault_unseals_itself_after_vault_and_the_clouds_services_were_killed(stopped: Node, lab: Rig) -> None:
    lab.cloud.kill()
    lab.cloud.start()
    lab.cloud.tell(region.told())
    stopped.start()
    stopped.until(stopped.serving)


def test_a_disabled_key_keeps_vault_sealed_until_it_is_enabled(stopped: Node, lab: Rig) -> None:
    lab.cloud.tell(region.told(disabled=[region.KEYS[stopped.cloud]]))
    stopped.start()
    stopped.until(stopped.listening)
    stopped.until(lambda: re.search(r"(?i)disabled", stopped.log.read_text()) is not None)
    assert stopped.sealed()
    assert stopped.ask("GET", "sys/health")[0] == 503
    lab.cloud.tell(region.told())
    stopped.until(stopped.serving)


def test_without_the_grant_vault_does_not_start_and_says_why(stopped: Node, lab: Rig) -> None:
    lab.cloud.tell(region.told(without=[f"{stopped.cloud}-use", f"{stopped.cloud}-view"]))
    stopped.start()
    assert stopped.exited() == 1
    said = {"aws": "AccessDeniedException", "azure": "ForbiddenByRbac", "gcp": "PermissionDenied"}[stopped.cloud]
    assert said in stopped.log.read_text()


def test_a_key_that_is_gone_refuses_as_the_cloud_does(stopped: Node, lab: Rig) -> None:
    lab.cloud.tell(region.told(without=[f"{stopped.cloud}-key"]))
    stopped.start()
    assert stopped.exited() == 1
    said = {"aws": "NotFoundException", "azure": "KeyNotFound", "gcp": "NotFound"}[stopped.cloud]
    assert said in stopped.log.read_text()
