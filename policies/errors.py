"""What a person gave that cannot be used."""

from __future__ import annotations


class InputError(Exception):
    """Input that a command cannot work with; exit code 2.

    Attributes:
        what: what is wrong and why it matters.
        fix: what to do.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
