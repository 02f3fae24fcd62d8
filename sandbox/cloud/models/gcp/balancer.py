"""Google Cloud internal balancers: health checks, backend services, proxies, forwarding rules.

Source: Compute Engine API reference, forwardingRules, regionBackendServices; Cloud Load Balancing, "Forwarding rules",
"Backend services" (balancing modes), "Proxy-only subnets".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.groups import GROUP, HEALTH_CHECKS, MANAGER
from sandbox.cloud.models.gcp.interfaces import ADDRESS, RULE, SUBNETWORK, place
from sandbox.cloud.models.gcp.names import COMPUTE, elsewhere, given
from sandbox.cloud.models.gcp.network import NETWORK, PROXY
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value, is_known, plain

SERVICE: Final = "gcp:compute/regionBackendService:RegionBackendService"
TARGET: Final = "gcp:compute/regionTargetTcpProxy:RegionTargetTcpProxy"
_PASSED, _PROXIED = "INTERNAL", "INTERNAL_MANAGED"
_SHARED: Final = "SHARED_LOADBALANCER_VIP"
_MOST_PORTS, _MOST_RULES = 5, 10
_PROTOCOLS: Final = ("http", "https", "http2", "tcp", "ssl", "grpc", "grpcTls")

check = model(
    HEALTH_CHECKS[1],
    name=COMPUTE,
    immutable=(),
    outputs={
        "healthCheckId": 0,
        "checkIntervalSec": 5,
        "timeoutSec": 5,
        "healthyThreshold": 2,
        "unhealthyThreshold": 2,
    },
)
service = model(
    SERVICE,
    name=COMPUTE,
    references=(
        Ref("healthChecks", HEALTH_CHECKS), Ref("backends[*].group", (GROUP, MANAGER)), Ref("network", (NETWORK,)),
    ),
    immutable=("loadBalancingScheme", "network"),
    outputs={"loadBalancingScheme": _PASSED, "protocol": "TCP", "generatedId": 0, "fingerprint": "{hex8}="},
)  # fmt: skip
target = model(
    TARGET,
    name=COMPUTE,
    references=(Ref("backendService", (SERVICE,)),),
    immutable=("backendService", "description", "proxyHeader", "proxyBind"),
    outputs={"proxyId": 0},
)
rule = model(
    RULE,
    name=COMPUTE,
    references=(
        Ref("backendService", (SERVICE,)), Ref("target", (TARGET,)), Ref("network", (NETWORK,)),
        Ref("subnetwork", (SUBNETWORK,)), Ref("ipAddress", (ADDRESS,), external=r"[\d.]+"),
    ),
    immutable=(
        "allPorts", "backendService", "description", "ipAddress", "ipProtocol", "loadBalancingScheme", "network",
        "networkTier", "portRange", "ports", "serviceLabel", "subnetwork",
    ),
    outputs={"loadBalancingScheme": "EXTERNAL", "ipProtocol": "TCP", "forwardingRuleId": 0},
)  # fmt: skip


@check.check
def _one_protocol(draft: Draft) -> Iterator[Failure]:
    checked = [name for name in _PROTOCOLS if draft.get(f"{name}HealthCheck") is not None]
    if len(checked) != 1:
        yield draft.fail("", f"exactly one protocol must be checked, got {checked or 'none'}")
    every, wait = draft.known("checkIntervalSec") or 5, draft.known("timeoutSec") or 5
    if wait > every:
        yield draft.fail("timeoutSec", f"{wait:.0f} is more than checkIntervalSec, {every:.0f}")
    for name in checked:
        port, body = draft.known(f"{name}HealthCheck.port"), draft.known(f"{name}HealthCheck.response")
        if isinstance(port, (int, float)) and not 1 <= port <= 65535:
            yield draft.fail(f"{name}HealthCheck.port", f"expected a value in the range 1 to 65535, got {port:.0f}")
        if isinstance(body, str) and not (body.isascii() and len(body) <= 1024):
            yield draft.fail(f"{name}HealthCheck.response", "must be ASCII of at most 1024 characters")


@service.check
def _mode(draft: Draft) -> Iterator[Failure]:
    scheme = draft.known("loadBalancingScheme") or _PASSED
    for path, backend in draft.each("backends[*]"):
        mode = backend.get("balancingMode") if is_known(backend) else None
        if scheme == _PASSED and mode not in (None, "CONNECTION"):
            yield draft.fail(f"{path}.balancingMode", f"must be CONNECTION with the scheme {_PASSED}, got {mode}")
        for name in ("capacityScaler", "maxUtilization", "maxConnections", "maxConnectionsPerInstance"):
            if scheme == _PASSED and backend.get(name) is not None:
                yield draft.fail(f"{path}.{name}", f"is not supported with the scheme {_PASSED}")
    if scheme == _PASSED and draft.get("portName") is not None:
        yield draft.fail("portName", f"is not supported with the scheme {_PASSED}: the port stays as it is")


@service.admit
def _backends(draft: Draft) -> None:
    for path, value in draft.each("backends[*].group"):
        group = draft.find(GROUP, value)
        if group is None:
            continue
        if str(group["zone"]).rpartition("-")[0] != draft.scope("region"):
            message = (
                f"Invalid value for field 'resource.{path}': '{group.id}' does not lie in {draft.scope('region')}."
            )
            raise draft.refuse("invalid", message)
        ports = {port.get("name") for port in group["namedPorts"] or ()}
        wanted = draft.get("portName")
        if wanted is not None and wanted not in ports:
            message = f"Invalid value for field 'resource.portName': '{group.id}' has no port named {wanted}."
            raise draft.refuse("invalid", message)


@target.admit
def _through_proxies(draft: Draft) -> None:
    found = draft.find(SERVICE, draft.get("backendService"))
    if found and found["loadBalancingScheme"] != _PROXIED:
        raise draft.refuse("invalid", f"The backend service '{found.id}' has not the scheme {_PROXIED}.")


def _ports(properties: Mapping[str, Value]) -> set[int] | None:
    """Ports of a rule; None for all of them."""
    if properties.get("allPorts"):
        return None
    found: set[int] = set()
    for part in [*(properties.get("ports") or ()), *filter(None, [properties.get("portRange")])]:
        first, _, final = str(part).partition("-")
        found |= set(range(int(first), int(final or first) + 1))
    return found


@rule.check
def _spelled(draft: Draft) -> Iterator[Failure]:
    spans = given(draft, "allPorts", "ports", "portRange")
    if len(spans) > 1:
        yield draft.fail(spans[1], f"cannot be given together with {spans[0]}")
    ports = draft.known("ports")
    if isinstance(ports, list) and len(ports) > _MOST_PORTS:
        yield draft.fail("ports", f"{len(ports)} ports; at most {_MOST_PORTS} a rule")
    for name in ("ports[*]", "portRange"):
        for path, value in draft.each(name):
            if isinstance(value, str) and not re.fullmatch(r"\d{1,5}(-\d{1,5})?", value):
                yield draft.fail(path, f"'{value}' is not a port or a range of ports")


@rule.check
def _complete(draft: Draft) -> Iterator[Failure]:
    scheme = draft.known("loadBalancingScheme")
    for path in {_PASSED: ("backendService", "subnetwork"), _PROXIED: ("target", "subnetwork")}.get(scheme, ()):
        if not given(draft, path):
            yield draft.fail(path, f"must be given with the scheme {scheme} in a network with custom subnetworks")
    span = draft.known("portRange")
    several = isinstance(span, str) and len(set(span.split("-"))) > 1
    if scheme == _PROXIED and (several or given(draft, "ports", "allPorts")):
        yield draft.fail("portRange", f"one port must be given with the scheme {_PROXIED}")


@rule.admit
def _reachable(draft: Draft) -> None:
    if draft.get("loadBalancingScheme") != _PROXIED:
        return
    own = draft.find(NETWORK, draft.get("network"))
    for record in draft.others(SUBNETWORK, purpose=PROXY, role="ACTIVE"):
        if draft.find(NETWORK, record["network"]) == own and not elsewhere(draft, record, "region"):
            return
    message = "An active proxy-only subnetwork is required in the same region and VPC as the forwarding rule."
    raise draft.refuse("invalid", message)


@rule.compute
def _address(draft: Draft) -> dict[str, Value]:
    """The address itself, whichever way it was named; rules on one address must share it by purpose, not by port."""
    reserved = draft.find(ADDRESS, draft.get("ipAddress"))
    subnetwork = draft.find(SUBNETWORK, draft.get("subnetwork"))
    if reserved is None:
        held = draft.kept("ipAddress")
        return {"ipAddress": held or (place(draft, subnetwork, draft.get("ipAddress")) if subnetwork else "198.18.0.2")}
    others = [other for other in draft.others(RULE) if address(other["ipAddress"]) == address(reserved["address"])]
    if others and (reserved["purpose"] != _SHARED or len(others) >= _MOST_RULES):
        message = f"Specified IP address is in-use: {reserved['address']} has the purpose {reserved['purpose']}."
        raise draft.refuse("IP_IN_USE_BY_ANOTHER_RESOURCE", message)
    wanted = _ports(draft.inputs)
    for other in others:
        theirs = _ports(plain(other.inputs))
        if wanted is None or theirs is None or wanted & theirs:
            message = f"The address and port of '{draft.name}' conflict with those of the rule '{other.id}'."
            raise draft.refuse("IP_IN_USE_BY_ANOTHER_RESOURCE", message)
    return {"ipAddress": reserved["address"]}
