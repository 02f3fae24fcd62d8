"""What Google Cloud refuses of networks and firewall rules: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError
from tests.sandbox.cloud.gcp.ground import ACCOUNT, ADDRESS, NAT, NETWORK, ROUTER, SUBNETWORK, ground

FIREWALL = "gcp:compute/firewall:Firewall"


def test_names_are_such_as_compute_takes(cloud: Client) -> None:
    for wrong in ("Network", "1network", "network-", "n" * 64):
        assert cloud.failures(NETWORK, {"name": wrong}), wrong
    assert cloud.failures(NETWORK, {"name": "n" * 63}) == []


def test_a_name_is_taken_once_in_its_scope(cloud: Client) -> None:
    found = ground(cloud)
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create(NETWORK, {"name": "it"}, "again")
    elsewhere = {"name": "it", "network": found.network.id, "ipCidrRange": "10.3.9.0/24", "region": "us-central1"}
    assert "us-central1" in cloud.create(SUBNETWORK, elsewhere, "elsewhere").id


def test_frames_have_a_size_that_google_carries(cloud: Client) -> None:
    assert "1300 to 8896" in str(cloud.failures(NETWORK, {"name": "it", "mtu": 1299}))
    assert cloud.failures(NETWORK, {"name": "it", "mtu": 8896}) == []


@pytest.mark.parametrize(
    ("cidr", "said"), [("10.3.1.1/24", "did you mean"), ("10.3.1.0/30", "not between"), ("8.8.8.0/24", "internal")]
)
def test_a_range_is_a_private_block_of_a_size_that_google_takes(cloud: Client, cidr: str, said: str) -> None:
    assert said in str(cloud.failures(SUBNETWORK, {"name": "it", "network": "n", "ipCidrRange": cidr}))
    assert cloud.failures(SUBNETWORK, {"name": "it", "network": "n", "ipCidrRange": "10.3.1.0/29"}) == []


def test_ranges_of_one_network_are_apart(cloud: Client) -> None:
    found, other = ground(cloud), ground(cloud, "other")
    wanted = {"name": "two", "network": found.network.id, "ipCidrRange": "10.3.0.0/16", "region": "us-west1"}
    with pytest.raises(RefusedError, match=r"conflicts with existing subnetwork with range 10.3.1.0/24"):
        cloud.create(SUBNETWORK, wanted)
    # Another network may use the same addresses.
    assert other.subnetwork["ipCidrRange"] == found.subnetwork["ipCidrRange"]
    assert cloud.create(SUBNETWORK, {**wanted, "ipCidrRange": "10.3.2.0/24"})["gatewayAddress"] == "10.3.2.1"


def test_a_range_grows_in_place_and_does_not_shrink(cloud: Client) -> None:
    found = ground(cloud, cidr="10.3.0.0/24").subnetwork
    assert not cloud.diff(found, {**found.inputs, "ipCidrRange": "10.3.0.0/20"}).replaces
    assert "ipCidrRange" in cloud.diff(found, {**found.inputs, "ipCidrRange": "10.3.0.0/25"}).replaces


def test_proxies_have_one_plain_subnetwork_a_region(cloud: Client) -> None:
    found = ground(cloud)
    proxy = {"name": "proxy", "network": found.network.id, "ipCidrRange": "10.3.21.0/24", "region": "us-west1"}
    proxy |= {"purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE"}
    assert "not supported" in str(cloud.failures(SUBNETWORK, {**proxy, "privateIpGoogleAccess": True}))
    assert "not between" in str(cloud.failures(SUBNETWORK, {**proxy, "ipCidrRange": "10.3.21.0/27"}))
    assert "only supported" in str(cloud.failures(SUBNETWORK, {**proxy, "purpose": "PRIVATE"}))
    cloud.create(SUBNETWORK, proxy, "proxy")
    second = {**proxy, "name": "second", "ipCidrRange": "10.3.22.0/24"}
    with pytest.raises(RefusedError, match="has an ACTIVE subnetwork"):
        cloud.create(SUBNETWORK, second, "second")
    assert cloud.create(SUBNETWORK, {**second, "role": "BACKUP"}, "second").id


def test_what_is_in_use_stays(cloud: Client) -> None:
    found = ground(cloud)
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(found.network)
    cloud.delete(found.subnetwork)
    cloud.delete(found.network)


def test_nothing_stands_in_a_network_that_does_not_exist(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(ROUTER, {"name": "it", "network": "projects/platform-sandbox/global/networks/none"})
    assert cloud.create(ROUTER, {"name": "it", "network": ground(cloud).network.id}).id


def test_routers_speak_with_private_numbers(cloud: Client) -> None:
    assert "not a private ASN" in str(cloud.failures(ROUTER, {"name": "it", "bgp": {"asn": 15169}}))
    assert cloud.failures(ROUTER, {"name": "it", "bgp": {"asn": 64630}}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"enableEndpointIndependentMapping": True}, "cannot be true"),
        ({"minPortsPerVm": 100}, "power of two"),
        ({"natIpAllocateOption": "MANUAL_ONLY"}, "must be given with MANUAL_ONLY"),
    ],
)
def test_ports_of_a_nat_are_given_as_google_gives_them(cloud: Client, changes: dict[str, Any], said: str) -> None:
    nat = {
        "name": "it", "router": "r", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "natIpAllocateOption": "AUTO_ONLY", "enableDynamicPortAllocation": True, "minPortsPerVm": 64,
    }  # fmt: skip
    assert said in str(cloud.failures(NAT, {**nat, **changes}))
    assert cloud.failures(NAT, nat) == []


def test_one_nat_serves_all_of_a_networks_region(cloud: Client) -> None:
    found = ground(cloud)
    nat = {"sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES", "natIpAllocateOption": "AUTO_ONLY"}
    for name, region in (("one", "us-west1"), ("two", "us-west1"), ("far", "us-central1")):
        cloud.create(ROUTER, {"name": name, "network": found.network.id, "region": region}, name)
    cloud.create(NAT, {**nat, "name": "one", "router": "one", "region": "us-west1"}, "one")
    with pytest.raises(RefusedError, match="only one can serve them"):
        cloud.create(NAT, {**nat, "name": "two", "router": "two", "region": "us-west1"}, "two")
    assert cloud.create(NAT, {**nat, "name": "far", "router": "far", "region": "us-central1"}, "far").id


@pytest.mark.parametrize(
    ("address", "said"),
    [("10.4.1.60", "outside the subnetwork"), ("10.3.1.1", "reserved by Google"), ("10.3.1.254", "reserved by Google")],
)
def test_an_address_lies_in_its_subnetwork(cloud: Client, address: str, said: str) -> None:
    inside = {"addressType": "INTERNAL", "subnetwork": ground(cloud).subnetwork.id}
    with pytest.raises(RefusedError, match=said):
        cloud.create(ADDRESS, {**inside, "name": "it", "address": address})
    assert cloud.create(ADDRESS, {**inside, "name": "it", "address": "10.3.1.60"})["address"] == "10.3.1.60"


def test_an_address_is_given_once(cloud: Client) -> None:
    found = ground(cloud)
    inside = {"addressType": "INTERNAL", "subnetwork": found.subnetwork.id}
    front = {**inside, "purpose": "SHARED_LOADBALANCER_VIP"}
    cloud.create(ADDRESS, {**front, "name": "front", "address": "10.3.1.60"}, "front")
    with pytest.raises(RefusedError, match="already being used"):
        found.boot(networkInterfaces=[{"subnetwork": found.subnetwork.id, "networkIp": "10.3.1.60"}])
    # What is reserved for machines may be taken by one.
    cloud.create(ADDRESS, {**inside, "purpose": "GCE_ENDPOINT", "name": "own", "address": "10.3.1.61"}, "own")
    interface = {"subnetwork": found.subnetwork.id, "networkIp": "10.3.1.61"}
    assert found.boot(networkInterfaces=[interface])["networkInterfaces"][0]["networkIp"] == "10.3.1.61"
    with pytest.raises(RefusedError, match="already being used"):
        found.boot("two", networkInterfaces=[interface])


RULE: dict[str, Any] = {
    "name": "it",
    "network": "n",
    "allows": [{"protocol": "tcp", "ports": ["8300", "20000-32000"]}],
    "sourceRanges": ["10.3.0.0/16"],
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"denies": [{"protocol": "all"}]}, "exactly one of allows and denies"),
        ({"allows": []}, "exactly one of allows and denies"),
        ({"sourceRanges": []}, "must be given with the direction INGRESS"),
        ({"direction": "EGRESS"}, "not supported with the direction EGRESS"),
        ({"sourceTags": ["web"], "targetServiceAccounts": ["a@b.iam.gserviceaccount.com"]}, "cannot be used together"),
        ({"sourceServiceAccounts": [f"a{n}@b.iam.gserviceaccount.com" for n in range(11)]}, "at most 10"),
        ({"priority": 65536}, "0 to 65535"),
        ({"sourceRanges": ["10.3.0.1/16"]}, "not a valid CIDR range"),
        ({"allows": [{"protocol": "icmp", "ports": ["1"]}]}, "ports are only supported"),
        ({"allows": [{"protocol": "tcp", "ports": ["9-8"]}]}, "not a port"),
        ({"allows": [{"protocol": "quic"}]}, "none of"),
    ],
)
def test_a_rule_says_what_google_understands(cloud: Client, changes: dict[str, Any], said: str) -> None:
    assert said in str(cloud.failures(FIREWALL, {**RULE, **changes}))
    assert cloud.failures(FIREWALL, RULE) == []


def test_a_rule_may_name_ranges_and_accounts_and_ten_of_them(cloud: Client) -> None:
    accounts = [f"a{n}@b.iam.gserviceaccount.com" for n in range(10)]
    both = {**RULE, "sourceServiceAccounts": accounts, "targetServiceAccounts": accounts}
    assert cloud.failures(FIREWALL, both) == []
    out = {"direction": "EGRESS", "sourceRanges": None, "destinationRanges": ["0.0.0.0/0"]}
    assert cloud.failures(FIREWALL, {**RULE, **out}) == []


def test_a_rule_names_accounts_that_exist(cloud: Client) -> None:
    rule = {**RULE, "network": ground(cloud).network.id}
    mine = "vault-server@platform-sandbox.iam.gserviceaccount.com"
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(FIREWALL, {**rule, "targetServiceAccounts": [mine]})
    account = cloud.create(ACCOUNT, {"accountId": "vault-server"})
    made = cloud.create(FIREWALL, {**rule, "targetServiceAccounts": [mine]})
    # An account that a rule names can be deleted all the same, and the network of a rule cannot.
    cloud.delete(account)
    assert "network" in cloud.diff(made, {**made.inputs, "network": "other"}).replaces
