"""Signals that somebody must be told of, and who is told of what.

Owns the names of signals, as `hashicorp:monitoring:AlertRules` declares them, with the runbook's thresholds ("Key Metrics
Dashboard") and channels ("Alert Escalation Matrix").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALERT_RULES = "hashicorp:monitoring:AlertRules"
PLATFORM = "platform"
"""Stands for no product: the signal is demanded once, of whichever product it is declared."""


@dataclass(frozen=True)
class Signal:
    """Something to be told of.

    Attributes:
        threshold: the figure that its expression must compare with, in each unit that it may be written in; empty where
            the signal is a matter of yes or no.
    """

    name: str
    threshold: tuple[float, ...] = ()


def _bands(name: str, warning: float, critical: float, *units: float) -> tuple[Signal, Signal]:
    """Two signals of one measure."""
    scales = (1.0, *units)
    return (
        Signal(f"{name}-warning", tuple(warning * scale for scale in scales)),
        Signal(f"{name}-critical", tuple(critical * scale for scale in scales)),
    )


_PERCENT, _MILLI, _DAY = 0.01, 0.001, 86400.0

REQUIRED: Mapping[str, tuple[Signal, ...]] = {
    "consul": (
        Signal("no-leader"),
        Signal("autopilot-unhealthy"),
        Signal("peers-low"),
        *_bands("cpu", 70, 85, _PERCENT),
    ),
    "vault": (
        Signal("sealed"),
        Signal("no-active-node"),
        Signal("audit-failed"),
        *_bands("memory", 80, 90, _PERCENT),
    ),
    "nomad": (
        Signal("no-leader"),
        *_bands("api-latency", 500, 1000, _MILLI),
        Signal("servers-unhealthy"),
    ),
    "boundary": (
        Signal("no-controller"),
        Signal("workers-low", (2.0,)),
        Signal("database-unreachable"),
    ),
    PLATFORM: (
        Signal("tunnel-down"),
        Signal("last-tunnel"),
        *_bands("mesh-latency", 100, 200, _MILLI),
        *_bands("sync", 60, 120),
        Signal("backup-old"),
        Signal("backup-unverified"),
        *_bands("certificate", 30, 7, _DAY),
        *_bands("disk", 80, 90, _PERCENT),
        *_bands("compliance", 95, 90, _PERCENT),
    ),
}
"""By product, what an alert must exist for."""

ROUTES: Mapping[str, frozenset[str]] = {
    "P0": frozenset({"phone", "sms", "chat"}),
    "P1": frozenset({"sms", "chat"}),
    "P2": frozenset({"chat", "mail"}),
    "P3": frozenset({"mail"}),
}
"""Channels by priority."""
