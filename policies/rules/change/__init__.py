"""Rules on changes: what one is found by, where it may lie, its record and window, and what is exempted."""

from __future__ import annotations

from policies.rule import Rule

from . import change_recorded, change_window, exemption_used, exemption_valid, region_approved, tag_project

RULES: tuple[Rule, ...] = (
    tag_project.RULE,
    region_approved.RULE,
    change_recorded.RULE,
    change_window.RULE,
    exemption_valid.RULE,
    exemption_used.RULE,
)
