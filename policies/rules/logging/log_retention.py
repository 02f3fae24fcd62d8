"""Audit logs are kept for a year, encrypted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from policies.concepts.charts import RELEASE, chart
from policies.conditions import PRESENT, TRUE, advised, at_least
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_int, as_list, as_seconds

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_TABLE = "azure-native:operationalinsights:Table"
_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_YEAR = 365
_DAY = 86400
_ALWAYS = at_least(_YEAR, " days")

_AUDIT_GROUP = re.compile(r"audit|trail|/aws/eks/", re.IGNORECASE)
_AUDIT_TABLE = re.compile(r"audit|activity|diagnostics|signin|storage\w+logs|^nta|syslog", re.IGNORECASE)
_FIXED = "_Required"
"""A bucket of Google's own, which keeps 400 days and cannot be changed."""
_INHERITED = -1
"""A table keeps as long as its workspace does."""

_CHARTS = frozenset({"elasticsearch", "loki"})
_RETENTION = re.compile(r"retention_?(period|days|time)?$|min_age$", re.IGNORECASE)
_UNITS = {"d": _DAY, "w": 7 * _DAY, "y": _YEAR * _DAY}


def _kept(group: Resource, _: Context) -> Iterator[Finding]:
    days = group.get("retentionInDays")
    if days is not ABSENT and as_int(days) != 0 and not _ALWAYS.holds(days):
        yield Finding("retentionInDays", f"{_ALWAYS.says}, or 0 for ever")


def _encrypted(group: Resource, _: Context) -> Iterator[Finding]:
    if PRESENT.holds(group.at("kmsKeyId").value):
        return
    if any(_AUDIT_GROUP.search(str(name)) for name in (group.name, group.get("name"))):
        yield Finding("kmsKeyId", "must be set for audit logs")


def _table(table: Resource, _: Context) -> Iterator[Finding]:
    name = str(table.get("tableName"))
    said = [(path, table.get(path)) for path in ("totalRetentionInDays", "retentionInDays")]
    own = [(path, days) for path, days in said if days is not ABSENT and as_int(days) != _INHERITED]
    if own and _AUDIT_TABLE.search(name) and not _ALWAYS.holds(own[0][1]):
        yield Finding(own[0][0], _ALWAYS.says)


def _changeable(bucket: Resource) -> bool:
    return bucket.get("bucketId") != _FIXED


def _release(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) not in _CHARTS:
        return
    found = list(_retentions(release.at("values")))
    audit = [node for node in found if "audit" in node.path.lower()]
    if not found:
        yield Finding("values", f"must say that audit logs are kept {_YEAR} days")
    for node in audit or found:
        seconds = _seconds(node.known())
        # Loki keeps for ever what it is told to keep for no time.
        if seconds is None or 0 < seconds < _YEAR * _DAY:
            yield Finding(node.path, _ALWAYS.says)


def _retentions(node: Node) -> Iterator[Node]:
    """Every value below that says how long something is kept."""
    value: Any = node.known()
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            below = Node(f"{node.path}.{key}", item)
            if _RETENTION.search(key) and not isinstance(below.value, (dict, list)):
                yield below
            else:
                yield from _retentions(below)
    for index, item in enumerate(as_list(value)):
        yield from _retentions(Node(f"{node.path}[{index}]", item))


def _seconds(value: object) -> int | None:
    """A retention: a number of days, or a duration in whichever unit."""
    days = as_int(value)
    if days is not None:
        return days * _DAY
    found = re.fullmatch(r"(\d+)([dwy])", str(value))
    return int(found[1]) * _UNITS[found[2]] if found else as_seconds(value)


RULE = Rule(
    "log-retention",
    (
        Check((_GROUP,), _kept, ("retentionInDays",), unknown="fail"),
        Check((_GROUP,), _encrypted, ("kmsKeyId", "name"), unknown="fail"),
        on("azure-native:operationalinsights:Workspace", need("retentionInDays", _ALWAYS), unknown="fail"),
        Check((_TABLE,), _table, ("tableName", "totalRetentionInDays", "retentionInDays"), unknown="fail"),
        on(
            _BUCKET,
            need("retentionDays", _ALWAYS),
            need("locked", advised(TRUE)),
            need("cmekSettings.kmsKeyName", advised(PRESENT)),
            when=_changeable,
            reads=("bucketId",),
            unknown="fail",
        ),
        Check((RELEASE,), _release, ("chart", "values"), unknown="fail"),
    ),
)
