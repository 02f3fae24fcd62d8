"""Addresses of machines that nobody planned: those of autoscaled groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

FIRST = 50
"""Where a group's addresses begin in each subnet: behind everything that a plan gives out."""


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
