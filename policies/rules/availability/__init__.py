"""Rules on capacity and availability: voters, zones, machines, disks, replacement, deletion."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    database_ha_pitr,
    delete_guarded,
    disk_performance,
    pdb_present,
    quorum_size,
    replacement_serial,
    server_class_fit,
    zone_spread,
)

RULES: tuple[Rule, ...] = (
    quorum_size.RULE,
    zone_spread.RULE,
    server_class_fit.RULE,
    disk_performance.RULE,
    pdb_present.RULE,
    replacement_serial.RULE,
    delete_guarded.RULE,
    database_ha_pitr.RULE,
)
