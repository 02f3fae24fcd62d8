"""`make mutants`: changes every rule in every small way, and lists the changes that no test notices.

Exit codes: 0 each survivor is explained, 1 one is not or an explanation is stale, 2 the input cannot be used.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from multiprocessing import get_context
from time import monotonic
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.policies.mutants import survivors
from tests.policies.mutants.judging import noticed
from tests.policies.mutants.mutations import modules, mutants

SETTLED, OPEN, UNUSABLE = 0, 1, 2
app = typer.Typer(add_completion=False)


class Mutated(NamedTuple):
    """A module, how many mutants it has, and which of them survived."""

    module: str
    total: int
    survivors: list[survivors.Key]


def mutate(module: str) -> Mutated:
    """Judges every mutant of one module."""
    every = list(mutants(module))
    return Mutated(module, len(every), [mutant.key for mutant in every if not noticed(mutant)])


@app.command(epilog="Example: make mutants ARGS='--only network'")
def main(
    only: Annotated[str, typer.Option(help="An area, or a part of a module's path.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Changes every rule in every small way, and lists the changes that no test notices."""
    said = Console(stderr=True, highlight=False)
    chosen = [module for module in modules() if only in module]
    try:
        reasons = survivors.read(survivors.FILE.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, survivors.MalformedError) as error:
        raise _unusable(said, f"{survivors.FILE.name} cannot be read: {error}") from None
    if unknown := sorted({module for module, _, _ in reasons} - {*modules()}) or [only][bool(chosen) :]:
        raise _unusable(said, f"no such module: {', '.join(unknown)}")
    began = monotonic()
    done = _all(chosen, said)
    found = survivors.compare({key for each in done for key in each.survivors}, reasons, set(chosen))
    if as_json:
        print(json.dumps(_document(done, found), indent=2, ensure_ascii=False))  # noqa: T201 - the answer
    else:
        _show(done, found, monotonic() - began)
    raise typer.Exit(SETTLED if found.settled else OPEN)


def _unusable(said: Console, what: str) -> typer.Exit:
    said.print(f"[bold red]error:[/] {escape(what)}; nothing was mutated.", soft_wrap=True)
    said.print(f"Correct {survivors.FILE.name}, or name a module below policies/rules.", soft_wrap=True)
    return typer.Exit(UNUSABLE)


def _all(chosen: list[str], said: Console) -> list[Mutated]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Forked: each worker has what a mutant needs already loaded. One module at a time, so that none waits for a long one.
    with Progress(*columns, console=said) as progress, get_context("fork").Pool(os.cpu_count()) as pool:
        task = progress.add_task("modules mutated", total=len(chosen))
        done: list[Mutated] = []
        for each in pool.imap_unordered(mutate, chosen, chunksize=1):
            done.append(each)
            progress.advance(task)
            if not said.is_terminal:
                said.print(f"{len(done)}/{len(chosen)} {each.module}: {each.total}, {len(each.survivors)} survived")
    return sorted(done)


def _document(done: list[Mutated], found: survivors.Compared) -> dict[str, object]:
    return {
        "modules": {each.module: {"mutants": each.total, "survived": len(each.survivors)} for each in done},
        "explained": found.explained,
        "unexplained": found.unexplained,
        "stale": found.stale,
    }


def _show(done: list[Mutated], found: survivors.Compared, seconds: float) -> None:
    console = Console(highlight=False)
    table = Table(title="Mutants of the rules", title_justify="left", box=None)
    for column in ("Area", "Mutants", "Noticed", "Explained", "Unexplained"):
        table.add_column(column, justify="left" if column == "Area" else "right")
    counts: Counter[str] = Counter()
    alive: Counter[str] = Counter()
    for each in done:
        counts[_area(each.module)] += each.total
        alive[_area(each.module)] += len(each.survivors)
    explained = Counter(_area(module) for module, _, _ in found.explained)
    for area, count in sorted(counts.items()):
        table.add_row(area, *map(str, (count, count - alive[area], explained[area], alive[area] - explained[area])))
    total, lived = counts.total(), alive.total()
    table.add_row("[bold]all", *map(str, (total, total - lived, len(found.explained), len(found.unexplained))))
    console.print(table)
    console.print(f"{(total - lived) / total:.1%} noticed, in {seconds:.0f} s.")
    for title, keys in (("No test notices:", found.unexplained), ("Explained, but noticed or gone:", found.stale)):
        if keys:
            console.print(f"\n[bold red]{title}")
        for module, before, after in keys:
            console.print(f"{module}\n  - {escape(before)}\n  + {escape(after)}", soft_wrap=True)


def _area(module: str) -> str:
    return module.partition("/")[0]


if __name__ == "__main__":
    app()
