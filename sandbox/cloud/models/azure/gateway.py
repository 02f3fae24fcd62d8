"""Azure VPN gateways: instances, what stands for the peer, connections.

Source: Microsoft Learn, "VPN Gateway FAQ" (ASNs, link-local BGP addresses), "About gateway SKUs", "Configure BGP for VPN
Gateway", "About cryptographic requirements and Azure VPN gateways".
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.network import PUBLIC_ADDRESS, free
from sandbox.cloud.models.azure.parts import GATEWAY, require_subnet
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

LOCAL: Final = "azure-native:network:LocalNetworkGateway"
CONNECTION: Final = "azure-native:network:VirtualNetworkGatewayConnection"
_NETWORK: Final = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network"
_INSIDE: Final = (IPv4Address("169.254.21.0"), IPv4Address("169.254.22.255"))
_AZURES_ASNS: Final = frozenset({8074, 8075, 12076, *range(65515, 65521)})
_IANAS_ASNS: Final = frozenset({0, 23456, *range(64496, 64512), *range(65535, 65552)})
_GATEWAYS_OWN: Final = 65515  # the default of every gateway of Azure: allowed for it, not for its peer
_GCM: Final = "GCM"

gateway = model(
    GATEWAY,
    id=_NETWORK + "/virtualNetworkGateways/{virtualNetworkGatewayName}",
    name=Name("virtualNetworkGatewayName", max=80, separator=""),
    references=(IN_GROUP, Ref("ipConfigurations[*].publicIPAddress.id", (PUBLIC_ADDRESS,))),
    immutable=("gatewayType", "vpnType", "vpnGatewayGeneration"),
)
local = model(
    LOCAL,
    id=_NETWORK + "/localNetworkGateways/{localNetworkGatewayName}",
    name=Name("localNetworkGatewayName", max=80, separator=""),
    references=(IN_GROUP,),
)
connection = model(
    CONNECTION,
    id=_NETWORK + "/connections/{virtualNetworkGatewayConnectionName}",
    name=Name("virtualNetworkGatewayConnectionName", max=80, separator=""),
    references=(IN_GROUP, Ref("virtualNetworkGateway1.id", (GATEWAY,)), Ref("localNetworkGateway2.id", (LOCAL,))),
    immutable=("connectionType", "connectionProtocol", "virtualNetworkGateway1.id", "localNetworkGateway2.id"),
)


def _asn(draft: Draft, refused: frozenset[int]) -> Iterator[Failure]:
    found = draft.known("bgpSettings.asn")
    if found is not None and int(found) in refused:
        yield draft.fail("bgpSettings.asn", f"VpnClientAsnReserved: {int(found)} is reserved by Azure or IANA")


@gateway.check
def _shape(draft: Draft) -> Iterator[Failure]:
    yield from _asn(draft, (_AZURES_ASNS | _IANAS_ASNS) - {_GATEWAYS_OWN})
    sku, generation = draft.known("sku.name"), draft.known("vpnGatewayGeneration")
    if isinstance(sku, str) and sku.startswith("VpnGw") and not sku.endswith("AZ"):
        yield draft.fail("sku.name", f"NonAzSkusNotAllowed: a gateway of {sku} can no longer be made; use {sku}AZ")
    if sku != draft.known("sku.tier"):
        yield draft.fail("sku.tier", f"must equal the name, {sku}")
    if generation == "Generation2" and sku in ("VpnGw1AZ", "Basic"):
        yield draft.fail("vpnGatewayGeneration", f"{sku} exists in Generation1 only")
    configurations, wanted = draft.get("ipConfigurations"), 2 if draft.known("activeActive") else 1
    if isinstance(configurations, list) and len(configurations) != wanted:
        yield draft.fail(
            "ipConfigurations",
            f"ActiveActiveGatewayMustHaveTwoGatewayIpConfigurations: {len(configurations)} given, {wanted} needed",
        )
    yield from _inside_addresses(draft)


def _inside_addresses(draft: Draft) -> Iterator[Failure]:
    before: set[IPv4Address] = set()
    for path, value in draft.each("bgpSettings.bgpPeeringAddresses[*].customBgpIpAddresses[*]"):
        found = address(value)
        if found is None or not _INSIDE[0] <= found <= _INSIDE[1]:
            yield draft.fail(path, f"InvalidCustomBgpIpAddress: {value} is not within 169.254.21.0 to 169.254.22.255")
        elif found in before:
            yield draft.fail(path, f"DuplicateCustomBgpIpAddress: {value} is given twice")
        else:
            before.add(found)


@gateway.admit
def _stands(draft: Draft) -> None:
    own = {f"{draft.id}/ipConfigurations/{item['name']}".lower() for item in draft.get("ipConfigurations") or ()}
    for path, item in draft.each("bgpSettings.bgpPeeringAddresses[*]"):
        if str(item.get("ipconfigurationId")).lower() not in own:
            raise draft.refuse(
                "InvalidResourceReference",
                f"{path}: {item.get('ipconfigurationId')} is no IP configuration of {draft.id}.",
            )
    used: set[str] = set()
    for path, item in draft.each("ipConfigurations[*]"):
        where = require_subnet(draft, f"{path}.subnet.id", (item.get("subnet") or {}).get("id"))
        if where.name != "GatewaySubnet":
            raise draft.refuse("GatewaySubnetRequired", f"Subnet {where.id} must be called GatewaySubnet.")
        if where.range and where.range.prefixlen > 27 and draft.get("sku.name") != "Basic":
            raise draft.refuse("GatewaySubnetTooSmall", f"{where.id} is {where.range}; the SKU needs /27 or larger.")
        _alone(draft, where.owner.id)
        public = str((item.get("publicIPAddress") or {}).get("id"))
        if public.lower() in used:
            raise draft.refuse("PublicIPAddressInUse", f"{public} is given to two instances.")
        used.add(public.lower())
        free(draft, public)
        _redundant(draft, public)


def _alone(draft: Draft, network: str) -> None:
    for other in draft.others(GATEWAY, gatewayType=draft.get("gatewayType")):
        for item in other["ipConfigurations"] or ():
            if str((item.get("subnet") or {}).get("id")).lower().startswith(f"{network.lower()}/"):
                raise draft.refuse("OnlyOneGatewayOfTypePerVnet", f"{network} has the gateway {other.id} already.")


def _redundant(draft: Draft, public: str) -> None:
    found = draft.find(PUBLIC_ADDRESS, public)
    sku = (found["sku"] or {}).get("name") if found else None
    if found and str(draft.get("sku.name")).endswith("AZ") and (sku != "Standard" or len(found["zones"] or ()) < 3):
        raise draft.refuse(
            "VmssVpnGatewayPublicIpsMustBeZoneRedundant",
            f"{public} is {sku} in zones {found['zones']}, not zone-redundant.",
        )


@local.check
def _peer(draft: Draft) -> Iterator[Failure]:
    yield from _asn(draft, _AZURES_ASNS | _IANAS_ASNS)
    given = [name for name in ("gatewayIpAddress", "fqdn") if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("gatewayIpAddress", "exactly one of gatewayIpAddress and fqdn must be given")
    public = draft.known("gatewayIpAddress")
    if isinstance(public, str) and ((found := address(public)) is None or found.is_link_local):
        yield draft.fail("gatewayIpAddress", f"'{public}' is no public IPv4 address")
    if draft.get("bgpSettings") is not None and draft.get("bgpSettings.bgpPeeringAddress") is None:
        yield draft.fail("bgpSettings.bgpPeeringAddress", "BGP settings need a peering address")
    if draft.get("bgpSettings") is None and not (draft.get("localNetworkAddressSpace") or {}).get("addressPrefixes"):
        yield draft.fail("localNetworkAddressSpace", "without BGP an address space must be given")


@connection.check
def _tunnel(draft: Draft) -> Iterator[Failure]:
    if draft.get("sharedKey") is None and draft.known("connectionType") == "IPsec":
        yield draft.fail("sharedKey", "an IPsec connection needs a shared key")
    key = draft.known("sharedKey")
    if isinstance(key, str) and not (0 < len(key) <= 128 and key.isascii() and key.isprintable()):
        yield draft.fail("sharedKey", "a shared key has 1 to 128 printable ASCII characters")
    seconds = draft.known("dpdTimeoutSeconds")
    if seconds is not None and not 9 <= seconds <= 3600:
        yield draft.fail("dpdTimeoutSeconds", f"expected 9 to 3600, got {seconds}")
    policies = draft.known("ipsecPolicies") or []
    if len(policies) > 1:
        yield draft.fail("ipsecPolicies", "a connection has one IPsec policy")
    for path, policy in draft.each("ipsecPolicies[*]"):
        yield from _policy(draft, path, policy)


def _policy(draft: Draft, path: str, policy: dict[str, Value]) -> Iterator[Failure]:
    cipher, integrity = str(policy.get("ipsecEncryption")), str(policy.get("ipsecIntegrity"))
    if (cipher.startswith(_GCM) or integrity.startswith(_GCM)) and cipher != integrity:
        yield draft.fail(
            f"{path}.ipsecIntegrity", f"InvalidIPsecPolicy: {cipher} needs itself as integrity, got {integrity}"
        )
    for name, least in (("saLifeTimeSeconds", 300), ("saDataSizeKilobytes", 1024)):
        found = policy.get(name)
        if isinstance(found, (int, float)) and not least <= found <= 2**31 - 1:
            yield draft.fail(f"{path}.{name}", f"expected {least} or more, got {found}")


@connection.admit
def _joins(draft: Draft) -> None:
    here, there = (
        draft.find(GATEWAY, draft.get("virtualNetworkGateway1.id")),
        draft.find(LOCAL, draft.get("localNetworkGateway2.id")),
    )
    if here is None or there is None:
        return
    for other in draft.others(CONNECTION):
        if _ids(other.plain) == _ids(draft.inputs):
            raise draft.refuse("ConnectionAlreadyExists", f"{other.id} joins the same two gateways.")
    if not draft.get("enableBgp"):
        return
    ours, theirs = here["bgpSettings"] or {}, there["bgpSettings"] or {}
    if not here["enableBgp"] or not theirs:
        raise draft.refuse("BgpNotEnabledOnGateway", f"{draft.name} wants BGP and one of its gateways has none.")
    if ours.get("asn") == theirs.get("asn"):
        raise draft.refuse("SameAsnOnBothGateways", f"Both sides of {draft.name} have the ASN {ours.get('asn')}.")
    _names_every_instance(draft, ours, theirs)


def _ids(plain: dict[str, Value]) -> tuple[str, str]:
    ends = ("virtualNetworkGateway1", "localNetworkGateway2")
    one, two = (str((plain.get(end) or {}).get("id")).lower() for end in ends)
    return one, two


def _names_every_instance(draft: Draft, ours: dict[str, Value], theirs: dict[str, Value]) -> None:
    held = {
        str(item["ipconfigurationId"]).lower(): set(item.get("customBgpIpAddresses") or ())
        for item in ours.get("bgpPeeringAddresses") or ()
    }
    named = {
        str(item["ipConfigurationId"]).lower(): item["customBgpIpAddress"]
        for item in draft.get("gatewayCustomBgpIpAddresses") or ()
    }
    peer = address(theirs.get("bgpPeeringAddress"))
    if not named and not (peer and peer.is_link_local):
        return
    if named.keys() != held.keys():
        raise draft.refuse(
            "CustomBgpIpAddressesMissing", f"{draft.name} must name one custom BGP address for each of {sorted(held)}."
        )
    for configuration, chosen in named.items():
        if chosen not in held[configuration]:
            raise draft.refuse("InvalidCustomBgpIpAddress", f"{chosen} is no custom BGP address of {configuration}.")
