"""A whole lab of one region for tests that break it, and somebody who writes to it meanwhile.

Owns the waits for health, the reading of what is not well, and the test's side of the writer. What breaks and what mends
is the lab's own commands'; how a whole lab is made is `whole`'s.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyrage

from components.plan.flows import CONSUL_HTTPS, NOMAD_HTTP, VAULT_API
from components.plan.secrets import CONSUL_MANAGEMENT, NOMAD_MANAGEMENT
from components.plan.spec import PRIMARY
from runbook.manifests import from_files
from sandbox.home import TREE
from sandbox.lab.breaking import cloud, looking
from sandbox.lab.breaking.mending import restore
from sandbox.lab.machines.desk import Desk
from sandbox.lab.place import Wish
from sandbox.lab.up import back_up
from sandbox.stores import declared
from tests.lab.proofs.writer import KEPT, Kept, Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.lab.breaking.breaker import Breaker
    from sandbox.lab.breaking.looking import Row
    from sandbox.lab.machines.fleet import Fleet
    from tests.lab.proofs.whole import Whole

WISH = Wish((PRIMARY,), "small", "plain")
SEAL = "aws/hashicorp-vault-seal"
"""The key of the region's Vault, as `lab key` names it."""
PATIENCE = 300.0
"""Far beyond what a machine takes: two cores may be shared by all."""
_POLL_SECONDS = 1.0
_DEADLINE = "30"
"""Seconds of one morning check. Not its own five: how late a busy machine's servers answer is not what is proven."""
_PORTS: Mapping[Kept, int] = {"consul": CONSUL_HTTPS.first, "nomad": NOMAD_HTTP.first, "vault": VAULT_API.first}
_SHARE = re.compile(r"-(\d+)-[0-9a-f]+\.age")


@dataclass(frozen=True)
class Region:
    """A small lab of the primary, followed by its own labd."""

    lab: Whole

    @property
    def fleet(self) -> Fleet:
        return self.lab.fleet

    @property
    def breaker(self) -> Breaker:
        return self.lab.breaker

    def names(self, role: str = "") -> list[str]:
        """Machines with this in their names, such as `consul-aws`."""
        return [status.name for status in self.fleet.statuses() if role in status.name]

    def pids(self, *without: str) -> dict[str, int]:
        """By machine: the process whose end is its own, so that a restart that nobody asked for is seen."""
        return {status.name: status.pid for status in self.fleet.statuses() if status.name not in without}

    def row(self, name: str) -> Row:
        """What `lab status` says of a machine."""
        (found,) = (row for row in looking.look(self.breaker).machines if row.name == name)
        return found

    def ailing(self) -> dict[str, str]:
        """Machines that `lab status` does not find well, with why."""
        rows = looking.look(self.breaker).machines
        return {row.name: f"{row.phase}: {row.reason}" for row in rows if row.phase != "ready" or row.reason}

    def unwell(self) -> list[str]:
        """What `runbook health` does not find well, a line each; nothing where every check that counts is green."""
        ran = self.lab.operator.health("--json", "--deadline", _DEADLINE)
        found = [
            f"{subject['name']} {row['server']} {row['verdict']}: {row['says']}"
            for subject in ran.document.get("subjects", ())
            for row in subject["outcomes"]
            if row["verdict"] in {"wrong", "unknown"}
        ]
        return found or ([f"health ended with {ran.code}: {ran.err}"] if ran.code else [])

    def heals(self) -> None:
        """Waits until every machine is well and every check green."""
        until(lambda: not self.ailing(), self.ailing)
        until(self._recovered, self.unwell)

    def starts(self, *names: str) -> None:
        """Starts killed machines again, as `lab restore` does, and waits until all is well."""
        assert restore(self.breaker, names) == [f"{name} started" for name in names]
        self.heals()

    def replace(self, name: str) -> None:
        """Takes a machine away for good, all but its disks; the follower makes it anew."""
        before = self.fleet.instance(name).status().pid
        with self.fleet.locked():
            self.fleet.instance(name).purge()
        until(lambda: self.fleet.instance(name).status().pid not in {0, before}, self.ailing)

    def _recovered(self) -> bool:
        """Whether every check is green; takes backups where a machine made anew has forgotten them, as the operator would."""
        said = self.unwell()
        if any("no machine knows of one" in line for line in said):
            back_up(self.lab.place, self.fleet.statuses())
        return not said

    def order(self) -> Order:
        """What somebody who writes to the region needs."""
        manifest = from_files([self.lab.place.root / "manifests" / f"{PRIMARY}.json"])[PRIMARY]
        secrets = {one.id: one.value for one in declared.ground(cloud.records(self.lab.place.cloud)).secrets}
        tokens: dict[Kept, str] = {
            "consul": secrets[manifest.secrets[CONSUL_MANAGEMENT]],
            "nomad": secrets[manifest.secrets[NOMAD_MANAGEMENT]],
        }
        servers: dict[Kept, list[str]] = {
            product: [
                f"https://{server.address}:{_PORTS[product]}"
                for cluster in manifest.clusters
                if cluster.product == product
                for server in cluster.servers
            ]
            for product in KEPT
        }
        return Order(manifest.ca_certificate, servers, tokens, self._shares())

    def _shares(self) -> list[str]:
        """The recovery key's, as their holders decrypt them."""
        holders = self.lab.place.holders
        found: list[str] = []
        for file in sorted((holders / "shares").iterdir()):
            number = _SHARE.findall(file.name)[0]
            key = (holders / f"holder-{number}.age").read_text(encoding="ascii").strip()
            found.append(pyrage.decrypt(file.read_bytes(), [pyrage.x25519.Identity.from_str(key)]).decode().strip())
        return found


class Writer:
    """The process that writes, as the test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._keys: dict[Kept, list[str]] = {product: [] for product in KEPT}
        self._lost: list[list[str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def acknowledged(self) -> dict[Kept, int]:
        """How many writes each product has said to have kept."""
        return {product: len(keys) for product, keys in self._keys.items()}

    def goes_on(self) -> None:
        """Waits until every product acknowledges a write that was not begun before."""
        before = self.acknowledged()
        # One may be under way; the second is new.
        self._comes(lambda: all(self.acknowledged()[product] >= before[product] + 2 for product in KEPT))

    def lost(self) -> list[str]:
        """Acknowledged writes that the leaders do not have, of all so far."""
        answers = len(self._lost)
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(self._keys)}\n")
        self._process.stdin.flush()
        self._comes(lambda: len(self._lost) > answers)
        return self._lost[-1]

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            if "lost" in said:
                self._lost.append(said["lost"])
            else:
                self._keys[said["product"]].append(said["key"])

    def _comes(self, holds: Callable[[], bool]) -> None:
        """Waits for something that the process says; fails at once with its last words when it has ended."""
        until(lambda: holds() or self._process.poll() is not None, lambda: f"acknowledged {self.acknowledged()}")
        assert self._process.stderr
        assert self._process.poll() is None, self._process.stderr.read()


def until(holds: Callable[[], object], why: Callable[[], object]) -> None:
    """Waits for something, and says what is there instead when it does not come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(_POLL_SECONDS)


@contextmanager
def writing(region: Region) -> Iterator[Writer]:
    """Somebody at the desk of a lab, who writes while the body runs."""
    desk = Desk(region.fleet.lab, region.fleet.network)
    command = desk.command([sys.executable, "-m", "tests.lab.proofs.writer"])
    with subprocess.Popen(
        command, cwd=TREE, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        process.stdin.write(region.order().line())
        process.stdin.flush()
        try:
            yield Writer(process)
        finally:
            process.kill()
