"""The region on AWS, the program under test. The engine runs it: a project's `__main__` calls `run`."""

from __future__ import annotations

from components.clouds import aws
from components.plan.spec import Stack
from tests.clouds import region

STACK = Stack(
    region.PLATFORM,
    "aws",
    account="",
    image="ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250610",
    rollout=(),
)


def run() -> None:
    """The program."""
    region.run(aws.KIT, STACK)
