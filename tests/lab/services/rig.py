"""The services in a network of their own, and machines that find them by name, as a lab's machines do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sandbox.lab.services import places
from sandbox.lab.services.authority import certificate
from sandbox.lab.services.feed import Feed
from sandbox.stores import namespace
from tests.lab.services import region

TREE = Path(__file__).parents[3]
_PATIENCE = 30


class Cloud:
    """The services' process: told, stopped, killed and started again."""

    def __init__(self, place: namespace.Place, folder: Path) -> None:
        self._place, self.folder = place, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        here = os.pathsep.join([str(TREE), *(path for path in sys.path if path)])
        words = ["env", f"PYTHONPATH={here}", sys.executable, "-m", "sandbox.lab.services", str(self.folder)]
        with (self.folder / "services.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._place.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def tell(self, feed: Feed) -> None:
        """All that stands in the clouds; returns once it is known."""
        said = self.say(feed.dump())
        assert said == "ready", said or (self.folder / "services.log").read_text()

    def say(self, line: bytes) -> str:
        """One line, and the answer to it."""
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().rstrip("\n")

    def kill(self) -> None:
        """As a crash would."""
        if self._process is None:
            return
        with self._process as process:
            process.send_signal(signal.SIGKILL)
            process.wait(_PATIENCE)
        self._process = None


class Rig:
    """The cloud and its machines."""

    def __init__(self, cloud: Cloud, machines: Mapping[str, namespace.Place]) -> None:
        self.cloud, self.machines = cloud, machines

    def run(self, machine: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command on a machine, with nothing of this process's environment."""
        command = self.machines[machine].command("env", "-i", f"PATH={os.environ['PATH']}", *words)
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)


@contextlib.contextmanager
def rig(work: Path) -> Iterator[Rig]:
    """Skips where no network can be made."""
    if os.geteuid():
        pytest.skip("networks of their own need root")
    folder = work / "lab"
    folder.mkdir()
    files = {
        "hosts": "127.0.0.1 localhost\n",
        "resolv.conf": f"nameserver {places.RESOLVER}\n",
        namespace.AUTHORITIES: certificate(folder).decode(),
    }
    with contextlib.ExitStack() as ends:
        centre = ends.enter_context(namespace.held(work / "centre", {"hosts": files["hosts"]}))
        for address in places.ADDRESSES:
            centre.run("ip", "address", "add", f"{address}/32", "dev", "lo")
        machines: dict[str, namespace.Place] = {}
        for index, machine in enumerate(region.MACHINES):
            own = dict(files)
            if machine.cloud == "azure":
                own["platform/azure.env"] = (
                    f"AZURE_CLIENT_ID={machine.identity}\nAZURE_KEY_VAULT={region.AZURE_VAULT}\n"
                )
            machines[machine.name] = ends.enter_context(namespace.held(work / machine.name, own))
            namespace.join(centre, machines[machine.name], machine.address, f"m{index}")
        cloud = Cloud(centre, folder)
        ends.callback(cloud.kill)
        cloud.start()
        cloud.tell(region.told())
        yield Rig(cloud, machines)
