"""Hosts take no password, and no shared key lies on a server."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import CLUSTERS, client
from policies.concepts.presence import absent, present
from policies.conditions import FALSE, NOT_TRUE, TRUE
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, advice, demand, need, on
from policies.values import ABSENT

_LINUX = "osProfile.linuxConfiguration.disablePasswordAuthentication"
_PASSWORD = "osProfile.adminPassword"  # noqa: S105 - a property
_PROFILE = "virtualMachineProfile."
_MACHINE, _SCALE_SET = "azure-native:compute:VirtualMachine", "azure-native:compute:VirtualMachineScaleSet"
_KEYS = ("ssh-keys", "sshKeys")


def _key(machine: Resource, _: Context) -> Iterator[Finding]:
    if present(machine.at("keyName")):
        say = advice if client(machine) else Finding
        yield say("keyName", "must not be set")


def _no_keys(metadata: Node) -> Iterator[Finding]:
    for name in _KEYS:
        if present(metadata.at(name)):
            yield Finding(metadata.path, f"must not hold {name}")


def _metadata(machine: Resource, _: Context) -> Iterator[Finding]:
    metadata = machine.at("metadata")
    metadata.known()
    yield from demand(metadata.at("enable-oslogin"), TRUE)
    yield from demand(metadata.at("serial-port-enable"), NOT_TRUE)
    yield from _no_keys(metadata)


def _project(project: Resource, _: Context) -> Iterator[Finding]:
    metadata = project.at("metadata")
    if metadata.known() is not ABSENT:
        yield from _no_keys(metadata)


RULE = Rule(
    "ssh-no-password",
    (
        Check(("aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"), _key, ("keyName",)),
        on(_MACHINE, need(_LINUX, TRUE), unknown="fail"),
        absent((_MACHINE,), _PASSWORD),
        on(_SCALE_SET, need(f"{_PROFILE}{_LINUX}", TRUE), unknown="fail"),
        absent((_SCALE_SET,), f"{_PROFILE}{_PASSWORD}"),
        Check(
            ("gcp:compute/instance:Instance", "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"),
            _metadata,
            ("metadata",),
            "fail",
        ),
        Check(("gcp:compute/projectMetadata:ProjectMetadata",), _project, ("metadata",), "fail"),
        on(CLUSTERS, need("server.sshPasswordAuth", FALSE), unknown="fail"),
    ),
)
