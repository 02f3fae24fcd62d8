"""Exemptions: documented, expiring entries of the stack's file; the only way to silence a mandatory rule.

Owns reading, checking and matching them. Stack configuration does not reach a Python pack, so the pack reads the file
itself, this key only; the stack's name comes from the URN.

Dangerous edge: an entry that cannot be read must never silence anything. It becomes a problem, which `exemption-valid`
reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from policies.catalogue import catalogue

LONGEST = timedelta(days=90)
SHORTEST_REASON = 30
SHORTEST_PATTERN = 8
KEY = "exemptions"

_TICKET = re.compile(r"[A-Z]+-\d+$")
_EXACT = {"rule", "urn", "reason", "ticket", "owner", "approvedBy", "expires"}


class Entry(BaseModel):
    """One exemption as it is written.

    Attributes:
        urn: a glob over the URN of what the rule speaks about.
        expires: the last day on which it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    rule: str
    urn: str
    reason: str
    ticket: str
    owner: str
    approved_by: str
    expires: date


@dataclass(frozen=True)
class Exemption:
    """An entry, with its place in the file and whether it holds today."""

    index: int
    entry: Entry
    days_left: int
    in_force: bool

    def covers(self, rule: str, urn: str) -> bool:
        """Whether it silences a rule about a resource."""
        return self.in_force and self.entry.rule == rule and fnmatchcase(urn, self.entry.urn)


@dataclass(frozen=True)
class Problem:
    """What is wrong with an entry, or with the file; `index` is the entry's place."""

    index: int | None
    what: str

    def __str__(self) -> str:
        return f"{KEY}[{self.index}] {self.what}" if self.index is not None else f"{KEY}: {self.what}"


@dataclass(frozen=True)
class Exemptions:
    """All entries of a stack that could be read, and what is wrong with the rest."""

    entries: tuple[Exemption, ...] = ()
    problems: tuple[Problem, ...] = ()

    def covering(self, rule: str, urn: str) -> Exemption | None:
        """The entry that silences a rule about a resource."""
        return next((each for each in self.entries if each.covers(rule, urn)), None)


def read(stack: str, folder: Path, today: date) -> Exemptions:
    """The exemptions in a stack's file, searched for from `folder` upwards."""
    file = _stack_file(stack, folder)
    if file is None:
        return Exemptions()
    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        config = document.get("config") or {}
        settings: Any = yaml.safe_load((file.parent / "Pulumi.yaml").read_text(encoding="utf-8"))
        project = settings["name"]
        raw = config.get(f"{project}:{KEY}", [])
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        return Exemptions(problems=(Problem(None, f"{file.name} cannot be read ({type(error).__name__})"),))
    return parse(raw, today)


def parse(raw: object, today: date) -> Exemptions:
    """The exemptions in a list as parsed YAML. What cannot be used is a problem and silences nothing."""
    if not isinstance(raw, list):
        kind = "is encrypted, so nobody can review it" if _encrypted(raw) else "is no list"
        return Exemptions(problems=(Problem(None, kind),))
    entries: list[Exemption] = []
    problems: list[Problem] = []
    for index, item in enumerate(cast("Sequence[object]", raw)):
        try:
            entry = Entry.model_validate(item)
        except ValidationError as error:
            problems += [Problem(index, _wrong(detail)) for detail in error.errors()]
            continue
        wrong = list(_problems(entry, today))
        problems += [Problem(index, what) for what in wrong]
        left = (entry.expires - today).days
        entries.append(Exemption(index, entry, left, in_force=not wrong))
    return Exemptions(tuple(entries), tuple(problems))


def _wrong(detail: Mapping[str, Any]) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    if not where:
        return f"must be a map of {', '.join(sorted(_EXACT))}"
    if detail["type"] == "extra_forbidden":
        # What stands at an unknown key may be anything; neither is repeated.
        return f"has an unknown key; there are {', '.join(sorted(_EXACT))}"
    return f"{where} {'is missing' if detail['type'] == 'missing' else 'does not fit: ' + str(detail['msg']).lower()}"


def _problems(entry: Entry, today: date) -> list[str]:
    rule = catalogue().get(entry.rule)
    demands = (
        (rule is None, "rule is unknown; docs/compliance.md lists them"),
        (rule is not None and not rule.exemptible, f"rule {entry.rule} takes no exemption"),
        (
            len(re.sub(r"[*?\[\]]", "", entry.urn)) < SHORTEST_PATTERN,
            f"urn must name at least {SHORTEST_PATTERN} characters of the URN besides its wildcards",
        ),
        (len(entry.reason.strip()) < SHORTEST_REASON, f"reason must have at least {SHORTEST_REASON} characters"),
        (not _TICKET.match(entry.ticket), "ticket must look like CHG-1042"),
        (not entry.owner.strip(), "owner is empty"),
        (not entry.approved_by.strip(), "approvedBy is empty"),
        (entry.approved_by.strip() == entry.owner.strip(), "approvedBy must not be the owner"),
        (entry.expires < today, f"expires: ended on {entry.expires.isoformat()}, so the rule blocks again"),
        (entry.expires > today + LONGEST, f"expires must lie within {LONGEST.days} days"),
    )
    return [what for wrong, what in demands if wrong]


def _stack_file(stack: str, folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        if (place / "Pulumi.yaml").exists():
            file = place / f"Pulumi.{stack}.yaml"
            return file if file.exists() else None
    return None


def _encrypted(raw: object) -> bool:
    return isinstance(raw, dict) and "secure" in cast("dict[str, object]", raw)
