"""The policy pack on the command line of an operation.

Owns the flags, and their check: the engine takes any configuration of a pack without a word about policies that do not
exist, and what is mistyped there silences nothing and raises nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies import levels
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

    from policies.levels import Occasion


def flags(project: Path, occasion: Occasion) -> tuple[str, ...]:
    """What makes the engine judge an operation.

    Raises:
        SandboxError: the levels for the occasion do not fit the pack.
    """
    file = levels.file(occasion)
    try:
        wrong = levels.problems(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        wrong = [f"cannot be read ({type(error).__name__})"]
    if wrong:
        raise SandboxError(
            f"{file.relative_to(project)} does not fit the policy pack, so rules would keep another level than it says: "
            f"{'; '.join(wrong)}.",
            "Correct it; docs/security-reviewer.md says which policies take a level.",
        )
    return ("--policy-pack", str(project / "policies"), "--policy-pack-config", str(file))
