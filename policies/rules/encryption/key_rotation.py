"""Keys rotate by themselves at least once a year."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.conditions import LITERAL, TRUE, between, lasting, optional
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, demand, need, on
from policies.values import ABSENT

_SHORTEST_DAYS, _LONGEST_DAYS = 90, 365
_HOUR, _DAY = 3_600, 86_400
_YEAR = _LONGEST_DAYS * _DAY

_POLICY = "properties.rotationPolicy"
_ACTIONS, _EXPIRY = f"{_POLICY}.lifetimeActions", f"{_POLICY}.attributes.expiryTime"
_ACTION, _AFTER, _BEFORE = "action.type", "trigger.timeAfterCreate", "trigger.timeBeforeExpiry"
_ISO = re.compile(r"P(?=\d)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?$")
_ISO_DAYS = {"Y": 365, "M": 30, "W": 7, "D": 1}


def _days(node: Node) -> int | None:
    """Days of an ISO 8601 duration, with months of 30 days; None where it is anything else."""
    value = node.known()
    if not isinstance(value, str) or not _ISO.match(value):
        return None
    return sum(int(count) * _ISO_DAYS[unit] for count, unit in re.findall(r"(\d+)([YMWD])", value))


def _rotates(key: Resource, _: Context) -> Iterator[Finding]:
    expiry = key.at(_EXPIRY)
    yield from demand(expiry, LITERAL)
    rotations = [action for action in key.each(f"{_ACTIONS}[]") if action.get(_ACTION) == "rotate"]
    if not rotations:
        yield Finding(_ACTIONS, "must hold one of type rotate")
    for rotation in rotations:
        after, before, whole = _days(rotation.at(_AFTER)), _days(rotation.at(_BEFORE)), _days(expiry)
        age = whole - before if after is None and before is not None and whole is not None else after
        if age is None or age > _LONGEST_DAYS:
            yield Finding(f"{rotation.path}.trigger", f"must rotate the key within {_LONGEST_DAYS} days")


RULE = Rule(
    "key-rotation",
    (
        on(
            "aws:kms/key:Key",
            need("enableKeyRotation", TRUE),
            need("rotationPeriodInDays", optional(between(_SHORTEST_DAYS, _LONGEST_DAYS, " days"))),
            unknown="fail",
            # No other kind can rotate by itself.
            when=lambda key: key.get("customerMasterKeySpec") in ("SYMMETRIC_DEFAULT", ABSENT),
            reads=("customerMasterKeySpec",),
        ),
        Check(
            ("azure-native:keyvault:Key",),
            _rotates,
            (_EXPIRY, *(f"{_ACTIONS}[].{path}" for path in (_ACTION, _AFTER, _BEFORE))),
            unknown="fail",
        ),
        on("azure-native:compute:DiskEncryptionSet", need("rotationToLatestKeyVersionEnabled", TRUE), unknown="fail"),
        on(
            "gcp:kms/cryptoKey:CryptoKey",
            need("rotationPeriod", lasting(_DAY, _YEAR)),
            unknown="fail",
            when=lambda key: key.get("purpose") in ("ENCRYPT_DECRYPT", ABSENT),
            reads=("purpose",),
        ),
        on(
            "vault:transit/secretBackendKey:SecretBackendKey",
            need("autoRotatePeriod", lasting(_HOUR, _YEAR)),
            unknown="fail",
        ),
    ),
)
