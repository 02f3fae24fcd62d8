"""Parts inside Azure's composite resources: a network's subnets, a balancer's pools, and the addresses they give out.

A part has an id, `<owner>/<kind>/<name>`, and no life of its own, so the store knows only its owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from sandbox.cloud.addresses import address, lowest_free, network, reserved
from sandbox.cloud.draft import Draft
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value, at

VIRTUAL_NETWORK: Final = "azure-native:network:VirtualNetwork"
SUBNET: Final = "azure-native:network:Subnet"
INTERFACE: Final = "azure-native:network:NetworkInterface"
BALANCER: Final = "azure-native:network:LoadBalancer"
ENDPOINT: Final = "azure-native:network:PrivateEndpoint"
BASTION: Final = "azure-native:network:BastionHost"
GATEWAY: Final = "azure-native:network:VirtualNetworkGateway"
SCALE_SET: Final = "azure-native:compute:VirtualMachineScaleSet"
_CARDS: Final = "virtualMachineProfile.networkProfile.networkInterfaceConfigurations[*].ipConfigurations[*]"

# (type, path of what sits in a subnet). Each has `subnet.id`, some have `privateIPAddress`.
_SITTING: Final = (
    (INTERFACE, "ipConfigurations[*]"),
    (BALANCER, "frontendIPConfigurations[*]"),
    (BASTION, "ipConfigurations[*]"),
    (ENDPOINT, ""),
    (GATEWAY, "ipConfigurations[*]"),
    (SCALE_SET, _CARDS),
)
# (type, path of ids of a balancer's pools)
_POOLED: Final = (
    (INTERFACE, "ipConfigurations[*].loadBalancerBackendAddressPools[*].id"),
    (SCALE_SET, f"{_CARDS}.loadBalancerBackendAddressPools[*].id"),
)


@dataclass(frozen=True)
class Subnet:
    """A subnet, inline or standalone."""

    id: str
    name: str
    range: IPv4Network | None
    owner: Record


def split(id_: Value) -> tuple[str, str, str]:
    """(owner's id, kind, name) of a part's id; empty strings if it is none."""
    words = id_.rsplit("/", 2) if isinstance(id_, str) else []
    return (words[0], words[1], words[2]) if len(words) == 3 else ("", "", "")


def part(draft: Draft, type_: str, id_: Value) -> Mapping[str, Value] | None:
    """What an id names inside an existing resource of a type."""
    owner_id, kind, name = split(id_)
    owner = draft.find(type_, owner_id)
    held = {key.lower(): value for key, value in owner.plain.items()} if owner else {}
    return named(held.get(kind.lower()), name)


def named(items: Value, name: Value) -> Mapping[str, Value] | None:
    """The item of a list of parts that has a name; Azure's names compare without case."""
    for item in items or ():
        if str(item.get("name")).lower() == str(name).lower():
            return item
    return None


def subnet(draft: Draft, id_: Value) -> Subnet | None:
    """The subnet that an id names."""
    if not isinstance(id_, str):
        return None
    alone = draft.find(SUBNET, id_)
    if alone:
        return Subnet(id_, str(alone["name"]), network(alone["addressPrefix"]), alone)
    owner_id, _, _ = split(id_)
    owner, inline = draft.find(VIRTUAL_NETWORK, owner_id), part(draft, VIRTUAL_NETWORK, id_)
    if owner is None or inline is None:
        return None
    return Subnet(id_, str(inline["name"]), network(prefix_of(inline)), owner)


def prefix_of(item: Mapping[str, Value]) -> Value:
    """A subnet's range; the API takes one prefix or a list of one."""
    several = item.get("addressPrefixes") or [None]
    return item.get("addressPrefix") or several[0]


def in_subnet(draft: Draft, id_: str) -> Iterator[Record]:
    """What sits in a subnet, the draft aside."""
    for record, item in _sitting(draft):
        if _same(_subnet_id(item), id_):
            yield record


def in_pool(draft: Draft, id_: str) -> Iterator[Record]:
    """What is attached to a balancer's pool."""
    for type_, path in _POOLED:
        for record in draft.others(type_):
            if any(_same(found, id_) for _, found in at(record.plain, path)):
                yield record


def place(draft: Draft, where: Subnet, wanted: Value) -> str:
    """The wanted address, or the lowest free one, in a subnet.

    Raises:
        Refusal: the address is outside the subnet, reserved by Azure, or in use; or the subnet is full.
    """
    if where.range is None:
        return str(wanted or "")
    used = {
        held for record, item in _sitting(draft) if _same(_subnet_id(item), where.id) and (held := _held(record, item))
    }
    kept = reserved(where.range, 4, 1)
    if wanted is None:
        free = lowest_free(where.range, kept | used)
        if free is None:
            raise draft.refuse("SubnetIsFull", f"Subnet {where.name} with address prefix {where.range} is full.")
        return str(free)
    chosen = address(wanted)
    if chosen is None or chosen not in where.range:
        raise draft.refuse(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {wanted} does not belong to the range of subnet prefix {where.range}.",
        )
    if chosen in kept:
        raise draft.refuse(
            "PrivateIPAddressInReservedRange",
            f"Private static IP address {wanted} falls within reserved IP range of subnet prefix {where.range}.",
        )
    if chosen in used:
        raise draft.refuse(
            "PrivateIPAddressInUse",
            f"IP configuration of {draft.id} is using the private IP address {wanted} which is already allocated to another resource.",
        )
    return str(chosen)


def require_subnet(draft: Draft, path: str, id_: Value) -> Subnet:
    """The subnet that an input names.

    Raises:
        Refusal: there is none.
    """
    found = subnet(draft, id_)
    if found is None:
        raise draft.provider.package.missing(draft, path, str(id_), "")
    return found


def _sitting(draft: Draft) -> Iterator[tuple[Record, Mapping[str, Value]]]:
    for type_, path in _SITTING:
        for record in draft.others(type_):
            items = (item for _, item in at(record.plain, path)) if path else (record.plain,)
            for item in items:
                if isinstance(item, dict):
                    yield record, item


def _subnet_id(item: Mapping[str, Value]) -> Value:
    return (item.get("subnet") or {}).get("id")


def _held(record: Record, item: Mapping[str, Value]) -> IPv4Address | None:
    if record.type == ENDPOINT:
        found = [held for _, held in at(record.plain, "customDnsConfigs[*].ipAddresses[*]")]
        return address(found[0]) if found else None
    return address(item.get("privateIPAddress"))


def _same(one: Value, other: Value) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()
