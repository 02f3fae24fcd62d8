"""Which stacks the project has and in which order they go up.

A stack is a `Pulumi.<stack>.yaml` in the project's folder; its cloud is the `cloud` setting in it. The primary's stack
goes first, because the others reference its outputs; among the others no order matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from components.plan.spec import CLOUDS, PRIMARY
from sandbox.errors import SandboxError
from sandbox.home import project_name

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud


@dataclass(frozen=True)
class StackFile:
    """One stack: its name and the cloud its file chooses."""

    name: str
    cloud: Cloud


def stacks(project: Path) -> list[StackFile]:
    """The project's stacks, the primary's first, then in the platform's order of clouds."""
    setting = f"{project_name(project)}:cloud"
    found = [
        StackFile(file.name.removeprefix("Pulumi.").removesuffix(".yaml"), _cloud(file, setting))
        for file in project.glob("Pulumi.*.yaml")
    ]
    if not found:
        raise SandboxError(
            f"{project} has no stack file (Pulumi.<stack>.yaml), so there is nothing to run.",
            "Run the command in the project's folder.",
        )
    return sorted(found, key=lambda stack: (stack.cloud != PRIMARY, CLOUDS.index(stack.cloud), stack.name))


def chosen(project: Path, name: str) -> list[StackFile]:
    """The stack called `name`, or all of them for an empty name."""
    known = stacks(project)
    if not name:
        return known
    matching = [stack for stack in known if stack.name == name]
    if not matching:
        names = ", ".join(stack.name for stack in known)
        raise SandboxError(
            f"There is no stack {name!r}; its file Pulumi.{name}.yaml is missing.", f"Choose one of: {names}."
        )
    return matching


def _cloud(file: Path, setting: str) -> Cloud:
    try:
        cloud = yaml.safe_load(file.read_text(encoding="utf-8"))["config"][setting]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise SandboxError(
            f"{file.name} does not say which cloud it is for ({error}).", f"Set `{setting}` under `config:` in it."
        ) from error
    if cloud not in CLOUDS:
        raise SandboxError(
            f"{file.name} is for the cloud {cloud!r}, which does not exist.", f"One of {', '.join(CLOUDS)}."
        )
    return cloud
