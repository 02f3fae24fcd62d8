"""The three regions, built once in a test run: what many tests look at, and what others start from.

Program, stack files and engine are the real ones. Whoever comes first builds, the other pytest-xdist workers wait for
it. What is built is never changed again: a test that changes a region works on a copy of the whole sandbox, which costs
a second instead of a minute.

Two stages are kept: `primary`, with the primary up and its peers still empty, and `platform`, with all three after two
passes: gateways in the first, tunnels in the second.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import config
from components.plan.spec import CLOUDS, PRIMARY
from config.files import settings
from sandbox.home import TREE, Home
from sandbox.progress import Board
from sandbox.toolchain import engine
from tests.harness import Sandbox, open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.plan.spec import Cloud
    from components.plan.spec import Stack as Plan
    from tests.harness import Stack

Stage = Literal["primary", "platform"]
Pass = Literal["first", "second"]

_NOT_COPIED = shutil.ignore_patterns("port", "lock")
"""What belongs to the process that served the original."""


@dataclass(frozen=True)
class Deployed:
    """What was built, at rest: its simulated cloud is stopped."""

    folder: Path

    @property
    def platform(self) -> Path:
        """The sandbox's folder, with everything that an update wrote."""
        return self.folder / "platform"

    def said(self, cloud: Cloud) -> str:
        """All that the engine printed while the region was built, with details."""
        return _transcript(self.folder, cloud).read_text(encoding="utf-8")

    def state(self, cloud: Cloud, after: Pass = "second") -> dict[str, Any]:
        """The region's deployment as exported after a pass; secrets encrypted."""
        return json.loads(_exported(self.folder, cloud, after).read_text(encoding="utf-8"))

    def stack(self, cloud: Cloud, stage: Stage = "platform") -> Stack:
        """The stack, to be looked at only: no cloud answers."""
        return Sandbox(Home(self.folder / stage, engine.obtain(Board()))).stack(cloud)

    @contextmanager
    def copy(self, folder: Path, stage: Stage = "platform") -> Iterator[Sandbox]:
        """A running copy to change, in a new folder."""
        shutil.copytree(self.folder / stage, folder, ignore=_NOT_COPIED)
        with open_sandbox(folder) as sandbox:
            yield sandbox


def plan(cloud: Cloud) -> Plan:
    """The plan of a region, from the files that a user has."""
    return config.parse(settings(TREE, TREE / f"Pulumi.{cloud}.yaml"), stack=cloud)


def region_stacks(sandbox: Sandbox) -> dict[Cloud, Stack]:
    """The three stacks, created where they are not: each reads the others, and the engine refuses to read one that was
    never created.
    """
    return {cloud: sandbox.stack(cloud) for cloud in CLOUDS}


def deploy(shared: Path) -> Deployed:
    """What was built; built first if nobody has.

    Args:
        shared: a folder that all workers of the test run see.
    """
    folder = shared / "deployed"
    failure = shared / "deployment-failed"
    with (shared / "deploying").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failure.exists():
            raise AssertionError(failure.read_text(encoding="utf-8"))
        if not folder.exists():
            try:
                _build(folder)
            except AssertionError as error:
                failure.write_text(str(error), encoding="utf-8")
                raise
    return Deployed(folder)


def _build(folder: Path) -> None:
    deployed = Deployed(folder)
    with open_sandbox(deployed.platform) as sandbox:
        _up(region_stacks(sandbox)[PRIMARY], folder)
    shutil.copytree(deployed.platform, folder / "primary", ignore=_NOT_COPIED)
    with open_sandbox(deployed.platform) as sandbox:
        stacks = region_stacks(sandbox)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda cloud: _up(stacks[cloud], folder), [c for c in CLOUDS if c != PRIMARY]))
        _keep(stacks, folder, "first")
        # Gateways know each other now: tunnels, and trust in each other's machines. In this order, since each needs what
        # the one before it has made in this pass.
        for stack in stacks.values():
            _up(stack, folder)
        _keep(stacks, folder, "second")


def _keep(stacks: dict[Cloud, Stack], folder: Path, number: Pass) -> None:
    for cloud, stack in stacks.items():
        _exported(folder, cloud, number).write_text(json.dumps(stack.export()), encoding="utf-8")


def _exported(folder: Path, cloud: Cloud, number: Pass) -> Path:
    return folder / f"{cloud}-{number}.json"


def _transcript(folder: Path, cloud: str) -> Path:
    return folder / f"{cloud}.txt"


def _up(stack: Stack, folder: Path) -> None:
    """An update as a person runs it, with all that it prints kept."""
    words = ["--yes", "--skip-preview", "--diff", "--non-interactive", "--config-file", str(stack.file)]
    done = subprocess.run(
        [str(stack.sandbox.home.engine.program), "up", "--stack", stack.name, *words],
        cwd=stack.project,
        env=stack.sandbox.home.process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    with _transcript(folder, stack.name).open("a", encoding="utf-8") as transcript:
        transcript.write(done.stdout)
    assert done.returncode == 0, f"up {stack.name} ended with {done.returncode}:\n{done.stdout[-8000:]}"
