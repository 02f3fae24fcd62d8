"""What a preview plans, read from the engine's events.

Owns the reading of `pulumi preview --json` and `pulumi destroy --preview-only --json`, one event a line. By default a
preview writes one document instead, without the unchanged resources and without a word of the pack: that is refused.

Dangerous edge: events hold inputs in clear. Nothing but types, names and paths may be told of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from policies.errors import InputError
from policies.resource import Options, Resource
from policies.values import thaw

STREAMED = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json --policy-pack policies > preview.json"
PACK = "hashicorp-multicloud"


@dataclass(frozen=True)
class Step:
    """One planned operation.

    Attributes:
        operation: as the engine calls it: `create`, `update`, `replace`, `delete-replaced`, …
        resource: as it is, or as it will be where it is new; with inputs.
        changed: the paths that an update changes.
    """

    operation: str
    resource: Resource
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What the pack said."""

    level: str
    urn: str
    message: str


@dataclass(frozen=True)
class Preview:
    """A whole preview.

    Attributes:
        planned: resources as they will be, by URN.
        judged: how many resources the pack looked at.
        succeeded: whether the engine reached the end of it.
        errors: how many it complained of.
    """

    steps: tuple[Step, ...]
    planned: Mapping[str, Resource]
    told: tuple[Told, ...]
    judged: int
    succeeded: bool
    errors: int

    @property
    def stack(self) -> str:
        return next((step.resource.stack for step in self.steps), "")


def read(file: Path) -> Preview:
    """The preview in a file.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read ({type(error).__name__}), so nobody knows what would change.",
            f"Give the file of a preview: `{STREAMED}`.",
        ) from None
    return load(text, str(file))


def load(text: str, origin: str) -> Preview:
    """The preview in a text.

    Args:
        origin: where it came from, for messages.

    Raises:
        InputError: it is none.
    """
    try:
        return _preview(list(_events(text)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{origin} is no preview as events, one a line ({type(error).__name__}), so nobody knows what would change.",
            f"Make it with `{STREAMED}`; without the variable the engine leaves out most of it.",
        ) from None


def _events(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        if line.strip():
            event: object = json.loads(line)
            if not isinstance(event, dict) or "sequence" not in event:
                raise ValueError("no event")
            yield cast("Mapping[str, Any]", event)


def _preview(events: list[Mapping[str, Any]]) -> Preview:
    if not any("preludeEvent" in event for event in events):
        raise ValueError("no beginning")
    planned = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    summary: Mapping[str, Any] = next((event["summaryEvent"] for event in events if "summaryEvent" in event), {})
    after = [_resource(each["new"]) for each in planned if each.get("new")]
    return Preview(
        steps=tuple(_step(each) for each in planned),
        planned={resource.urn: resource for resource in after},
        told=tuple(_told(event["policyEvent"]) for event in events if "policyEvent" in event),
        judged=sum(event.get("policyAnalyzeSummaryEvent", {}).get("policyPackName") == PACK for event in events),
        # An engine that gave up says no result.
        succeeded=summary.get("result") == "succeeded",
        errors=sum(event.get("diagnosticEvent", {}).get("severity") == "error" for event in events),
    )


def _step(said: Mapping[str, Any]) -> Step:
    changed: Mapping[str, Any] = said.get("detailedDiff") or {}
    return Step(said["op"], _resource(said.get("old") or said["new"]), tuple(changed) or tuple(said.get("diffs") or ()))


def _resource(state: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=state["urn"],
        type=state["type"],
        name=state["urn"].rpartition("::")[2],
        props=thaw(state.get("inputs") or {}),
        options=Options(bool(state.get("protect"))),
    )


def _told(event: Mapping[str, Any]) -> Told:
    # The engine puts the policy's description in a line of its own in front.
    message = str(event["message"]).strip().partition("\n")[2] or str(event["message"]).strip()
    return Told(event["enforcementLevel"], event.get("resourceUrn") or "", message)
