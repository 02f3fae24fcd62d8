"""The lab's command line: looking into a lab, breaking it, mending it, ending it.

Owns options, streams and exit codes. stdout holds results alone. Every command is about one lab, `--lab`, whatever
others this machine has.

Dangerous edge: `ssh` runs with the host's privileges inside a machine's namespaces. It is for looking, and proves
nothing of what the machine itself may do.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from components.plan.spec import CLOUDS, Profile
from sandbox.errors import SandboxError
from sandbox.lab import operator
from sandbox.lab import place as places
from sandbox.lab import up as bringing
from sandbox.lab.breaking import cloud as clouds
from sandbox.lab.breaking import labs, looking, mending, showing
from sandbox.lab.breaking.breaker import Breaker
from sandbox.lab.breaking.choosing import Choice, chosen
from sandbox.lab.machines import boot
from sandbox.lab.machines.needs import missing
from sandbox.lab.place import DEFAULT_NAME, Links, Wish
from sandbox.progress import Board
from sandbox.toolchain import openbao

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.lab.machines.machine import Instance

INTERRUPTED = 130
WIDTH = 160
_FOLLOW_SECONDS = 0.2
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CODES = "Exit codes: 0 done; 1 failed, with an explanation; 2 used wrongly."

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, rich_markup_mode=None)
keys = typer.Typer(no_args_is_help=True, help="Disable a key of a cloud's key service, or enable it again.")
app.add_typer(keys, name="key")

LabName = Annotated[str, typer.Option("--lab", help="The lab's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="A document for machines.")]
Name = Annotated[str, typer.Argument(metavar="MACHINE", help="As `status` shows it.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[MACHINE]...", help="As `status` shows them.")]
Role = Annotated[str, typer.Option(help="Machines with this word in their name, such as consul.")]
Cloud = Annotated[str, typer.Option(help="Machines of this cloud.")]
Zone = Annotated[str, typer.Option(help="Machines of this zone.")]
Region = Annotated[str, typer.Option(help="Machines of this region: us-west-2, or its cloud's name.")]
Unit = Annotated[str, typer.Option(help="A unit of the machine's init, such as consul.")]


@app.callback()
def lab() -> None:
    """The lab: look into it, break it, mend it. Each command has --help."""
    if lacking := missing():
        raise SandboxError(f"There can be no lab here: {lacking}.", "Run it on Linux as root, with these packages.")


@app.command(
    epilog="Examples: lab up; lab up --regions aws --profile production; lab up --links plain --lab second. Run again, it goes "
    "on where it stopped and changes nothing where all is well. Exit codes: 0 every check is green; 1 not, with the reason; "
    "2 used wrongly."
)
def up(
    regions: Annotated[str, typer.Option(help="Any of aws, azure, gcp, with commas; aws always.")] = ",".join(CLOUDS),
    profile: Annotated[Profile, typer.Option(help="Sizes and numbers of machines.")] = "small",
    links: Annotated[Links, typer.Option(help="Tunnels with IPsec, or plain, which is faster.")] = "ipsec",
    name: LabName = DEFAULT_NAME,
) -> None:
    """Bring regions up for real on this machine, from nothing to the morning check, whose table it ends with."""
    vault = "openbao" if openbao.wanted(os.environ) else "vault"
    made = bringing.up(labs.place(name), Wish(places.chosen(regions), profile, links, vault), Board())
    _show(made.phases)
    typer.echo(made.health.rstrip())
    for line in filter(None, (made.tunnels, made.vault)):
        typer.echo(line)
    if not made.changed:
        typer.echo("Nothing changed.")
    raise typer.Exit(0 if made.healthy else 1)


@app.command(
    epilog=f"{_CODES[:-1]}. 1 also if a machine is failed, dead or ailing, or a tunnel is down: on purpose or not."
)
def status(name: LabName = DEFAULT_NAME, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show every machine with what ails it, the tunnels, and what is broken on purpose."""
    view = looking.look(Breaker(labs.place(name)))
    _show(showing.document(view) if as_json else showing.shown(view))
    raise typer.Exit(int(view.failed))


@app.command(
    epilog="Examples: lab health; lab health -- --json; lab health -- --product vault. Options after -- are those of `runbook "
    "health`, whose exit code is handed on: 0 all green, 1 something is wrong, 2 used wrongly, 3 something could not be determined."
)
def health(
    options: Annotated[list[str] | None, typer.Argument(metavar="[-- OPTION...]", help="Of `runbook health`.")] = None,
    name: LabName = DEFAULT_NAME,
) -> None:
    """Run the operator's morning check at the lab's own desk, as `make lab` does at its end."""
    ran = operator.of(labs.place(name), Board()).health(*(options or ()))
    typer.echo(ran.out, nl=False)
    typer.echo(ran.err, nl=False, err=True)
    raise typer.Exit(ran.code)


@app.command("list", epilog=_CODES)
def list_(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show the labs of this machine."""
    found = labs.every()
    _show(showing.listing(found) if as_json else showing.listed(found))


@app.command(epilog=f"Example: lab logs consul-aws-1 --unit consul --follow. {_CODES}")
def logs(
    machine: Name,
    unit: Unit = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,  # noqa: FBT002
    console: Annotated[bool, typer.Option("--console", help="The console instead of the journal.")] = False,  # noqa: FBT002
    name: LabName = DEFAULT_NAME,
) -> None:
    """Show a machine's journal or console, whether or not it runs."""
    instance = _instance(name, machine)
    if console and unit:
        raise SandboxError(
            "The console is not a unit's: it has lines of all of them.", "Leave out --console or --unit."
        )
    if console:
        _console(instance, follow=follow)
        return
    if not (instance.root.files / looking.JOURNAL).is_dir():
        raise SandboxError(
            f"{machine} has not written a journal yet.", f"Its console says more: `lab logs {machine} --console`."
        )
    command = looking.journal_command(instance)
    command += [*([f"--unit={_unit(unit)}"] if unit else []), *(["--follow"] if follow else [])]
    _become(command)


@app.command(
    epilog="Examples: lab ssh vault-aws-1; lab ssh vault-aws-1 -- systemctl status vault. The command's own exit code is "
    "handed on; 1 also if the machine does not run."
)
def ssh(
    machine: Name,
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND...]", help="A shell if left out.")] = None,
    name: LabName = DEFAULT_NAME,
) -> None:
    """Run a shell or a command inside a machine, as root."""
    _become(_instance(name, machine).command(command or ["/bin/bash", "--login"]))


@app.command(
    epilog="Examples: lab kill vault-aws-1; lab kill --role consul --cloud aws --unit consul; lab kill --zone us-west-2a; "
    f"lab kill --region azure (with its tunnels). {_CODES}"
)
def kill(
    machines: Names = None,
    role: Role = "",
    cloud: Cloud = "",
    zone: Zone = "",
    region: Region = "",
    unit: Unit = "",
    signal: Annotated[
        Literal["KILL", "TERM"], typer.Option(help="KILL as if the power failed, TERM to shut down.")
    ] = "KILL",
    name: LabName = DEFAULT_NAME,
) -> None:
    """End machines, or one unit's process on each; disks stay. `restore` starts machines again."""
    breaker = Breaker(labs.place(name))
    choice = Choice(tuple(machines or ()), role, cloud, zone, region)
    _say(breaker.kill_unit(choice, _unit(unit), signal) if unit else breaker.kill(choice, signal))


@app.command(
    epilog="Examples: lab partition consul-aws-1; lab partition --between aws azure; lab partition --zone us-west-2a; "
    f"lab partition --region gcp. {_CODES}"
)
def partition(
    machines: Names = None,
    between: Annotated[
        tuple[str, str], typer.Option(metavar="REGION REGION", help="Cut all tunnels between two regions.")
    ] = ("", ""),
    cloud: Cloud = "",
    zone: Zone = "",
    region: Annotated[str, typer.Option(help="Cut all tunnels of this region.")] = "",
    name: LabName = DEFAULT_NAME,
) -> None:
    """Let nothing pass: to or from machines, out of a zone, between regions. `restore` undoes it."""
    ways = [bool(machines), any(between), bool(zone), bool(region)]
    if sum(ways) != 1 or (cloud and not zone):
        raise SandboxError(
            "What shall be cut off is not clear.",
            "Name machines, or say one of --between, --zone (with --cloud where two have it) and --region.",
        )
    breaker = Breaker(labs.place(name))
    if any(between):
        _say(breaker.cut([clouds.pair(*map(clouds.region, between))]))
    elif region:
        _say(breaker.cut_region(region))
    else:
        _say(breaker.partition(Choice(tuple(machines or ()), cloud=cloud, zone=zone)))


@app.command(epilog=f"Examples: lab fill vault-aws-1 --disk; lab fill vault-aws-1 /opt/vault --leave 1000000. {_CODES}")
def fill(
    machine: Name,
    path: Annotated[str, typer.Argument(help="On one of its data disks.")] = "",
    disk: Annotated[bool, typer.Option("--disk", help="Its only data disk.")] = False,  # noqa: FBT002
    leave: Annotated[int, typer.Option(min=0, help="Bytes that stay free; with 0, root has none either.")] = 0,
    name: LabName = DEFAULT_NAME,
) -> None:
    """Fill a data disk of a running machine. `restore` frees it."""
    if bool(path) == disk:
        raise SandboxError("Which disk shall be full is not clear.", "Name a path on it, or say --disk.")
    _say(Breaker(labs.place(name)).fill(machine, path, leave))


@app.command(
    epilog=f"Example: lab skew consul-aws-1 --seconds -300 --unit consul. Programs on x86-64 alone. A process that is started "
    f"again, or becomes another program, has the true time. {_CODES}"
)
def skew(
    machine: Name,
    seconds: Annotated[int, typer.Option(help="Ahead of the true time; behind if negative; 0 is true again.")],
    unit: Unit = "",
    name: LabName = DEFAULT_NAME,
) -> None:
    """Shift the clock that a machine's running processes see. `restore` takes it back."""
    _say(Breaker(labs.place(name)).skew(machine, _unit(unit), seconds))


@keys.command(epilog=f"Example: lab key disable aws/vault-seal. {_CODES}")
def disable(
    key: Annotated[
        str, typer.Argument(metavar="REGION/KEY", help="An id, its last part, an alias, a name in a vault.")
    ],
    name: LabName = DEFAULT_NAME,
) -> None:
    """Let a key serve nobody: what it seals stays sealed."""
    _say(Breaker(labs.place(name)).key(key, disabled=True))


@keys.command(epilog=_CODES)
def enable(key: Annotated[str, typer.Argument(metavar="REGION/KEY")], name: LabName = DEFAULT_NAME) -> None:
    """Let a disabled key serve again."""
    _say(Breaker(labs.place(name)).key(key, disabled=False))


@app.command(epilog=f"Examples: lab restore vault-aws-1; lab restore --all. {_CODES}")
def restore(
    machines: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every machine, and tunnels and keys too.")] = False,  # noqa: FBT002
    name: LabName = DEFAULT_NAME,
) -> None:
    """Undo every break: of these machines, or of the whole lab. Dead machines start again with their disks."""
    if bool(machines) == everything:
        raise SandboxError("What shall be mended is not clear.", "Name machines, or say --all.")
    _say(mending.restore(Breaker(labs.place(name)), machines or ()) or ["Nothing was broken."])


@app.command(epilog=f"Example: lab destroy --lab lab. Twice in a row is no error. {_CODES}")
def destroy(name: LabName = DEFAULT_NAME) -> None:
    """Remove a lab with its machines, disks, simulated cloud and folder, whatever state it is in."""
    _say(labs.destroy(labs.place(name)) or [f"There is no lab {name}."])


def run() -> None:
    """Runs the command line and ends the process."""
    said = Console(stderr=True, highlight=False)
    try:
        app(prog_name="lab")
    except SandboxError as error:
        said.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        said.print(escape(error.fix), soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read has seen enough. Nothing is left to be written at the end, which would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _instance(name: str, machine: str) -> Instance:
    breaker = Breaker(labs.place(name))
    chosen(breaker.machines().values(), Choice((machine,)), name)
    return breaker.fleet.instance(machine)


def _unit(word: str) -> str:
    """A unit as systemd names it."""
    return word if not word or "." in word else f"{word}.service"


def _become(command: list[str]) -> NoReturn:
    """Becomes a command: keys that interrupt are its own, and its end is this one's.

    What the person's own environment holds is none of a machine's business.
    """
    kept = {name: os.environ[name] for name in ("TERM", "LANG", "LC_ALL") if name in os.environ}
    os.execvpe(command[0], command, {"PATH": _PATH, **kept})  # noqa: S606 - an argument list, never a shell


def _console(instance: Instance, *, follow: bool) -> None:
    """Writes a console's log, of all its starts."""
    seen = 0
    while True:
        content = instance.console.read_bytes() if instance.console.exists() else b""
        # Only whole lines: half a character would be a wrong one.
        end = content.rfind(b"\n") + 1 if follow else len(content)
        typer.echo(boot.plain(content[seen:end]), nl=False)
        sys.stdout.flush()
        seen = end
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _show(what: object) -> None:
    if isinstance(what, str):
        typer.echo(what)
        return
    Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH).print(what)
