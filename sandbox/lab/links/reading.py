"""Every end that the regions declare."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.lab.reading.registered import Registered, Resource

from . import aws, azure, gcp
from .ends import End


def ends(resources: Iterable[Resource]) -> tuple[End, ...]:
    """Ends of all regions together.

    Raises:
        NotReadError: something means what the lab cannot build.
    """
    registered = Registered(tuple(resources))
    return (*aws.ends(registered), *azure.ends(registered), *gcp.ends(registered))
