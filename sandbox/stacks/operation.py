"""Runs one engine operation on one stack and reads what happened from the engine's own event stream.

Owns the only reading of `pulumi … --json`: counts, steps, diagnostics, policy violations and stack outputs all come
from there, never from text meant for people. Secret outputs arrive masked by the engine and stay so.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal

from sandbox.process import run as run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

Verb = Literal["up", "preview", "refresh", "destroy"]

FLAGS: Mapping[Verb, tuple[str, ...]] = {
    "up": ("--yes", "--skip-preview"),
    "preview": (),
    "refresh": ("--yes", "--skip-preview"),
    "destroy": ("--yes", "--skip-preview"),
}
ROOT_TYPE = "pulumi:pulumi:Stack"
UNCHANGED = frozenset({"same", "read", "discard", "refresh"})
# Counted by the engine, but no longer or never in the stack: a read is a look at another stack.
NOT_HELD = frozenset({"delete", "read", "discard"})
# The key that marks a wrapped value in a property map, of which only secrets occur in outputs.
SIGNATURE = "4dabf18193072939515e22adb298388d"


STREAMED = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"
"""Without it, a preview answers with one document of another shape at its end."""


@dataclass(frozen=True)
class Diagnostic:
    """Something the engine, a provider or the program said about a resource (or about none)."""

    severity: str
    message: str
    urn: str


@dataclass(frozen=True)
class Step:
    """One operation of the engine on one resource; `failed` when the provider refused it."""

    operation: str
    urn: str
    type: str
    failed: bool = False


@dataclass(frozen=True)
class Violation:
    """A policy's verdict on a resource."""

    policy: str
    level: str
    message: str
    urn: str


@dataclass
class Result:
    """What one operation did.

    Attributes:
        code: the engine's exit code.
        changes: resources by operation (`same`, `create`, `update`, …), as the engine counts them.
        steps: every operation on a resource, in the order it ended.
        outputs: the stack's outputs afterwards; secrets read `[secret]`. Empty after an operation that shows none.
        complaint: what the command line said outside the event stream, such as an unknown stack.
        seconds: wall time.
    """

    verb: Verb
    stack: str
    code: int = 0
    changes: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.code == 0

    @property
    def changed(self) -> bool:
        """Whether anything was (or, in a preview, would be) created, updated, replaced or deleted."""
        return any(count for operation, count in self.changes.items() if operation not in UNCHANGED)

    @property
    def resources(self) -> int:
        """Resources the stack holds afterwards."""
        return sum(count for operation, count in self.changes.items() if operation not in NOT_HELD)

    @property
    def errors(self) -> list[Diagnostic]:
        return [item for item in self.diagnostics if item.severity == "error"]

    def touched(self, *operations: str) -> set[str]:
        """URNs that went through any of the given operations; through any change when none is given."""
        return {
            step.urn
            for step in self.steps
            if (step.operation in operations if operations else step.operation not in UNCHANGED)
        }


def run(
    verb: Verb,
    stack: str,
    *,
    project: Path,
    environment: Mapping[str, str],
    flags: Sequence[str] = (),
    watch: Callable[[Result], None] | None = None,
) -> Result:
    """Runs `pulumi <verb>` on a stack of the project and returns what happened; a failure is a result, not an error.

    Args:
        watch: called after each event with the result as it grows, to show progress.
    """
    command = ["pulumi", verb, "--stack", stack, "--json", "--non-interactive", *FLAGS[verb], *flags]
    env = {**environment, STREAMED: "true"}
    result = Result(verb, stack)
    began = time.monotonic()
    with (
        TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(
            command,
            cwd=project,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as child,
    ):
        for event in _events(child.stdout or ()):
            _record(event, result)
            if watch:
                watch(result)
        result.code = child.wait()
        complaints.seek(0)
        result.complaint = complaints.read().strip()
    result.seconds = time.monotonic() - began
    return result


def record(
    stack: str,
    file: Path,
    *,
    project: Path,
    environment: Mapping[str, str],
    flags: Sequence[str] = (),
    verb: Verb = "preview",
) -> None:
    """Previews an operation and keeps the engine's events in a file, one a line; whether it failed is in them."""
    asked = FLAGS[verb] if verb == "preview" else ("--preview-only",)
    command = ["pulumi", verb, "--stack", stack, "--json", "--non-interactive", *asked, *flags]
    with file.open("w", encoding="utf-8") as events:
        subprocess.run(
            command,
            cwd=project,
            env={**environment, STREAMED: "true"},
            stdin=subprocess.DEVNULL,
            stdout=events,
            check=False,
        )


def announced(stack: str, *, project: Path, environment: Mapping[str, str]) -> str:
    """Fingerprint of what other stacks can read of a stack: its outputs, secrets included.

    The encrypted form would not do: the engine encrypts a stack's secret outputs anew each time.
    """
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack, "--cwd", str(project)]
    outputs = run_command(command, env=environment, doing=f"reading the outputs of {stack}")
    return hashlib.sha256(outputs.encode()).hexdigest()


def _events(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The stream's events, without the debug messages that make up most of it."""
    for line in lines:
        if line.startswith("{") and '"diagnosticEvent":{"prefix":"debug: "' not in line:
            yield json.loads(line)


def _record(event: dict[str, Any], result: Result) -> None:
    match event:
        case {"resOutputsEvent": {"metadata": step}}:
            result.steps.append(Step(step["op"], step["urn"], step["type"]))
            if step["type"] == ROOT_TYPE:
                result.outputs = _masked((step.get("new") or {}).get("outputs") or {})
        case {"resOpFailedEvent": {"metadata": step}}:
            result.steps.append(Step(step["op"], step["urn"], step["type"], failed=True))
        case {"diagnosticEvent": said} if not said.get("ephemeral"):
            result.diagnostics.append(Diagnostic(said["severity"], said["message"].strip(), said.get("urn", "")))
        case {"policyEvent": verdict}:
            result.violations.append(
                Violation(
                    verdict["policyName"],
                    verdict["enforcementLevel"],
                    verdict["message"],
                    verdict.get("resourceUrn", ""),
                )
            )
        case {"summaryEvent": summary}:
            result.changes = summary.get("resourceChanges") or {}
        case {"errorEvent": {"error": message}}:
            result.diagnostics.append(Diagnostic("error", message.strip(), ""))
        case _:
            return


def _masked(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with each secret, however deep, as the text `[secret]`."""
    if isinstance(value, dict):
        return "[secret]" if SIGNATURE in value else {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
