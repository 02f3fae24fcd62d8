"""Control planes, keys, buckets, databases and VPN gateways log what is done with them."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.addresses import is_member, networks
from policies.concepts.backups import ACCOUNT, S3_BUCKET, held
from policies.conditions import PRESENT, TRUE, advised
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, need, on
from policies.values import as_bool

_BUCKET_LOGGING = "aws:s3/bucketLogging:BucketLogging"
_TRAIL = "aws:cloudtrail/trail:Trail"

_SETTING = "azure-native:monitor:DiagnosticSetting"
_ACTIVITY = "azure-native:monitor:SubscriptionDiagnosticSetting"
_LOGGING = (
    "azure-native:containerservice:ManagedCluster",
    "azure-native:keyvault:Vault",
    ACCOUNT,
    "azure-native:network:VirtualNetworkGateway",
)
"""Types of Azure whose every resource has a diagnostic setting."""
_GROUPS = frozenset({"audit", "allLogs"})
_ENOUGH = (
    frozenset({"kube-apiserver", "kube-audit"}),
    frozenset({"AuditEvent"}),
    frozenset({"StorageRead", "StorageWrite", "StorageDelete"}),
    frozenset({"GatewayDiagnosticLog", "TunnelDiagnosticLog", "RouteDiagnosticLog", "IKEDiagnosticLog"}),
)
"""Categories that, together, say as much as the group `audit`."""
_DESTINATIONS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId")


def _holding(token: str, path: str, *wanted: str) -> Check:
    """A check that a list holds some texts."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        held = {node.known() for node in resource.each(f"{path}[]")}
        missing = [each for each in wanted if each not in held]
        if missing:
            yield Finding(path, f"must hold {', '.join(missing)}")

    return Check((token,), judge, (f"{path}[]",), unknown="fail")


def _tunnels(number: int) -> tuple[str, str]:
    options = f"tunnel{number}LogOptions.cloudwatchLogOptions"
    return f"{options}.logEnabled", f"{options}.bgpLogEnabled"


def _said(setting: Resource, _: Context) -> Iterator[Finding]:
    told: set[str] = set()
    for log in setting.each("logs[]"):
        if as_bool(log.get("enabled")):
            told |= {str(log.get("category")), str(log.get("categoryGroup"))}
    if not told & _GROUPS and not any(map(told.issuperset, _ENOUGH)):
        yield Finding("logs", "must enable the group audit or allLogs, or all categories that make it up")


def _kept(setting: Resource, _: Context) -> Iterator[Finding]:
    if not any(PRESENT.holds(setting.at(path).value) for path in _DESTINATIONS):
        yield Finding("", f"must have a destination: {' or '.join(_DESTINATIONS)}")


def _logged(rule: Resource, context: Context) -> Iterator[Finding]:
    """What the platform's own machines send each other is in the flow log."""
    if rule.get("direction") == "EGRESS" or PRESENT.holds(rule.get("logConfig.metadata")):
        return
    sources = [node.known() for node in rule.each("sourceRanges[]")]
    mesh = networks(context.settings.mesh_cidrs)
    named = any(True for path in ("sourceTags[]", "sourceServiceAccounts[]") for _ in rule.each(path))
    if not all(is_member(source, mesh) for source in sources) or not (sources or named):
        yield Finding("logConfig", "must be set, since the rule is about sources outside the platform")


def _every_azure_resource(world: World, _: Context) -> Iterator[Finding]:
    for resource in world.of(*_LOGGING):
        # What keeps the others' logs cannot tell of itself to itself.
        if list(world.depending(resource, "storageAccountId", _SETTING, _ACTIVITY)):
            continue
        if not list(world.depending(resource, "resourceUri", _SETTING)):
            yield about(resource, Finding("", "has no diagnostic setting of this stack"))


def _every_backup(world: World, _: Context) -> Iterator[Finding]:
    for bucket in held(world, S3_BUCKET):
        told = [
            *world.depending(bucket, "bucket", _BUCKET_LOGGING),
            *world.depending(bucket, "eventSelectors", _TRAIL),
            *world.depending(bucket, "advancedEventSelectors", _TRAIL),
        ]
        if not told:
            yield about(bucket, advice("", "holds backups and has neither an access log nor a trail of its objects"))


RULE = Rule(
    "control-plane-logs",
    (
        _holding("aws:eks/cluster:Cluster", "enabledClusterLogTypes", "api", "audit", "authenticator"),
        on(
            "aws:ec2/vpnConnection:VpnConnection",
            *(need(path, TRUE) for number in (1, 2) for path in _tunnels(number)),
            unknown="fail",
        ),
        _holding("aws:rds/instance:Instance", "enabledCloudwatchLogsExports", "postgresql"),
        _holding("aws:rds/cluster:Cluster", "enabledCloudwatchLogsExports", "postgresql"),
        on("aws:lb/loadBalancer:LoadBalancer", need("accessLogs.enabled", advised(TRUE))),
        on(_BUCKET_LOGGING, need("targetBucket", PRESENT)),
        Check((_SETTING,), _said, ("logs[].category", "logs[].categoryGroup", "logs[].enabled"), unknown="fail"),
        Check((_SETTING,), _kept, _DESTINATIONS),
        _holding("gcp:container/cluster:Cluster", "loggingConfig.enableComponents", "SYSTEM_COMPONENTS", "APISERVER"),
        Check(
            ("gcp:compute/firewall:Firewall",),
            _logged,
            ("direction", "logConfig.metadata", "sourceRanges[]", "sourceTags[]", "sourceServiceAccounts[]"),
            unknown="fail",
        ),
        across(
            _every_azure_resource,
            *((token, ()) for token in _LOGGING),
            (_SETTING, ("resourceUri", "storageAccountId")),
            (_ACTIVITY, ("storageAccountId",)),
        ),
        across(
            _every_backup,
            (S3_BUCKET, ()),
            (_BUCKET_LOGGING, ("bucket",)),
            (_TRAIL, ("eventSelectors[]", "advancedEventSelectors[]")),
        ),
    ),
)
