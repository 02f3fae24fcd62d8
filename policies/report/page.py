"""The report as one HTML page without scripts or outside resources."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from policies.report.document import document
from policies.report.evaluate import Report


def page(report: Report) -> str:
    """The whole report."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2").render(document(report))
