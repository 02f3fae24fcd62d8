"""How a machine's boot went, told from what it left: its console, and what cloud-init wrote down.

Pure reading: nothing here acts, and nothing asks the machine itself, which may be dead. Owns the words: a machine is
`booting` until cloud-init has ended and the platform's own boot, if it has one, too; then it is `ready` or `failed`.

Dangerous edge: user data end before the platform's boot does, which they only start. Who takes cloud-init's end for the
machine's calls a machine ready whose secrets are still out of reach.

Source: components/templates/boot/log.sh (the line of a failure), systemd-system.conf(5) (the lines of units).
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Phase = Literal["absent", "stopped", "dead", "booting", "ready", "failed"]

UNIT = "platform-boot.service"
"""The platform's own boot, as its user data call it."""
_RESULT = Path("var/lib/cloud/data/result.json")
_INSTALLED = Path("etc/systemd/system", UNIT)
_FAILED = re.compile(r"^.*?platform-boot: FAILED at step (.+)$", re.MULTILINE)
_UNIT_FAILED = re.compile(rf"^\[FAILED\] Failed to start {re.escape(UNIT)}", re.MULTILINE)
_UNIT_ENDED = re.compile(rf"^\[  OK  \] Finished {re.escape(UNIT)}", re.MULTILINE)
# A line a second as long as something is waited for.
_WAITING = re.compile(r"\s*\[[ *]+\] ")
# What a terminal would act on: colours, the cursor, returns.
_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[()][0-9A-B]|\x1b[0-9A-Z=>]|[\x00-\x08\x0b-\x1f]"
)
_LAST_LINES = 3


@dataclass(frozen=True)
class Boot:
    """One start of a machine.

    Attributes:
        began: seconds since the epoch; marks that are older are an earlier start's.
        console_from: where this start's part of the console's log begins, in bytes.
    """

    began: float
    console_from: int


@dataclass(frozen=True)
class Verdict:
    """Where a boot stands, and why it stands there if it failed."""

    phase: Literal["booting", "ready", "failed"]
    reason: str = ""


def plain(console: bytes) -> str:
    """A console's log as text, without what only a terminal understands."""
    return _CONTROLS.sub("", console.decode("utf-8", "replace").replace("\r\n", "\n"))


def judge(boot: Boot, files: Path, console: Path) -> Verdict:
    """Where a boot stands.

    Args:
        boot: the start that is asked for.
        files: the machine's own files, as they lie over its image.
        console: its log.
    """
    said = read(boot, console)
    booted = _UNIT_ENDED.search(said) is not None
    # What fails after the boot, such as a daily refresh of secrets, does not undo it.
    if not booted and (found := _FAILED.search(said)):
        return Verdict("failed", f"platform-boot: {found[1].strip()}")
    if not booted and _UNIT_FAILED.search(said):
        return Verdict("failed", f"{UNIT} failed without saying why; see journalctl -u {UNIT}")
    errors = _errors(boot, files / _RESULT)
    if errors:
        return Verdict("failed", f"cloud-init: {'; '.join(errors)}")
    if errors is None or ((files / _INSTALLED).exists() and not booted):
        return Verdict("booting")
    return Verdict("ready")


def last_words(boot: Boot, console: Path) -> str:
    """The end of a console's log, for a machine that ended without a reason."""
    lines = [line.strip() for line in read(boot, console).splitlines() if not _WAITING.match(line)]
    return " | ".join([line for line in lines if line][-_LAST_LINES:])


def read(boot: Boot, console: Path) -> str:
    """What the console said since a start."""
    with suppress(FileNotFoundError), console.open("rb") as log:
        log.seek(boot.console_from)
        return plain(log.read())
    return ""


def _errors(boot: Boot, result: Path) -> list[str] | None:
    """What cloud-init complains of; None as long as it has not ended."""
    try:
        if result.stat().st_mtime < boot.began:
            return None
        return [str(error) for error in json.loads(result.read_text(encoding="utf-8"))["v1"]["errors"]]
    except (FileNotFoundError, ValueError, KeyError):
        return None
