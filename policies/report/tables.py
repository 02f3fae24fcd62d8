"""The report for people at a terminal."""

from __future__ import annotations

from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from policies.report.evaluate import COMPLIANT, EXEMPTED, NOTHING, UNDECIDED, VIOLATED, Outcome, Report
from policies.verdict import Verdict

_COLOURS = {VIOLATED: "bold red", EXEMPTED: "yellow", UNDECIDED: "yellow", COMPLIANT: "green", NOTHING: "dim"}


def show(report: Report, out: Console) -> None:
    """Prints the table by criterion, what is wrong, and the figures."""
    out.print(_table(report))
    for outcome in report.outcomes:
        for title, verdicts in (("violations", outcome.violations), ("cannot be decided yet", outcome.undecided)):
            _list(out, title, outcome, verdicts)
    for exemption in report.exemptions:
        entry = exemption.entry
        out.print(
            f"[yellow]exempted[/] {escape(entry.rule)} for {escape(entry.urn)}: {escape(entry.ticket)} of "
            f"{escape(entry.owner)}, {exemption.days_left} days left",
            soft_wrap=True,
        )
    advice = sum(len(outcome.advice) for outcome in report.outcomes)
    if advice:
        out.print(f"{advice} pieces of advice that block nothing: --format json has them.")
    out.print(_figures(report))


def _figures(report: Report) -> str:
    if report.rate is None:
        return "Nothing was judged."
    colour = "green" if not report.violated else "red"
    return (
        f"[{colour}]{report.rate:.2%}[/] of {report.pairs} pairs of mandatory rule and resource comply, "
        f"{report.violated} do not; state {report.state.digest[:12]} saved {report.state.saved}"
    )


def _table(report: Report) -> Table:
    table = Table(title=f"Compliance of {report.state.stack}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Criterion", "Rule", "Level", "Severity", "Status"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Evaluated", justify="right")
    table.add_column("Violations", justify="right")
    ordered = sorted(report.outcomes, key=lambda outcome: outcome.rule.criteria[0])
    for criterion, group in groupby(ordered, key=lambda outcome: outcome.rule.criteria[0]):
        outcomes = list(group)
        for index, outcome in enumerate(outcomes):
            table.add_row(
                criterion if index == 0 else "",
                outcome.rule.id,
                outcome.rule.level,
                outcome.rule.severity,
                f"[{_COLOURS[outcome.status]}]{outcome.status}[/]",
                str(len(outcome.evaluated)),
                str(len(outcome.violations) or ""),
                end_section=index == len(outcomes) - 1,
            )
    return table


def _list(out: Console, title: str, outcome: Outcome, verdicts: list[Verdict]) -> None:
    if not verdicts:
        return
    colour = "red" if title == "violations" and outcome.rule.level == "mandatory" else "yellow"
    out.print(f"[{colour}]{outcome.rule.id}[/]: {title}")
    for verdict in verdicts:
        name = verdict.urn.split("::", 2)[-1].rpartition("$")[2]
        out.print(escape(f"  {name}: {verdict.message}"), soft_wrap=True)
