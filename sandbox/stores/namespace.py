"""Networks in which the clouds' real names lead to the gateway: one for the stores, one for each machine.

A network lives as long as the process that holds it, which ends with its standard input: nothing is named, mounted or
left on the host. A machine reaches the stores' network and nothing else; its `/etc` is the host's with its own hosts,
authorities and facts laid over it.

Needs root.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.errors import SandboxError

from . import certificates
from .ground import Ground

METADATA, GATEWAY = "169.254.169.254", "192.0.2.1"
METADATA_HOST = "metadata.google.internal"
"""Google's name for the first."""
_TREE = Path(__file__).resolve().parents[2]
AUTHORITIES = "ssl/certs/ca-certificates.crt"
"""Below `/etc`: whom every program of a machine trusts."""
_HOLD = """
set -e
ip link set lo up
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
cp -r "$2/." "$1/upper"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
echo ready
exec cat >/dev/null
"""


@dataclass(frozen=True)
class Place:
    """A network, by the process that holds it."""

    pid: int

    def command(self, *words: str) -> list[str]:
        """The command that runs words there."""
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", *words]

    def run(self, *words: str) -> None:
        """Run a command there.

        Raises:
            SandboxError: it fails.
        """
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SandboxError(f"`{' '.join(words)}` in a network: {done.stderr.strip()}", "This needs root.")


@dataclass(frozen=True)
class Stores:
    """The running stores, and the machines that reach them."""

    work: Path
    machines: Mapping[str, Place] = field(default_factory=dict[str, Place])


@contextlib.contextmanager
def held(scratch: Path, files: Mapping[str, str]) -> Iterator[Place]:
    """A network while the body runs.

    Args:
        scratch: a folder that is not there yet.
        files: content by path below `/etc`.
    """
    etc = _laid(scratch.with_name(f"{scratch.name}-etc"), files)
    scratch.mkdir()
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _HOLD, "-", scratch, etc]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        try:
            if holder.stdout is None or holder.stdout.readline() != "ready\n":
                said = holder.stderr.read() if holder.stderr else ""
                raise SandboxError(f"No network can be made here: {said.strip()}", "This needs root.")
            yield Place(holder.pid)
        finally:
            holder.kill()


@contextlib.contextmanager
def stores(ground: Ground, work: Path, facts: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Stores]:
    """The stores, served, and every machine of the ground in a network of its own.

    Args:
        ground: what stands there.
        work: an empty folder.
        facts: files below `/etc` by machine and path.
    """
    certificates.write(work, ground.hosts())
    # The stores serve no secrets, and none comes to a disk.
    (work / "ground.json").write_text(replace(ground, secrets=()).dump(), encoding="utf-8")
    hosts = [f"{GATEWAY} {name}\n" for name in ground.hosts()]
    hosts += ["127.0.0.1 localhost\n", f"{METADATA} {METADATA_HOST}\n"]
    files = {"hosts": "".join(hosts), AUTHORITIES: (work / certificates.CA).read_text(encoding="utf-8")}
    with contextlib.ExitStack() as stack:
        centre = stack.enter_context(held(work / "centre", files))
        for address in (METADATA, GATEWAY):
            centre.run("ip", "address", "add", f"{address}/32", "dev", "lo")
        machines: dict[str, Place] = {}
        for index, machine in enumerate(ground.machines):
            own = {**files, **(facts or {}).get(machine.name, {})}
            place = stack.enter_context(held(work / machine.name, own))
            join(centre, place, machine.address, f"m{index}")
            machines[machine.name] = place
        stack.enter_context(_served(centre, work))
        yield Stores(work, machines)


def _laid(folder: Path, files: Mapping[str, str]) -> Path:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return folder


def join(centre: Place, place: Place, address: str, link: str) -> None:
    """Give a network an address, and a way to the centre and to nothing else."""
    centre.run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(place.pid))
    centre.run("ip", "link", "set", link, "up")
    centre.run("ip", "route", "add", f"{address}/32", "dev", link)
    place.run("ip", "address", "add", f"{address}/32", "dev", "eth0")
    place.run("ip", "link", "set", "eth0", "up")
    place.run("ip", "route", "add", "default", "dev", "eth0", "src", address)


@contextlib.contextmanager
def _served(centre: Place, work: Path) -> Iterator[None]:
    command = centre.command("env", f"PYTHONPATH={_TREE}", sys.executable, "-m", "sandbox.stores", str(work))
    with (
        (work / "gateway.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            if server.stdout is None or server.stdout.readline() != "ready\n":
                said = (work / "gateway.log").read_text(encoding="utf-8")
                raise SandboxError(f"The stores do not start:\n{said}", "Run `make tools`, then this again.")
            yield
        finally:
            if server.stdin:
                server.stdin.close()
            server.wait(30)
