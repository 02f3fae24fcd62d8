"""Machines require session-bound metadata requests and verified boot."""

from __future__ import annotations

from collections.abc import Iterator

from policies.conditions import NOT_TRUE, TRUE, Condition, between, one_of, optional
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_PROFILE = "virtualMachineProfile.securityProfile"
_TRUSTED = one_of("TrustedLaunch", "ConfidentialVM")
_LEGACY = "enable-legacy-endpoints"
_ENABLED = Condition(lambda value: value == "enabled", "must be enabled, or left to the default")
_SHIELDED = tuple(
    need(f"shieldedInstanceConfig.{name}", TRUE)
    for name in ("enableSecureBoot", "enableVtpm", "enableIntegrityMonitoring")
)
_GOOGLE = ("gcp:compute/instance:Instance", "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate")


def _no_legacy(machine: Resource, _: Context) -> Iterator[Finding]:
    metadata = machine.get("metadata")
    if isinstance(metadata, dict) and not NOT_TRUE.holds(metadata.get(_LEGACY, False)):
        yield Finding("metadata", f"must not set {_LEGACY}")


def _verified(profile: str) -> tuple[tuple[str, Condition], ...]:
    return (
        need(f"{profile}.securityType", _TRUSTED),
        need(f"{profile}.uefiSettings.secureBootEnabled", TRUE),
        need(f"{profile}.uefiSettings.vTpmEnabled", TRUE),
    )


RULE = Rule(
    "metadata-hardened",
    (
        on(
            ("aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"),
            need("metadataOptions.httpTokens", one_of("required")),
            need("metadataOptions.httpPutResponseHopLimit", between(1, 1)),
            need("metadataOptions.httpEndpoint", optional(_ENABLED)),
            unknown="fail",
        ),
        on(
            "aws:ec2/launchConfiguration:LaunchConfiguration",
            need("metadataOptions.httpTokens", one_of("required")),
            unknown="fail",
        ),
        on("azure-native:compute:VirtualMachine", *_verified("securityProfile"), unknown="fail"),
        on("azure-native:compute:VirtualMachineScaleSet", *_verified(_PROFILE), unknown="fail"),
        on(_GOOGLE, *_SHIELDED, unknown="fail"),
        Check(_GOOGLE, _no_legacy, ("metadata",), "fail"),
        on(
            "gcp:container/nodePool:NodePool",
            need("nodeConfig.shieldedInstanceConfig.enableSecureBoot", TRUE),
            need("nodeConfig.workloadMetadataConfig.mode", one_of("GKE_METADATA")),
            unknown="fail",
        ),
    ),
)
