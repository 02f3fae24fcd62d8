"""How a machine of one cloud proves itself to another, without any static key.

Owns issuers and audiences of machine tokens, and which cloud can be convinced by which. Boundary workers outside the
primary use them to reach the one key of worker authentication (cloud-reference, "Boundary": the key must be the same at
both ends), and servers to write the second copy of their backups into another cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .spec import Cloud

_ENTRA_AUDIENCE = "api://AzureADTokenExchange"
_ENTRA_EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"
"""The `aud` claim that Entra writes for `api://AzureADTokenExchange` in its public cloud."""

TRUSTED: Mapping[tuple[Cloud, Cloud], str] = {
    # AWS proves a machine by a signed request for its identity and issues no token that names an audience.
    ("aws", "gcp"): "",
    ("azure", "aws"): _ENTRA_AUDIENCE,
    ("azure", "gcp"): _ENTRA_AUDIENCE,
    ("gcp", "aws"): "sts.amazonaws.com",
    ("gcp", "azure"): _ENTRA_AUDIENCE,
}
"""By (machine's cloud, trusting cloud): the audience that the machine asks its metadata service for. Entra takes tokens
of OpenID issuers only, so a machine of AWS cannot convince Azure."""


@dataclass(frozen=True)
class Federated:
    """A workload of another cloud: who vouches for it, how it is named, and for which audience."""

    cloud: Cloud
    """Where the workload runs."""
    issuer: str
    """Issuer of its tokens; the account id for AWS, which vouches by signature."""
    subject: str
    """Object id of the managed identity, unique id of the service account; ARN of the role for AWS."""
    audience: str
    """The token's `aud` claim; empty for AWS."""


def federated(cloud: Cloud, account: str, tenant: str, subject: str, to: Cloud) -> Federated:
    """What the trusting cloud must demand of a machine.

    Args:
        cloud: where the machine runs.
        account: AWS account id, Azure subscription id, GCP project id.
        tenant: Entra tenant id for azure; not used elsewhere.
        subject: the cloud's id of the identity, as `Identities.subjects` gives it.
        to: the cloud that is to trust it.

    Raises:
        ValueError: that cloud cannot be convinced.
    """
    if (cloud, to) not in TRUSTED:
        raise ValueError(f"machines of {cloud} have no proof of identity that {to} accepts")
    if cloud == "aws":
        return Federated(cloud, account, subject, "")
    if cloud == "azure":
        return Federated(cloud, f"https://sts.windows.net/{tenant}/", subject, _ENTRA_EXCHANGE_ID)
    return Federated(cloud, "https://accounts.google.com", subject, TRUSTED[cloud, to])
