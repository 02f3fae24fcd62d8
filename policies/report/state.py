"""A stack's exported state, as rules read it.

Owns the step from `pulumi stack export` to resources: inputs for resource rules, outputs for stack rules, options and
dependencies as the engine keeps them. Secrets lie encrypted in an export and are `UNKNOWN` here: rules on them are
deferred, and the engine's own run of the pack (`pulumi policy analyze`), which can decrypt them, decides.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from policies.errors import InputError
from policies.resource import Options, Provider, Resource, World
from policies.values import UNKNOWN, thaw

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's mark of a secret


@dataclass(frozen=True)
class State:
    """What a stack holds.

    Attributes:
        resources: with inputs.
        world: the same resources with outputs.
        positions: where the program registers each resource, by URN: a file of the project and a line.
        digest: SHA-256 of the state that was judged.
        saved: when the engine saved it, as it says.
    """

    stack: str
    resources: tuple[Resource, ...]
    world: World
    positions: Mapping[str, tuple[str, int]]
    digest: str
    saved: str


def exported(stack: str) -> str:
    """The stack's state from the engine's backend, secrets encrypted.

    Raises:
        InputError: there is no engine, or no such stack.
    """
    command = ["pulumi", "stack", "export", "--stack", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise InputError(
            "There is no `pulumi` on the PATH, so the state cannot be read.",
            'Run `make compliance STACK=…`, or `eval "$(make -s env)"` first, or give --file with an export.',
        ) from None
    if done.returncode != 0:
        raise InputError(
            f"The state of the stack {stack!r} cannot be read: {done.stderr.strip().removeprefix('error: ')}",
            "`pulumi stack ls` names the stacks; the report judges one that exists and was updated.",
        )
    return done.stdout


def load(text: str, origin: str) -> State:
    """The state in an export.

    Args:
        origin: where it came from, for messages.

    Raises:
        InputError: it is no export.
    """
    try:
        document = json.loads(text)
        deployment = document["deployment"]
        raw = [dict(each) for each in deployment.get("resources") or [] if not each.get("delete")]
        if not raw:
            raise InputError(
                f"{origin} holds no resource, so there is nothing to judge.", "Update the stack first: `pulumi up`."
            )
        return _state(raw, text, str((deployment.get("manifest") or {}).get("time", "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{origin} is no exported state ({type(error).__name__}).",
            "Make one with `pulumi stack export --stack NAME --file state.json`.",
        ) from None


def _state(raw: list[dict[str, Any]], text: str, saved: str) -> State:
    providers = {
        f"{each['urn']}::{each.get('id', '')}": Provider(each["type"], _plain(each.get("inputs") or {})) for each in raw
    }
    resources = tuple(_resource(each, "inputs", providers) for each in raw)
    world = World(tuple(_resource(each, "outputs", providers) for each in raw))
    return State(
        stack=resources[0].stack,
        resources=resources,
        world=world,
        positions={each["urn"]: at for each in raw if (at := _position(each.get("sourcePosition", "")))},
        digest=hashlib.sha256(text.encode()).hexdigest(),
        saved=saved,
    )


def _resource(raw: Mapping[str, Any], side: str, providers: Mapping[str, Provider]) -> Resource:
    return Resource(
        urn=raw["urn"],
        type=raw["type"],
        name=raw["urn"].rpartition("::")[2],
        props=_plain(raw.get(side) or {}),
        options=Options(bool(raw.get("protect")), tuple(raw.get("ignoreChanges") or ())),
        provider=providers.get(raw.get("provider", "")),
        parent=raw.get("parent"),
        dependencies={key: tuple(urns) for key, urns in (raw.get("propertyDependencies") or {}).items()},
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Thawed, with every encrypted secret unknown."""
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        if known.get(_SIGNATURE) == _SECRET:
            return UNKNOWN
        return {key: _plain(item) for key, item in known.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return thaw(value)


def _position(text: str) -> tuple[str, int] | None:
    path, _, line = text.removeprefix("project:///").partition("#")
    return (path, int(line.split(",")[0])) if path and line and not path.startswith((".", "/")) else None


def read(stack: str, file: Path | None) -> State:
    """The state of a stack, from a file or else from the engine's backend.

    Raises:
        InputError: it cannot be read, or is another stack's, or neither is given.
    """
    if not stack and file is None:
        raise InputError("Neither a stack nor a file is given, so there is nothing to judge.", "Give --stack NAME.")
    if file is None:
        return load(exported(stack), f"The state of {stack}")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read ({type(error).__name__}).", "Give the file of a `pulumi stack export`."
        ) from None
    state = load(text, str(file))
    if stack and state.stack != stack:
        raise InputError(
            f"{file} is the state of {state.stack}, not of {stack}.", "Leave out one of --stack and --file."
        )
    return state
