"""Private addresses in AWS subnets: who has which, and whether one can be had."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

from sandbox.cloud.addresses import address, lowest_free, network, reserved
from sandbox.cloud.draft import Draft
from sandbox.cloud.wire import Value, at

_SUBNET: Final = "aws:ec2/subnet:Subnet"
# (type, path of the part that sits in a subnet, its subnet, its address); an empty path is the resource itself.
_HOLDERS: Final = (
    ("aws:ec2/instance:Instance", "", "subnetId", "privateIp"),
    ("aws:ec2/natGateway:NatGateway", "", "subnetId", "privateIp"),
    ("aws:ec2/networkInterface:NetworkInterface", "", "subnetId", "privateIp"),
    ("aws:lb/loadBalancer:LoadBalancer", "subnetMappings[*]", "subnetId", "privateIpv4Address"),
    ("aws:route53/resolverEndpoint:ResolverEndpoint", "ipAddresses[*]", "subnetId", "ip"),
)


def taken(draft: Draft, subnet_id: Value) -> set[IPv4Address]:
    """Addresses of a subnet that others than the draft have."""
    found = set[IPv4Address]()
    for type_, path, subnet_property, address_property in _HOLDERS:
        for record in draft.others(type_):
            parts = (part for _, part in at(record.plain, path)) if path else (record.plain,)
            for part in parts:
                held = address(part.get(address_property))
                if held and part.get(subnet_property) == subnet_id:
                    found.add(held)
    return found


def place(draft: Draft, subnet_id: Value, wanted: Value) -> str:
    """The wanted address, or the lowest free one, in a subnet.

    Raises:
        Refusal: the address is outside the subnet, reserved by AWS, or in use; or the subnet is full.
    """
    subnet = draft.find(_SUBNET, subnet_id)
    block = network(subnet["cidrBlock"]) if subnet else None
    if block is None:
        return str(wanted or "")
    kept, used = reserved(block, 4, 1), taken(draft, subnet_id)
    chosen = address(wanted)
    if wanted is None:
        chosen = lowest_free(block, kept | used)
        if chosen is None:
            raise draft.refuse("InsufficientFreeAddressesInSubnet", f"There are no free addresses in {subnet_id}.")
    elif chosen is None or chosen not in block:
        raise draft.refuse("InvalidParameterValue", f"Address {wanted} does not fall within the subnet's address range")
    elif chosen in kept:
        raise draft.refuse("InvalidParameterValue", f"Address {wanted} is in subnet's reserved address range")
    elif chosen in used:
        raise draft.refuse("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
    return str(chosen)
