"""The platform's secrets, which were chosen before the products that honour them existed.

Owns how a command gets them: from the primary's stack, or by a descriptor when the backend is away. Which there are is
`components.plan.secrets`'.

Dangerous edge: the values open everything. They stay in memory, and no message repeats one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from components.plan.secrets import ENTRIES, shared_entries
from runbook import descriptors
from runbook.errors import RunbookError
from runbook.stacks import output

LINEAGE = "lineage"
"""Name of the primary's output that holds them."""
_TOKENS = frozenset(entry for entry in shared_entries() if ENTRIES[entry].origin == "token")


@dataclass(frozen=True)
class Entries:
    """Chosen tokens by entry of the secret store."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, entry: str) -> str:
        return self.values[entry]


def from_descriptor(descriptor: int, needed: Iterable[str]) -> Entries:
    """What the descriptor says, in lines ENTRY=value.

    Raises:
        RunbookError: it cannot be read, or a needed entry is missing or no token.
    """
    example = "runbook bootstrap --secrets-fd 3 3< <(print-them), each line ENTRY=value"
    given = descriptors.pairs(descriptor, _TOKENS, "secret", example)
    return _checked(given, needed, "the descriptor", "Give every entry that the command needs.")


async def from_stack(project: Path, stack: str, needed: Iterable[str]) -> Entries:
    """What the primary's stack says.

    Raises:
        RunbookError: the stack says nothing, or a needed entry is missing or no token.
    """
    text = await output(project, stack, LINEAGE, "give the entries by --secrets-fd", secret=True)
    helps = f"Update the primary first: pulumi up -s {stack}"
    try:
        said: object = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise RunbookError(f"Stack {stack} has no lineage, so no token was ever chosen.", helps)
    known = {name: value for name, value in cast("dict[str, object]", said).items() if isinstance(value, str)}
    return _checked(known, needed, f"the lineage of stack {stack}", helps)


def _checked(given: Mapping[str, str], needed: Iterable[str], source: str, helps: str) -> Entries:
    wanted = list(needed)
    if missing := [entry for entry in wanted if not given.get(entry)]:
        raise RunbookError(
            f"There is no {', '.join(missing)} in {source}, so machines would wait for a token that nobody makes.",
            helps,
        )
    for entry in wanted:
        try:
            uuid.UUID(given[entry])
        except ValueError:
            raise RunbookError(
                f"{entry} in {source} is no UUID, and neither Consul nor Nomad takes anything else.", helps
            ) from None
    if len({given[entry] for entry in wanted}) != len(wanted):
        raise RunbookError(
            f"Two entries in {source} are equal; who holds the one could do what the other may.",
            "Choose each by itself.",
        )
    return Entries({entry: given[entry] for entry in wanted})
