"""The one exception the sandbox shows to a person: what happened, why it matters, how to go on."""

from __future__ import annotations


class SandboxError(Exception):
    """A failure with a remedy.

    Args:
        what: what happened, in one line.
        fix: the command or change that helps; a sentence.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}\n{fix}")
        self.what = what
        self.fix = fix
