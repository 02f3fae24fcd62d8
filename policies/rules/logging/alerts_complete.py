"""Every failure that matters has an alert, and every alert reaches somebody."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from policies.concepts.clusters import CLUSTERS
from policies.concepts.signals import ALERT_RULES, PLATFORM, REQUIRED, ROUTES, Signal
from policies.conditions import LITERAL, NOT_FALSE, PRESENT, TRUE, one_of
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, demand, need, on
from policies.values import as_int

_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])", re.IGNORECASE)
_READS = tuple(f"spec.rules[].{name}" for name in ("signal", "product", "priority", "expr", "forSeconds", "routes[]"))


def _declared(world: World, _: Context) -> Iterator[Finding]:
    components = list(world.of(ALERT_RULES))
    if not components and any(True for _ in world.of(*CLUSTERS)):
        yield advice("", "declares no alert rules")
    rules = [rule for component in components for rule in component.each("spec.rules[]")]
    for component in components:
        for rule in component.each("spec.rules[]"):
            for finding in _routed(rule):
                yield about(component, finding)
    if components:
        for product, signals in REQUIRED.items():
            missing = [signal.name for signal in signals if not _told(rules, product, signal)]
            if missing:
                problem = f"must hold the signals of {product} at their thresholds: {', '.join(missing)}"
                yield about(components[0], Finding("spec.rules", problem))


def _told(rules: Sequence[Node], product: str, signal: Signal) -> bool:
    return any(
        rule.get("signal") == signal.name
        and product in (PLATFORM, rule.get("product"))
        and _compares(rule.get("expr"), signal)
        for rule in rules
    )


def _compares(expression: object, signal: Signal) -> bool:
    """Whether an expression holds the figure of a signal."""
    numbers = [float(each) for each in _NUMBER.findall(str(expression))]
    return not signal.threshold or any(
        math.isclose(number, threshold) for number in numbers for threshold in signal.threshold
    )


def _routed(rule: Node) -> Iterator[Finding]:
    priority, channels = rule.get("priority"), {node.known() for node in rule.each("routes[]")}
    if priority not in ROUTES:
        yield Finding(rule.at("priority").path, one_of(*ROUTES).says)
    elif not channels >= ROUTES[priority]:
        missing = sorted(ROUTES[priority] - channels)
        yield Finding(rule.at("routes").path, f"must hold {', '.join(missing)} for this priority")
    if not LITERAL.holds(rule.get("expr")):
        yield Finding(rule.at("expr").path, LITERAL.says)
    seconds = as_int(rule.get("forSeconds"))
    if seconds is None or seconds < 0:
        yield Finding(rule.at("forSeconds").path, "must be a number of seconds")


def _reaching(tokens: tuple[str, ...], path: str) -> Check:
    """A check that a list of whom to tell is not empty; who that is need not be known yet."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        if not any(PRESENT.holds(node.value) for node in resource.each(path)):
            yield Finding(path.partition("[")[0], "must name somebody to tell")

    return Check(tokens, judge, (path,))


def _alarm(alarm: Resource, context: Context) -> Iterator[Finding]:
    if (alarm.get("namespace"), alarm.get("metricName")) == ("AWS/VPN", "TunnelState"):
        yield from _TOLD.judge(alarm, context)
        yield from demand(alarm.at("actionsEnabled"), NOT_FALSE)
        yield from demand(alarm.at("treatMissingData"), one_of("breaching"))


_TOLD = _reaching((_ALARM,), "alarmActions[]")
_METRIC = ("azure-native:monitor:MetricAlert",)
_QUERY = ("azure-native:monitor:ScheduledQueryRule",)
_POLICY = ("gcp:monitoring/alertPolicy:AlertPolicy",)

RULE = Rule(
    "alerts-complete",
    (
        across(_declared, (ALERT_RULES, _READS), *((token, ()) for token in CLUSTERS), unknown="fail"),
        Check((_ALARM,), _alarm, ("namespace", "metricName", "alarmActions[]", "actionsEnabled", "treatMissingData")),
        on(_METRIC, need("enabled", TRUE)),
        _reaching(_METRIC, "actions[].actionGroupId"),
        _reaching(_METRIC, "scopes[]"),
        on(_QUERY, need("enabled", TRUE)),
        _reaching(_QUERY, "actions.actionGroups[]"),
        on(_POLICY, need("enabled", NOT_FALSE)),
        _reaching(_POLICY, "notificationChannels[]"),
    ),
)
