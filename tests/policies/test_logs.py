"""Logs and alerts, where a case does not say it: what is told nothing, and where a finding points."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.concepts.clusters import BOUNDARY
from policies.resource import World
from policies.rule import Rule
from policies.rules.logging import alerts_complete, network_flow_logs, product_audit_sinks
from policies.values import ABSENT
from tests.policies.case import Case, StackCase, patched, world
from tests.policies.cases.logging.alerts_complete import CASES as ALERTS
from tests.policies.cases.logging.network_flow_logs import CASES as FLOWS
from tests.policies.cases.logging.product_audit_sinks import CASES as SINKS
from tests.policies.watching import Watch, related


@pytest.mark.parametrize("case", [case for case in ALERTS if isinstance(case, StackCase)])
def test_a_stack_with_alerts_or_without_clusters_is_told_nothing(case: StackCase) -> None:
    assert not alerts_complete.RULE.judge_stack(world(case.good), case.context)


@pytest.mark.parametrize(
    ("token", "path"),
    [
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "alarmActions"),
        ("azure-native:monitor:MetricAlert", "actions"),
        ("azure-native:monitor:MetricAlert", "scopes"),
        ("azure-native:monitor:ScheduledQueryRule", "actions.actionGroups"),
        ("gcp:monitoring/alertPolicy:AlertPolicy", "notificationChannels"),
    ],
)
def test_an_alert_that_reaches_nobody_is_told_which_list_is_empty(token: str, path: str) -> None:
    case = next(case for case in ALERTS if isinstance(case, Case) and case.type == token)
    found = alerts_complete.RULE.judge(case.resource(patched(case.good, path, ABSENT)), case.context)
    assert [finding.path for finding in found] == [path]


@pytest.mark.parametrize("interval", ["INTERVAL_5_SEC", "INTERVAL_30_SEC", "INTERVAL_1_MIN"])
def test_flows_written_down_each_minute_or_oftener_are_told_nothing(interval: str) -> None:
    (case, *_) = [case for case in FLOWS if isinstance(case, Case) and "aggregationInterval" in str(case.good)]
    often = replace(case, good=patched(case.good, "logConfig.aggregationInterval", interval))
    assert not network_flow_logs.RULE.judge(often.resource(), often.context)


def test_what_decides_of_a_servers_own_log_is_said() -> None:
    (check,) = (check for check in product_audit_sinks.RULE.on_resources if BOUNDARY not in check.types)
    watch = Watch()
    for case in SINKS:
        if check.concerns(case.resource()):
            (watched,) = watch.world(World((case.resource(),))).resources
            Rule(product_audit_sinks.RULE.id, (check,)).judge(watched, case.context)
    assert watch.seen
    assert not {read for _, read in watch.seen if not any(related(read, path) for path in check.reads)}
