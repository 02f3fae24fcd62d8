"""Times a bring-up from nothing, one without changes, and previews, in a sandbox of its own.

Each preview is the best of five, in wall and CPU seconds (engine, language host, program and simulated cloud together).
A stack's program stands next to an empty one and to a flat one that registers the same resources (`flat_program`):
the first is what the engine costs, the second what the resources cost, the rest is the program's own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from rich.table import Table

from sandbox import service
from sandbox.errors import SandboxError
from sandbox.home import project_name
from sandbox.process import run as run_command
from sandbox.stacks import operation, passes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.home import Home
    from sandbox.progress import Board
    from sandbox.stacks.operation import Result
    from sandbox.stacks.order import StackFile

REPEATS = 5
_IDLE = """from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

PolicyPack("idle", [ResourceValidationPolicy("idle", "Does nothing.", lambda args, report: None, EnforcementLevel.ADVISORY)])
"""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock and of CPU."""

    wall: float
    cpu: float


class Bench:
    """Measures in one sandbox, which holds nothing else."""

    def __init__(self, home: Home, project: Path, stacks: Sequence[StackFile], board: Board) -> None:
        self._home = home
        self._project = project
        self._stacks = stacks
        self._board = board
        self._cloud = service.ensure(home.cloud, board).pid

    def table(self) -> Table:
        """All measurements, as ratios to the empty and the flat program."""
        table = Table(title=f"seconds; previews are the best of {REPEATS}", title_justify="left")
        for heading in ("", "resources", "wall", "CPU", "to empty", "to flat"):
            table.add_column(heading, justify="left" if not heading else "right")
        for title in ("up of all from nothing", "up of all, nothing changes"):
            resources, cost = self._bring_up()
            table.add_row(title, str(resources), f"{cost.wall:.1f}", f"{cost.cpu:.1f}", "", "", end_section=True)
        empty_project = self._written("empty", "")
        _, empty = self._preview("empty", empty_project, "empty program")
        table.add_row("preview, empty program", "1", f"{empty.wall:.2f}", f"{empty.cpu:.2f}", "", "", end_section=True)
        for stack in self._stacks:
            flat_result, flat = self._preview(stack.name, self._flat(stack.name), f"flat {stack.name}")
            result, cost = self._preview(stack.name, self._project, stack.name)
            for title, seen, spent in (("flat", flat_result, flat), (stack.name, result, cost)):
                table.add_row(
                    f"preview, {title}", str(seen.resources), f"{spent.wall:.2f}", f"{spent.cpu:.2f}",
                    f"{spent.cpu / empty.cpu:.1f}", f"{spent.cpu / flat.cpu:.2f}", end_section=spent is cost,
                )  # fmt: skip
        return table

    def judged(self) -> Table:
        """Previews of the primary without a pack, with one policy that does nothing, and with the project's pack."""
        (primary, *_) = self._stacks
        runner = passes.Runner(self._project, self._home.process_environment(), self._board)
        for _ in range(2):
            # The second one settles what the first one's own outputs changed.
            if not runner.run("up", primary).succeeded:
                raise SandboxError(f"up {primary.name} failed, so there is nothing to measure.", "`make up` says why.")
        table = Table(title=f"preview of {primary.name}, the best of {REPEATS}", title_justify="left")
        for heading in ("", "resources", "wall", "CPU", "to the policy that does nothing", "ms a resource"):
            table.add_column(heading, justify="left" if not heading else "right")
        idle = self._idle_pack()
        packs = (("no pack", None), ("one policy that does nothing", idle), ("the pack", self._project / "policies"))
        costs: dict[str, Cost] = {}
        for title, pack in packs:
            flags = ("--policy-pack", str(pack)) if pack else ()
            result, costs[title] = self._preview(primary.name, self._project, title, flags)
            cost, floor = costs[title], costs.get(packs[1][0])
            added = (cost.wall - costs["no pack"].wall) * 1000 / result.resources
            table.add_row(
                title, str(result.resources), f"{cost.wall:.2f}", f"{cost.cpu:.2f}",
                f"{cost.wall / floor.wall:.2f}" if floor else "", f"{added:.1f}" if pack else "",
            )  # fmt: skip
        return table

    def _idle_pack(self) -> Path:
        folder = self._home.root / "idle-pack"
        folder.mkdir(exist_ok=True)
        runtime = {"name": "python", "options": {"virtualenv": str(self._project / "policies" / ".venv")}}
        (folder / "PulumiPolicy.yaml").write_text(
            yaml.safe_dump({"version": "1.0.0", "runtime": runtime}), encoding="utf-8"
        )
        (folder / "__main__.py").write_text(_IDLE, encoding="utf-8")
        return folder

    def _bring_up(self) -> tuple[int, Cost]:
        runner = passes.Runner(self._project, self._home.process_environment(), self._board)
        outcome, cost = self._timed(lambda: passes.bring_up(runner, self._stacks))
        for failed in outcome.failed:
            raise SandboxError(f"up {failed.stack} failed, so there is nothing to measure.", "`make up` says why.")
        return sum(outcome.latest(stack.name).resources for stack in self._stacks), cost

    def _preview(self, stack: str, project: Path, title: str, flags: Sequence[str] = ()) -> tuple[Result, Cost]:
        """The best wall and the best CPU time of several previews."""
        costs: list[Cost] = []
        with self._board.step(f"preview, {title}") as step:
            while True:
                result, cost = self._timed(
                    lambda: operation.run(
                        "preview", stack, project=project, environment=self._home.process_environment(), flags=flags
                    )
                )
                if not result.succeeded:
                    said = "; ".join([*(item.message for item in result.errors), result.complaint])
                    raise SandboxError(f"The preview of {title} failed: {said}", "`make preview` shows it in full.")
                costs.append(cost)
                step.note = f"{len(costs)} of {REPEATS}"
                if len(costs) == REPEATS:
                    return result, Cost(min(c.wall for c in costs), min(c.cpu for c in costs))

    def _timed(self, work: Callable[[], _T]) -> tuple[_T, Cost]:
        before, began = self._cpu(), time.monotonic()
        done = work()
        return done, Cost(time.monotonic() - began, self._cpu() - before)

    def _cpu(self) -> float:
        """CPU seconds of all ended children and of the simulated cloud so far."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime + _cpu_of(self._cloud)

    def _flat(self, stack: str) -> Path:
        """A project that registers what the stack holds.

        Its list has the stack's secrets in clear, or nothing would stay as it is: for the owner's eyes, and it is gone
        with the bench.
        """
        folder = self._written("flat", (Path(__file__).parent / "flat_program.py").read_text(encoding="utf-8"))
        command = [str(self._home.engine.program), "stack", "export", "--show-secrets", "--stack", stack]
        command += ["--cwd", str(self._project)]
        state = run_command(command, env=self._home.process_environment(), doing="exporting the stack")
        listed = folder / "resources.json"
        listed.touch(mode=0o600)
        listed.write_text(json.dumps(_registered(json.loads(state))), encoding="utf-8")
        shutil.copy(self._project / f"Pulumi.{stack}.yaml", folder)
        return folder

    def _written(self, name: str, source: str) -> Path:
        """A project with this program, under the platform's name unless it is the empty one."""
        folder = self._home.root / name
        folder.mkdir(exist_ok=True)
        document = yaml.safe_load((self._project / "Pulumi.yaml").read_text(encoding="utf-8"))
        document["runtime"]["options"]["virtualenv"] = str(self._project / ".venv")
        if not source:
            document = {"name": name, "runtime": document["runtime"]}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        (folder / "__main__.py").write_text(source, encoding="utf-8")
        if not source:
            self._home.ensure_stack(folder, project_name(folder))
        return folder


def _registered(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources that a program registers: not the stack, the engine's own providers, or reads of other stacks."""
    kept = ("urn", "type", "custom", "parent", "provider", "inputs", "protect", "additionalSecretOutputs")
    return [
        {key: value for key, value in found.items() if key in kept}
        for found in state["deployment"]["resources"]
        if not found["type"].startswith("pulumi:pulumi:") and not found["urn"].rpartition("::")[2].startswith("default")
    ]


def _cpu_of(pid: int) -> float:
    """CPU seconds of a running process; 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
