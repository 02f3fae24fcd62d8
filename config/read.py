"""Reading: the only place that asks the engine for configuration.

Owns the way from raw values to a `Stack`. All problems are collected before any is reported: a value that cannot
be read is left out, and the rules that do not need it are applied to the rest.

Dangerous edge: whatever is refused is quoted on a screen and in CI logs, so values that are or look like secrets
are taken out before anything else is looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret
from pydantic import ValidationError

from components.plan import checks, values
from components.plan.change import Change
from components.plan.facts import Facts, Problem
from components.plan.spec import CLOUDS, Cloud, Product, Profile, Stack
from config import change
from config.change import Record
from config.keys import Settings, clients, servers, structured
from config.problems import BAD_KEY, ConfigError, translated

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Raw = Mapping[str, Any]
"""Values by key without the namespace, as parsed YAML."""


def load() -> Stack:
    """The stack that the engine's configuration describes.

    Raises:
        ConfigError: it describes none.
    """
    prefix = f"{pulumi.Config().name}:"
    full = {key: value for key, value in CONFIG.get().items() if key.startswith(prefix)}
    return parse(
        {key.removeprefix(prefix): _decoded(key.removeprefix(prefix), value) for key, value in full.items()},
        stack=pulumi.get_stack(),
        encrypted=[key.removeprefix(prefix) for key in full if is_config_secret(key)],
        record=os.environ.get(change.VARIABLE) or None,
    )


def load_change(path: str) -> Change:
    """The change that a record's file describes.

    Raises:
        ConfigError: it describes none; holds every problem.
    """
    held = change.raw(path)
    if isinstance(held, Problem):
        raise ConfigError([held], "The record of the change")
    problems = list(_secrets({change.KEY: held}, ()))
    if not problems:
        try:
            return Record.model_validate(held).change() or Change()
        except ValidationError as error:
            problems = [translated(detail, change.KEY) for detail in _findings(error)]
    raise ConfigError(problems, f"The record {path}")


def parse(raw: Raw, *, stack: str | None = None, encrypted: Collection[str] = (), record: str | None = None) -> Stack:
    """The stack that a configuration describes.

    Args:
        raw: the configuration.
        stack: the stack's name, where there is one.
        encrypted: keys whose values the engine keeps as secrets.
        record: a file with the record of the change, which then wins over the configuration.

    Raises:
        ConfigError: it describes none; holds every problem.
    """
    unread: list[Problem] = []
    if record:
        held = change.raw(record)
        unread = [held] if isinstance(held, Problem) else []
        raw = {**raw, change.KEY: {} if isinstance(held, Problem) else held}
        encrypted = [key for key in encrypted if key != change.KEY]
    problems = [*unread, *_secrets(raw, encrypted)]
    hidden = {problem.where for problem in problems}
    readable: Raw = {key: value for key, value in raw.items() if key not in hidden}
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(readable)
    except ValidationError as error:
        for detail in _findings(error):
            if detail["loc"][0] not in hidden:
                problems.append(translated(detail))
                readable = _without(readable, detail["loc"])
    problems += checks.problems(_facts(raw, readable, stack))
    if problems or settings is None:
        # Who reads of a field of the record must not search the stack's file for it.
        misread = any(problem.where.split(".")[0] == change.KEY for problem in problems)
        note = f"The record of the change is {record}, which {change.VARIABLE} names." if record and misread else ""
        raise ConfigError(problems, f"The configuration of the stack {stack}" if stack else "The configuration", note)
    return settings.stack()


def _findings(error: ValidationError) -> list[ErrorDetails]:
    """What pydantic found; nothing about the insides of what stands at an unknown key of a map."""
    found = error.errors(include_url=False)
    unknown = {detail["loc"][:-1] for detail in found if detail["loc"][-1] == BAD_KEY}
    return [
        detail
        for detail in found
        if detail["loc"][-1] == BAD_KEY or not any(detail["loc"][: len(path)] == path for path in unknown)
    ]


def _decoded(key: str, value: object) -> object:
    """The engine hands lists, maps and truth values over as JSON text; other text stays as it is."""
    if not structured(key) or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _secrets(raw: Raw, encrypted: Collection[str]) -> Iterator[Problem]:
    """A problem for each top-level key that holds a secret; nothing of its value is repeated."""
    for key, value in raw.items():
        alike = (kind for text in _texts(value) if (kind := values.secret_like(text)))
        if kind := "an encrypted value" if key in encrypted else next(alike, None):
            yield Problem(
                key,
                f"holds {kind}, which is not shown here.",
                "Configuration reaches tags, user data and outputs, which many may read.",
                "Take it out, and replace the secret wherever it is in use: this file may already have been shared.",
            )


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in cast("dict[object, object]", value).items():
            yield from _texts(list(pair))
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)


def _without(branch: Raw, path: tuple[str | int, ...]) -> Raw:
    """A copy without what lies at the path; a bad item of a list takes the list along."""
    step, *rest = path
    kept = {key: value for key, value in branch.items() if key != step}
    below = branch.get(cast("str", step))
    if rest and isinstance(rest[0], str) and rest[0] != BAD_KEY and isinstance(below, dict):
        kept[cast("str", step)] = _without(cast("Raw", below), tuple(rest))
    return kept


def _complete(raw: Raw, readable: Raw, key: str) -> bool:
    """Whether all that was written below a key could be read."""
    return key in readable and raw[key] == readable[key]


def _declared(raw: Raw, *path: str) -> frozenset[Cloud] | None:
    """The clouds that stand below a path, readable or not; None where no map does."""
    branch: object = raw
    for step in path:
        branch = cast("Raw", branch).get(step) if isinstance(branch, dict) else None
    return frozenset(cloud for cloud in CLOUDS if cloud in branch) if isinstance(branch, dict) else None


def _facts(raw: Raw, readable: Raw, stack: str | None) -> Facts:
    """What could be read. Everything left in `readable` has its proper type."""
    profile = cast("Profile | None", readable.get("profile"))
    backup = cast("Mapping[str, Any]", readable.get("backup", {}))
    given = cast("dict[Product, int]", readable.get("servers", {}))
    numbers = servers(profile, given) if profile and _complete(raw, readable, "servers") else given

    def by_region(key: str) -> dict[Cloud, Any]:
        regions = readable.get("regions", {})
        return {cloud: regions[cloud][key] for cloud in CLOUDS if key in regions.get(cloud, {})}

    return Facts(
        stack=stack,
        cloud=readable.get("cloud"),
        account=readable.get("account"),
        image=readable.get("image"),
        rollout=tuple(readable["rollout"]) if "rollout" in readable else None,
        name=readable.get("name"),
        domain=readable.get("domain"),
        profile=profile,
        edition=readable.get("edition"),
        clouds=_declared(raw, "regions"),
        regions=by_region("name"),
        zones={cloud: tuple(zones) for cloud, zones in by_region("zones").items()},
        cidrs=by_region("cidr"),
        recoveries=by_region("recovery"),
        numbered=_declared(raw, "mesh", "asns"),
        asns=readable.get("mesh", {}).get("asns", {}),
        copied=_declared(raw, "backup", "copies"),
        copies=backup.get("copies", {}),
        intervals=backup.get("intervalMinutes", {}),
        rpo_minutes=backup.get("rpoMinutes"),
        lock_days=backup.get("lockDays"),
        keep_days=backup.get("keepDays"),
        servers=numbers,
        clients=clients(profile, readable["clients"]) if profile and _complete(raw, readable, "clients") else None,
        versions=readable.get("versions", {}),
        checksums=readable.get("artifacts", {}).get("checksums", {}),
    )
