"""The project's own configuration files as the engine merges them, for tests that change one thing in them."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from config.files import effective
from sandbox.home import TREE

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "hashicorp-multicloud:"


class Absent:
    """Stands for a key that is taken out."""


ABSENT = Absent()


@cache
def project() -> Mapping[str, Any]:
    """Pulumi.yaml."""
    return yaml.safe_load((TREE / "Pulumi.yaml").read_text(encoding="utf-8"))


@cache
def stack_file(stack: str) -> Mapping[str, Any]:
    """A stack file's values by key without the namespace, in the file's order."""
    config = yaml.safe_load((TREE / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    return {key.removeprefix(NAMESPACE): value for key, value in config.items()}


def merged(stack: str, changes: Mapping[str, object] | None = None) -> dict[str, Any]:
    """What the engine makes of the files, then `changes` by dotted path; `/` parts a path whose keys have dots."""
    settings = deepcopy(effective(project(), stack_file(stack)))
    for path, value in (changes or {}).items():
        *above, last = path.split("/" if "/" in path else ".")
        branch = settings
        for step in above:
            branch = branch[step]
        if value is ABSENT:
            del branch[last]
        else:
            branch[last] = deepcopy(value)
    return settings
