"""What Google Cloud refuses of balancers, names and questions: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource
from tests.sandbox.cloud.gcp.ground import ADDRESS, SUBNETWORK, Ground, ground

CHECK = "gcp:compute/regionHealthCheck:RegionHealthCheck"
SERVICE = "gcp:compute/regionBackendService:RegionBackendService"
TARGET = "gcp:compute/regionTargetTcpProxy:RegionTargetTcpProxy"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
DNS_ZONE, RECORD = "gcp:dns/managedZone:ManagedZone", "gcp:dns/recordSet:RecordSet"
PORTS = [{"name": "port-8501", "port": 8501}]


def _service(found: Ground, scheme: str, **changes: object) -> Resource:
    check = found.cloud.create(CHECK, {"name": scheme[-5:].lower().strip("_"), "httpsHealthCheck": {"port": 1}}, scheme)
    group = found.group(f"group-{len(scheme)}", namedPorts=PORTS)
    mode = "CONNECTION" if scheme == "INTERNAL" else "UTILIZATION"
    inputs = {
        "name": f"service-{len(scheme)}",
        "loadBalancingScheme": scheme,
        "healthChecks": check.id,
        "backends": [{"group": group.id, "balancingMode": mode}],
        **changes,
    }
    return found.cloud.create(SERVICE, inputs, scheme)


def _front(found: Ground, **changes: object) -> dict[str, Any]:
    inside = {"network": found.network.id, "subnetwork": found.subnetwork.id}
    return {"name": "front", "region": "us-west1", "ipProtocol": "TCP", **inside, **changes}


def _address(found: Ground, purpose: str = "SHARED_LOADBALANCER_VIP") -> Resource:
    inside = {"addressType": "INTERNAL", "subnetwork": found.subnetwork.id, "purpose": purpose}
    return found.cloud.create(ADDRESS, {**inside, "name": "front", "address": "10.3.1.60"}, "front")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"httpsHealthCheck": None}, "exactly one protocol"),
        ({"tcpHealthCheck": {"port": 1}}, "exactly one protocol"),
        ({"timeoutSec": 11}, "more than checkIntervalSec"),
        ({"httpsHealthCheck": {"port": 70000}}, "1 to 65535"),
        ({"httpsHealthCheck": {"port": 1, "response": "ü"}}, "ASCII"),
    ],
)
def test_a_check_asks_one_question(cloud: Client, changes: dict[str, Any], said: str) -> None:
    fine = {
        "name": "it",
        "checkIntervalSec": 10,
        "timeoutSec": 10,
        "httpsHealthCheck": {"port": 8501, "response": '"10.'},
    }
    assert said in str(cloud.failures(CHECK, {**fine, **changes}))
    assert cloud.failures(CHECK, fine) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backends": [{"group": "g", "balancingMode": "UTILIZATION"}]}, "must be CONNECTION"),
        ({"backends": [{"group": "g", "balancingMode": "CONNECTION", "capacityScaler": 1.0}]}, "not supported"),
        ({"portName": "port-8501"}, "the port stays as it is"),
    ],
)
def test_a_passthrough_service_passes_on(cloud: Client, changes: dict[str, Any], said: str) -> None:
    fine = {
        "name": "it",
        "loadBalancingScheme": "INTERNAL",
        "backends": [{"group": "g", "balancingMode": "CONNECTION"}],
    }
    assert said in str(cloud.failures(SERVICE, {**fine, **changes}))
    assert cloud.failures(SERVICE, fine) == []


def test_a_proxy_sends_to_a_port_that_its_groups_name(cloud: Client) -> None:
    found = ground(cloud)
    with pytest.raises(RefusedError, match="no port named port-8500"):
        _service(found, "INTERNAL_MANAGED", portName="port-8500")
    group = found.group("second", namedPorts=PORTS)
    backends = [{"group": group.id, "balancingMode": "UTILIZATION"}]
    inputs = {"name": "it", "loadBalancingScheme": "INTERNAL_MANAGED", "portName": "port-8501", "backends": backends}
    assert cloud.create(SERVICE, inputs).id
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(group)


def test_a_proxy_stands_before_a_service_for_proxies(cloud: Client) -> None:
    found = ground(cloud)
    with pytest.raises(RefusedError, match="has not the scheme INTERNAL_MANAGED"):
        cloud.create(TARGET, {"name": "it", "backendService": _service(found, "INTERNAL").id})
    assert cloud.create(TARGET, {"name": "it", "backendService": _service(found, "INTERNAL_MANAGED").id}).id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ports": [str(port) for port in range(1, 7)]}, "at most 5"),
        ({"ports": ["https"]}, "not a port"),
        ({"allPorts": True}, "cannot be given together"),
        ({"backendService": None}, "must be given with the scheme INTERNAL"),
        ({"subnetwork": None}, "must be given with the scheme INTERNAL"),
    ],
)
def test_a_passthrough_front_is_complete(cloud: Client, changes: dict[str, Any], said: str) -> None:
    fine = {
        "name": "it",
        "loadBalancingScheme": "INTERNAL",
        "backendService": "s",
        "subnetwork": "n",
        "ports": ["8200"],
    }
    assert said in str(cloud.failures(RULE, {**fine, **changes}))
    assert cloud.failures(RULE, fine) == []


def test_a_proxied_front_has_one_port_and_proxies_behind_it(cloud: Client) -> None:
    found = ground(cloud)
    target = cloud.create(TARGET, {"name": "it", "backendService": _service(found, "INTERNAL_MANAGED").id})
    front = _front(found, loadBalancingScheme="INTERNAL_MANAGED", target=target.id, portRange="8500")
    for wrong in ({"portRange": "8500-8501"}, {"portRange": None, "ports": ["8500"]}):
        assert "one port" in str(cloud.failures(RULE, {**front, **wrong}))
    with pytest.raises(RefusedError, match="proxy-only subnetwork is required"):
        cloud.create(RULE, front)
    proxies = {"name": "proxy", "network": found.network.id, "ipCidrRange": "10.3.21.0/24", "region": "us-west1"}
    cloud.create(SUBNETWORK, {**proxies, "purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE"}, "proxy")
    assert cloud.create(RULE, front).id


def test_one_address_is_shared_by_purpose_and_by_port(cloud: Client) -> None:
    found = ground(cloud)
    service, address = _service(found, "INTERNAL"), _address(found)
    front = _front(found, loadBalancingScheme="INTERNAL", backendService=service.id, ipAddress=address.id)
    first = cloud.create(RULE, {**front, "ports": ["8200"]}, "first")
    assert first["ipAddress"] == "10.3.1.60"
    with pytest.raises(RefusedError, match="conflict with those of the rule"):
        cloud.create(RULE, {**front, "name": "second", "ports": ["8200", "8201"]}, "second")
    assert cloud.create(RULE, {**front, "name": "second", "ports": ["8201"]}, "second").id
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(address)
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(service)


def test_an_address_for_one_is_not_shared(cloud: Client) -> None:
    found = ground(cloud)
    service, address = _service(found, "INTERNAL"), _address(found, "GCE_ENDPOINT")
    front = _front(found, loadBalancingScheme="INTERNAL", backendService=service.id, ipAddress=address.id)
    cloud.create(RULE, {**front, "ports": ["8200"]}, "first")
    with pytest.raises(RefusedError, match="has the purpose GCE_ENDPOINT"):
        cloud.create(RULE, {**front, "name": "second", "ports": ["8201"]}, "second")


def _zone(found: Ground, **changes: object) -> dict[str, Any]:
    seen = {"networks": [{"networkUrl": found.network.id}]}
    names = {"name": "private", "dnsName": "hashicorp.example.com."}
    return {**names, "visibility": "private", "privateVisibilityConfig": seen, **changes}


def test_names_end_with_a_dot(cloud: Client) -> None:
    found = ground(cloud)
    record = {"managedZone": "private", "name": "vault.hashicorp.example.com.", "type": "A", "rrdatas": ["10.3.1.20"]}
    assert "must end with a dot" in str(cloud.failures(DNS_ZONE, _zone(found, dnsName="hashicorp.example.com")))
    assert "networks that may see it" in str(cloud.failures(DNS_ZONE, _zone(found, privateVisibilityConfig=None)))
    assert "must end with a dot" in str(cloud.failures(RECORD, {**record, "name": "vault.hashicorp.example.com"}))
    assert "not an IPv4 address" in str(cloud.failures(RECORD, {**record, "rrdatas": ["vault"]}))
    assert "must be given" in str(cloud.failures(RECORD, {**record, "rrdatas": []}))
    assert cloud.failures(DNS_ZONE, _zone(found)) == []
    assert cloud.failures(RECORD, record) == []


def test_a_record_lies_in_its_zone_and_holds_it(cloud: Client) -> None:
    found = ground(cloud)
    zone = cloud.create(DNS_ZONE, _zone(found))
    record = {"managedZone": "private", "name": "vault.hashicorp.example.com.", "type": "A", "rrdatas": ["10.3.1.20"]}
    with pytest.raises(RefusedError, match="does not lie in the zone"):
        cloud.create(RECORD, {**record, "name": "vault.example.com."})
    made = cloud.create(RECORD, record)
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create(RECORD, record, "again")
    with pytest.raises(RefusedError, match="containerNotEmpty"):
        cloud.delete(zone)
    cloud.delete(made)
    cloud.delete(zone)


def test_a_network_sees_one_zone_of_a_name(cloud: Client) -> None:
    found, other = ground(cloud), ground(cloud, "other")
    cloud.create(DNS_ZONE, _zone(found))
    with pytest.raises(RefusedError, match="managedPrivateZoneConflict"):
        cloud.create(DNS_ZONE, _zone(found, name="second"), "second")
    assert cloud.create(DNS_ZONE, _zone(other, name="second"), "second").id


def test_a_program_learns_whose_credentials_it_has(cloud: Client) -> None:
    assert cloud.invoke("gcp:organizations/getClientConfig:getClientConfig")["project"] == "platform-sandbox"
    found = cloud.invoke("gcp:organizations/getProject:getProject", {"projectId": "platform-sandbox"})
    assert found["number"] == "123456789012"
    with pytest.raises(RefusedError, match="does not have permission"):
        cloud.invoke("gcp:organizations/getProject:getProject", {"projectId": "another-project"})


def test_a_program_learns_whether_a_machine_is_guarded(cloud: Client) -> None:
    ground(cloud).boot(deletionProtection=True)
    asked = {"name": "it", "zone": "us-west1-a"}
    assert cloud.invoke("gcp:compute/getInstance:getInstance", asked)["deletionProtection"] is True
    with pytest.raises(RefusedError, match="was not found"):
        cloud.invoke("gcp:compute/getInstance:getInstance", {**asked, "name": "none"})
