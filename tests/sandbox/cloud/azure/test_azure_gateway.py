"""Azure's VPN gateways and what hangs on them: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.azure.region import Region, subnet
from tests.sandbox.cloud.client import RefusedError, Resource

GATEWAY, CONNECTION = (
    "azure-native:network:VirtualNetworkGateway",
    "azure-native:network:VirtualNetworkGatewayConnection",
)
LOCAL, ALERT = "azure-native:network:LocalNetworkGateway", "azure-native:monitor:MetricAlert"
VNET = "azure-native:network:VirtualNetwork"
EDGE = subnet("GatewaySubnet", "10.2.30.128/27")
INSIDE = (["169.254.21.2", "169.254.22.2"], ["169.254.21.6"])
POLICY = {
    "ikeEncryption": "AES256", "ikeIntegrity": "SHA256", "dhGroup": "DHGroup14", "ipsecEncryption": "AES256",
    "ipsecIntegrity": "SHA256", "pfsGroup": "PFS2048", "saLifeTimeSeconds": 3600, "saDataSizeKilobytes": 102400000,
}  # fmt: skip


def _address(region: Region, name: str, **rest: object) -> Resource:
    inputs: dict[str, Any] = {
        "sku": {"name": "Standard"},
        "publicIPAllocationMethod": "Static",
        "zones": ["1", "2", "3"],
    }
    return region.make("network:PublicIPAddress", publicIpAddressName=name, **{**inputs, **rest})


def _shape(network: str, addresses: list[str], **rest: object) -> dict[str, Any]:
    group = network.partition("/providers/")[0]
    own = f"{group}/providers/Microsoft.Network/virtualNetworkGateways/gw/ipConfigurations"
    return {
        "resourceGroupName": "rg",
        "virtualNetworkGatewayName": "gw",
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "vpnGatewayGeneration": "Generation2",
        "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
        "activeActive": True,
        "enableBgp": True,
        "bgpSettings": {
            "asn": 64620,
            "bgpPeeringAddresses": [
                {"ipconfigurationId": f"{own}/i{n}", "customBgpIpAddresses": INSIDE[n]} for n in range(2)
            ],
        },
        "ipConfigurations": [
            {"name": f"i{n}", "publicIPAddress": {"id": id_}, "subnet": {"id": f"{network}/subnets/GatewaySubnet"}}
            for n, id_ in enumerate(addresses)
        ],
        **rest,
    }


def _gateway(region: Region) -> tuple[Resource, dict[str, Any]]:
    network = region.network(EDGE, subnet("one", "10.2.1.0/24"))
    inputs = _shape(network.id, [_address(region, f"pip{n}").id for n in range(2)])
    return region.cloud.create(GATEWAY, inputs), inputs


def _bgp(**rest: object) -> dict[str, Any]:
    return {"asn": 64620, "bgpPeeringAddresses": [{"customBgpIpAddresses": ["169.254.21.2"]}], **rest}


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"sku": {"name": "VpnGw2", "tier": "VpnGw2"}}, "NonAzSkusNotAllowed"),
        ({"sku": {"name": "VpnGw2AZ", "tier": "VpnGw3AZ"}}, "must equal the name"),
        ({"sku": {"name": "VpnGw1AZ", "tier": "VpnGw1AZ"}}, "Generation1 only"),
        ({"activeActive": False}, "2 given, 1 needed"),
        ({"bgpSettings": _bgp(asn=65517)}, "VpnClientAsnReserved"),
        ({"bgpSettings": _bgp(asn=64500)}, "VpnClientAsnReserved"),
        ({"bgpSettings": _bgp(bgpPeeringAddresses=[{"customBgpIpAddresses": ["169.254.20.2"]}])}, "InvalidCustomBgp"),
        (
            {"bgpSettings": _bgp(bgpPeeringAddresses=[{"customBgpIpAddresses": ["169.254.21.2"]}] * 2)},
            "DuplicateCustomBgp",
        ),
    ],
)
def test_a_gateways_form(region: Region, worse: dict[str, Any], said: str) -> None:
    good = _shape("/subscriptions/x/resourceGroups/rg/providers/net", ["/a", "/b"])
    assert not region.cloud.failures(GATEWAY, good)
    assert any(said in failure for failure in region.cloud.failures(GATEWAY, {**good, **worse}))


def test_a_gateway_stands_in_its_subnet_with_addresses_of_its_own(region: Region) -> None:
    network = region.network(EDGE, subnet("one", "10.2.1.0/24"))
    zonal = [_address(region, "zonal", zones=["1"]).id, _address(region, "pip1").id]
    with pytest.raises(RefusedError, match="MustBeZoneRedundant"):
        region.cloud.create(GATEWAY, _shape(network.id, zonal))
    good = _shape(network.id, [_address(region, "pip0").id, zonal[1]])
    elsewhere = [{**item, "subnet": {"id": f"{network.id}/subnets/one"}} for item in good["ipConfigurations"]]
    with pytest.raises(RefusedError, match="GatewaySubnetRequired"):
        region.cloud.create(GATEWAY, {**good, "ipConfigurations": elsewhere})
    with pytest.raises(RefusedError, match="PublicIPAddressInUse"):
        region.cloud.create(GATEWAY, _shape(network.id, [zonal[1]] * 2))
    renamed = [{**item, "name": "other"} for item in good["ipConfigurations"]]
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.cloud.create(GATEWAY, {**good, "ipConfigurations": renamed})
    assert region.cloud.create(GATEWAY, good)
    more = _shape(network.id, [_address(region, f"more{n}").id for n in range(2)], enableBgp=False, bgpSettings=None)
    with pytest.raises(RefusedError, match="OnlyOneGatewayOfTypePerVnet"):
        region.cloud.create(GATEWAY, {**more, "virtualNetworkGatewayName": "second"})


def test_a_gateway_needs_a_subnet_of_some_size(region: Region) -> None:
    network = region.network(subnet("GatewaySubnet", "10.2.30.128/28"))
    inputs = _shape(network.id, [_address(region, f"pip{n}").id for n in range(2)])
    with pytest.raises(RefusedError, match="GatewaySubnetTooSmall"):
        region.cloud.create(GATEWAY, inputs)


def test_no_table_keeps_routes_from_the_gateway_and_the_bastion_takes_none(region: Region) -> None:
    tables = {
        refused: region.make("network:RouteTable", routeTableName=f"t{refused}", disableBgpRoutePropagation=refused).id
        for refused in (True, False)
    }
    with pytest.raises(RefusedError, match="GatewaySubnetRouteTableDisablesBgp"):
        region.network({**EDGE, "routeTable": {"id": tables[True]}})
    assert region.network({**EDGE, "routeTable": {"id": tables[False]}})
    bastion = subnet("AzureBastionSubnet", "10.2.31.0/26")
    base = {
        "resourceGroupName": "rg",
        "virtualNetworkName": "other",
        "addressSpace": {"addressPrefixes": ["10.2.0.0/16"]},
    }
    assert not region.cloud.failures(VNET, {**base, "subnets": [bastion]})
    bad = {**base, "subnets": [{**bastion, "routeTable": {"id": tables[False]}}]}
    assert any("AzureBastionSubnet" in failure for failure in region.cloud.failures(VNET, bad))


def _peer(**rest: object) -> dict[str, Any]:
    bgp = {"asn": 64610, "bgpPeeringAddress": "169.254.21.1"}
    return {"localNetworkGatewayName": "peer", "gatewayIpAddress": "198.51.100.1", "bgpSettings": bgp, **rest}


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"bgpSettings": {"asn": 65515, "bgpPeeringAddress": "169.254.21.1"}}, "VpnClientAsnReserved"),
        ({"bgpSettings": {"asn": 64610}}, "need a peering address"),
        ({"bgpSettings": None}, "address space must be given"),
        ({"gatewayIpAddress": "169.254.21.1"}, "no public IPv4 address"),
        ({"fqdn": "peer.example.com"}, "exactly one"),
    ],
)
def test_a_peers_form(region: Region, worse: dict[str, Any], said: str) -> None:
    good = {"resourceGroupName": "rg", **_peer()}
    assert not region.cloud.failures(LOCAL, good)
    assert any(said in failure for failure in region.cloud.failures(LOCAL, {**good, **worse}))


def _joining(gateway: str, peer: str, **rest: object) -> dict[str, Any]:
    return {
        "virtualNetworkGatewayConnectionName": "join",
        "connectionType": "IPsec",
        "connectionProtocol": "IKEv2",
        "virtualNetworkGateway1": {"id": gateway},
        "localNetworkGateway2": {"id": peer},
        "enableBgp": True,
        "sharedKey": "k" * 40,
        "ipsecPolicies": [POLICY],
        "dpdTimeoutSeconds": 30,
        "gatewayCustomBgpIpAddresses": [
            {"ipConfigurationId": f"{gateway}/ipConfigurations/i0", "customBgpIpAddress": "169.254.21.2"},
            {"ipConfigurationId": f"{gateway}/ipConfigurations/i1", "customBgpIpAddress": "169.254.21.6"},
        ],
        **rest,
    }


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"dpdTimeoutSeconds": 8}, "9 to 3600"),
        ({"sharedKey": None}, "needs a shared key"),
        ({"sharedKey": "ключ"}, "printable ASCII"),
        ({"ipsecPolicies": [POLICY, POLICY]}, "one IPsec policy"),
        ({"ipsecPolicies": [{**POLICY, "ipsecEncryption": "GCMAES256"}]}, "InvalidIPsecPolicy"),
        ({"ipsecPolicies": [{**POLICY, "saLifeTimeSeconds": 299}]}, "300 or more"),
        ({"ipsecPolicies": [{**POLICY, "dhGroup": "DHGroup99"}]}, "dhGroup"),
        ({"ipsecPolicies": [{key: value for key, value in POLICY.items() if key != "pfsGroup"}]}, "pfsGroup"),
    ],
)
def test_a_connections_form(region: Region, worse: dict[str, Any], said: str) -> None:
    good = {"resourceGroupName": "rg", **_joining("/g", "/p")}
    assert not region.cloud.failures(CONNECTION, good)
    failures = region.cloud.failures(CONNECTION, {**good, **worse})
    assert any(said in failure for failure in failures)
    assert not any("ключ" in failure for failure in failures)


def test_a_connection_names_an_address_of_every_instance(region: Region) -> None:
    gateway, _ = _gateway(region)
    peer = region.make("network:LocalNetworkGateway", **_peer())
    good = _joining(gateway.id, peer.id)
    one, two = good["gatewayCustomBgpIpAddresses"]
    for named, said in (
        ([], "CustomBgpIpAddressesMissing"),
        ([one], "CustomBgpIpAddressesMissing"),
        ([one, {**two, "customBgpIpAddress": "169.254.22.2"}], "InvalidCustomBgpIpAddress"),
    ):
        with pytest.raises(RefusedError, match=said):
            region.make("network:VirtualNetworkGatewayConnection", **{**good, "gatewayCustomBgpIpAddresses": named})
    made = region.make("network:VirtualNetworkGatewayConnection", **good)
    with pytest.raises(RefusedError, match="ConnectionAlreadyExists"):
        region.make(
            "network:VirtualNetworkGatewayConnection", **{**good, "virtualNetworkGatewayConnectionName": "again"}
        )
    for used in (gateway, peer):
        with pytest.raises(RefusedError, match="in use"):
            region.cloud.delete(used)
    region.cloud.delete(made)
    region.cloud.delete(gateway)


def test_both_sides_of_a_connection_differ_in_their_system(region: Region) -> None:
    gateway, _ = _gateway(region)
    same = region.make(
        "network:LocalNetworkGateway", **_peer(bgpSettings={"asn": 64620, "bgpPeeringAddress": "169.254.21.1"})
    )
    with pytest.raises(RefusedError, match="SameAsnOnBothGateways"):
        region.make("network:VirtualNetworkGatewayConnection", **_joining(gateway.id, same.id))


def _criterion(**rest: object) -> dict[str, Any]:
    dimension = {"name": "BgpPeerAddress", "operator": "Include", "values": ["169.254.21.1"]}
    return {
        "criterionType": "StaticThresholdCriterion", "name": "silent", "metricName": "BgpPeerStatus",
        "timeAggregation": "Average", "operator": "LessThanOrEqual", "threshold": 0, "dimensions": [dimension], **rest,
    }  # fmt: skip


def _alert(scope: str, criterion: dict[str, Any], **rest: object) -> dict[str, Any]:
    kind = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
    return {
        "resourceGroupName": "rg", "ruleName": "silent", "location": "global", "severity": 1, "enabled": True,
        "scopes": [scope], "evaluationFrequency": "PT1M", "windowSize": "PT5M",
        "criteria": {"odataType": kind, "allOf": [criterion]}, **rest,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        (_alert("/g", _criterion(metricName="TunnelState")), "no metric TunnelState"),
        (_alert("/g", _criterion(metricName="TunnelAverageBandwidth")), "ConnectionName"),
        (_alert("/g", _criterion(operator="Below")), "expected one of"),
        (_alert("/g", _criterion(), windowSize="PT2M"), "windowSize"),
        (_alert("/g", _criterion(), evaluationFrequency="PT15M"), "must not be shorter"),
        (_alert("/g", _criterion(), location="westus2"), "'global'"),
    ],
)
def test_an_alerts_form(region: Region, worse: dict[str, Any], said: str) -> None:
    assert not region.cloud.failures(ALERT, _alert("/g", _criterion()))
    assert any(said in failure for failure in region.cloud.failures(ALERT, worse))


def test_an_alert_watches_a_gateway_that_exists(region: Region) -> None:
    gateway, _ = _gateway(region)
    with pytest.raises(RefusedError, match="not found"):
        region.cloud.create(ALERT, _alert(f"{gateway.id}x", _criterion()))
    assert region.cloud.create(ALERT, _alert(gateway.id, _criterion()))
