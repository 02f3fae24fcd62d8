"""Mutants that no test notices and that harm nothing, with the reasons (survivors.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("survivors.yaml")

Key = tuple[str, str, str]
"""Module, the lines before, the lines after (`Mutant.key`)."""


class MalformedError(Exception):
    """The file is not what it has to be."""


@dataclass(frozen=True)
class Compared:
    """Survivors beside the file.

    Attributes:
        explained: survivors that the file explains.
        unexplained: those that it does not.
        stale: what the file explains and what no longer survives, in the modules that were mutated.
    """

    explained: tuple[Key, ...]
    unexplained: tuple[Key, ...]
    stale: tuple[Key, ...]

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do."""
        return not self.unexplained and not self.stale


def read(text: str) -> Mapping[Key, str]:
    """Reasons by mutant.

    Raises:
        MalformedError: no list of modules with a reason, a text before and the texts after.
    """
    try:
        document: Any = yaml.safe_load(text) or []
        found: dict[Key, str] = {}
        for entry in document:
            reason = entry["reason"]
            if len(entry) != len(("module", "reason", "mutants")) or not reason.strip():
                raise MalformedError(
                    f"{entry.get('module')}: an entry has a module, a reason and mutants, none of it empty"
                )
            for before, after in entry["mutants"].items():
                for changed in [after] if isinstance(after, str) else after:
                    key = (entry["module"], before, changed)
                    if key in found:
                        raise MalformedError(f"{entry['module']}: {before} → {changed} stands twice")
                    found[key] = reason
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise MalformedError(f"no list of entries with module, reason and mutants ({type(error).__name__})") from None
    return found


def compare(survivors: set[Key], reasons: Mapping[Key, str], mutated: set[str]) -> Compared:
    """What is explained, what is not, and what need not be any more."""
    known = {key for key in reasons if key[0] in mutated}
    return Compared(
        tuple(sorted(survivors & known)), tuple(sorted(survivors - known)), tuple(sorted(known - survivors))
    )
