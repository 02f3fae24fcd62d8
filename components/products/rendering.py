"""Templates into text.

Owns how a template becomes a file's content: strict (a missing value is an error, never an empty string), deterministic,
and without escaping, because the results are HCL, units and tables. Decides nothing about what is rendered.

Dangerous edge: HCL takes its strings by the `hcl` filter. A value that is pasted between quotes by hand
may end the string.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.plan import flows
from components.plan.server import KeyStanza

_TEMPLATES = Path(__file__).parents[1] / "templates"


def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - nothing here is HTML
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["hcl"] = json.dumps
    environment.filters["parent"] = lambda path: str(PurePosixPath(path).parent)
    environment.globals["flows"] = flows
    return environment


_ENVIRONMENT = _environment()


def render(template: str, values: Mapping[str, object]) -> str:
    """A template's text.

    Args:
        template: path below `templates/`, ending in `.j2`.
        values: everything the template names, beside the ports (`flows`).

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return _ENVIRONMENT.get_template(template).render(values)


def verbatim(path: str) -> str:
    """A file that is no template, as it stands below `templates/`."""
    return (_TEMPLATES / path).read_text()


def stripped(path: str) -> str:
    """A Python file below `templates/` without docstrings and lines of comment: user data is small."""
    text = verbatim(path)
    lines = text.splitlines(keepends=True)
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            dropped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    kept = [
        line
        for number, line in enumerate(lines, 1)
        if line.strip() and number not in dropped and not line.lstrip().startswith("# ")
    ]
    return f"# Its reasons stand in components/templates/{path}.\n" + "".join(kept)


def key_block(template: str, stanza: KeyStanza) -> str:
    """The block by which a product reaches a key, from what the cloud says of the key."""
    return render(template, {"stanza": stanza})


def table(*rows: tuple[str, ...]) -> str:
    """Rows that a boot step reads: tab-separated, one a line."""
    return render("boot/table.tsv.j2", {"rows": rows})
