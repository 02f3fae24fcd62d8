"""The region on GCP, the program under test. The engine runs it: a project's `__main__` calls `run`."""

from __future__ import annotations

from components.clouds import gcp
from components.plan.spec import ROLES, Stack
from tests.clouds import region

STACK = Stack(
    region.PLATFORM,
    "gcp",
    account="",
    image="ubuntu-os-cloud/ubuntu-2404-noble-amd64-v20250701",
    rollout=(),
)


def run() -> None:
    """The program. Roles are named for the store's key to see that none is let near it: the store alone uses it."""
    region.run(gcp.KIT, STACK, ROLES)
