"""What the documents say is what the tree does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.mesh import DPD_SECONDS, pairs
from components.plan.records import endpoint
from components.plan.spec import PRODUCTS
from docs import backups_picture, compliance_page, mesh_picture, picture
from docs.picture import platform
from sandbox.home import TREE

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]
EVERY = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(TREE)))


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks(document, "sh") for line in block.splitlines()]
    return [line for line in lines if line]


def test_ci_runs_every_command_of_the_readme() -> None:
    ran = (TREE / ".ci" / "run").read_text(encoding="utf-8")
    shown = commands(TREE / "README.md")
    assert {"make up", "make test", "make lint"} <= set(shown)
    for command in shown:
        assert re.search(rf"^\s*(run )?{re.escape(command)}$", ran, re.MULTILINE), f"CI does not run: {command}"


@EVERY
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TREE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^|\s)make (?:-s )?([a-z][a-z-]*)\b(?=[`\s\")]|$)", _code(document), re.MULTILINE))
    assert named <= targets


@EVERY
def test_every_link_and_every_path_in_code_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [target.split("#")[0] for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    paths = [path for path in re.findall(r"`([a-z.]+/[\w./-]*)`", text) if path.split("/")[0] in _top()]
    for target in links:
        assert (document.parent / target).exists(), target
    for path in paths:
        assert (TREE / path).exists(), path


@pytest.mark.parametrize("drawing", [picture, backups_picture, mesh_picture], ids=lambda drawing: drawing.__name__)
def test_a_picture_shows_the_plan_as_it_is(drawing: Any) -> None:  # noqa: ANN401 - a module with PICTURE and draw
    drawn = drawing.draw(platform())
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawn, f"run: .venv/bin/python -m {drawing.__name__}"


def test_the_table_of_tunnels_is_the_plans() -> None:
    page = mesh_picture.PAGE.read_text(encoding="utf-8")
    assert mesh_picture.table(platform()) in page, "run: .venv/bin/python -m docs.mesh_picture"


def test_the_failover_figures_stand_beside_the_timers_that_the_plan_has() -> None:
    page = mesh_picture.PAGE.read_text(encoding="utf-8")
    bounds = {(pair.name, seconds) for pair in pairs(platform()) for seconds in (DPD_SECONDS, pair.hold_seconds())}
    shown = re.findall(r"^\| [^|]* \| `([a-z-]+)` \| [^|]+ \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    assert {(pair, int(bound)) for pair, bound, _ in shown} == bounds
    assert all(int(measured) <= int(bound) for _, bound, measured in shown)


def test_the_readme_shows_the_regions_of_the_plan() -> None:
    plan = platform()
    shown = "\n".join(blocks(TREE / "README.md", "text"))
    for cloud in plan.clouds:
        assert re.search(
            rf"^ ?{cloud} .*consul +{plan.servers['consul']} +{endpoint(plan, cloud, 'consul')}", shown, re.MULTILINE
        )
    for product in PRODUCTS:
        assert len(re.findall(rf"\b{product} +{plan.servers[product]}\b", shown)) == len(plan.clouds)


def _top() -> set[str]:
    return {path.name for path in TREE.iterdir() if path.is_dir()} - {".venv", ".sandbox", ".git"}


def _code(document: Path) -> str:
    text = document.read_text(encoding="utf-8")
    return "\n".join([*blocks(document, "sh"), *re.findall(r"`[^`\n]+`", text)])


def test_the_page_of_compliance_is_the_catalogue() -> None:
    assert compliance_page.PAGE.read_text(encoding="utf-8") == compliance_page.text(), (
        "write it: python -m docs.compliance_page"
    )
