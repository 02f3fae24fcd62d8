"""What the servers of each product are asked."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.spec import Product
from runbook.health import boundary, consul, nomad, vault
from runbook.health.replies import Question

QUESTIONS: Mapping[Product, tuple[Question, ...]] = {
    "consul": consul.QUESTIONS,
    "vault": vault.QUESTIONS,
    "nomad": nomad.QUESTIONS,
    "boundary": boundary.QUESTIONS,
}
