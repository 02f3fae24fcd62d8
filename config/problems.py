"""What is wrong with a configuration, in words for the person who wrote it.

Owns the error and the translation of pydantic's findings. Never quotes a value that `read` has not cleared of
secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pulumi

from components.plan.facts import Problem, report, suggestion
from config.keys import known_below

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

BAD_KEY = "[key]"
"""How pydantic ends the path of a map's key that is refused itself."""

_GUESS = "The program does not guess what was meant: a wrong guess would be built in every region."
_WANTED = {
    "string_type": ("text", "Put it in quotes."),
    "int_type": ("a whole number", "Write digits without quotes."),
    "bool_type": ("a truth value", "Write true or false without quotes."),
    "list_type": ("a list", "Write it as [first, second]."),
    "dict_type": ("a map", "Write its keys below it, indented."),
    "model_type": ("a map", "Write its keys below it, indented."),
}


class ConfigError(pulumi.RunError):
    """The configuration cannot be built. Ends the program with its text and without a traceback.

    Attributes:
        problems: everything that is wrong, in the order of the keys.
    """

    def __init__(self, problems: Iterable[Problem], subject: str, note: str = "") -> None:
        self.problems = tuple(sorted(problems, key=_place))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(
            "\n\n".join(filter(None, (f"{subject} has {count}; nothing was registered.", report(self.problems), note)))
        )


def _place(problem: Problem) -> list[int]:
    """Where a key stands among all keys; unknown ones first, for they often explain what is missing further down."""
    places: list[int] = []
    path: list[str] = []
    for step in re.split(r"[.\[]", problem.where):
        known = known_below(tuple(path))
        if step not in known:
            return [*places, -1]
        places.append(known.index(step))
        path.append(step)
    return places


def translated(detail: ErrorDetails, *above: str) -> Problem:
    """One finding of pydantic's as a problem; `above` is the path of what was validated."""
    kind, value, path = detail["type"], detail["input"], (*above, *detail["loc"])
    where = _where(path)
    if kind == "extra_forbidden" or path[-1] == BAD_KEY:
        return _unknown(where, path)
    refusal = detail.get("ctx", {}).get("refusal")
    if kind == "missing" or value is None or value == "":
        return Problem(
            where,
            "is missing.",
            refusal.why if refusal else "Nothing can stand in for it.",
            refusal.fix if refusal else f"Add the key, or give it a value where it stands empty.{_choices(detail)}",
        )
    if refusal:
        return Problem.of(where, refusal)
    if kind == "literal_error":
        allowed = _allowed(detail)
        return Problem(
            where,
            f"{value!r} is not known.{suggestion(str(value), allowed)}",
            "No part of the program would know what to do with it.",
            f"Use one of: {', '.join(allowed)}.",
        )
    wanted, fix = _WANTED[kind]
    return Problem(where, f"is {_described(value)} where {wanted} belongs.", _GUESS, fix)


def _unknown(where: str, path: tuple[str | int, ...]) -> Problem:
    steps = [str(step) for step in path if step != BAD_KEY]
    known = known_below(tuple(steps[:-1]))
    return Problem(
        where,
        f"no such key.{suggestion(steps[-1], known)}",
        "It would do nothing, and whoever wrote it believes that it does.",
        f"Remove it, or use one of: {', '.join(known)}.",
    )


def _where(path: tuple[str | int, ...]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if step != BAD_KEY]
    return "".join(steps).removeprefix(".")


def _allowed(detail: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", detail.get("ctx", {}).get("expected", ""))


def _choices(detail: ErrorDetails) -> str:
    allowed = _allowed(detail)
    return f" Use one of: {', '.join(allowed)}." if allowed else ""


def _described(value: Any) -> str:  # noqa: ANN401 (whatever stands in the file)
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else f"the value {value}"
