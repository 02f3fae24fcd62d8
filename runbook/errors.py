"""How a command ends: the exit codes, and the one exception that is shown to a person.

Dangerous edge: Python itself ends with 1 when a program breaks, which here means "something is wrong with the platform".
So whatever escapes a command is turned into `UNKNOWN` (see `app.run`).
"""

from __future__ import annotations

PASSED, FOUND, REFUSED, UNKNOWN = 0, 1, 2, 3
"""All checks passed; a finding; refused by a guard or used wrongly; could not be determined."""


class RunbookError(Exception):
    """A failure with a remedy.

    Args:
        what: what happened, and why it hurts.
        fix: the command or change that helps; a sentence.
        code: how the command ends.
    """

    def __init__(self, what: str, fix: str, code: int = REFUSED) -> None:
        super().__init__(f"{what}\n{fix}")
        self.what = what
        self.fix = fix
        self.code = code
