"""The gate's command line.

Exit codes: 0 the preview may become an update, 1 it may not, 2 the input cannot be used. stdout holds the judgement.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from policies.context import Context, now
from policies.errors import InputError
from policies.exemptions import Exemptions
from policies.gate.judgement import Problem, judge
from policies.gate.preview import Preview, read
from policies.inputs import check
from policies.settings import Settings

OPEN, SHUT, UNUSABLE = 0, 1, 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    epilog="Examples: `preview.json` · `--pull-request preview.json` · `--destroy --json preview.json`. "
    "Exit codes: 0 it may, 1 it may not, 2 the input cannot be used."
)
def gate(
    file: Annotated[Path, typer.Argument(help="The preview, as events.", show_default=False)],
    *,
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Nothing is deployed yet: the change record is only advised.")
    ] = False,
    destroying: Annotated[
        bool, typer.Option("--destroy", help="It previews a destroy, which the engine shows to no policy.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Whether a preview may become an update: what would be lost, voters, the pack's verdict, the change record."""
    try:
        preview = read(file)
        check(preview.stack, Path.cwd(), os.environ, now())
    except InputError as error:
        said = Console(stderr=True, highlight=False)
        said.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        said.print(escape(error.fix), soft_wrap=True)
        raise typer.Exit(UNUSABLE) from None
    context = Context(Settings(), now(), Exemptions())
    problems = judge(preview, context, pull_request=pull_request, destroying=destroying)
    shut = any(problem.blocks for problem in problems)
    if as_json:
        made = {
            "stack": preview.stack,
            "open": not shut,
            "judged": preview.judged,
            "problems": [*map(asdict, problems)],
        }
        typer.echo(json.dumps(made, indent=2))
    else:
        _show(preview, problems, Console(highlight=False))
    raise typer.Exit(SHUT if shut else OPEN)


def _show(preview: Preview, problems: list[Problem], out: Console) -> None:
    for problem in problems:
        mark = "[bold red]blocks[/]" if problem.blocks else "[yellow]advice[/]"
        where = f"{problem.urn.rpartition('$')[2]} " if problem.urn else ""
        out.print(f"{mark} {escape(where + problem.what)}", soft_wrap=True)
        out.print(f"       {escape(problem.fix)}", soft_wrap=True)
    verdict = "[bold red]shut[/]" if any(p.blocks for p in problems) else "[green]open[/]"
    out.print(
        f"Gate of {escape(preview.stack or 'an empty stack')}: {verdict}; the pack judged {preview.judged} resources."
    )
