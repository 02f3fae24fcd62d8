"""The operator of a lab: runs the runbook's commands at the desk, with what an operator of a real platform would have.

Owns what they are given: manifests from the stacks, the platform's secrets and tokens through a pipe, the keys of those
who hold Vault's recovery keys (the lab's own, made once). Decides nothing about the platform: the commands do.

Dangerous edge: secrets go from one process's memory to another's through a pipe, never to a file or an argument.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.plan.secrets import CONSUL_MANAGEMENT, ENTRIES, NOMAD_MANAGEMENT, VAULT_HEALTH
from components.plan.spec import PRIMARY, Product
from runbook.credentials import VARIABLES
from runbook.entries import LINEAGE
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab.follower import lab
from sandbox.lab.holders import keys
from sandbox.lab.machines.desk import Desk
from sandbox.lab.machines.network import Network
from sandbox.lab.programs import supplied
from sandbox.process import run
from sandbox.ready import ready
from sandbox.stacks import order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.plan.spec import Cloud
    from sandbox.lab.place import Place
    from sandbox.progress import Board

_TOKENS: Mapping[Product, str] = {"consul": CONSUL_MANAGEMENT, "nomad": NOMAD_MANAGEMENT, "vault": VAULT_HEALTH}
"""By product: entry of the token with which health is asked."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What it said to machines; empty if it said nothing."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


class Operator:
    """Whoever works at a lab's desk.

    Args:
        stacks: names of stacks by cloud.
        environment: with which the engine finds the lab's stacks.
    """

    def __init__(self, place: Place, stacks: Mapping[Cloud, str], environment: Mapping[str, str]) -> None:
        self._place = place
        self._stacks = stacks
        self._environment = dict(environment)
        own = lab(place.name, place.lab)
        self._desk = Desk(own, Network(own))
        self._secrets: dict[str, str] = {}

    def learn(self) -> None:
        """Reads manifests and secrets from the stacks."""
        folder = self._place.root / "manifests"
        folder.mkdir(exist_ok=True)
        for cloud, stack in self._stacks.items():
            text = self._output(stack, "manifest")
            (folder / f"{cloud}.json").write_text(text, encoding="utf-8")
        lineage = json.loads(self._output(self._stacks[PRIMARY], LINEAGE))
        self._secrets = {entry: value for entry, value in lineage.items() if ENTRIES[entry].origin == "token"}

    def bootstrap(self) -> Ran:
        """Brings the clusters from running servers to use."""
        holders = [word for file in keys(self._place.holders) for word in ("--holder", str(file))]
        shares = self._place.holders / "shares"
        shares.mkdir(mode=0o700, exist_ok=True)
        words = ["bootstrap", *self._manifests(), *holders, "--shares-to", str(shares), "--json"]
        return self._run(words, "--secrets-fd", self._secrets)

    def health(self, *words: str) -> Ran:
        """The morning check."""
        left_out = [] if supplied() else ["--without", "boundary"]
        tokens = {VARIABLES[product]: self._secrets[entry] for product, entry in _TOKENS.items()}
        return self._run(["health", *self._manifests(), *left_out, *words], "--tokens-fd", tokens)

    def _manifests(self) -> list[str]:
        folder = self._place.root / "manifests"
        return [word for cloud in self._stacks for word in ("--manifest", str(folder / f"{cloud}.json"))]

    def _output(self, stack: str, name: str) -> str:
        command = ["pulumi", "stack", "output", name, "--json", "--show-secrets", "--stack", stack, "--cwd", str(TREE)]
        return run(command, env=self._environment, doing=f"reading the outputs of {stack}")

    def _run(self, words: Sequence[str], option: str, told: Mapping[str, str]) -> Ran:
        reading, writing = os.pipe()
        command = self._desk.command([sys.executable, "-m", "runbook", *words, option, str(reading)])
        text = "".join(f"{name}={value}\n" for name, value in told.items())
        with subprocess.Popen(
            command, cwd=TREE, pass_fds=(reading,), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            os.close(reading)
            # A pipe holds less than all secrets may need.
            feeder = threading.Thread(target=_write, args=(writing, text.encode()))
            feeder.start()
            out, err = process.communicate()
            feeder.join()
        return Ran(process.returncode, out, err)


def of(place: Place, board: Board) -> Operator:
    """Whoever works at the desk of a lab that was made, with all that he has to know.

    Raises:
        SandboxError: there is none of that name.
    """
    wish = place.wish()
    if wish is None:
        raise SandboxError(f"There is no lab {place.name!r}, so nobody can be asked.", "`make lab` makes one.")
    stacks: dict[Cloud, str] = {one.cloud: one.name for one in order.stacks(TREE) if one.cloud in wish.regions}
    operator = Operator(place, stacks, ready(board, root=place.root).process_environment())
    with board.step("reading manifests and tokens from the stacks"):
        operator.learn()
    return operator


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
