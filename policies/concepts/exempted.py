"""The exemptions that a stack says it has, as its facts hold them."""

from __future__ import annotations

from datetime import date

from policies.exemptions import KEY, Exemptions, parse
from policies.resource import Resource, Undecided
from policies.values import as_list

READS = tuple(f"{KEY}[].{field}" for field in ("rule", "urn", "reason", "ticket", "owner", "approvedBy", "expires"))


def said(facts: Resource, today: date) -> Exemptions:
    """What the facts hold, read as the stack's file is.

    Raises:
        Undecided: something of it is not known yet.
    """
    node = facts.at(KEY)
    for text in node.texts():
        if text.unknown:
            raise Undecided(text.path)
    return parse(as_list(node.value), today)
