"""Failures on purpose, by rules in a file that is read again whenever it changes.

    rules:
      - on: create               # create, update, delete, read, invoke; default create
        type: "aws:ec2/*"        # glob, default everything; so are name (logical) and stack
        nth: 3                   # fire at the third match only; or `after: 3`, at every match after three
        times: 1                 # fire at most so often; default without end, with nth once
        effect: quota            # see `Effect`
        seconds: 2               # delay of throttle and timeout

Counters live as long as the file is unchanged: touching it arms the rules again.
"""

from __future__ import annotations

import fnmatch
import logging
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

import pydantic
import yaml

_log: Final = logging.getLogger(__name__)
Operation = Literal["create", "update", "delete", "read", "invoke"]


class Effect(StrEnum):
    """What a rule does to an operation."""

    FAIL = "fail"  # refused before anything happens
    QUOTA = "quota"  # the same, in the cloud's words for an exhausted quota
    THROTTLE = "throttle"  # done, but late: real providers retry a throttled call by themselves
    TIMEOUT = "timeout"  # late, and refused: nothing happened
    PARTIAL = "partial"  # create, update: done, and reported as initialised only in part; the engine keeps it in state
    LOST = "lost"  # create: done, but the answer is lost; the engine does not know the resource


class Rule(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One rule of the file; the module's docstring tells what the fields mean."""

    on: Operation = "create"
    type: str = "*"
    name: str = "*"
    stack: str = "*"
    nth: int | None = pydantic.Field(default=None, ge=1)
    after: int | None = pydantic.Field(default=None, ge=0)
    times: int | None = pydantic.Field(default=None, ge=1)
    effect: Effect
    seconds: float = pydantic.Field(default=1.0, ge=0, le=600)

    def fits(self, operation: Operation, type_: str, name: str, stack: str) -> bool:
        """Whether the rule is about this operation at all, whatever its counters say."""
        return self.on == operation and all(
            fnmatch.fnmatchcase(value, glob)
            for value, glob in ((type_, self.type), (name, self.name), (stack, self.stack))
        )


class _File(pydantic.BaseModel, frozen=True, extra="forbid"):
    rules: list[Rule] = []


@dataclass
class _Armed:
    rule: Rule
    matched: int = 0
    fired: int = 0

    def fires(self) -> bool:
        self.matched += 1
        limit = self.rule.times or (1 if self.rule.nth else None)
        due = self.matched == self.rule.nth if self.rule.nth else self.matched > (self.rule.after or 0)
        if not due or (limit is not None and self.fired >= limit):
            return False
        self.fired += 1
        return True


@dataclass
class Faults:
    """The rules of one file; no file, no faults."""

    path: Path
    _armed: list[_Armed] = field(default_factory=list)
    _stamp: tuple[int, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strike(self, operation: Operation, type_: str, name: str, stack: str) -> Rule | None:
        """Count an operation, and return the first rule that fires at it."""
        with self._lock:
            self._reload()
            struck = None
            for armed in self._armed:
                if armed.rule.fits(operation, type_, name, stack) and armed.fires():
                    struck = struck or armed.rule
        if struck:
            _log.warning("fault %s at %s %s %s", struck.effect, operation, type_, name)
        return struck

    def _reload(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._armed = None, []
            return
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._stamp = stamp
            self._armed = [_Armed(rule) for rule in read_rules(self.path)]


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file. A file that is not valid is logged and holds no rule: a typing slip must not stop a stack."""
    try:
        raw: Any = yaml.safe_load(path.read_text()) or {}
        return _File.model_validate(raw).rules
    except (OSError, yaml.YAMLError, pydantic.ValidationError) as error:
        _log.error("fault rules %s are not valid and are ignored: %s", path, error)
        return []
