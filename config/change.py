"""The record of a change, and exemptions from policies, as they are written.

Owns their form. Whether a change may run is `components.plan.change`; whether an exemption holds is the policy pack's.
A record stands in the stack's file or, where the variable `HMC_CHANGE` names one, in a file of its own.

Dangerous edge: the engine turns an instant or a day without quotes into a form of its own, and writes that into the
stack's file. Without quotes they are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from components.plan import values
from components.plan.change import FIELDS, VARIABLE, Change, instant
from components.plan.facts import Problem
from components.plan.values import Refusal
from components.plan.windows import Category

KEY = "change"


def _refused(refusal: Refusal) -> PydanticCustomError:
    return PydanticCustomError("refused", "refused", {"refusal": refusal})


def _instant(value: object) -> object:
    if value is None or value == "":
        return None
    # A record's own file is read with instants already made of them.
    found = value if isinstance(value, datetime) and value.tzinfo else instant(value)
    if found is None:
        raise _refused(
            Refusal(
                "is no instant with its offset from UTC, in quotes.",
                "Lead times and windows are counted from it, and without an offset it means another hour elsewhere.",
                'Write it like "2027-01-09T02:00:00Z", with the quotes.',
            )
        )
    return found


def _day(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) or not _exists(value):
        raise _refused(
            Refusal(
                "is no day in quotes.",
                "The engine turns a day without quotes into a text that is none, and the policy pack could not read it.",
                'Write it like "2027-01-31", with the quotes.',
            )
        )
    return value


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Text = str | None


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Record(_Keys):
    """One change. All may be missing or empty: what a change needs depends on its category, and the policies judge it."""

    id: Text = None
    category: Category | None = None
    author: Text = None
    approvers: list[str] | None = None
    requested_at: Instant = None
    approved_at: Instant = None
    impact: Text = None
    rollback_plan: Text = None
    staging_run: Text = None
    window_start: Instant = None
    window_end: Instant = None
    notified: Text = None
    implemented: Text = None
    verified: Text = None
    closed: Instant = None
    closes: Instant = None

    def change(self) -> Change | None:
        """In the plan's own words; None where nothing is written."""
        made: dict[str, Any] = {}
        for attribute in FIELDS.values():
            value = getattr(self, attribute)
            if isinstance(value, list):
                value = tuple(filter(None, (name.strip() for name in cast("list[str]", value))))
            elif isinstance(value, str):
                value = value.strip() or None
            if value:
                made[attribute] = value
        return Change(**made) if made else None


class Exemption(_Keys):
    """One entry that silences a rule."""

    rule: str
    urn: str
    reason: str
    ticket: str
    owner: str
    approved_by: str
    expires: Annotated[str, BeforeValidator(_day)]

    def entry(self) -> dict[str, str]:
        """As it is written."""
        return self.model_dump(by_alias=True)


def raw(path: str) -> Mapping[str, Any] | Problem:
    """What a record's file holds, or why it cannot be read."""
    if values.secret_like(path):
        return Problem(
            VARIABLE,
            "holds what looks like a secret, which is not shown here.",
            "It names the file in which the record of the change stands.",
            "Put the file's path there, and replace the secret wherever it is in use.",
        )
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        return _unread(path, error.strerror or type(error).__name__)
    except (ValueError, yaml.YAMLError) as error:
        # The error's own text repeats the line.
        mark = getattr(error, "problem_mark", None)
        return _unread(path, f"no YAML or JSON{f' in line {mark.line + 1}' if mark else ''}")
    if not isinstance(document, dict) or not document:
        return _unread(path, "no map of the record's fields")
    return {str(key): value for key, value in cast("dict[object, Any]", document).items()}


def _unread(path: str, why: str) -> Problem:
    return Problem(
        VARIABLE,
        f"the record {path} cannot be read: {why}.",
        "Nobody could tell under which change this update runs.",
        "Name a file in YAML or JSON with the fields that docs/configuration.md lists below change.",
    )
