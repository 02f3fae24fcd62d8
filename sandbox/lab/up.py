"""From nothing to a lab whose every check is green: the order, and what is shown of it.

Owns the phases: programs and base image, then the engine's updates while labd boots what is on record already, then the
runbook's own commands at the operator's desk. Every phase looks before it acts, so that the whole may be run again.

Dangerous edge: the engine saves its state when an update ends and not after each resource, which is most of its time.
An engine that is killed by a signal that it cannot handle loses what it made; then the lab is destroyed and made anew.
"""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

import config
from components.plan.backup import NAME as BACKUP
from config.files import settings
from runbook.bootstrap.steps import State
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab import daemon
from sandbox.lab import operator as operators
from sandbox.lab.follower import lab, services_folder
from sandbox.lab.links import needs as links_needs
from sandbox.lab.machines import needs
from sandbox.lab.machines.base import base
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.phases import Phases
from sandbox.lab.prepared import archives, prepared
from sandbox.lab.programs import behind, programs, stand_ins
from sandbox.lab.services.server import shelf
from sandbox.lab.settings import configured
from sandbox.ready import ready
from sandbox.stacks import order, passes, report
from sandbox.stacks.passes import Outcome, Runner
from sandbox.toolchain import openbao

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from sandbox.home import Home
    from sandbox.lab.machines.machine import Status
    from sandbox.lab.operator import Operator
    from sandbox.lab.place import Place, Wish
    from sandbox.progress import Board
    from sandbox.stacks.order import StackFile

_BACKUP_UNIT = f"{BACKUP}.service"
BOOT_SECONDS, HEALTH_SECONDS = 600.0, 600.0
TROUBLE_SECONDS = 30.0
"""For how long rounds may fail one after the other; a cloud that is being changed makes one fail now and then."""
_POLL_SECONDS = 1.0
_SAVED_AT_THE_END = {"PULUMI_SKIP_CHECKPOINTS": "true"}


@dataclass(frozen=True)
class Made:
    """What bringing a lab up came to.

    Attributes:
        changed: whether anything was made, changed or brought up.
        healthy: whether every check that counts is green.
        health: what the morning check says, as an operator reads it.
        tunnels: how many of the declared tunnels pass packets; empty where none is declared.
        vault: what serves in Vault's place, in words; empty where it is Vault.
        phases: where the time went.
    """

    changed: bool
    healthy: bool
    health: str
    tunnels: str
    vault: str
    phases: RenderableType


def up(place: Place, wish: Wish, board: Board) -> Made:
    """Brings a lab up, or on.

    Raises:
        SandboxError: something is missing, an update fails, or a machine does not boot; what was made stays.
    """
    if lacking := needs.missing() or links_needs.missing(plain=wish.links == "plain"):
        raise SandboxError(f"There can be no lab here: {lacking}.", "`make up` needs nothing of it.")
    place.settle(wish)
    phases = Phases()
    with phases.phase("programs, base image"):
        files = _stack_files(place, wish)
        stand_ins(board)
        supply(place, wish, next(iter(files.values())), board)
        base(board)
    with phases.phase("engine: updates of the stacks"):
        home = ready(board, files, place.root)
        changed = daemon.start(place)
        outcome = _updated(home, files, board)
    with phases.phase("machines: boots still under way"):
        statuses = _booted(place, board)
    with phases.phase("bootstrap: Vault, access control, federation"):
        operator = operators.of(place, board)
        changed = _bootstrapped(operator, board) or changed or outcome.changed
    with phases.phase("votes, first backups, all checks green"):
        if operator.health("--json").code:
            back_up(place, statuses)
        _settled(operator, board)
    shown = operator.health()
    stand_in = f"OpenBao {openbao.version()} stands in for Vault." if place.openbao.exists() else ""
    return Made(changed, shown.code == 0, shown.out, _tunnels(place), stand_in, phases.table(len(wish.regions)))


def back_up(place: Place, statuses: Sequence[Status]) -> None:
    """Has backups taken now, and not at the half hour, by machines that run; only leaders of a moment store."""
    fleet = Fleet(lab(place.name, place.lab))

    def begin(status: Status) -> None:
        instance = fleet.instance(status.name)
        if (instance.root.files / "etc/systemd/system" / _BACKUP_UNIT).exists():
            subprocess.run(instance.command(["systemctl", "start", "--no-block", _BACKUP_UNIT]), check=True)

    with ThreadPoolExecutor() as pool:
        list(pool.map(begin, statuses))


def _stack_files(place: Place, wish: Wish) -> dict[StackFile, Path]:
    """The stack files with the lab's settings, by stack."""
    project = yaml.safe_load((TREE / "Pulumi.yaml").read_text(encoding="utf-8"))
    place.stack_files.mkdir(parents=True, exist_ok=True)
    found: dict[StackFile, Path] = {}
    for stack in order.stacks(TREE):
        if stack.cloud in wish.regions:
            committed = yaml.safe_load((TREE / f"Pulumi.{stack.name}.yaml").read_text(encoding="utf-8"))
            found[stack] = file = place.stack_files / f"Pulumi.{stack.name}.yaml"
            file.write_text(yaml.safe_dump({"config": configured(project, committed, wish)}), encoding="utf-8")
    return found


def supply(place: Place, wish: Wish, stack_file: Path, board: Board) -> None:
    """Puts what machines install into their image, and where the stacks say that it is fetched.

    Raises:
        SandboxError: a program is missing, or the lab's Vault would become OpenBao.
    """
    platform = config.parse(settings(TREE, stack_file)).platform
    found = programs(board, without_vault=wish.vault == "openbao" or place.openbao.exists())
    layer = lab(place.name, place.lab).prepared
    if beside := behind(found, platform.versions):
        if layer.is_symlink() and not place.openbao.exists():
            raise SandboxError(
                f"The lab {place.name!r} was made with Vault, which cannot be built now, and OpenBao cannot read its data.",
                f"Mend what keeps Vault from building, or `make lab-destroy NAME={place.name}` first.",
            )
        place.openbao.touch()
    wanted = (platform.versions, platform.artifacts, found, board)
    for link, target in (
        (shelf(services_folder(place.lab)), archives(*wanted)),
        (layer, prepared(*wanted, beside)),
    ):
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _updated(home: Home, files: Mapping[StackFile, Path], board: Board) -> Outcome:
    salt = (home.stack_files / "salt").read_text(encoding="utf-8")
    for file in files.values():
        file.write_text(file.read_text(encoding="utf-8") + salt, encoding="utf-8")
    environment = {**home.process_environment(), **_SAVED_AT_THE_END}
    runner = Runner(TREE, environment, board, files={stack.name: file for stack, file in files.items()})
    outcome = passes.bring_up(runner, list(files))
    for result in outcome.failed:
        report.explain(result, board.console)
    if outcome.failed or outcome.unsettled:
        stuck = ", ".join([result.stack for result in outcome.failed] or outcome.unsettled)
        raise SandboxError(
            f"The update of {stuck} did not come to its end.", "Mend the cause; `make lab` goes on here."
        )
    return outcome


def _booted(place: Place, board: Board) -> list[Status]:
    """Waits until everything on record exists and no machine boots any more.

    Raises:
        SandboxError: machines failed, or are not ready in time; each is named with its reason.
    """
    began = time.time()
    fleet = Fleet(lab(place.name, place.lab))
    well = time.monotonic()
    end = well + BOOT_SECONDS
    with board.step("machines boot") as step:
        while True:
            said, statuses = daemon.said(place), fleet.statuses()
            waiting = [status for status in statuses if status.phase == "booting"]
            trouble = said.trouble if said else ""
            step.note = f"{len(statuses) - len(waiting)} of {len(statuses)} ready{'; ' if trouble else ''}{trouble}"
            if said is not None and said.began > began and not said.changed and not trouble and not waiting:
                break
            well = well if trouble else time.monotonic()
            now = time.monotonic()
            if now > end or now > well + TROUBLE_SECONDS or not daemon.lives(place):
                raise SandboxError(
                    f"The lab is not what its cloud says: {_why(place, said, waiting)}",
                    f"`python -m sandbox.lab status --lab {place.name}` shows each machine.",
                )
            time.sleep(_POLL_SECONDS)
    if failed := [status for status in statuses if status.phase != "ready"]:
        raise SandboxError(
            "\n".join(["Machines did not boot:", *(f"{one.name}: {one.phase}: {one.reason}" for one in failed)]),
            "Mend the cause and kill the machine (`python -m sandbox.lab kill`, then `restore`): it boots again.",
        )
    return statuses


def _why(place: Place, said: daemon.Said | None, waiting: Sequence[Status]) -> str:
    if not daemon.lives(place):
        return f"labd ended; see {place.lab / 'labd.log'}"
    if said is not None and said.trouble:
        return said.trouble
    return f"still booting: {', '.join(status.name for status in waiting)}"


def _bootstrapped(operator: Operator, board: Board) -> bool:
    """Runs the bootstrap; says whether it changed anything."""
    with board.step("runbook bootstrap"):
        ran = operator.bootstrap()
    if ran.code:
        raise SandboxError(f"`runbook bootstrap` ended with {ran.code}: {ran.err.strip()[-2000:]}", "See what it says.")
    return ran.document.get("state") != State.UNCHANGED


def _tunnels(place: Place) -> str:
    said = daemon.said(place)
    declared = said.tunnels if said else ()
    down = [f"{ends}: {why}" for ends, why in declared if why]
    passing = f"{len(declared) - len(down)} of {len(declared)} tunnels pass packets."
    return "\n".join([passing, *down]) if declared else ""


def _settled(operator: Operator, board: Board) -> None:
    """Asks until every check is green, or time is up; what is not green then is shown by the table."""
    end = time.monotonic() + HEALTH_SECONDS
    with board.step("runbook health") as step:
        while (ran := operator.health("--json")).code and time.monotonic() < end:
            rows = [row for subject in ran.document.get("subjects", ()) for row in subject["outcomes"]]
            counts = {verdict: [row for row in rows if row["verdict"] == verdict] for verdict in ("wrong", "unknown")}
            step.note = ", ".join(f"{len(found)} {verdict}" for verdict, found in counts.items())
            time.sleep(_POLL_SECONDS)
