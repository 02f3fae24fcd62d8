"""Address arithmetic that the models of all clouds share. Pure; unknown and malformed values give None."""

from __future__ import annotations

from collections.abc import Container, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from sandbox.cloud.wire import Value


def network(value: Value) -> IPv4Network | None:
    """The IPv4 network of a CIDR, None if it is not one (host bits set included)."""
    try:
        return IPv4Network(value) if isinstance(value, str) and "/" in value else None
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def address(value: Value) -> IPv4Address | None:
    """The IPv4 address, None if it is not one."""
    try:
        return IPv4Address(value) if isinstance(value, str) else None
    except AddressValueError:
        return None


def misread(value: Value) -> str | None:
    """What is wrong with a CIDR, in the words of Terraform's providers; None if nothing, or if it is not known."""
    if not isinstance(value, str) or network(value):
        return None
    try:
        meant = IPv4Network(value, strict=False)
    except ValueError:
        return f'"{value}" is not a valid CIDR block: invalid CIDR address: {value}'
    return f'"{value}" is not a valid CIDR block; did you mean "{meant}"?'


def overlapping(wanted: IPv4Network, taken: Iterable[IPv4Network | None]) -> IPv4Network | None:
    """The first taken network that shares addresses with the wanted one."""
    return next((other for other in taken if other is not None and other.overlaps(wanted)), None)


def reserved(subnet: IPv4Network, first: int, last: int) -> frozenset[IPv4Address]:
    """The addresses a cloud keeps for itself: so many at the start and at the end of a subnet."""
    return frozenset([*(subnet[i] for i in range(first)), *(subnet[-1 - i] for i in range(last))])


def lowest_free(subnet: IPv4Network, taken: Container[IPv4Address]) -> IPv4Address | None:
    """The lowest address that nobody has; None if the subnet is full."""
    return next((item for item in subnet if item not in taken), None)
