"""The rules that a bring-up gives, as they stand beside this module."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "policies"
_TEMPLATES = Path(__file__).parents[2] / "components" / "templates"
BACKUP = _TEMPLATES / "vault" / "backup-policy.hcl"
"""What the snapshot agent's role may do: it stands beside the agent."""


def of(name: str) -> str:
    """The text of a policy."""
    return (_FOLDER / f"{name}.hcl").read_text(encoding="utf-8")


def backup() -> str:
    """The text of the policy of Vault's snapshot agent."""
    return BACKUP.read_text(encoding="utf-8")
