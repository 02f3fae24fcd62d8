"""Rules on backups and recovery."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    backup_immutable,
    backup_key_separate,
    backup_retention_ordered,
    backup_scheduled_all,
    backup_second_cloud,
    backup_versioned,
    backup_writer_append_only,
    dr_drill_fresh,
    dr_outputs_complete,
    restore_role_separate,
)

RULES: tuple[Rule, ...] = (
    backup_writer_append_only.RULE,
    restore_role_separate.RULE,
    backup_versioned.RULE,
    backup_immutable.RULE,
    backup_retention_ordered.RULE,
    backup_second_cloud.RULE,
    backup_key_separate.RULE,
    backup_scheduled_all.RULE,
    dr_outputs_complete.RULE,
    dr_drill_fresh.RULE,
)
