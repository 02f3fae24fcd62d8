"""Addresses that nobody planned: those of autoscaled groups, of managed databases, and the operator's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Network

from components.plan.spec import PRIMARY
from sandbox.lab.machines.lab import DESK
from sandbox.lab.world import Machine, Rule

from .ranges import EVERYWHERE

FIRST = 50
"""Where a group's addresses begin in each subnet: behind everything that a plan gives out."""
DESK_HOST = 5
"""The operator's address in a subnet: behind what clouds keep for themselves, before everything that a plan gives out."""

DATABASE_HOST = 6
"""A managed database's address in its first subnet: beside the operator's."""


def unplanned(subnet: str) -> str:
    """The address of a managed database whose subnets begin with this one."""
    return str(IPv4Network(subnet)[DATABASE_HOST])


def placed(subnets: Sequence[str], number: int) -> Iterator[tuple[int, str]]:
    """(Index of the subnet, address) for each machine of a group, spread evenly.

    Raises:
        ValueError: a subnet is too small.
    """
    for machine in range(number):
        round_, subnet = divmod(machine, len(subnets))
        network = IPv4Network(subnets[subnet])
        if FIRST + round_ >= network.num_addresses - 1:
            raise ValueError(f"{network} has no room for {number} machines")
        yield subnet, str(network[FIRST + round_])


def desk(machines: Sequence[Machine]) -> Machine | None:
    """The operator's place: in the primary's first subnet that has a machine, or another region's if it has none.

    None where there are no machines.
    """
    beside = min(machines, key=lambda each: (each.cloud != PRIMARY, each.cloud, IPv4Network(each.subnet)), default=None)
    if beside is None:
        return None
    address = str(IPv4Network(beside.subnet)[DESK_HOST])
    return replace(beside, id=DESK, name=DESK, address=address, user_data=b"", identity="", disks=())


def desk_rule() -> Rule:
    """The operator may send everywhere, and is sent nothing but answers: whoever receives decides."""
    return Rule(DESK, "out", allows=True, protocol="any", peers=(EVERYWHERE,))
