"""The cloud's own audit trail is on, whole, and kept from whoever it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policies.conditions import NOT_FALSE, NOT_TRUE, PRESENT, TRUE, Condition
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, across, each, need, on
from policies.values import ABSENT, as_bool

_TRAIL = "aws:cloudtrail/trail:Trail"
_ACTIVITY = "azure-native:monitor:SubscriptionDiagnosticSetting"
_RECORDED = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
_SINK = "gcp:logging/projectSink:ProjectSink"

_CATEGORIES = ("Administrative", "Security", "Policy", "Alert")
_DESTINATIONS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId")
_EVERY_SERVICE = "allServices"
_WATCHED = ("cloudkms.googleapis.com", "storage.googleapis.com")
"""Services whose every use is recorded, where not all services' is."""
_TYPES = ("DATA_READ", "DATA_WRITE")
_LOGS = "cloudaudit.googleapis.com"
_WITHOUT = re.compile(rf"(?:\bNOT\s+|-)\(?\s*log\w*[^)\s]*{re.escape(_LOGS)}|!=\s*\S*{re.escape(_LOGS)}", re.IGNORECASE)
"""A filter that leaves the audit logs out."""


def _activity(setting: Resource, _: Context) -> Iterator[Finding]:
    on_now: set[str] = set()
    for log in setting.each("logs[]"):
        if as_bool(log.get("enabled")):
            on_now |= {str(log.get("category")), str(log.get("categoryGroup"))}
    missing = [] if "allLogs" in on_now else [each for each in _CATEGORIES if each not in on_now]
    if missing:
        yield Finding("logs", f"must enable {', '.join(missing)}")


def _kept(setting: Resource, _: Context) -> Iterator[Finding]:
    if not any(PRESENT.holds(setting.at(path).value) for path in _DESTINATIONS):
        yield Finding("", f"must have a destination: {' or '.join(_DESTINATIONS)}")


def _data(config: Resource, _: Context) -> Iterator[Finding]:
    service = config.get("service")
    types = {node.known() for node in config.each("auditLogConfigs[].logType")}
    missing = [each for each in _TYPES if each not in types]
    if missing and service in (_EVERY_SERVICE, *_WATCHED):
        yield Finding("auditLogConfigs", f"must record {' and '.join(missing)}")


def _exempted(config: Resource, _: Context) -> Iterator[Finding]:
    """Whoever is left out, be it known or not."""
    for member in config.each("auditLogConfigs[].exemptedMembers[]"):
        yield Finding(member.path, "is not recorded: nobody may be left out")


def _takes_in(text: object) -> bool:
    """Whether a filter lets audit logs through; none at all lets everything."""
    if text is ABSENT or text == "":
        return True
    return isinstance(text, str) and _LOGS in text and not _WITHOUT.search(text)


_TAKES_IN = Condition(_takes_in, f"must take in {_LOGS}")


def _excluded(exclusion: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    text, disabled = exclusion.get("filter"), as_bool(exclusion.get("disabled"))
    if not disabled and _LOGS in str(text):
        yield Finding(exclusion.path, f"must not leave out {_LOGS}")


# Whether there is one at all.


def _multi_region(trail: Resource) -> bool:
    return as_bool(trail.get("isMultiRegionTrail")) is True


def _records_data(world: World) -> bool:
    services = {config.get("service") for config in world.of(_RECORDED)}
    return _EVERY_SERVICE in services or services.issuperset(_WATCHED)


def _carried(sink: Resource) -> bool:
    return _takes_in(sink.get("filter")) and not as_bool(sink.get("disabled"))


_Demand = tuple[str, str, Callable[[World], bool], str]
_DEMANDS: tuple[_Demand, ...] = (
    ("aws", "aws:ec2/vpc:Vpc", lambda world: any(map(_multi_region, world.of(_TRAIL))), "a trail of all regions"),
    (
        "azure",
        "azure-native:network:VirtualNetwork",
        lambda world: any(True for _ in world.of(_ACTIVITY)),
        "a diagnostic setting of the subscription",
    ),
    ("gcp", "gcp:compute/network:Network", _records_data, "an audit configuration of all services"),
    ("gcp", "gcp:compute/network:Network", lambda world: any(map(_carried, world.of(_SINK))), "a sink of audit logs"),
)
"""By cloud: what shows that the stack is a region there, what it must hold then, and that in words."""


def _every_region(world: World, context: Context) -> Iterator[Finding]:
    if context.settings.organisation_trail:
        return
    cloud = world.facts.at("cloud").value
    for name, network, held, words in _DEMANDS:
        if (cloud == name or any(True for _ in world.of(network))) and not held(world):
            yield Finding("", f"must hold {words}, unless the organisation has one")


RULE = Rule(
    "cloud-audit-trail",
    (
        on(
            _TRAIL,
            need("isMultiRegionTrail", TRUE),
            need("enableLogFileValidation", TRUE),
            need("enableLogging", NOT_FALSE),
            need("includeGlobalServiceEvents", NOT_FALSE),
            need("kmsKeyId", PRESENT),
            unknown="fail",
        ),
        Check(
            (_ACTIVITY,),
            _activity,
            ("logs[].category", "logs[].categoryGroup", "logs[].enabled"),
            unknown="fail",
        ),
        Check((_ACTIVITY,), _kept, _DESTINATIONS),
        Check((_RECORDED,), _data, ("service", "auditLogConfigs[].logType"), unknown="fail"),
        Check((_RECORDED,), _exempted, ("auditLogConfigs[].exemptedMembers[]",)),
        on(_SINK, need("disabled", NOT_TRUE), need("filter", _TAKES_IN), unknown="fail"),
        each(_SINK, "exclusions[]", _excluded, ("filter", "disabled"), unknown="fail"),
        across(
            _every_region,
            ("aws:ec2/vpc:Vpc", ()),
            (_TRAIL, ("isMultiRegionTrail",)),
            ("azure-native:network:VirtualNetwork", ()),
            (_ACTIVITY, ()),
            ("gcp:compute/network:Network", ()),
            (_RECORDED, ("service",)),
            (_SINK, ("filter", "disabled")),
        ),
    ),
)
