"""Commands that documents and help texts show are accepted by the programs that they name."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.core import TyperGroup
from typer.main import get_group

import runbook.app
import sandbox.lab.app
from sandbox.home import TREE

PROGRAMS = {"lab": get_group(sandbox.lab.app.app), "runbook": get_group(runbook.app.app)}


def epilogs(group: TyperGroup) -> dict[str, str]:
    """What stands below the help of each command, by name."""
    found: dict[str, str] = {}
    for name, command in group.commands.items():
        found |= epilogs(command) if isinstance(command, TyperGroup) else {name: command.epilog or ""}
    return found


def examples(program: str) -> list[str]:
    """What the help texts of a program give as examples."""
    said = [re.match(r"Examples?: (.*?)(?:\. |\.$|$)", epilog) for epilog in epilogs(PROGRAMS[program]).values()]
    shown = [re.sub(r" \([^)]*\)$", "", line) for found in said if found for line in found[1].split("; ")]
    return [line for line in shown if line.startswith(f"{program} ")]


def shown() -> list[str]:
    """The lines of the lab's page, without what is said of them."""
    page = (TREE / "docs/lab.md").read_text(encoding="utf-8")
    return [re.split(r"\s{2,}", line)[0] for line in re.findall(r"^lab .*$", page, re.MULTILINE)]


def accepted(line: str) -> str:
    """The name of the command that a line means, once its options and arguments are accepted; nothing runs."""
    program, *words = shlex.split(line)
    group = PROGRAMS[program]
    while isinstance(command := group.commands[words[0]], TyperGroup):
        group = command
        del words[0]
    command.make_context(words[0], words[1:])
    return words[0]


@pytest.mark.parametrize("line", [*shown(), *examples("lab"), *examples("runbook")])
def test_a_command_that_is_shown_is_accepted(line: str) -> None:
    assert accepted(line)


def test_the_labs_page_shows_every_command_but_those_that_make_has() -> None:
    assert epilogs(PROGRAMS["lab"]).keys() - set(map(accepted, shown())) == {"up", "destroy", "enable"}
