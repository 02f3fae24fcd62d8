"""Vault and Boundary reach their keys with the identity of the machine, never with a stored credential."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import BOUNDARY, VAULT
from policies.concepts.presence import present
from policies.conditions import matching, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_IDENTITY = one_of("instance-role", "managed-identity", "service-account", "workload-identity")
_PROFILE = ("iamInstanceProfile.arn", "iamInstanceProfile.name")
_OWN = matching(lambda text: "UserAssigned" in text.replace(" ", "").split(","), "must hold UserAssigned")
_MACHINES = ("azure-native:compute:VirtualMachine", "azure-native:compute:VirtualMachineScaleSet")
_DEFAULT = "-compute@developer.gserviceaccount.com"


def _of_vault(resource: Resource) -> bool:
    return resource.below(VAULT) is not None


def _profile(template: Resource, _: Context) -> Iterator[Finding]:
    if _of_vault(template) and not any(present(template.at(path)) for path in _PROFILE):
        yield Finding("iamInstanceProfile", "must name the cluster's profile")


def _identities(machine: Resource, _: Context) -> Iterator[Finding]:
    if _of_vault(machine) and not present(machine.at("identity.userAssignedIdentities")):
        yield Finding("identity.userAssignedIdentities", "must name the cluster's identity")


def _account(template: Resource, _: Context) -> Iterator[Finding]:
    if not _of_vault(template):
        return
    email = template.at("serviceAccount.email")
    if not present(email) or str(email.value).endswith(_DEFAULT):
        yield Finding(email.path, "must be the cluster's own account, not the default one")
    if not present(template.at("serviceAccount.scopes")):
        yield Finding("serviceAccount.scopes", "must be set")


RULE = Rule(
    "seal-workload-identity",
    (
        on(VAULT, need("seal.auth", _IDENTITY)),
        on(BOUNDARY, need("kms[].auth", _IDENTITY)),
        Check(("aws:ec2/launchTemplate:LaunchTemplate",), _profile, _PROFILE),
        on(_MACHINES, need("identity.type", _OWN), when=_of_vault),
        Check(_MACHINES, _identities, ("identity.userAssignedIdentities[]",)),
        Check(
            ("gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",),
            _account,
            ("serviceAccount.email", "serviceAccount.scopes[]"),
        ),
    ),
)
