"""Azure networks: ranges, subnets inside them, public addresses, NAT, bastions, private endpoints.

Source: Microsoft Learn, "Virtual network: frequently asked questions", "NAT gateway and availability zones", "About
Bastion configuration settings", "What is a private endpoint?".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Final

from sandbox.cloud.addresses import misread, network, overlapping
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.firewall import SECURITY_GROUP
from sandbox.cloud.models.azure.parts import (
    BASTION,
    ENDPOINT,
    GATEWAY,
    SUBNET,
    VIRTUAL_NETWORK,
    in_subnet,
    named,
    place,
    prefix_of,
    require_subnet,
)
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

PUBLIC_ADDRESS: Final = "azure-native:network:PublicIPAddress"
NAT: Final = "azure-native:network:NatGateway"
ROUTES: Final = "azure-native:network:RouteTable"
_PUBLIC: Final = IPv4Network("198.18.64.0/18")  # of the range for benchmarks (RFC 2544): never routed
_STORES: Final = ("blob", "file", "queue", "table", "web", "dfs")
_SMALLEST: Final = {"AzureBastionSubnet": 26, "GatewaySubnet": 29}
_NETWORK: Final = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network"

virtual_network = model(
    VIRTUAL_NETWORK,
    name=Name("virtualNetworkName", max=64, separator=""),
    references=(
        IN_GROUP,
        Ref("subnets[*].natGateway.id", (NAT,)),
        Ref("subnets[*].networkSecurityGroup.id", (SECURITY_GROUP,)),
        Ref("subnets[*].routeTable.id", (ROUTES,)),
    ),
)
subnet = model(
    SUBNET,
    id=_NETWORK + "/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}",
    name=Name("subnetName", max=80, separator=""),
    references=(
        IN_GROUP,
        Ref("virtualNetworkName", (VIRTUAL_NETWORK,), same=("resourceGroupName",)),
        Ref("natGateway.id", (NAT,)),
        Ref("networkSecurityGroup.id", (SECURITY_GROUP,)),
        Ref("routeTable.id", (ROUTES,)),
    ),
    immutable=("virtualNetworkName", "subnetName"),
    handles=(),
)
public_address = model(
    PUBLIC_ADDRESS,
    id=_NETWORK + "/publicIPAddresses/{publicIpAddressName}",
    name=Name("publicIpAddressName", max=80, separator=""),
    references=(IN_GROUP,),
    immutable=("publicIPAllocationMethod", "publicIPAddressVersion", "sku.name", "sku.tier"),
)
nat = model(
    NAT,
    name=Name("natGatewayName", max=80, separator=""),
    references=(IN_GROUP, Ref("publicIpAddresses[*].id", (PUBLIC_ADDRESS,))),
    immutable=("sku.name",),
)
bastion = model(
    BASTION,
    name=Name("bastionHostName", max=80, separator=""),
    references=(IN_GROUP, Ref("ipConfigurations[*].publicIPAddress.id", (PUBLIC_ADDRESS,))),
    immutable=("ipConfigurations",),
)
endpoint = model(
    ENDPOINT,
    name=Name("privateEndpointName", max=80, separator=""),
    references=(
        IN_GROUP,
        Ref("privateLinkServiceConnections[*].privateLinkServiceId", ("azure-native:keyvault:Vault",
            "azure-native:storage:StorageAccount", "azure-native:dbforpostgresql:Server")),
    ),
    immutable=("subnet.id", "customNetworkInterfaceName", "privateLinkServiceConnections"),
)  # fmt: skip
zone_group = model(
    "azure-native:network:PrivateDnsZoneGroup",
    id=_NETWORK + "/privateEndpoints/{privateEndpointName}/privateDnsZoneGroups/{privateDnsZoneGroupName}",
    name=Name("privateDnsZoneGroupName", separator=""),
    references=(
        IN_GROUP,
        Ref("privateEndpointName", (ENDPOINT,), same=("resourceGroupName",)),
        Ref("privateDnsZoneConfigs[*].privateDnsZoneId", ("azure-native:privatedns:PrivateZone",)),
    ),
    immutable=("privateEndpointName",),
)
route_table = model(ROUTES, name=Name("routeTableName", max=80, separator=""), references=(IN_GROUP,))


@virtual_network.check
def _ranges(draft: Draft) -> Iterator[Failure]:
    spaces = list(draft.each("addressSpace.addressPrefixes[*]"))
    for path, value in spaces:
        wrong = misread(value)
        if wrong:
            yield draft.fail(path, wrong)
    outer = [found for _, value in spaces if (found := network(value))]
    before: dict[str, IPv4Network | None] = {}
    for path, item in draft.each("subnets[*]"):
        if not isinstance(item, dict):
            continue
        name, wanted = str(item.get("name")), network(prefix_of(item))
        yield from _subnet_form(draft, path, item)
        if name.lower() in (known.lower() for known in before):
            yield draft.fail(f"{path}.name", f"another subnet of the network is called '{name}'")
        if wanted is None:
            continue
        if len(outer) == len(spaces) and not any(wanted.subnet_of(space) for space in outer):
            yield draft.fail(path, _outside(name))
        if clash := overlapping(wanted, before.values()):
            yield draft.fail(path, _overlaps(name, clash))
        before[name] = wanted


@subnet.check
def _standalone(draft: Draft) -> Iterator[Failure]:
    yield from _subnet_form(draft, "", {**draft.inputs, "name": draft.name})


def _subnet_form(draft: Draft, path: str, item: Mapping[str, Value]) -> Iterator[Failure]:
    """What a subnet must look like wherever it is declared."""
    name, prefix = item.get("name"), prefix_of(item)
    at = f"{path}.addressPrefix".lstrip(".")
    if not name:
        yield draft.fail(path, "a subnet inside a network needs a name")
    wrong, found = misread(prefix), network(prefix)
    if wrong:
        yield draft.fail(at, wrong)
    elif prefix is None:
        yield draft.fail(at, "one of addressPrefix and addressPrefixes must be given")
    smallest = _SMALLEST.get(str(name), 29)
    if found and found.prefixlen > smallest:
        yield draft.fail(at, f"Subnet '{name}' has the prefix length {found.prefixlen}; it needs /{smallest} or larger")
    if name == "AzureBastionSubnet" and item.get("routeTable") is not None:
        yield draft.fail(f"{path}.routeTable".lstrip("."), "RouteTableCannotBeAttachedForAzureBastionSubnet")
    if name == "GatewaySubnet":
        for forbidden in ("networkSecurityGroup", "natGateway"):
            if item.get(forbidden) is not None:
                yield draft.fail(f"{path}.{forbidden}".lstrip("."), f"GatewaySubnet takes no {forbidden}")


def _outside(name: str) -> str:
    return (
        f"NetcfgSubnetRangeOutsideVnet: Subnet '{name}' is not valid because its IP address range is outside the IP "
        "address range of its virtual network."
    )


def _overlaps(name: str, other: IPv4Network) -> str:
    return (
        f"NetcfgSubnetRangesOverlap: Subnet '{name}' is not valid because its IP address range overlaps with {other}."
    )


@virtual_network.admit
def _keeps_used_subnets(draft: Draft) -> None:
    for before in draft.old["subnets"] or () if draft.old else ():
        after = named(draft.get("subnets"), before["name"])
        if after is not None and prefix_of(after) == prefix_of(before):
            continue
        for user in in_subnet(draft, f"{draft.id}/subnets/{before['name']}"):
            raise draft.refuse(
                "InUseSubnetCannotBeDeleted" if after is None else "InUsePrefixCannotBeDeleted",
                f"Subnet {before['name']} is in use by {user.id} and cannot be deleted or moved.",
            )


@virtual_network.admit
def _gateway_hears_its_peers(draft: Draft) -> None:
    found = named(draft.get("subnets"), "GatewaySubnet") or {}
    table = draft.find(ROUTES, (found.get("routeTable") or {}).get("id"))
    if table and table["disableBgpRoutePropagation"]:
        raise draft.refuse(
            "GatewaySubnetRouteTableDisablesBgp", f"{table.id} refuses the gateway's own routes on the GatewaySubnet."
        )


@virtual_network.compute
def _inline_subnets(draft: Draft) -> dict[str, Value]:
    made = [{**item, "id": f"{draft.id}/subnets/{item['name']}"} for item in draft.get("subnets") or ()]
    return {"subnets": made} if made else {}


@virtual_network.guard
def _network_is_empty(draft: Draft) -> None:
    for item in draft.get("subnets") or ():
        _subnet_is_empty(draft, f"{draft.id}/subnets/{item['name']}")


@subnet.admit
def _fits(draft: Draft) -> None:
    outer = draft.find(
        VIRTUAL_NETWORK, draft.get("virtualNetworkName"), resourceGroupName=draft.get("resourceGroupName")
    )
    wanted = network(prefix_of(draft.inputs))
    if outer is None or wanted is None:
        return
    spaces = [network(value) for value in (outer["addressSpace"] or {}).get("addressPrefixes") or ()]
    if not any(space and wanted.subnet_of(space) for space in spaces):
        code, _, message = _outside(draft.name).partition(": ")
        raise draft.refuse(code, message)
    inline = [network(prefix_of(item)) for item in outer["subnets"] or ()]
    beside = [
        network(prefix_of(other.plain))
        for other in draft.others(SUBNET, virtualNetworkName=draft.get("virtualNetworkName"))
    ]
    if clash := overlapping(wanted, [*inline, *beside]):
        code, _, message = _overlaps(draft.name, clash).partition(": ")
        raise draft.refuse(code, message)


@subnet.guard
def _standalone_is_empty(draft: Draft) -> None:
    _subnet_is_empty(draft, draft.id)


def _subnet_is_empty(draft: Draft, id_: str) -> None:
    for user in in_subnet(draft, id_):
        raise draft.refuse("InUseSubnetCannotBeDeleted", f"Subnet {id_} is in use by {user.id} and cannot be deleted.")


@public_address.check
def _standard_is_static(draft: Draft) -> Iterator[Failure]:
    if draft.known("sku.name") == "Standard" and draft.known("publicIPAllocationMethod") == "Dynamic":
        yield draft.fail("publicIPAllocationMethod", "a public address of the Standard SKU is Static")
    if draft.known("sku.name") == "Basic" and draft.get("zones"):
        yield draft.fail("zones", "a public address of the Basic SKU has no zones")


@public_address.compute
def _public(draft: Draft) -> dict[str, Value]:
    found = draft.kept("ipAddress")
    if found is None:
        taken = {other["ipAddress"] for other in draft.others(PUBLIC_ADDRESS)}
        found = str(next(item for item in _PUBLIC if str(item) not in taken))
    return {"ipAddress": found}


@nat.check
def _one_zone(draft: Draft) -> Iterator[Failure]:
    zones = draft.known("zones")
    if isinstance(zones, list) and len(zones) > 1:
        yield draft.fail("zones", f"NatGatewayWithMultipleZones: a NAT gateway stands in one zone, got {zones}")


@nat.admit
def _same_zone(draft: Draft) -> None:
    for _, id_ in draft.each("publicIpAddresses[*].id"):
        outer = draft.find(PUBLIC_ADDRESS, id_)
        own, theirs = draft.get("zones") or [], (outer["zones"] or []) if outer else []
        if outer and own and not set(own) <= set(theirs):
            raise draft.refuse(
                "NatGatewayAndPublicIpZonesDoNotMatch",
                f"NAT gateway {draft.name} is in zones {own} and its public address {id_} in {theirs}.",
            )
        if outer and (outer["sku"] or {}).get("name") != "Standard":
            raise draft.refuse("NatGatewayNeedsStandardPublicIp", f"{id_} is not of the Standard SKU.")
        free(draft, id_)


def free(draft: Draft, id_: Value) -> None:
    """Refuse a public address that something else has."""
    for type_, path in ((NAT, "publicIpAddresses"), (BASTION, "ipConfigurations"), (GATEWAY, "ipConfigurations")):
        for other in draft.others(type_):
            held = [(item.get("publicIPAddress") or item).get("id") for item in other[path] or ()]
            if id_ in held:
                raise draft.refuse("PublicIPAddressInUse", f"Resource {id_} is already used by {other.id}.")


@bastion.check
def _bastion_sku(draft: Draft) -> Iterator[Failure]:
    if draft.known("sku.name") in ("Basic", "Developer"):
        for feature in ("enableTunneling", "enableFileCopy", "enableIpConnect", "enableShareableLink"):
            if draft.known(feature):
                yield draft.fail(feature, f"{feature} needs the Standard or Premium SKU")


@bastion.admit
def _bastion_subnet(draft: Draft) -> None:
    for path, item in draft.each("ipConfigurations[*]"):
        where = require_subnet(draft, f"{path}.subnet.id", (item.get("subnet") or {}).get("id"))
        if where.name != "AzureBastionSubnet":
            raise draft.refuse("BastionHostMustBeInAzureBastionSubnet", f"{where.id} is not called AzureBastionSubnet.")
        free(draft, (item.get("publicIPAddress") or {}).get("id"))


@endpoint.check
def _sub_resource(draft: Draft) -> Iterator[Failure]:
    for path, item in draft.each("privateLinkServiceConnections[*]"):
        target, groups = item.get("privateLinkServiceId"), item.get("groupIds") or []
        if isinstance(target, str) and "/Microsoft.KeyVault/vaults/" in target and groups != ["vault"]:
            yield draft.fail(f"{path}.groupIds", f"a key vault has the sub-resource 'vault' only, got {groups}")
        if (
            isinstance(target, str)
            and "/Microsoft.Storage/" in target
            and (len(groups) != 1 or groups[0] not in _STORES)
        ):
            yield draft.fail(f"{path}.groupIds", f"a storage account has one sub-resource of {_STORES}, got {groups}")


@endpoint.compute
def _endpoint_address(draft: Draft) -> dict[str, Value]:
    where = require_subnet(draft, "subnet.id", draft.get("subnet.id"))
    before = draft.kept("customDnsConfigs") or [{}]
    found = (before[0].get("ipAddresses") or [None])[0] or place(draft, where, None)
    names = [_public_name(item) for _, item in draft.each("privateLinkServiceConnections[*]")]
    return {
        "customDnsConfigs": [{"fqdn": name, "ipAddresses": [found]} for name in names],
        "networkInterfaces": [{"id": f"{draft.id}.nic"}],
    }


def _public_name(item: Mapping[str, Value]) -> str:
    target, groups = str(item.get("privateLinkServiceId")), item.get("groupIds") or []
    name = target.rpartition("/")[2]
    return f"{name}.{groups[0]}.core.windows.net" if "/Microsoft.Storage/" in target else f"{name}.vault.azure.net"
