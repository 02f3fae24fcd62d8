"""What Google Cloud refuses of tunnels and BGP sessions: each refusal beside its accepted neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource
from tests.sandbox.cloud.gcp.ground import ADDRESS, NETWORK, ROUTER

HA, EXTERNAL = "gcp:compute/haVpnGateway:HaVpnGateway", "gcp:compute/externalVpnGateway:ExternalVpnGateway"
TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
INTERFACE, PEER = "gcp:compute/routerInterface:RouterInterface", "gcp:compute/routerPeer:RouterPeer"
TWO = [{"id": 0, "ipAddress": "52.0.0.1"}, {"id": 1, "ipAddress": "52.0.0.2"}]


@dataclass(frozen=True)
class Ends:
    """A gateway and a router, and the peer as Google sees it."""

    cloud: Client
    gateway: Resource
    router: Resource
    far: Resource

    def tunnel(self, **changes: object) -> dict[str, Any]:
        """Inputs of a tunnel."""
        return {
            "name": "it",
            "region": "us-west1",
            "vpnGateway": self.gateway.id,
            "vpnGatewayInterface": 0,
            "peerExternalGateway": self.far.id,
            "peerExternalGatewayInterface": 0,
            "sharedSecret": "k" * 40,
            "router": self.router.id,
            **changes,
        }

    def interface(self, tunnel: Resource, **changes: object) -> dict[str, Any]:
        """Inputs of a router's interface on a tunnel."""
        own = {"name": "it", "region": "us-west1", "router": self.router["name"], "ipRange": "169.254.10.2/30"}
        return {**own, "vpnTunnel": tunnel.id, **changes}

    def session(self, **changes: object) -> dict[str, Any]:
        """Inputs of a BGP session on that interface."""
        own = {"name": "it", "region": "us-west1", "router": self.router["name"], "interface": "it"}
        return {**own, "ipAddress": "169.254.10.2", "peerIpAddress": "169.254.10.1", "peerAsn": 64610, **changes}

    def up(self) -> tuple[Resource, Resource]:
        """A tunnel with its interface."""
        tunnel = self.cloud.create(TUNNEL, self.tunnel())
        return tunnel, self.cloud.create(INTERFACE, self.interface(tunnel))


@pytest.fixture
def ends(cloud: Client) -> Ends:
    network = cloud.create(NETWORK, {"name": "it", "autoCreateSubnetworks": False})
    return Ends(
        cloud,
        cloud.create(HA, {"name": "it", "network": network.id, "region": "us-west1"}),
        cloud.create(ROUTER, {"name": "it", "network": network.id, "region": "us-west1", "bgp": {"asn": 64630}}),
        cloud.create(EXTERNAL, {"name": "it", "redundancyType": "TWO_IPS_REDUNDANCY", "interfaces": TWO}),
    )


def test_a_gateway_has_two_addresses_of_its_own_and_others_when_it_is_made_again(ends: Ends) -> None:
    first = [one["ipAddress"] for one in ends.gateway["vpnInterfaces"]]
    ends.cloud.delete(ends.gateway)
    again = ends.cloud.create(HA, ends.gateway.inputs, "again")
    reserved = ends.cloud.create(ADDRESS, {"name": "nat", "region": "us-west1", "addressType": "EXTERNAL"})
    assert len({*first, *(one["ipAddress"] for one in again["vpnInterfaces"]), reserved["address"]}) == 5
    assert [one["id"] for one in again["vpnInterfaces"]] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redundancyType": "FOUR_IPS_REDUNDANCY"}, "takes 4 interfaces, got 2"),
        ({"redundancyType": "SINGLE_IP_INTERNALLY_REDUNDANT"}, "takes 1 interfaces, got 2"),
        ({"interfaces": [{"id": 1, "ipAddress": "52.0.0.1"}, {"id": 2, "ipAddress": "52.0.0.2"}]}, "count from 0"),
        ({"interfaces": [{**TWO[0]}, {"id": 1, "ipAddress": "52.0.0.1"}]}, "same IP address"),
        ({"interfaces": [{**TWO[0]}, {"id": 1, "ipAddress": "gateway.example.com"}]}, "not an IPv4 address"),
    ],
)
def test_a_peers_gateway_has_as_many_addresses_as_its_redundancy_says(
    cloud: Client, changes: dict[str, Any], said: str
) -> None:
    fine = {"name": "it", "redundancyType": "TWO_IPS_REDUNDANCY", "interfaces": TWO}
    assert said in str(cloud.failures(EXTERNAL, {**fine, **changes}))
    assert cloud.failures(EXTERNAL, fine) == []


def test_a_peers_gateway_is_not_googles_own(ends: Ends) -> None:
    own = [{**TWO[0]}, {"id": 1, "ipAddress": ends.gateway["vpnInterfaces"][0]["ipAddress"]}]
    with pytest.raises(RefusedError, match="is an address of"):
        ends.cloud.create(EXTERNAL, {**ends.far.inputs, "name": "own", "interfaces": own}, "own")


def test_a_peers_gateway_is_replaced_when_an_address_changes_and_stays_while_a_tunnel_needs_it(ends: Ends) -> None:
    moved = {**ends.far.inputs, "interfaces": [{**TWO[0]}, {"id": 1, "ipAddress": "52.0.0.9"}]}
    answer = ends.cloud.diff(ends.far, moved)
    assert answer.replaces
    assert answer.deleteBeforeReplace
    tunnel = ends.cloud.create(TUNNEL, ends.tunnel())
    for used in (ends.far, ends.gateway, ends.router):
        with pytest.raises(RefusedError, match="already being used by"):
            ends.cloud.delete(used)
    ends.cloud.delete(tunnel)
    ends.cloud.delete(ends.far)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vpnGatewayInterface": 2}, "must be 0 or 1"),
        ({"vpnGatewayInterface": None}, "is required"),
        ({"router": None}, "is required"),
        ({"peerExternalGatewayInterface": None}, "is required"),
        ({"peerExternalGateway": None}, "one peer gateway"),
        ({"vpnGateway": None}, "exactly one of vpnGateway"),
        ({"sharedSecret": None}, "exactly one of sharedSecret"),
        ({"sharedSecretWo": "w" * 40}, "exactly one of sharedSecret"),
        ({"ikeVersion": 3}, "must be 1 or 2"),
        ({"cipherSuite": {"phase1": {"encryptions": ["AES256"]}}}, "'AES256' is not supported"),
        ({"cipherSuite": {"phase2": {"pfs": ["PFS2048"]}}}, "'PFS2048' is not supported"),
        ({"cipherSuite": {"phase1": {"encryptions": ["AES-CBC-256", "AES-GCM-16-256"]}}}, "cannot be mixed"),
    ],
)
def test_a_tunnel_is_complete_and_speaks_ciphers_that_google_knows(
    cloud: Client, changes: dict[str, Any], said: str
) -> None:
    suite = {"phase1": {"encryptions": ["AES-CBC-256"], "dhs": ["Group-14"]}, "phase2": {"pfs": ["Group-14"]}}
    fine = {
        "name": "it", "vpnGateway": "g", "vpnGatewayInterface": 1, "peerExternalGateway": "e", "ikeVersion": 2,
        "peerExternalGatewayInterface": 3, "sharedSecret": "k" * 40, "router": "r", "cipherSuite": suite,
    }  # fmt: skip
    assert said in str(
        cloud.failures(TUNNEL, {key: value for key, value in {**fine, **changes}.items() if value is not None})
    )
    assert cloud.failures(TUNNEL, fine) == []


def test_a_tunnel_leads_to_an_interface_that_the_peer_has(ends: Ends) -> None:
    with pytest.raises(RefusedError, match="has no interface 2"):
        ends.cloud.create(TUNNEL, ends.tunnel(peerExternalGatewayInterface=2))
    assert ends.cloud.create(TUNNEL, ends.tunnel(peerExternalGatewayInterface=1))["peerIp"] == "52.0.0.2"


def test_a_tunnels_router_is_in_the_gateways_network_and_region(ends: Ends) -> None:
    other = ends.cloud.create(NETWORK, {"name": "other", "autoCreateSubnetworks": False}, "other")
    for name, network, region, said in (
        ("foreign", other.id, "us-west1", "not in the network"),
        ("far", ends.gateway["network"], "us-central1", "another region"),
    ):
        router = {"name": name, "network": network, "region": region, "bgp": {"asn": 64631}}
        made = ends.cloud.create(ROUTER, router, name)
        with pytest.raises(RefusedError, match=said):
            ends.cloud.create(TUNNEL, ends.tunnel(router=made.id))


def test_one_interface_leads_to_one_address_once(ends: Ends) -> None:
    ends.cloud.create(TUNNEL, ends.tunnel())
    with pytest.raises(RefusedError, match="already leads from the same interface"):
        ends.cloud.create(TUNNEL, ends.tunnel(name="two"), "two")
    assert ends.cloud.create(TUNNEL, ends.tunnel(name="two", vpnGatewayInterface=1), "two").id


def test_everything_about_a_tunnel_is_settled_when_it_is_made(ends: Ends) -> None:
    tunnel = ends.cloud.create(TUNNEL, ends.tunnel())
    for change in ({"sharedSecret": "other" * 8}, {"ikeVersion": 1}, {"peerExternalGatewayInterface": 1}):
        assert ends.cloud.diff(tunnel, {**tunnel.inputs, **change}).replaces, change
    assert not ends.cloud.diff(tunnel, {**tunnel.inputs, "labels": {"owner": "me"}}).replaces


@pytest.mark.parametrize(
    ("range_", "said"),
    [
        ("169.254.10.2", "not an address with its range"),
        ("10.0.0.2/30", "not in 169.254.0.0/16"),
        ("169.254.169.253/30", "Google's own"),
        ("169.254.10.0/30", "no host"),
        ("169.254.10.3/30", "no host"),
        ("169.254.10.2/31", "no host"),
    ],
)
def test_an_interface_has_a_host_of_a_link_local_range(cloud: Client, range_: str, said: str) -> None:
    own = {"name": "it", "router": "r", "region": "us-west1", "vpnTunnel": "t"}
    assert said in str(cloud.failures(INTERFACE, {**own, "ipRange": range_}))
    assert cloud.failures(INTERFACE, {**own, "ipRange": "169.254.10.2/30"}) == []


def test_ranges_and_tunnels_of_a_router_serve_one_interface_each(ends: Ends) -> None:
    tunnel, _ = ends.up()
    two = ends.cloud.create(TUNNEL, ends.tunnel(name="two", vpnGatewayInterface=1), "two")
    with pytest.raises(RefusedError, match="overlaps that of the interface it"):
        ends.cloud.create(INTERFACE, ends.interface(two, name="two", ipRange="169.254.10.1/30"), "two")
    with pytest.raises(RefusedError, match="already linked to the interface it"):
        ends.cloud.create(INTERFACE, ends.interface(tunnel, name="two", ipRange="169.254.10.6/30"), "two")
    assert ends.cloud.create(INTERFACE, ends.interface(two, name="two", ipRange="169.254.10.6/30"), "two").id


def test_an_interface_is_on_its_tunnels_router(ends: Ends) -> None:
    other = {"name": "other", "network": ends.gateway["network"], "region": "us-west1", "bgp": {"asn": 64631}}
    ends.cloud.create(ROUTER, other, "other")
    tunnel = ends.cloud.create(TUNNEL, ends.tunnel())
    with pytest.raises(RefusedError, match="belongs to another router"):
        ends.cloud.create(INTERFACE, ends.interface(tunnel, router="other"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peerAsn": 64630}, "is the router's own"),
        ({"ipAddress": "169.254.10.1"}, "is not the address of its interface"),
        ({"peerIpAddress": "169.254.10.5"}, "no other host"),
        ({"peerIpAddress": "169.254.10.2"}, "no other host"),
        ({"peerIpAddress": "169.254.10.3"}, "no other host"),
        ({"interface": "missing"}, "referenced resource cannot be found"),
    ],
)
def test_a_session_fits_its_interface(ends: Ends, changes: dict[str, Any], said: str) -> None:
    ends.up()
    with pytest.raises(RefusedError, match=said):
        ends.cloud.create(PEER, ends.session(**changes))
    assert ends.cloud.create(PEER, ends.session()).id


def test_a_session_is_there_once_and_holds_its_interface(ends: Ends) -> None:
    _, interface = ends.up()
    session = ends.cloud.create(PEER, ends.session())
    with pytest.raises(RefusedError, match="already has the address"):
        ends.cloud.create(PEER, ends.session(name="two"), "two")
    with pytest.raises(RefusedError, match="already exists"):
        ends.cloud.create(PEER, ends.session(), "again")
    with pytest.raises(RefusedError, match="already being used by"):
        ends.cloud.delete(interface)
    ends.cloud.delete(session)
    ends.cloud.delete(interface)


def test_a_router_without_an_asn_has_no_sessions(ends: Ends) -> None:
    plain = {"name": "plain", "network": ends.gateway["network"], "region": "us-west1"}
    router = ends.cloud.create(ROUTER, plain, "plain")
    tunnel = ends.cloud.create(TUNNEL, ends.tunnel(router=router.id))
    ends.cloud.create(INTERFACE, ends.interface(tunnel, router="plain"))
    with pytest.raises(RefusedError, match="speaks no BGP"):
        ends.cloud.create(PEER, ends.session(router="plain"))


@pytest.mark.parametrize(
    ("bgp", "said"),
    [
        ({"asn": 64630, "keepaliveInterval": 10}, "20 to 60"),
        ({"asn": 3356}, "not a private ASN"),
        ({"asn": 64630, "advertisedIpRanges": [{"range": "10.3.0.0/16"}]}, "advertise mode CUSTOM"),
        ({"asn": 64630, "advertiseMode": "CUSTOM", "advertisedIpRanges": [{"range": "10.3.0.1/16"}]}, "did you mean"),
    ],
)
def test_a_router_speaks_bgp_as_google_lets_it(cloud: Client, bgp: dict[str, Any], said: str) -> None:
    own = {"name": "it", "network": "n", "region": "us-west1"}
    assert said in str(cloud.failures(ROUTER, {**own, "bgp": bgp}))
    fine = {"asn": 64630, "advertiseMode": "CUSTOM", "advertisedIpRanges": [{"range": "10.3.0.0/16"}]}
    assert cloud.failures(ROUTER, {**own, "bgp": {**fine, "keepaliveInterval": 60}}) == []
