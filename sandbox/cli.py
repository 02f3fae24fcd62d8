"""What each command of the Makefile does.

Owns the order of the steps before an operation (engine, simulated cloud, stacks) and the exit codes: 0 done, 1 failed
with an explanation, 130 interrupted. stdout carries results only; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING, get_args

from rich.console import Console
from rich.markup import escape

from docs.picture import platform
from policies.context import now
from policies.levels import Occasion
from policies.report.evaluate import evaluate
from policies.report.state import load
from policies.settings import Settings
from sandbox import service
from sandbox.bench import failover
from sandbox.bench.measure import Bench
from sandbox.errors import SandboxError
from sandbox.home import CLOUD, TREE, Home
from sandbox.lab.breaking import labs
from sandbox.lab.place import kept
from sandbox.mesh.network import missing
from sandbox.process import attached
from sandbox.process import run as run_command
from sandbox.progress import Board
from sandbox.ready import ROOT, ready
from sandbox.stacks import operation, order, pack, passes, report
from sandbox.stacks.guards import guarded
from sandbox.toolchain import engine, golang, node_packages, openbao, packages
from sandbox.toolchain.table import PULUMI, TOOLS, VAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.table import Table

    from policies.report.evaluate import Report
    from sandbox.stacks.operation import Result
    from sandbox.stacks.order import StackFile

CACHES = (".pytest_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis")
INTERRUPTED = 130
LOG_WIDTH = 120
MEASURED = ("program", "pack", "mesh")
OPEN = "hashicorp-multicloud:deletion=open"


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    board = Board()
    out = Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)
    try:
        return options.run(options, board, out)
    except SandboxError as error:
        board.console.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        board.console.print(escape(error.fix), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        board.say("interrupted; the same command goes on where this one stopped")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The platform without a cloud account.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, text in (
        ("up", up, "bring every stack up"),
        ("preview", preview, "show what would change, as the policy pack judges it"),
        ("gate", gate, "say whether a change may be deployed"),
        ("compliance", compliance, "report what the policy pack finds in a stack as it is"),
        ("refresh", refresh, "compare state and simulated cloud"),
        ("destroy", destroy, "destroy all but the protected lineage"),
        ("env", env, "print shell lines for plain pulumi"),
        ("cloud", cloud, "start the simulated cloud"),
        ("tools", tools, "obtain engine and product binaries"),
        ("bench", bench, "measure the program"),
        ("clean", clean, "stop the simulated cloud and remove the sandbox"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        if name in {"preview", "gate", "compliance", "refresh", "destroy"}:
            command.add_argument("stack", nargs="?", default="", help="one stack; all of them if left out")
        if name in {"preview", "gate", "compliance"}:
            command.add_argument("--own", action="store_true", help="on the shell's own backend and clouds")
        if name == "gate":
            command.add_argument("--occasion", choices=get_args(Occasion), default="pull-request")
        if name == "compliance":
            command.add_argument("--format", default="text", help="text, json, sarif or html")
        if name == "bench":
            command.add_argument("what", nargs="?", choices=MEASURED, help="only this; all if left out")
        if name == "tools":
            command.add_argument(
                "names", nargs="*", help=f"any of {', '.join((*TOOLS, *node_packages.PACKAGES))}; all if left out"
            )
    return parser


def up(_: argparse.Namespace, board: Board, out: Console) -> int:
    """Brings every stack up until nothing changes, then shows the regions."""
    stacks = order.stacks(TREE)
    guard = pack.flags(TREE, "deploy")
    home = ready(board, stacks)
    runner = passes.Runner(TREE, home.process_environment(), board, guard)
    outcome = passes.bring_up(runner, stacks)
    if outcome.failed:
        for result in outcome.failed:
            report.explain(result, board.console)
        board.say("What was created stays. Mend the cause and run `make up` again: it goes on from here.")
        return 1
    manifests = [report.manifest_of(outcome.latest(stack.name)) for stack in stacks]
    judged = [_judged(stack.name, home, board) for stack in stacks]
    for table in (
        report.regions(manifests, outcome),
        report.mesh(manifests),
        report.backups(manifests),
        report.compliance(judged),
    ):
        out.print(table)
    if outcome.unsettled:
        raise SandboxError(
            f"After {passes.PASSES} passes these stacks still change each other: {', '.join(outcome.unsettled)}.",
            "Two stacks must not react to each other's changes for ever; `make preview` shows what differs.",
        )
    out.print("Nothing changed." if not outcome.changed else "Nothing changes any more.")
    return 0


def _judged(stack: str, home: Home, board: Board) -> Report:
    """What the policy pack says of a stack as it is."""
    with board.step(f"judge {stack}"):
        command = ["pulumi", "stack", "export", "--stack", stack, "--cwd", str(TREE)]
        text = run_command(command, env=home.process_environment(), doing=f"reading the state of {stack}")
        return evaluate(load(text, f"The state of {stack}"), Settings(), now(), TREE)


def _environment(options: argparse.Namespace, board: Board, stacks: Sequence[StackFile]) -> Mapping[str, str]:
    """The sandbox's, or the shell's own where somebody has a backend and clouds."""
    return dict(os.environ) if options.own else ready(board, stacks).process_environment()


def preview(options: argparse.Namespace, board: Board, _: Console) -> int:
    """Shows the engine's own diff of one stack or all, and what the policy pack says of it."""
    stacks = order.chosen(TREE, options.stack)
    guard = pack.flags(TREE, "pull-request")
    environment = _environment(options, board, stacks)
    return max(
        attached(["pulumi", "preview", "--diff", "-s", stack.name, *guard], TREE, environment) for stack in stacks
    )


def gate(options: argparse.Namespace, board: Board, _: Console) -> int:
    """Previews one stack or all with the policy pack, and asks the gate about each preview."""
    stacks = order.chosen(TREE, options.stack)
    guard = pack.flags(TREE, options.occasion)
    environment = _environment(options, board, stacks)
    kept = ROOT / "previews"
    kept.mkdir(parents=True, exist_ok=True)
    asked = ["--pull-request"] if options.occasion == "pull-request" else []
    codes: list[int] = []
    for stack in stacks:
        file = kept / f"{stack.name}.json"
        with board.step(f"preview {stack.name}"):
            operation.record(stack.name, file, project=TREE, environment=environment, flags=guard)
        codes.append(attached([sys.executable, "-m", "policies.gate", *asked, str(file)], TREE, environment))
    return max(codes)


def compliance(options: argparse.Namespace, board: Board, _: Console) -> int:
    """Reports what the policy pack finds in one stack or all; only the report goes to stdout."""
    stacks = order.chosen(TREE, options.stack)
    environment = _environment(options, board, stacks)
    command = [sys.executable, "-m", "policies.report", "--format", options.format, "--stack"]
    return max(attached([*command, stack.name], TREE, environment) for stack in stacks)


def refresh(options: argparse.Namespace, board: Board, out: Console) -> int:
    """Compares the state with the simulated cloud."""
    stacks = order.chosen(TREE, options.stack)
    home = ready(board, stacks)
    runner = passes.Runner(TREE, home.process_environment(), board)
    return 0 if all(_told(runner.run("refresh", stack), board, out) for stack in stacks) else 1


def destroy(options: argparse.Namespace, board: Board, out: Console) -> int:
    """Destroys the stacks, the primary last, and leaves what is protected: the lineage."""
    stacks = order.chosen(TREE, options.stack)
    home = ready(board, stacks)
    environment = home.process_environment()
    runner = passes.Runner(TREE, environment, board)
    for stack in reversed(stacks):
        # As on a real cloud: the guards of machines and balancers are lifted by an update of their own. The policy pack
        # would refuse it, as it should: what lifts them is the decision to destroy, which the gate judges.
        if guarded(stack.name, project=TREE, environment=environment):
            lifted = runner.run("up", stack, "--config", OPEN, title=f"lift the deletion guards of {stack.name}")
            if not _told(lifted, board, out):
                return 1
        if not _told(runner.run("destroy", stack, "--exclude-protected"), board, out):
            return 1
    return 0


def _told(result: Result, board: Board, out: Console) -> bool:
    """Says what an operation did, or why it failed; whether it succeeded."""
    if result.succeeded:
        out.print(report.summary(result))
    else:
        report.explain(result, board.console)
    return result.succeeded


def env(_: argparse.Namespace, board: Board, __: Console) -> int:
    """Prints shell lines for `eval`; only they go to stdout."""
    print(ready(board, order.stacks(TREE)).shell_lines())  # noqa: T201 - exactly these lines, unwrapped
    return 0


def cloud(_: argparse.Namespace, board: Board, out: Console) -> int:
    """Starts the simulated cloud if it is down."""
    running = service.ensure(ready(board).cloud, board)
    out.print(f"The simulated cloud serves on port {running.port}.")
    return 0


def tools(options: argparse.Namespace, board: Board, out: Console) -> int:
    """Obtains the engine and the product binaries; prints where each is."""
    known = (*TOOLS, *node_packages.PACKAGES)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise SandboxError(f"There is no tool {unknown[0]!r}.", f"One of {', '.join(known)}.")
    for name in options.names or known:
        if name in node_packages.PACKAGES:
            out.print(f"{name}: {node_packages.install(name, board)}", soft_wrap=True)
            continue
        out.print(f"{name}: {_tool(name, board)}", soft_wrap=True)
    if not options.names:
        for one in packages.table():
            out.print(f"{one.package}: {one.found or 'not installed'}", soft_wrap=True)
        if lacking := sorted({one.package for one in packages.table() if not one.found}):
            board.say(
                f"Of the operating system, for the lab and some tests: `{packages.remedy(lacking)}` (Debian's names)"
            )
    return 0


def _tool(name: str, board: Board) -> str:
    """Where a tool is, obtained if need be."""
    tool = TOOLS[name]
    if tool is PULUMI:
        return str(engine.obtain(board).program)
    if tool is VAULT:
        built = openbao.vault(board, instead=openbao.wanted(os.environ))
        return str(built or f"OpenBao {openbao.version()} in its place: {openbao.program()}")
    return str(golang.build(tool, board) / tool.name)


def bench(options: argparse.Namespace, board: Board, out: Console) -> int:
    """Measures the program in a sandbox of its own, which is gone afterwards, and the mesh in network namespaces."""
    if options.what in (None, "program"):
        _benched(Bench.table, board, out)
    if options.what in (None, "pack"):
        _benched(Bench.judged, board, out)
    if options.what in (None, "mesh"):
        if lacking := missing():
            board.say(f"The mesh's failover is not measured: {lacking}.")
            return 0 if options.what is None else 1
        with board.step("failing over between tunnels, with the clouds' own timers"):
            table = failover.table(platform())
        out.print(table)
    return 0


def _benched(measure: Callable[[Bench], Table], board: Board, out: Console) -> None:
    stacks = order.stacks(TREE)
    root = ROOT / "bench"
    try:
        home = ready(board, stacks, root)
        out.print(measure(Bench(home, TREE, stacks, board)))
    finally:
        service.stop(root / CLOUD)
        shutil.rmtree(root, ignore_errors=True)


def clean(_: argparse.Namespace, board: Board, __: Console) -> int:
    """Ends labs and the simulated cloud, removes the sandbox and the tools' caches inside the tree."""
    for place in kept():
        with board.step(f"ending the lab {place.name}"):
            labs.destroy(place)
    stopped = service.stop(ROOT / CLOUD)
    for folder in (ROOT, *(TREE / name for name in CACHES)):
        shutil.rmtree(folder, ignore_errors=True)
    board.say("simulated cloud stopped, .sandbox and caches removed" if stopped else ".sandbox and caches removed")
    return 0
