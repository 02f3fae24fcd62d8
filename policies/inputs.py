"""What people write beside the program, checked before anything is judged by it: exemptions, and the record of a change.

Owns the check for commands that end with 2 on bad input. In the engine the same mistakes are violations, since a policy
has no other way to stop it (`exemption-valid`, `change-recorded`).

Dangerous edge: what stands in a file may be a secret that was put there by mistake. Only places and fields are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import yaml

from components.plan.change import FIELDS, INSTANTS, VARIABLE, instant
from components.plan.windows import CATEGORIES
from policies.errors import InputError
from policies.exemptions import read


def check(stack: str, folder: Path, environment: Mapping[str, str], now: datetime) -> None:
    """Refuses exemptions and a record that cannot be used; says all that is wrong.

    Args:
        folder: where to search for the stack's file, upwards.
        environment: in which `HMC_CHANGE` may name the file that holds the record.

    Raises:
        InputError: something is wrong.
    """
    problems = [f"{problem}" for problem in read(stack, folder, now.date()).problems]
    if problems:
        raise InputError(
            f"The exemptions of {stack} cannot be used, so nobody can say which rules hold: {'; '.join(problems)}.",
            f"Correct or remove them in Pulumi.{stack}.yaml; docs/compliance.md says what an entry needs.",
        )
    named = environment.get(VARIABLE)
    if named and (wrong := list(_record(Path(named)))):
        raise InputError(
            f"The record that {VARIABLE} names cannot be used, so nobody can say under which change this runs: "
            f"{'; '.join(wrong)}.",
            f"Correct the file, or unset {VARIABLE}; docs/configuration.md lists the fields below `change`.",
        )


def _record(file: Path) -> Iterator[str]:
    """What is wrong with a record's form; what it lacks for its category is the rules' to say."""
    try:
        document: object = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield f"it cannot be read ({type(error).__name__})"
        return
    except yaml.YAMLError:
        yield "it is no YAML or JSON"
        return
    if not isinstance(document, dict) or not document:
        yield "it is no map of the record's fields"
        return
    record = cast("Mapping[object, Any]", document)
    if unknown := [name for name in record if name not in FIELDS]:
        yield f"{len(unknown)} of its fields are unknown; there are {', '.join(FIELDS)}"
    for name in sorted(INSTANTS & record.keys()):
        value = record[name]
        if not (isinstance(value, datetime) and value.tzinfo) and instant(value) is None:
            yield f"{name} is no instant with its offset from UTC"
    if record.get("category") not in (None, *CATEGORIES):
        yield f"category must be one of {', '.join(CATEGORIES)}"
