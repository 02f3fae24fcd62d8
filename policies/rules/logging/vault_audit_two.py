"""Every Vault writes two audit logs of different targets, one of which can be shipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.concepts.clusters import VAULT
from policies.conditions import NOT_FALSE, NOT_TRUE, none_of
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, about, across, need, on

_AUDIT = "vault:index/audit:Audit"
_PROVIDER = "pulumi:providers:vault"
_LEAST = 2
_SHIPPED = frozenset({"file", "socket"})
_TARGETS = {"file": "file_path", "socket": "address", "syslog": "tag"}
"""The option that names the target, by the device's type."""
_HASHED = none_of("password", "token", "secret", "data")

_Device = tuple[str, str]
"""Type and target."""


def _device(audit: Resource) -> _Device:
    kind = str(audit.get("type"))
    return kind, str(audit.get(f"options.{_TARGETS.get(kind, 'path')}"))


def _declared(sinks: Node) -> list[_Device]:
    return [(str(sink.get("type")), str(sink.get("target"))) for sink in sinks.each("audit[]")]


def _poor(devices: Sequence[_Device]) -> Iterator[str]:
    """What is wrong with the devices of a Vault, as ends of sentences."""
    different = len({target for _, target in devices})
    if different < _LEAST:
        yield f"has {different} audit devices of different targets, and not {_LEAST}"
    if not any(kind in _SHIPPED for kind, _ in devices):
        yield "has no audit device that can be shipped: a file or a socket"


def _in_vault(world: World, _: Context) -> Iterator[Finding]:
    """A stack holds one Vault at most: all devices are that one's."""
    audits = list(world.of(_AUDIT))
    managed = [*audits, *world.of(_PROVIDER)]
    if not managed:
        return
    devices = [_device(audit) for audit in audits]
    for problem in _poor(devices):
        yield about(managed[0], Finding("", f"{problem} in this stack"))
    for cluster, spec in world.specs(VAULT):
        if set(_declared(spec)) != set(devices):
            yield about(cluster, Finding("spec.audit", "must name the audit devices that this stack makes in Vault"))


def _in_specs(world: World, _: Context) -> Iterator[Finding]:
    for cluster, spec in world.specs(VAULT):
        for problem in _poor(_declared(spec)):
            yield about(cluster, Finding("spec.audit", problem))


_SINKS = (VAULT, ("spec.audit[].type", "spec.audit[].target"))

RULE = Rule(
    "vault-audit-two",
    (
        on(_AUDIT, need("options.log_raw", NOT_TRUE), need("options.hmac_accessor", NOT_FALSE)),
        on(
            "vault:index/mount:Mount",
            need("auditNonHmacRequestKeys[]", _HASHED),
            need("auditNonHmacResponseKeys[]", _HASHED),
        ),
        across(_in_vault, (_AUDIT, ("type", "options")), (_PROVIDER, ()), _SINKS),
        across(_in_specs, _SINKS, unknown="fail"),
    ),
)
