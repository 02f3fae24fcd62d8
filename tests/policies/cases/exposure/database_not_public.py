from typing import Any

from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_RDS = {
    "engine": "postgres",
    "instanceClass": "db.m6g.large",
    "publiclyAccessible": False,
    "storageEncrypted": True,
    "iamDatabaseAuthenticationEnabled": True,
}
_FORCED = [{"name": "rds.force_ssl", "value": "1"}]
_SERVER = {"resourceGroupName": "rg", "serverName": "boundary"}
_SUBNET = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/database"
_FIREWALL = {**_SERVER, "firewallRuleName": "office"}
_CONFIGURATION = {**_SERVER, "configurationName": "require_secure_transport", "value": "on"}
_ZERO = "0.0.0.0"  # noqa: S104 - Azure's word for all of its customers
_ADMINS = Settings(admin_cidrs=("198.51.100.0/22",))
_SERVICE = "kubernetes:core/v1:Service"
_PORTS = "spec.ports[].port"


def _sql(mode: str, *known: str) -> dict[str, Any]:
    listed = [{"value": network} for network in known]
    return {
        "databaseVersion": "POSTGRES_16",
        "settings": {
            "tier": "db-custom-2-8192",
            "ipConfiguration": {"ipv4Enabled": False, "sslMode": mode, "authorizedNetworks": listed},
        },
    }


def _service(kind: str, *ports: int, **selector: str) -> dict[str, Any]:
    return {"spec": {"type": kind, "selector": selector, "ports": [{"port": port} for port in ports]}}


CASES = (
    Case(
        "aws:rds/instance:Instance",
        _RDS,
        {"publiclyAccessible": (True, ABSENT, UNKNOWN), "storageEncrypted": (False, ABSENT)},
        advises={"iamDatabaseAuthenticationEnabled": (False, ABSENT)},
    ),
    Case(
        "aws:rds/cluster:Cluster",
        {"engine": "aurora-postgresql", "storageEncrypted": True, "publiclyAccessible": False},
        {"storageEncrypted": (False, ABSENT), "publiclyAccessible": (True, UNKNOWN)},
    ),
    Case("aws:rds/cluster:Cluster", {"engine": "aurora-postgresql", "storageEncrypted": True}),
    Case(
        "aws:rds/clusterInstance:ClusterInstance",
        {"clusterIdentifier": "c", "engine": "aurora-postgresql", "instanceClass": "a", "publiclyAccessible": False},
        {"publiclyAccessible": (True, UNKNOWN)},
    ),
    *(
        Case(
            token,
            {"family": family, "parameters": _FORCED},
            {
                "parameters[0].value": ("0", ABSENT),
                "parameters[0].name": ("log_connections",),
                "parameters": (ABSENT, UNKNOWN, []),
            },
        )
        for token, family in (
            ("aws:rds/parameterGroup:ParameterGroup", "postgres16"),
            ("aws:rds/clusterParameterGroup:ClusterParameterGroup", "aurora-postgresql16"),
        )
    ),
    Case(
        "aws:rds/parameterGroup:ParameterGroup",
        {"family": "mysql8.0"},
        {"family": ("postgres17",)},
    ),
    Case(
        "azure-native:dbforpostgresql:Server",
        {**_SERVER, "network": {"publicNetworkAccess": "Disabled"}},
        {"network.publicNetworkAccess": ("Enabled", ABSENT, UNKNOWN), "network": (ABSENT,)},
    ),
    Case(
        "azure-native:dbforpostgresql:Server",
        {**_SERVER, "network": {"publicNetworkAccess": "Enabled", "delegatedSubnetResourceId": _SUBNET}},
        {"network.delegatedSubnetResourceId": (ABSENT, "")},
        indifferent=("network.delegatedSubnetResourceId",),
    ),
    Case(
        "azure-native:dbforpostgresql:FirewallRule",
        {**_FIREWALL, "startIpAddress": "198.51.100.7", "endIpAddress": "198.51.100.255"},
        {
            "startIpAddress": ("198.51.0.0", _ZERO, "0.0.0.1", "198.51.101.0", "office"),
            "endIpAddress": ("255.255.255.255", "198.51.103.255", ABSENT, UNKNOWN),
        },
    ),
    Case(
        "azure-native:dbforpostgresql:FirewallRule",
        {**_FIREWALL, "startIpAddress": _ZERO, "endIpAddress": "0.0.0.255"},
        {"endIpAddress": (_ZERO, "0.0.1.255")},
    ),
    Case(
        "azure-native:dbforpostgresql:FirewallRule",
        {**_FIREWALL, "startIpAddress": "198.51.100.0", "endIpAddress": "198.51.103.255"},
        {"endIpAddress": ("198.51.107.255",)},
        settings=_ADMINS,
    ),
    Case(
        "azure-native:dbforpostgresql:Configuration",
        _CONFIGURATION,
        {"value": ("off", "OFF", "Off", UNKNOWN)},
    ),
    Case(
        "azure-native:dbforpostgresql:Configuration",
        {**_CONFIGURATION, "configurationName": "pgaudit.log", "value": "off"},
        {"configurationName": ("require_secure_transport",)},
        indifferent=("value",),
    ),
    Case(
        "gcp:sql/databaseInstance:DatabaseInstance",
        _sql("ENCRYPTED_ONLY", "10.0.0.0/8", "198.51.100.0/24"),
        {
            "settings.ipConfiguration.ipv4Enabled": (True, ABSENT, UNKNOWN),
            "settings.ipConfiguration.sslMode": ("ALLOW_UNENCRYPTED_AND_ENCRYPTED", ABSENT),
            "settings.ipConfiguration.authorizedNetworks[1].value": ("0.0.0.0/0", "198.51.100.0/22", UNKNOWN),
        },
    ),
    Case(
        "gcp:sql/databaseInstance:DatabaseInstance",
        _sql("TRUSTED_CLIENT_CERTIFICATE_REQUIRED", "198.51.100.0/22"),
        {"settings.ipConfiguration.sslMode": ("",)},
        settings=_ADMINS,
    ),
    Case(
        "hashicorp:products:BoundaryCluster",
        {"nodes": 3, "database": {"tlsMode": "verify-full"}},
        {"database.tlsMode": ("require", "verify-ca", ABSENT, UNKNOWN), "database": (ABSENT,)},
    ),
    Case("hashicorp:products:BoundaryCluster", {"workers": {"nodes": 2}}, {"nodes": (1, "three"), "database": ({},)}),
    Case("hashicorp:products:BoundaryCluster", {"nodes": 0}, {"database": ({"tlsMode": "disable"},)}),
    Case(
        _SERVICE,
        _service("LoadBalancer", 443, 9200, app="boundary"),
        {
            "spec.ports[0].port": (5432, "5432", 5432.0, UNKNOWN),
            "spec.selector": ({"app": "elasticsearch"}, {}, ABSENT),
        },
    ),
    Case(_SERVICE, _service("NodePort", 443), {"spec.ports[0].port": (5432, 9200)}, indifferent=("spec.selector",)),
    Case(
        _SERVICE,
        _service("ClusterIP", 5432, 9200),
        {"spec.type": ("LoadBalancer", "NodePort")},
        indifferent=(_PORTS, "spec.selector"),
    ),
    Case(
        f"{_SERVICE}List",
        {"items": [_service("LoadBalancer", 9200, app="boundary")]},
        {"items[0].spec.ports[0].port": (5432, UNKNOWN), "items[0].spec.selector": ({"app": "elasticsearch"},)},
    ),
)
