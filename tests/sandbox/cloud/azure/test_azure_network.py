"""Azure's networks, addresses, rules and balancers: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.azure.region import Region, interface, network, static, subnet
from tests.sandbox.cloud.client import RefusedError, Resource

VNET, NSG = "azure-native:network:VirtualNetwork", "azure-native:network:NetworkSecurityGroup"
BALANCER, NIC = "azure-native:network:LoadBalancer", "azure-native:network:NetworkInterface"
ONE, TWO = subnet("one", "10.2.1.0/24"), subnet("two", "10.2.2.0/24")


def _vnet(*subnets: dict[str, Any]) -> dict[str, Any]:
    return {"resourceGroupName": "rg", "virtualNetworkName": "net", **network(*subnets)}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (_vnet(ONE, TWO), _vnet(ONE, subnet("two", "10.2.1.128/25")), "NetcfgSubnetRangesOverlap"),
        (_vnet(ONE), _vnet(subnet("one", "10.3.1.0/24")), "NetcfgSubnetRangeOutsideVnet"),
        (_vnet(ONE), _vnet(subnet("one", "10.2.1.7/24")), "did you mean"),
        (_vnet(ONE, TWO), _vnet(ONE, subnet("One", "10.2.2.0/24")), "another subnet of the network"),
        (_vnet(ONE), _vnet({"addressPrefix": "10.2.1.0/24"}), "needs a name"),
        (_vnet(subnet("AzureBastionSubnet", "10.2.1.0/26")), _vnet(subnet("AzureBastionSubnet", "10.2.1.0/27")), "/26"),
        (_vnet(subnet("GatewaySubnet", "10.2.1.0/27")), _vnet(subnet("GatewaySubnet", "10.2.1.0/30")), "/29"),
        (
            _vnet(subnet("GatewaySubnet", "10.2.1.0/27")),
            _vnet(subnet("GatewaySubnet", "10.2.1.0/27", networkSecurityGroup={"id": "/x"})),
            "takes no networkSecurityGroup",
        ),
    ],
)
def test_a_networks_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    assert not region.cloud.failures(VNET, good)
    assert any(said in failure for failure in region.cloud.failures(VNET, bad))


def test_a_subnet_beside_the_network_must_fit_it(region: Region) -> None:
    region.network(ONE)
    make = {"virtualNetworkName": "net"}
    assert region.make("network:Subnet", subnetName="two", addressPrefix="10.2.2.0/24", **make)
    with pytest.raises(RefusedError, match="NetcfgSubnetRangesOverlap"):
        region.make("network:Subnet", subnetName="three", addressPrefix="10.2.1.0/25", **make)
    with pytest.raises(RefusedError, match="NetcfgSubnetRangeOutsideVnet"):
        region.make("network:Subnet", subnetName="three", addressPrefix="10.9.1.0/24", **make)


def test_a_subnet_in_use_stays(region: Region) -> None:
    made = region.network(ONE, TWO)
    nic = region.interface(f"{made.id}/subnets/one")
    with pytest.raises(RefusedError, match="InUseSubnetCannotBeDeleted"):
        region.cloud.update(made, _vnet(TWO))
    with pytest.raises(RefusedError, match="InUsePrefixCannotBeDeleted"):
        region.cloud.update(made, _vnet(subnet("one", "10.2.9.0/24"), TWO))
    with pytest.raises(RefusedError, match="InUseSubnetCannotBeDeleted"):
        region.cloud.delete(made)
    smaller = region.cloud.update(made, _vnet(ONE))
    region.cloud.delete(nic)
    region.cloud.delete(smaller)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.2.2.10", "PrivateIPAddressNotInSubnet"),
        ("10.2.1.3", "PrivateIPAddressInReservedRange"),
        ("10.2.1.255", "PrivateIPAddressInReservedRange"),
        ("10.2.1.10", "PrivateIPAddressInUse"),
    ],
)
def test_a_fixed_address_is_inside_its_subnet_and_free(region: Region, address: str, said: str) -> None:
    where = f"{region.network(ONE, TWO).id}/subnets/one"
    taken = region.interface(where, **static("10.2.1.10"))
    assert taken["ipConfigurations"][0]["privateIPAddress"] == "10.2.1.10"
    with pytest.raises(RefusedError, match=said):
        region.interface(where, "other", **static(address))
    assert region.interface(where, "other", **static("10.2.1.11"))
    region.cloud.delete(taken)
    assert region.interface(where, "third", **static("10.2.1.10"))


def test_a_dynamic_address_is_the_lowest_free_one_and_stays(region: Region) -> None:
    where = f"{region.network(ONE).id}/subnets/one"
    first = region.interface(where)
    assert first["ipConfigurations"][0]["privateIPAddress"] == "10.2.1.4"
    second = region.interface(where, "second")
    assert second["ipConfigurations"][0]["privateIPAddress"] == "10.2.1.5"
    region.cloud.delete(first)
    again = region.cloud.update(second, {"resourceGroupName": "rg", **interface(where, "second"), "tags": {"a": "b"}})
    assert again["ipConfigurations"][0]["privateIPAddress"] == "10.2.1.5"


def test_static_allocation_needs_an_address_and_dynamic_takes_none(region: Region) -> None:
    inputs = {"resourceGroupName": "rg", **interface("/x", privateIPAllocationMethod="Static")}
    assert any("StaticPrivateIPAddressRequired" in failure for failure in region.cloud.failures(NIC, inputs))
    inputs = {
        "resourceGroupName": "rg",
        **interface("/x", privateIPAllocationMethod="Dynamic", privateIPAddress="1.2.3.4"),
    }
    assert any("only with Static" in failure for failure in region.cloud.failures(NIC, inputs))


def test_an_interface_needs_a_subnet_that_exists(region: Region) -> None:
    made = region.network(ONE)
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.interface(f"{made.id}/subnets/two")
    assert region.interface(f"{made.id}/SUBNETS/ONE"), "Azure's names compare without case"


def test_an_application_group_stays_within_one_network(region: Region) -> None:
    group = region.make("network:ApplicationSecurityGroup", applicationSecurityGroupName="role").id
    member = [{"id": group}]
    here = region.network(ONE)
    there = region.network(ONE, virtualNetworkName="elsewhere")
    region.interface(f"{here.id}/subnets/one", applicationSecurityGroups=member)
    assert region.interface(f"{here.id}/subnets/one", "second", applicationSecurityGroups=member)
    with pytest.raises(RefusedError, match="ApplicationSecurityGroupsNotInSameVnet"):
        region.interface(f"{there.id}/subnets/one", "third", applicationSecurityGroups=member)


def _rule(name: str, priority: int, **rest: object) -> dict[str, Any]:
    base = {
        "name": name, "priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "sourceAddressPrefix": "10.2.0.0/16", "sourcePortRange": "*", "destinationAddressPrefix": "*",
        "destinationPortRange": "8200",
    }  # fmt: skip
    return {key: value for key, value in {**base, **rest}.items() if value is not None}


def _group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"resourceGroupName": "rg", "networkSecurityGroupName": "nsg", "securityRules": list(rules)}


ASG = {"id": "/asg"}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (_rule("b", 101), _rule("b", 100), "SecurityRuleConflict"),
        (_rule("b", 100, direction="Outbound"), _rule("b", 100), "SecurityRuleConflict"),
        (_rule("b", 101), _rule("A", 101), "another rule of the group"),
        (_rule("b", 4096), _rule("b", 4097), "between 100 and 4096"),
        (_rule("b", 101), _rule("b", 99), "between 100 and 4096"),
        (
            _rule("b", 101, sourceAddressPrefix=None, sourceAddressPrefixes=["10.1.0.0/16"]),
            _rule("b", 101, sourceAddressPrefixes=["10.1.0.0/16"]),
            "SecurityRuleInvalidAddressPrefix",
        ),
        (
            _rule("b", 101, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[ASG]),
            _rule("b", 101, sourceApplicationSecurityGroups=[ASG]),
            "SecurityRuleInvalidAddressPrefix",
        ),
        (
            _rule("b", 101, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[ASG] * 10),
            _rule("b", 101, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[ASG] * 11),
            "at most 10",
        ),
        (
            _rule("b", 101, sourceAddressPrefix="*"),
            _rule("b", 101, sourceAddressPrefix=None, sourceAddressPrefixes=["*"]),
            "stands alone",
        ),
        (_rule("b", 101, destinationPortRange="20000-32000"), _rule("b", 101, destinationPortRange="9-8"), "no port"),
        (
            _rule("b", 101, destinationPortRange=None, destinationPortRanges=["8500", "8501"]),
            _rule("b", 101, destinationPortRange=None),
            "destinationPortRange",
        ),
        (_rule("b", 101, description="x" * 140), _rule("b", 101, description="x" * 141), "140 characters"),
    ],
)
def test_a_rules_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    first = _rule("a", 100)
    assert not region.cloud.failures(NSG, _group(first, good))
    assert any(said in failure for failure in region.cloud.failures(NSG, _group(first, bad)))


def test_a_group_holds_a_thousand_rules(region: Region) -> None:
    rules = [_rule(f"r{n}", 100 + n) for n in range(1001)]
    assert not region.cloud.failures(NSG, _group(*rules[:1000]))
    assert any("at most 1000" in failure for failure in region.cloud.failures(NSG, _group(*rules)))


def test_an_application_group_that_a_rule_names_must_exist_and_stay(region: Region) -> None:
    group = region.make("network:ApplicationSecurityGroup", applicationSecurityGroupName="role")
    rule = _rule("a", 100, destinationAddressPrefix=None, destinationApplicationSecurityGroups=[{"id": group.id}])
    made = region.cloud.create(NSG, _group(rule))
    with pytest.raises(RefusedError, match="InUseApplicationSecurityGroupCannotBeDeleted"):
        region.cloud.delete(group)
    region.cloud.delete(made)
    region.cloud.delete(group)
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.cloud.create(NSG, _group(rule))


def _public(region: Region, name: str = "ip", zone: str = "1") -> str:
    inputs = {"publicIpAddressName": name, "sku": {"name": "Standard"}, "publicIPAllocationMethod": "Static"}
    return region.make("network:PublicIPAddress", **inputs, zones=[zone]).id


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({"publicIPAllocationMethod": "Static"}, {"publicIPAllocationMethod": "Dynamic"}, "is Static"),
        ({"sku": {"name": "Basic"}}, {"sku": {"name": "Basic"}, "zones": ["1"]}, "has no zones"),
    ],
)
def test_a_public_addresses_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    base = {"resourceGroupName": "rg", "publicIpAddressName": "ip", "sku": {"name": "Standard"}}
    address = "azure-native:network:PublicIPAddress"
    assert not region.cloud.failures(address, {**base, **good})
    assert any(said in failure for failure in region.cloud.failures(address, {**base, **bad}))


def test_a_nat_gateway_stands_in_its_address_zone(region: Region) -> None:
    def nat(address: str, zone: str, name: str = "nat") -> Resource:
        addresses = [{"id": address}]
        return region.make("network:NatGateway", natGatewayName=name, publicIpAddresses=addresses, zones=[zone])

    address = _public(region)
    with pytest.raises(RefusedError, match="NatGatewayAndPublicIpZonesDoNotMatch"):
        nat(address, "2")
    assert nat(address, "1")
    with pytest.raises(RefusedError, match="PublicIPAddressInUse"):
        nat(address, "1", "another")
    basic = region.make("network:PublicIPAddress", publicIpAddressName="basic", sku={"name": "Basic"}).id
    with pytest.raises(RefusedError, match="NatGatewayNeedsStandardPublicIp"):
        region.make("network:NatGateway", natGatewayName="plain", publicIpAddresses=[{"id": basic}])
    inputs = {"resourceGroupName": "rg", "natGatewayName": "wide", "zones": ["1", "2"]}
    assert any("one zone" in failure for failure in region.cloud.failures("azure-native:network:NatGateway", inputs))


def test_a_bastion_stands_in_its_own_subnet(region: Region) -> None:
    made = region.network(ONE, subnet("AzureBastionSubnet", "10.2.30.0/26"))

    def bastion(where: str, sku: str = "Standard") -> Resource:
        configuration = {
            "name": "ip", "subnet": {"id": f"{made.id}/subnets/{where}"}, "publicIPAddress": {"id": address},
        }  # fmt: skip
        return region.make(
            "network:BastionHost", bastionHostName="b", sku={"name": sku}, enableTunneling=True,
            ipConfigurations=[configuration],
        )  # fmt: skip

    address = _public(region)
    with pytest.raises(RefusedError, match="AzureBastionSubnet"):
        bastion("one")
    with pytest.raises(RefusedError, match="needs the Standard or Premium SKU"):
        bastion("AzureBastionSubnet", "Basic")
    assert bastion("AzureBastionSubnet")


BALANCER_ID = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/lb"


def _balancer(region: Region, subnet_id: str, *rules: dict[str, Any], **rest: object) -> dict[str, Any]:
    subscription = region.cloud.invoke("azure-native:authorization:getClientConfig")["subscriptionId"]
    own = BALANCER_ID.format(subscription)
    parts = {
        "frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/front"},
        "backendAddressPool": {"id": f"{own}/backendAddressPools/pool"},
        "probe": {"id": f"{own}/probes/probe"},
    }
    base = {
        "resourceGroupName": "rg",
        "loadBalancerName": "lb",
        "sku": {"name": "Standard"},
        "frontendIPConfigurations": [{"name": "front", "subnet": {"id": subnet_id}, **static("10.2.1.60")}],
        "backendAddressPools": [{"name": "pool"}],
        "probes": [{"name": "probe", "protocol": "Https", "port": 8501, "requestPath": "/v1/status/leader"}],
        "loadBalancingRules": [{"protocol": "Tcp", **parts, **rule} for rule in rules],
    }
    return {**base, **rest}


def _listener(name: str, front: int, back: int, **rest: object) -> dict[str, Any]:
    return {"name": name, "frontendPort": front, "backendPort": back, **rest}


def test_two_rules_may_not_lead_to_one_port_of_one_pool(region: Region) -> None:
    first = _listener("a", 8501, 8501)
    fine = _balancer(region, "/x", first, _listener("b", 8500, 8500))
    assert not region.cloud.failures(BALANCER, fine)
    alias = _balancer(region, "/x", first, _listener("b", 8500, 8501))
    assert any(
        "RulesUseSameBackendPortProtocolAndPool" in failure for failure in region.cloud.failures(BALANCER, alias)
    )
    floating = _balancer(region, "/x", first, _listener("b", 8500, 8501, enableFloatingIP=True))
    assert any("must be equal" in failure for failure in region.cloud.failures(BALANCER, floating))
    twice = _balancer(region, "/x", first, _listener("b", 8501, 8502))
    assert any("RulesUseSameFrontendPort" in failure for failure in region.cloud.failures(BALANCER, twice))


def test_a_rule_names_parts_of_its_own_balancer(region: Region) -> None:
    where = f"{region.network(ONE).id}/subnets/one"
    missing = _balancer(region, where, _listener("a", 8501, 8501), probes=[])
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.cloud.create(BALANCER, missing)
    made = region.cloud.create(BALANCER, _balancer(region, where, _listener("a", 8501, 8501)))
    assert made["frontendIPConfigurations"][0]["privateIPAddress"] == "10.2.1.60"
    with pytest.raises(RefusedError, match="PrivateIPAddressInUse"):
        region.interface(where, **static("10.2.1.60"))


PROBE = {"name": "probe", "protocol": "Https", "port": 8501, "requestPath": "/"}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"requestPath": None}, "needs a path"),
        ({"protocol": "Tcp", "requestPath": None}, {"protocol": "Tcp"}, "takes no path"),
        ({"intervalInSeconds": 5}, {"intervalInSeconds": 4}, "at least 5 seconds"),
    ],
)
def test_a_probes_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    def inputs(changed: dict[str, Any]) -> dict[str, Any]:
        probe = {name: value for name, value in {**PROBE, **changed}.items() if value is not None}
        return _balancer(region, "/x", _listener("a", 8501, 8501), probes=[probe])

    assert not region.cloud.failures(BALANCER, inputs(good))
    assert any(said in failure for failure in region.cloud.failures(BALANCER, inputs(bad)))


def test_a_front_end_is_inside_or_outside(region: Region) -> None:
    for front in ({}, {"subnet": {"id": "/x"}, "publicIPAddress": {"id": "/y"}}):
        inputs = _balancer(region, "/x", frontendIPConfigurations=[{"name": "front", **front}])
        assert any("and not both" in failure for failure in region.cloud.failures(BALANCER, inputs))


def test_a_pool_in_use_stays(region: Region) -> None:
    where = f"{region.network(ONE).id}/subnets/one"
    inputs = _balancer(region, where, _listener("a", 8501, 8501))
    made = region.cloud.create(BALANCER, inputs)
    pool = f"{made.id}/backendAddressPools/pool"
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.interface(where, loadBalancerBackendAddressPools=[{"id": f"{pool}-other"}])
    nic = region.interface(where, loadBalancerBackendAddressPools=[{"id": pool}])
    emptied = {**inputs, "backendAddressPools": [{"name": "other"}], "loadBalancingRules": []}
    for attempt in (lambda: region.cloud.delete(made), lambda: region.cloud.update(made, emptied)):
        with pytest.raises(RefusedError, match="InUseBackendAddressPoolCannotBeDeleted"):
            attempt()
    region.cloud.delete(nic)
    region.cloud.delete(made)


def test_a_private_endpoint_gets_an_address_and_asks_for_the_right_part(region: Region) -> None:
    where, vault = f"{region.network(ONE).id}/subnets/one", region.vault().id

    def endpoint(group: str) -> Resource:
        connection = {"name": "vault", "privateLinkServiceId": vault, "groupIds": [group]}
        return region.make(
            "network:PrivateEndpoint", privateEndpointName="vault", subnet={"id": where},
            privateLinkServiceConnections=[connection],
        )  # fmt: skip

    with pytest.raises(RefusedError, match="sub-resource 'vault' only"):
        endpoint("blob")
    assert endpoint("vault")["customDnsConfigs"] == [{"fqdn": "vault-1.vault.azure.net", "ipAddresses": ["10.2.1.4"]}]
    assert region.interface(where)["ipConfigurations"][0]["privateIPAddress"] == "10.2.1.5"
