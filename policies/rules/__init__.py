"""All rules, by area. Pure: no module below imports the policy SDK or Pulumi, so tests and the report use them too."""

from __future__ import annotations

from collections.abc import Mapping

from policies.catalogue import Area
from policies.rule import Rule

from . import (
    availability,
    backup,
    change,
    encryption,
    exposure,
    identity,
    logging,
    network,
    transport,
    workload,
)

AREAS: Mapping[Area, tuple[Rule, ...]] = {
    "encryption": encryption.RULES,
    "identity": identity.RULES,
    "exposure": exposure.RULES,
    "transport": transport.RULES,
    "network": network.RULES,
    "logging": logging.RULES,
    "availability": availability.RULES,
    "backup": backup.RULES,
    "workload": workload.RULES,
    "change": change.RULES,
}
RULES: tuple[Rule, ...] = tuple(rule for rules in AREAS.values() for rule in rules)
