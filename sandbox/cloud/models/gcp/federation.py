"""Google Cloud workload identity federation: pools and providers, whose names outlive them by a month.

Source: IAM API reference, projects.locations.workloadIdentityPools; "Workload Identity Federation", "Manage pools".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.names import given
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_SOFT_DAYS: Final = 30
_LONGEST: Final = {"displayName": 32, "description": 256, "attributeCondition": 4096}
_KINDS: Final = ("aws", "oidc", "saml", "x509")
_MOST_AUDIENCES: Final = 10


def _identifier(property_: str) -> Name:
    return Name(
        property_,
        max=32,
        pattern=r"(?!gcp-)[a-z0-9-]{4,32}",
        rule="4 to 32 lower-case letters, digits and hyphens, not starting with gcp-",
        made=False,
    )


pool = model(
    POOL,
    name=_identifier("workloadIdentityPoolId"),
    unique=(("project", "workloadIdentityPoolId"),),
    immutable=("workloadIdentityPoolId", "mode"),
    outputs={
        "name": "projects/{projectNumber}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        "state": "ACTIVE",
    },
    handles=("name", "workloadIdentityPoolId"),
    lingers=lambda _: _SOFT_DAYS,
)
provider = model(
    PROVIDER,
    name=_identifier("workloadIdentityPoolProviderId"),
    unique=(("project", "workloadIdentityPoolId", "workloadIdentityPoolProviderId"),),
    references=(Ref("workloadIdentityPoolId", (POOL,), holds=False),),
    immutable=("workloadIdentityPoolId", "workloadIdentityPoolProviderId"),
    outputs={
        "name": (
            "projects/{projectNumber}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
            "/providers/{workloadIdentityPoolProviderId}"
        ),
        "state": "ACTIVE",
    },
    lingers=lambda _: _SOFT_DAYS,
)


def _too_long(draft: Draft) -> Iterator[Failure]:
    for name, most in _LONGEST.items():
        value = draft.known(name)
        if isinstance(value, str) and len(value) > most:
            yield draft.fail(name, f"has {len(value)} characters; at most {most} are allowed")


pool.check(_too_long)
provider.check(_too_long)


@provider.check
def _one_kind(draft: Draft) -> Iterator[Failure]:
    kinds = given(draft, *_KINDS)
    if len(kinds) != 1:
        yield draft.fail("", f"exactly one of {', '.join(_KINDS)} must be given, got {kinds or 'none'}")
    account, issuer = draft.known("aws.accountId"), draft.known("oidc.issuerUri")
    if isinstance(account, str) and not re.fullmatch(r"\d{12}", account):
        yield draft.fail("aws.accountId", f"'{account}' is not an AWS account id of twelve digits")
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield draft.fail("oidc.issuerUri", f"'{issuer}' is not an https URL")
    audiences = draft.known("oidc.allowedAudiences")
    if isinstance(audiences, list) and len(audiences) > _MOST_AUDIENCES:
        yield draft.fail("oidc.allowedAudiences", f"{len(audiences)} audiences; at most {_MOST_AUDIENCES}")


@provider.check
def _mapped(draft: Draft) -> Iterator[Failure]:
    mapping = draft.known("attributeMapping")
    if mapping is None:
        mapping = {} if draft.get("attributeMapping") is None else None
    if not isinstance(mapping, dict):
        return
    for name in mapping:
        if not re.fullmatch(r"google\.(subject|groups|display_name|profile_photo)|attribute\.[a-z0-9_]{1,100}", name):
            yield draft.fail("attributeMapping", f"'{name}' is neither google.subject nor such as attribute.team")
    # AWS has a mapping of its own where none is given.
    if "google.subject" not in mapping and (mapping or draft.get("aws") is None):
        yield draft.fail("attributeMapping", "google.subject must be mapped")
    condition = draft.known("attributeCondition")
    used = set(re.findall(r"\battribute\.[a-z0-9_]+", condition)) if isinstance(condition, str) else set[str]()
    own: set[Value] = {"attribute.aws_role"} if draft.get("aws") is not None and not mapping else set()
    for name in sorted(used - mapping.keys() - own):
        yield draft.fail("attributeCondition", f"'{name}' is not mapped")
