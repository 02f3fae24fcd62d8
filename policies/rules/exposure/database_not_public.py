"""Databases have no public address, take no clear text and are encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, summarize_address_range

from policies.concepts.addresses import Networks, is_world, networks
from policies.concepts.clusters import BOUNDARY
from policies.concepts.services import SERVICE, of_kind
from policies.conditions import FALSE, NOT_TRUE, PRESENT, TRUE, advised, none_of, one_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_int

_RDS = "aws:rds/instance:Instance"
_SERVER = "azure-native:dbforpostgresql:Server"
_GOOGLE = "gcp:sql/databaseInstance:DatabaseInstance"
_SETTINGS = "settings.ipConfiguration"
_POSTGRESQL, _ELASTICSEARCH = 5432, 9200


def _forced(group: Resource, _: Context) -> Iterator[Finding]:
    if not str(group.get("family")).startswith(("postgres", "aurora-postgresql")):
        return
    for parameter in group.each("parameters[]"):
        if parameter.get("name") == "rds.force_ssl" and as_int(parameter.get("value")) == 1:
            return
    yield Finding("parameters", "must set `rds.force_ssl` to 1")


def _apart(server: Resource, _: Context) -> Iterator[Finding]:
    delegated = server.at("network.delegatedSubnetResourceId")
    if server.get("network.publicNetworkAccess") != "Disabled" and not PRESENT.holds(delegated.value):
        yield Finding("network.publicNetworkAccess", "must be Disabled, or the server must stand in a subnet")


def _admits(rule: Resource, context: Context) -> Iterator[Finding]:
    first, last = rule.get("startIpAddress"), rule.get("endIpAddress")
    if first == last == "0.0.0.0":  # noqa: S104 - Azure's word for all of its customers
        yield Finding("startIpAddress", "must not be 0.0.0.0, which admits every customer of Azure")
        return
    trusted = networks(context.settings.admin_cidrs)
    if any(is_world(str(network), trusted) for network in _between(first, last)):
        yield Finding("startIpAddress", "must not begin a range as wide as the internet")


def _between(first: object, last: object) -> Networks:
    """All addresses from the first to the last; every address where one of them cannot be read."""
    try:
        return tuple(summarize_address_range(IPv4Address(str(first)), IPv4Address(str(last))))
    except ValueError:
        return networks(("0.0.0.0/0",))


def _listed(instance: Resource, context: Context) -> Iterator[Finding]:
    trusted = networks(context.settings.admin_cidrs)
    for network in instance.each(f"{_SETTINGS}.authorizedNetworks[].value"):
        if is_world(network.known(), trusted):
            yield Finding(network.path, "must not be the internet")


def _inside(service: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    if service.get("spec.type") not in ("LoadBalancer", "NodePort"):
        return
    for port in service.each("spec.ports[].port"):
        number = as_int(port.known())
        if number == _POSTGRESQL or (number == _ELASTICSEARCH and not _of_boundary(service)):
            yield Finding(port.path, f"must not be {number} where the Service is reached from outside the cluster")


def _of_boundary(service: Node) -> bool:
    """Whether a Service leads to Boundary's API, which has the port of Elasticsearch."""
    return any("boundary" in str(text.value) for text in service.at("spec.selector").texts())


def _has_controllers(cluster: Resource) -> bool:
    """Whether the cluster has more than workers, who need no database."""
    nodes = cluster.get("nodes")
    return (nodes is not ABSENT and as_int(nodes) != 0) or not cluster.at("database").absent


RULE = Rule(
    "database-not-public",
    (
        on(_RDS, need("publiclyAccessible", FALSE), need("storageEncrypted", TRUE), unknown="fail"),
        on(_RDS, need("iamDatabaseAuthenticationEnabled", advised(TRUE))),
        on(
            "aws:rds/cluster:Cluster",
            need("storageEncrypted", TRUE),
            need("publiclyAccessible", NOT_TRUE),
            unknown="fail",
        ),
        on("aws:rds/clusterInstance:ClusterInstance", need("publiclyAccessible", NOT_TRUE), unknown="fail"),
        Check(
            ("aws:rds/parameterGroup:ParameterGroup", "aws:rds/clusterParameterGroup:ClusterParameterGroup"),
            _forced,
            ("family", "parameters[].name", "parameters[].value"),
            unknown="fail",
        ),
        Check(
            (_SERVER,),
            _apart,
            ("network.publicNetworkAccess", "network.delegatedSubnetResourceId"),
            unknown="fail",
        ),
        Check(
            ("azure-native:dbforpostgresql:FirewallRule",),
            _admits,
            ("startIpAddress", "endIpAddress"),
            unknown="fail",
        ),
        on(
            "azure-native:dbforpostgresql:Configuration",
            need("value", none_of("off", "OFF", "Off")),
            unknown="fail",
            when=lambda setting: setting.get("configurationName") == "require_secure_transport",
            reads=("configurationName",),
        ),
        on(
            _GOOGLE,
            need(f"{_SETTINGS}.ipv4Enabled", FALSE),
            need(f"{_SETTINGS}.sslMode", one_of("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")),
            unknown="fail",
        ),
        Check((_GOOGLE,), _listed, (f"{_SETTINGS}.authorizedNetworks[].value",), unknown="fail"),
        on(
            BOUNDARY,
            need("database.tlsMode", one_of("verify-full")),
            unknown="fail",
            when=_has_controllers,
            reads=("nodes",),
        ),
        *of_kind(SERVICE, _inside, ("spec.type", "spec.ports[].port", "spec.selector"), "fail"),
    ),
)
