from collections.abc import Mapping
from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, Stack, StackCase, changed, joined, without

_RULES = "hashicorp:monitoring:AlertRules"
_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_METRIC = "azure-native:monitor:MetricAlert"
_QUERY = "azure-native:monitor:ScheduledQueryRule"
_POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
_GROUP = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/on-call"
_FLAGS = (False, "false")

# By product and signal: an expression at the runbook's threshold, and one past it.
_SIGNALS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("consul", "no-leader"): ("consul_raft_leader == 0", ""),
    ("consul", "autopilot-unhealthy"): ("consul_autopilot_healthy == 0", ""),
    ("consul", "peers-low"): ("consul_raft_peers < 4", ""),
    ("consul", "cpu-warning"): ("cpu{job='consul'} > 70", "cpu{job='consul'} > 75"),
    ("consul", "cpu-critical"): ("cpu{job='consul'} > 0.85", "cpu85{job='consul'} > 0.95"),
    ("vault", "sealed"): ("vault_core_unsealed == 0", ""),
    ("vault", "no-active-node"): ("sum(vault_core_active) == 0", ""),
    ("vault", "audit-failed"): ("rate(vault_audit_log_request_failure[5m]) > 0", ""),
    ("vault", "memory-warning"): ("memory > 80", "memory > 81"),
    ("vault", "memory-critical"): ("memory > 90", "memory > 9.0"),
    ("nomad", "no-leader"): ("nomad_leader == 0", ""),
    ("nomad", "api-latency-warning"): ("p99 > 0.5", "p99 > 0.05"),
    ("nomad", "api-latency-critical"): ("p99 > 1e3", "p99 > 10000"),
    ("nomad", "servers-unhealthy"): ("nomad_autopilot_healthy == 0", ""),
    ("boundary", "no-controller"): ("up{job='boundary'} == 0", ""),
    ("boundary", "workers-low"): ("count(up) < 2", "count(up) < 1"),
    ("boundary", "database-unreachable"): ("pg_up == 0", ""),
    ("platform", "tunnel-down"): ("tunnels < 4", ""),
    ("platform", "last-tunnel"): ("tunnels == 1", ""),
    ("platform", "mesh-latency-warning"): ("rtt > 0.1", "rtt > 0.15"),
    ("platform", "mesh-latency-critical"): ("rtt > 200", "rtt > 250"),
    ("platform", "sync-warning"): ("lag > 60", "lag > 90"),
    ("platform", "sync-critical"): ("lag > 120", "lag > 180"),
    ("platform", "backup-old"): ("time() - backup > 3600", ""),
    ("platform", "backup-unverified"): ("backup_verified == 0", ""),
    ("platform", "certificate-warning"): ("expires - time() < 30 * 86400", "expires - time() < 20 * 86400"),
    ("platform", "certificate-critical"): ("expires - time() < 604800", "expires - time() < 86400"),
    ("platform", "disk-warning"): ("disk > 0.8", "disk > 0.82"),
    ("platform", "disk-critical"): ("disk > 90", "disk > 95"),
    ("platform", "compliance-warning"): ("rate < 0.95", "rate < 0.94"),
    ("platform", "compliance-critical"): ("rate < 0.90", "rate < 0.80"),
}


def _rule(product: str, signal: str, expr: str) -> dict[str, Any]:
    return {
        "product": product,
        "signal": signal,
        "priority": "P1",
        "expr": expr,
        "forSeconds": 0,
        "routes": ["sms", "chat"],
    }


def _alerts(*rules: dict[str, Any]) -> Held:
    return Held(_RULES, "alerts", {"spec": {"rules": list(rules)}})


_ALL = [_rule(product, signal, expr) for (product, signal), (expr, _) in _SIGNALS.items()]
_CLUSTER = Held("hashicorp:products:VaultCluster", "vault-aws", {"spec": {}})


def _routed(priority: str, *routes: str) -> Stack:
    return (_alerts(*({**rule, "priority": priority, "routes": list(routes)} for rule in _ALL)),)


def _priorities(priority: str, *routes: str) -> StackCase:
    return StackCase(
        ("component",),
        _routed(priority, *routes),
        breaks={
            f"without {route}": lambda _, left=tuple(each for each in routes if each != route): _routed(priority, *left)
            for route in routes
        },
    )


CASES = (
    StackCase(
        ("component",),
        (_alerts(*_ALL), _CLUSTER),
        breaks={
            **{
                f"no {signal} of {product}": changed("alerts", f"spec.rules[{index}]", ABSENT)
                for index, (product, signal) in enumerate(_SIGNALS)
            },
            **{
                f"{signal} of {product} at another threshold": changed("alerts", f"spec.rules[{index}].expr", beyond)
                for index, ((product, signal), (_, beyond)) in enumerate(_SIGNALS.items())
                if beyond
            },
            **{
                f"{path} not known": changed("alerts", f"spec.rules[0].{path}", UNKNOWN)
                for path in ("signal", "product", "priority", "expr", "forSeconds", "routes")
            },
            "rules not known": changed("alerts", "spec.rules", UNKNOWN),
            "no rules": changed("alerts", "spec.rules", []),
            "a signal of another product": changed("alerts", "spec.rules[0].product", "nomad"),
            "no priority": changed("alerts", "spec.rules[0].priority", ABSENT),
            "a priority of its own": changed("alerts", "spec.rules[0].priority", "P4"),
            "no expression": changed("alerts", "spec.rules[0].expr", ""),
            "no delay": changed("alerts", "spec.rules[0].forSeconds", ABSENT),
            "a delay before": changed("alerts", "spec.rules[0].forSeconds", -1),
            "an empty component": lambda _: (_alerts(),),
        },
        advises={"no alert rules": without("alerts")},
    ),
    StackCase(
        ("component",),
        (_alerts(*_ALL[:10]), Held(_RULES, "more", {"spec": {"rules": _ALL[10:]}})),
        breaks={"half of them": without("more")},
    ),
    # A figure may be written in either case.
    StackCase(("component",), (_alerts(*({**rule, "expr": rule["expr"].replace("1e3", "1E3")} for rule in _ALL)),)),
    StackCase(
        ("component",),
        (_alerts(*({**rule, "product": "vault"} if rule["product"] == "platform" else rule for rule in _ALL)),),
    ),
    _priorities("P0", "phone", "sms", "chat"),
    _priorities("P1", "sms", "chat"),
    _priorities("P2", "chat", "mail"),
    _priorities("P3", "mail"),
    StackCase(
        ("component",),
        (Held("random:index/randomPet:RandomPet", "pet"),),
        advises={"a cluster": joined(Held("hashicorp:products:BoundaryCluster", "boundary-aws"))},
    ),
    Case(
        _ALARM,
        {
            "namespace": "AWS/VPN",
            "metricName": "TunnelState",
            "comparisonOperator": "LessThanThreshold",
            "evaluationPeriods": 3,
            "treatMissingData": "breaching",
            "actionsEnabled": True,
            "alarmActions": ["arn:aws:sns:us-west-2:111122223333:on-call"],
        },
        {
            "treatMissingData": ("missing", "notBreaching", ABSENT),
            "actionsEnabled": _FLAGS,
            "alarmActions": (ABSENT, [], [""]),
        },
        indifferent=("alarmActions[]",),
    ),
    *(
        Case(
            _ALARM,
            {
                "namespace": space,
                "metricName": metric,
                "comparisonOperator": "LessThanThreshold",
                "evaluationPeriods": 1,
            },
            {prop: (value,)},
        )
        for space, metric, prop, value in (
            ("AWS/EC2", "TunnelState", "namespace", "AWS/VPN"),
            ("AWS/VPN", "TunnelDataIn", "metricName", "TunnelState"),
        )
    ),
    Case(
        _METRIC,
        {
            "resourceGroupName": "rg",
            "criteria": {"odataType": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"},
            "evaluationFrequency": "PT1M",
            "windowSize": "PT5M",
            "severity": 1,
            "enabled": True,
            "scopes": ["/subscriptions/0/resourceGroups/rg"],
            "actions": [{"actionGroupId": _GROUP}],
        },
        {
            "enabled": (*_FLAGS, ABSENT),
            "scopes": ([], [""], ABSENT),
            "actions": ([], ABSENT),
            "actions[0].actionGroupId": ("", ABSENT),
        },
        indifferent=("scopes[]", "actions[].actionGroupId"),
    ),
    Case(
        _QUERY,
        {"resourceGroupName": "rg", "enabled": True, "actions": {"actionGroups": [_GROUP]}},
        {"enabled": (*_FLAGS, ABSENT), "actions": (ABSENT,), "actions.actionGroups": ([], [""], ABSENT)},
        indifferent=("actions.actionGroups[]",),
    ),
    Case(
        _POLICY,
        {
            "combiner": "OR",
            "displayName": "mesh",
            "conditions": [{"displayName": "A tunnel is down"}],
            "enabled": True,
            "notificationChannels": ["projects/p/notificationChannels/1"],
        },
        {"enabled": _FLAGS, "notificationChannels": (ABSENT, [], [""])},
        indifferent=("notificationChannels[]",),
    ),
)
