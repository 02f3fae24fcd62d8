"""At which level change control is judged where: on a pull request it advises, where something is deployed it blocks.

Owns the two files that the engine is given as the pack's configuration (`pulumi preview --policy-pack-config FILE`), and
their check. A pack cannot tell a preview from an update, so whoever starts the engine chooses the file; and the engine
takes any file without a word about policies that do not exist, so whoever starts it has it checked first.

Dangerous edge: a file that lowers a policy silences every rule in it. Only rules of change control (`RAISED`) have a
level to choose; the others keep the catalogue's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from policies.catalogue import RAISED
from policies.groups import STACK, groups
from policies.settings import read

Occasion = Literal["pull-request", "deploy"]
LEVELS = ("advisory", "mandatory")
LEVEL = "enforcementLevel"


def file(occasion: Occasion) -> Path:
    """The configuration for an occasion."""
    return Path(__file__).parent / f"{occasion}.json"


def problems(text: str) -> list[str]:
    """What is wrong with a configuration, each as a sentence without its end; empty where nothing is."""
    try:
        document: object = json.loads(text)
    except ValueError:
        return ["is no JSON"]
    if not isinstance(document, dict):
        return ["must be a JSON object of policies"]
    names = tuple(name for group in groups() for name in group.names)
    return [
        problem
        for name, said in cast("dict[str, object]", document).items()
        for problem in (
            _policy(name, said) if name in names else (f"names {name}, but there are {', '.join(names)} only",)
        )
    ]


def _policy(name: str, said: object) -> Iterator[str]:
    if isinstance(said, str):
        said = {LEVEL: said}
    if not isinstance(said, dict):
        yield f"{name} must be a level or an object of settings"
        return
    settings = dict(cast("Mapping[str, Any]", said))
    level = settings.pop(LEVEL, None)
    if level is not None and level not in LEVELS:
        yield f"{name}.{LEVEL} must be one of {', '.join(LEVELS)}"
    elif level is not None and name.removesuffix(STACK) not in RAISED:
        yield f"{name} keeps the catalogue's level; only {', '.join(sorted(RAISED))} take another"
    try:
        read(settings)
    except ValueError as error:
        yield f"{name}: {error}"
