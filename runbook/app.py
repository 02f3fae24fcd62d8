"""The command line: what each command is given, and how it ends.

Owns options, streams and exit codes. stdout holds results alone. Whatever a command did not foresee ends as "could not be
determined", never as a finding and never as success.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer
import yaml
from rich.console import Console
from rich.markup import escape

from components.plan import thresholds
from components.plan.manifest import Manifest
from components.plan.spec import CLOUDS, PRODUCTS, Cloud, Product
from runbook.bootstrap import holders, platform
from runbook.bootstrap import report as done
from runbook.credentials import VARIABLES, tokens
from runbook.entries import from_descriptor, from_stack
from runbook.errors import UNKNOWN, RunbookError
from runbook.health.checks import Scope
from runbook.health.report import document, show
from runbook.health.survey import survey
from runbook.manifests import from_files, from_stacks

DEADLINE = 5.0
BRING_UP_SECONDS = 180.0
SHARES, THRESHOLD = 5, 3
WIDTH = 160
INTERRUPTED = 130
_THRESHOLDS = Path(__file__).parents[1] / thresholds.FILE

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def runbook() -> None:
    """The runbook's procedures for the platform. Each command has --help and --json."""


@app.command(
    epilog="Examples: runbook health; runbook health --cloud azure --product vault; runbook health --manifest aws.json "
    "--manifest gcp.json --json. Exit codes: 0 every check passed; 1 something is wrong; 2 refused or used wrongly; "
    "3 something could not be determined and nothing is known to be wrong. A finding is known, so 1 wins over 3. What is "
    f"shown as elevated or as not asked does not count. Tokens: {', '.join(VARIABLES.values())}, each also with _AWS, "
    "_AZURE or _GCP behind it for one region. What to do about a finding: docs/operator.md."
)
def health(
    manifest: Annotated[
        list[Path] | None,
        typer.Option(help="A region's manifest; repeatable. Without any, the stacks are asked."),
    ] = None,
    stack: Annotated[list[str] | None, typer.Option(help="A stack to ask; repeatable. All, if left out.")] = None,
    cloud: Annotated[list[str] | None, typer.Option(help="Only this region; repeatable.")] = None,
    product: Annotated[list[str] | None, typer.Option(help="Only this product; repeatable.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Not this product; repeatable. It is shown as not asked.")
    ] = None,
    deadline: Annotated[float, typer.Option(min=0.1, max=300, help="Seconds for asking everything.")] = DEADLINE,
    tokens_fd: Annotated[int | None, typer.Option(min=0, help="Descriptor with lines NAME=token.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A document for machines.")] = False,  # noqa: FBT002
) -> None:
    """Ask every server of every cluster of all regions at once, and say what is wrong and where to look."""
    given = tokens(os.environ, tokens_fd)
    bands = _bands()
    regions = _regions(manifest, stack)
    scope = Scope(
        clouds=frozenset(cast("list[Cloud]", _chosen("region", cloud or list(regions), CLOUDS))),
        products=frozenset(cast("list[Product]", _chosen("product", product or list(PRODUCTS), PRODUCTS))),
        links=not product,
        without=frozenset(cast("list[Product]", _chosen("product", without or [], PRODUCTS))),
    )
    if missing := sorted(scope.clouds - set(regions)):
        raise RunbookError(f"There is no manifest of {', '.join(missing)}.", "Name one, or leave the region out.")
    began = time.monotonic()
    found = survey(regions, scope, given, bands, deadline)
    made = document(found, time.monotonic() - began)
    if as_json:
        typer.echo(made.model_dump_json(by_alias=True, indent=2))
    else:
        show(found, made.seconds, Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))
    raise typer.Exit(made.exit_code)


@app.command(
    epilog="Examples: runbook bootstrap --dry-run; runbook bootstrap --holder a.asc --holder b.asc --holder c.asc "
    "--shares 3 --threshold 2 --shares-to /media/shares; runbook bootstrap. Exit codes: 0 everything is as it should be, "
    "or with --dry-run would be brought there; 1 something is wrong; 2 refused or used wrongly: nothing was touched; "
    "3 something could not be determined, or the holders of shares must act. "
    f"Root tokens of Vault, where a run must be continued: {VARIABLES['vault']}, also with _AWS, _AZURE or _GCP behind it. "
    "What each step means: docs/operator.md."
)
def bootstrap(
    *,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(help="A region's manifest; repeatable. Without any, the stacks are asked."),
    ] = None,
    stack: Annotated[list[str] | None, typer.Option(help="A stack to ask; repeatable. All, if left out.")] = None,
    holder: Annotated[
        list[Path] | None, typer.Option(help="Public key (PGP or age) of a holder of a share; repeatable.")
    ] = None,
    shares: Annotated[int, typer.Option(min=1, max=255, help="Shares of each Vault cluster's key.")] = SHARES,
    threshold: Annotated[int, typer.Option(min=1, max=255, help="Shares that together can act.")] = THRESHOLD,
    shares_to: Annotated[Path | None, typer.Option(help="Folder for one encrypted file a holder and cluster.")] = None,
    deadline: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait for servers.")] = BRING_UP_SECONDS,
    secrets_fd: Annotated[
        int | None, typer.Option(min=0, help="Descriptor with lines ENTRY=value, in place of the primary's stack.")
    ] = None,
    tokens_fd: Annotated[int | None, typer.Option(min=0, help="Descriptor with lines NAME=token.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A document for machines.")] = False,
) -> None:
    """Bring the clusters of all regions from running servers to ready for use. Run it again at any time."""
    given = tokens(os.environ, tokens_fd)
    ceremony = holders.ceremony(holder or [], shares, threshold, shares_to)
    regions = _regions(manifest, stack)
    needed = platform.needed(regions)
    if secrets_fd is not None:
        entries = from_descriptor(secrets_fd, needed)
    else:
        entries = asyncio.run(from_stack(Path.cwd(), next(iter(regions.values())).primary, needed))
    progress = Console(stderr=True, highlight=False)
    began = time.monotonic()
    run = platform.Run(
        regions, entries, ceremony, given, deadline, dry_run, lambda line: progress.print(escape(line), soft_wrap=True)
    )
    steps = asyncio.run(platform.bootstrap(run))
    made = done.document(steps, time.monotonic() - began)
    if as_json:
        typer.echo(made.model_dump_json(by_alias=True, indent=2))
    else:
        done.show(made, Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))
    raise typer.Exit(made.exit_code)


def _regions(manifest: list[Path] | None, stack: list[str] | None) -> dict[Cloud, Manifest]:
    if manifest and stack:
        raise RunbookError("Both manifests and stacks are named; they may differ.", "Name one or the other.")
    return from_files(manifest) if manifest else from_stacks(Path.cwd(), stack or ())


def _chosen(what: str, named: list[str], known: tuple[str, ...]) -> list[str]:
    for name in named:
        if name not in known:
            raise RunbookError(f"There is no {what} {name!r}.", f"One of {', '.join(known)}.")
    return named


def _bands() -> thresholds.Bands:
    try:
        return thresholds.thresholds(yaml.safe_load(_THRESHOLDS.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValueError) as error:
        why = str(error) if type(error) is ValueError else f"{thresholds.FILE} cannot be read"
        raise RunbookError(f"{why}. Without bands nothing can be called normal.", "Mend the file.") from None


def run() -> None:
    """Runs the command line and ends the process."""
    said = Console(stderr=True, highlight=False)
    try:
        app()
    except RunbookError as error:
        said.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        said.print(escape(error.fix), soft_wrap=True)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - Python would end with 1, which means a finding
        # Its text may repeat what was read; the kind is enough to report.
        said.print(f"[bold red]error:[/] {type(error).__name__}: this is a mistake in the program.", soft_wrap=True)
        said.print("Nothing is known about the platform from this run. Please report the command and its options.")
        sys.exit(UNKNOWN)
