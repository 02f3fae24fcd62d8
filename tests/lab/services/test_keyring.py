"""A real Nomad server whose keyring is wrapped by each cloud's key, as it is rendered."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.plan import flows
from components.plan.spec import CLOUDS, Cloud
from components.products import nomad
from sandbox.stores.namespace import Place
from tests.lab.services import region
from tests.lab.services.rig import Rig
from tests.rendered.tools import product

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
_PATIENCE = 90


class Server:
    """Nomad on a machine of the lab; its data outlive it."""

    def __init__(self, cloud: Cloud, place: Place, folder: Path) -> None:
        self._binary, self._place, self._folder = product("nomad"), place, folder
        self._address = region.machine(cloud, "vault").address
        (folder / "server.hcl").write_text(
            f'data_dir = "{folder}/data"\nbind_addr = "{self._address}"\n'
            "server {\n  enabled = true\n  bootstrap_expect = 1\n}\n" + nomad.LATE[nomad.KEYRING](region.STANZAS[cloud])
        )

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Until the body ends, then killed."""
        command = self._place.command("env", "-i", str(self._binary), "agent", f"-config={self._folder}/server.hcl")
        with (
            (self._folder / "nomad.log").open("wb") as log,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
        ):
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def until(self, process: subprocess.Popen[bytes], method: str, body: object = None) -> dict[str, Any]:
        """The answer for a variable, as soon as there is one."""
        url = f"http://{self._address}:{flows.NOMAD_HTTP.first}/v1/var/proof"
        words = ["curl", "--silent", "--fail", "--max-time", "30", "--request", method]
        words += ["--data", json.dumps(body)] if body else []
        end = time.monotonic() + _PATIENCE
        while True:
            command = self._place.command("env", "-i", *words, url)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return json.loads(done.stdout)
            log = (self._folder / "nomad.log").read_text()[-3000:]
            assert process.poll() is None, log
            assert time.monotonic() < end, log
            time.sleep(0.2)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_keyring_that_the_cloud_wrapped_is_unwrapped_after_all_were_killed(
    lab: Rig, cloud: Cloud, tmp_path: Path
) -> None:
    server = Server(cloud, lab.machines[f"{cloud}-vault"], tmp_path)
    with server.running() as process:
        server.until(process, "PUT", {"Items": {"a": "b"}})
    # Nothing on the disk reads the variable without the cloud: what is wrapped lies among Nomad's own data.
    assert not list((tmp_path / "data" / "server" / "keystore").iterdir())
    lab.cloud.kill()
    lab.cloud.start()
    lab.cloud.tell(region.told())
    with server.running() as process:
        assert server.until(process, "GET")["Items"] == {"a": "b"}
