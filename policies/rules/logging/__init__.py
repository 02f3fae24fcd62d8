"""Rules of the area logging."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    alerts_complete,
    cloud_audit_trail,
    control_plane_logs,
    log_retention,
    network_flow_logs,
    product_audit_sinks,
    vault_audit_two,
)

RULES: tuple[Rule, ...] = (
    vault_audit_two.RULE,
    product_audit_sinks.RULE,
    network_flow_logs.RULE,
    cloud_audit_trail.RULE,
    control_plane_logs.RULE,
    alerts_complete.RULE,
    log_retention.RULE,
)
