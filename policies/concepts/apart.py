"""Judging the resources of a stack one by one: what is not known of one hides nothing of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.resource import Resource, Undecided
from policies.rule import Finding, about, deferred


def apart(resource: Resource, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings about one resource, lazily made; an unknown becomes one of them."""
    try:
        for finding in findings:
            yield about(resource, finding)
    except Undecided as undecided:
        yield about(resource, deferred(undecided.path))
