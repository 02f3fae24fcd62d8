"""Addresses: private ones in subnetworks, who has which and whether one can be had; and public ones.

Source: Compute Engine, "Reserve a static internal IP address"; VPC, "Reserved IP addresses in a subnet".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from sandbox.cloud.addresses import address, lowest_free, network, reserved
from sandbox.cloud.draft import Draft
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value, at

SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
ADDRESS: Final = "gcp:compute/address:Address"
INSTANCE: Final = "gcp:compute/instance:Instance"
RULE: Final = "gcp:compute/forwardingRule:ForwardingRule"
HA_GATEWAY: Final = "gcp:compute/haVpnGateway:HaVpnGateway"
_FOR_MACHINES: Final = "GCE_ENDPOINT"
_PUBLIC: Final = IPv4Network("198.18.128.0/18")  # of the range for benchmarks (RFC 2544): never routed


def public_holders(draft: Draft) -> Iterator[tuple[str, Record]]:
    """(address, who has it) of Google's public addresses, the draft aside."""
    for record in draft.others(ADDRESS, addressType="EXTERNAL"):
        yield str(record["address"]), record
    for record in draft.others(HA_GATEWAY):
        for _, interface in at(record.plain, "vpnInterfaces[*]"):
            yield str(interface["ipAddress"]), record


def public(draft: Draft, count: int) -> list[str]:
    """So many public addresses that nobody has; what is made again gets others, as from Google."""
    taken = {held for held, _ in public_holders(draft)}
    found: list[str] = []
    while len(found) < count:
        chosen = str(_PUBLIC[secrets.randbelow(_PUBLIC.num_addresses)])
        if chosen not in taken and chosen not in found:
            found.append(chosen)
    return found


def _holders(draft: Draft, subnetwork: Record) -> Iterator[tuple[IPv4Address, Record]]:
    """(address, who has it) of a subnetwork, the draft aside."""
    for instance in draft.others(INSTANCE):
        for _, interface in at(instance.plain, "networkInterfaces[*]"):
            held = address(interface.get("networkIp"))
            if held and draft.find(SUBNETWORK, interface.get("subnetwork")) == subnetwork:
                yield held, instance
    for type_, property_ in ((ADDRESS, "address"), (RULE, "ipAddress")):
        for record in draft.others(type_):
            held = address(record[property_])
            if held and draft.find(SUBNETWORK, record["subnetwork"]) == subnetwork:
                yield held, record


def place(draft: Draft, subnetwork: Record, wanted: Value) -> str:
    """The wanted address, or the lowest free one, in a subnetwork.

    A machine may take an address that is reserved for machines and that no machine has yet.

    Raises:
        Refusal: the address is outside the subnetwork, reserved by Google, or in use; or the subnetwork is full.
    """
    block = network(subnetwork["ipCidrRange"])
    if block is None:
        return str(wanted or "")
    kept = reserved(block, 2, 2)
    taken = {
        held
        for held, holder in _holders(draft, subnetwork)
        if not (draft.type == INSTANCE and holder.type == ADDRESS and holder["purpose"] == _FOR_MACHINES)
    }
    if wanted is None:
        chosen = lowest_free(block, kept | taken)
        if chosen is None:
            raise draft.refuse("IP_SPACE_EXHAUSTED", f"IP space of '{subnetwork.id}' is exhausted.")
        return str(chosen)
    chosen = address(wanted)
    if chosen is None or chosen not in block:
        message = f"Requested internal IP address {wanted} is outside the subnetwork's range {block}."
        raise draft.refuse("invalid", message)
    if chosen in kept:
        raise draft.refuse("invalid", f"IP address {wanted} is reserved by Google in {block}.")
    if chosen in taken:
        raise draft.refuse("IP_IN_USE_BY_ANOTHER_RESOURCE", f"IP '{wanted}' is already being used by another resource.")
    return str(chosen)
