"""What rules know besides the resource: thresholds, the stack's file, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from policies.exemptions import Exemptions
from policies.settings import Settings


def now() -> datetime:
    """The time; the one clock of the pack."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """Handed to every check.

    Attributes:
        at: when the rules are judged; UTC.
        exemptions: what the stack's file holds, read by the pack itself.
        applied: when the stack was changed, where it is judged afterwards.
    """

    settings: Settings
    at: datetime
    exemptions: Exemptions
    applied: datetime | None = None

    @property
    def deployed(self) -> datetime:
        """The instant at which the change runs: now, or when it did."""
        return self.applied or self.at
