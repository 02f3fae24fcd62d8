"""How long a log group keeps what it is told.

Owns the retentions that CloudWatch offers; how long is asked for stands in the plan.
"""

from __future__ import annotations

_OFFERED = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days; those of a year and more."""
_FOR_EVER = 0


def kept_days(least: int) -> int:
    """The shortest retention on offer that is not shorter."""
    return next((days for days in _OFFERED if days >= least), _FOR_EVER)
