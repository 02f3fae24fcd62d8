"""The report's command line.

Exit codes: 0 no mandatory rule is violated, 1 one is, 2 the input cannot be used. stdout holds the report alone.
"""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from policies.context import now
from policies.errors import InputError
from policies.inputs import check
from policies.report.document import document
from policies.report.evaluate import evaluate
from policies.report.page import page
from policies.report.sarif import sarif
from policies.report.state import read
from policies.report.tables import show
from policies.settings import Settings
from policies.settings import read as read_settings

OK, VIOLATED, UNUSABLE = 0, 1, 2
WIDTH = 140

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Format(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    HTML = "html"


@app.command(
    epilog="Examples: `--stack aws` · `--stack aws --format html > aws.html` · `--file state.json --format sarif`. "
    "Exit codes: 0 complies, 1 a mandatory rule is violated, 2 the input cannot be used."
)
def report(
    stack: Annotated[str, typer.Option(help="The stack; its state is read from the engine's backend.")] = "",
    file: Annotated[Path | None, typer.Option(help="An exported state instead (`pulumi stack export`).")] = None,
    form: Annotated[Format, typer.Option("--format", help="text for people, the rest for machines.")] = Format.TEXT,
    settings: Annotated[Path | None, typer.Option(help="Thresholds of the pack in JSON, by name.")] = None,
) -> None:
    """By criterion of SOC 2: the rules, how many resources each really looked at, what it found, and exemptions."""
    try:
        state = read(stack, file)
        check(state.stack, Path.cwd(), os.environ, now())
        made = evaluate(state, _settings(settings), now(), Path.cwd())
    except InputError as error:
        said = Console(stderr=True, highlight=False)
        said.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        said.print(escape(error.fix), soft_wrap=True)
        raise typer.Exit(UNUSABLE) from None
    match form:
        case Format.TEXT:
            show(made, Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))
        case Format.JSON:
            typer.echo(json.dumps(document(made), indent=2))
        case Format.SARIF:
            typer.echo(json.dumps(sarif(made), indent=2))
        case Format.HTML:
            typer.echo(page(made))
    raise typer.Exit(VIOLATED if made.blocking else OK)


def _settings(file: Path | None) -> Settings:
    if file is None:
        return Settings()
    try:
        return read_settings(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        why = str(error) if type(error) is ValueError else type(error).__name__
        raise InputError(
            f"{file} holds no settings: {why}.", "Write one JSON object; docs/compliance.md lists the settings."
        ) from None
