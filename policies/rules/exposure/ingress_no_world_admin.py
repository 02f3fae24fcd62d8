"""No firewall rule opens a port of administration to the world."""

from __future__ import annotations

from policies.concepts.ingress import checks
from policies.concepts.ports import ADMIN_PORTS
from policies.rule import Rule

from .reach import closed_to_world

RULE = Rule("ingress-no-world-admin", checks(closed_to_world(ADMIN_PORTS)))
