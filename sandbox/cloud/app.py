"""Command line of the simulated cloud: run it, look into it, and take things away behind the engine's back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from sandbox.cloud import daemon, store

_EXIT_CODES: Final = """
Exit codes: 0 done; 1 it could not be done, one line on standard error says why; 2 wrong usage; 3 not found, or (status)
not running.
"""
_DEFAULT_STATE: Final = Path(__file__).parents[2] / ".sandbox" / "cloud"
_NOT_FOUND: Final = 3

app = typer.Typer(
    help=f"The simulated cloud of the sandbox.\n{_EXIT_CODES}", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
_out = Console()
_err = Console(stderr=True)

State = Annotated[Path, typer.Option(help="State folder.")]
PortFile = Annotated[Path | None, typer.Option(help="File for port, process id and start time [STATE/port].")]
Cache = Annotated[Path | None, typer.Option(help="Folder for schemas read from the SDKs [user's cache].")]


@app.command()
def serve(state: State = _DEFAULT_STATE, port_file: PortFile = None, cache: Cache = None) -> None:
    """Be the simulated cloud, in the foreground, until SIGTERM."""
    try:
        daemon.serve(state.resolve(), (port_file or daemon.port_file(state)).resolve(), cache)
    except daemon.DaemonError as error:
        raise _fail(str(error)) from None


@app.command()
def start(state: State = _DEFAULT_STATE, port_file: PortFile = None, cache: Cache = None) -> None:
    """Start it in the background; nothing happens if it runs."""
    try:
        found = daemon.start(state.resolve(), (port_file or daemon.port_file(state)).resolve(), cache)
    except daemon.DaemonError as error:
        raise _fail(str(error)) from None
    _out.print(f"simulated cloud on port {found.port}, process {found.pid}, state {state}")


@app.command()
def stop(state: State = _DEFAULT_STATE, port_file: PortFile = None) -> None:
    """Stop it; what exists in it stays. Nothing happens if it does not run."""
    try:
        ran = daemon.stop(port_file or daemon.port_file(state))
    except daemon.DaemonError as error:
        raise _fail(str(error)) from None
    _out.print("stopped" if ran else "it does not run")


@app.command()
def status(state: State = _DEFAULT_STATE, port_file: PortFile = None) -> None:
    """Say whether it runs, and how much exists in it."""
    found = daemon.running(port_file or daemon.port_file(state))
    count = sum(1 for _ in _rows(state))
    _out.print(f"{f'runs on port {found.port}, process {found.pid}' if found else 'does not run'}; {count} resources")
    if found is None:
        raise typer.Exit(_NOT_FOUND)


@app.command("ls")
def list_resources(
    state: State = _DEFAULT_STATE,
    type_: Annotated[str, typer.Option("--type", help="Glob of type tokens: 'aws:ec2/*'.")] = "*",
    stack: Annotated[str, typer.Option(help="Glob of stack names.")] = "*",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines with everything but secrets.")] = False,  # noqa: FBT002
) -> None:
    """List what exists."""
    found = _rows(state, type_, stack)
    if as_json:
        for row in found:
            typer.echo(json.dumps(row))
        return
    table = Table("stack", "type", "name", "id", box=None, pad_edge=False)
    for row in found:
        table.add_row(row["stack"], row["type"], row["name"], row["id"])
    (_out if _out.is_terminal else Console(width=240)).print(table)


@app.command()
def show(id_: Annotated[str, typer.Argument(metavar="ID")], state: State = _DEFAULT_STATE) -> None:
    """Show inputs and outputs of what has this id, or this name in the program. Secrets are masked."""
    for row in _named(state, id_):
        typer.echo(json.dumps(row, indent=2))


@app.command()
def rm(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    state: State = _DEFAULT_STATE,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would go.")] = False,  # noqa: FBT002
) -> None:
    """Take away what has this id, as if somebody had deleted it in the console: the engine does not know."""
    for row in _named(state, id_):
        if yes:
            store.delete_row(state, (row["type"], row["id"]))
        _out.print(f"{'removed' if yes else 'would remove'} {row['type']} {row['id']} ({row['urn']})", soft_wrap=True)
    if not yes:
        _out.print("nothing was changed: add --yes to do it")


def _rows(state: Path, type_: str = "*", stack: str = "*") -> list[dict[str, str]]:
    if not (state / "cloud.db").exists():
        return []
    return list(store.rows(state, type_glob=type_, stack_glob=stack))


def _named(state: Path, wanted: str) -> list[dict[str, str]]:
    rows = _rows(state)
    found = [row for row in rows if row["id"] == wanted] or [row for row in rows if row["name"] == wanted]
    if not found:
        _err.print(f"nothing in {state} has the id or name {wanted}; `ls` lists what exists", soft_wrap=True)
        raise typer.Exit(_NOT_FOUND)
    return found


def _fail(text: str) -> typer.Exit:
    _err.print(f"error: {text}", soft_wrap=True)
    return typer.Exit(1)
