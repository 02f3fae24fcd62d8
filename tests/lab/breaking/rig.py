"""Labs laid out as a sandbox lays them out, with small machines in two zones, to be broken."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.lab.breaking.breaker import Breaker
from sandbox.lab.machines import disks, limits, teardown
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import Lab
from sandbox.lab.place import Place
from sandbox.lab.world import Disk, Rule
from tests.lab.machines.rig import booted, lab_name, machine, sweep, user_data, world

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).parents[3]
PORT = 8500
DISK = Disk("vol-store", 1, ("/dev/xvdf",))
STORE = "/opt/store"
UNIT = "clock.service"
DATA = user_data(
    {
        # A server that says what time it is.
        "/opt/clock.py": (
            "import http.server, time\n"
            "class Said(http.server.BaseHTTPRequestHandler):\n"
            "    def do_GET(self):\n"
            "        self.send_response(200)\n"
            "        self.end_headers()\n"
            "        self.wfile.write(str(time.time()).encode())\n"
            f"http.server.HTTPServer(('0.0.0.0', {PORT}), Said).serve_forever()\n"
        ),
        "/opt/store.sh": (
            "#!/bin/sh\nset -e\nmkdir -p /opt/store\n[ -b /dev/xvdf ] || exit 0\n"
            "blkid /dev/xvdf || mkfs.ext4 -q /dev/xvdf\nmount /dev/xvdf /opt/store\n"
        ),
        f"/etc/systemd/system/{UNIT}": (
            "[Service]\nExecStart=/usr/bin/python3 /opt/clock.py\nRestart=always\nRestartSec=0\n"
            "[Install]\nWantedBy=multi-user.target\n"
        ),
        "/etc/systemd/system/store.service": (
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/store.sh\n[Install]\nWantedBy=multi-user.target\n"
        ),
    },
    ["systemctl", "enable", "--now", UNIT, "store.service"],
)
NEAR = machine("consul-one", DATA, host=10, disks=(DISK,))
BESIDE = machine("consul-two", DATA, host=11)
FAR = replace(machine("vault-one", DATA, host=12), zone="b")
NAMES = (NEAR.name, BESIDE.name, FAR.name)
RULES = tuple(
    Rule(each.name, towards, allows=True, protocol="any", peers=("10.0.0.0/8",))
    for each in (NEAR, BESIDE, FAR)
    for towards in ("in", "out")
)
WORLD = world(NEAR, BESIDE, FAR, rules=RULES)


@dataclass(frozen=True)
class Broken:
    """A lab and who breaks it."""

    place: Place
    fleet: Fleet

    @property
    def breaker(self) -> Breaker:
        return Breaker(self.place)

    def phases(self) -> dict[str, str]:
        return {status.name: status.phase for status in self.fleet.statuses()}

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        words = self.fleet.instance(name).command(command)
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def time(self, name: str) -> float:
        """What time a machine's server says it is, asked on the machine itself."""
        return float(self.run(name, "curl", "--silent", "--fail", f"http://127.0.0.1:{PORT}/").stdout)

    def reaches(self, one: str, other: str) -> bool:
        """Whether a machine's program gets an answer from another machine's."""
        address = self.fleet.instance(other).status().address
        command = ["curl", "--silent", "--fail", "--max-time", "1", f"http://{address}:{PORT}/"]
        return self.run(one, *command).returncode == 0

    def serves(self, name: str) -> bool:
        return self.run(name, "curl", "--silent", "--fail", f"http://127.0.0.1:{PORT}/").returncode == 0


@contextmanager
def labs(above: Path, count: int = 1) -> Iterator[list[Broken]]:
    """Labs of the same world, side by side, which are gone afterwards."""
    sweep()
    with ExitStack() as stack:
        made: list[Broken] = []
        for _ in range(count):
            place = Place(lab_name(), above / "labs")
            lab = Lab(place.name, place.lab)
            stack.callback(teardown.remove, lab)
            made.append(Broken(place, Fleet(lab)))
            made[-1].fleet.apply(WORLD)
        for each in made:
            booted(each.fleet, *NAMES)
        yield made


def command(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox.lab", *words],
        capture_output=True, text=True, check=False, cwd=TREE, env={**os.environ, **more}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def taken(broken: Broken) -> int:
    """Bytes that the image of the data disk takes on this host."""
    return disks.image(broken.fleet.lab, DISK.id).stat().st_blocks * 512


def registered(name: str) -> bool:
    return limits.registered(name) is not None
