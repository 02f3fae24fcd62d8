"""How a machine of one cloud proves itself to another, without any static key.

Owns issuers and audiences of machine tokens. Boundary workers outside the primary use them to reach the one
key of worker authentication (cloud-reference, "Boundary": the key must be the same at both ends).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .spec import Cloud

TOKEN_AUDIENCE: Mapping[Cloud, str] = {"azure": "api://AzureADTokenExchange", "gcp": "sts.amazonaws.com"}
"""What a machine asks its metadata service for; AWS machines hold the key's own cloud and ask for nothing."""

_AZURE_EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"
"""The `aud` claim that Entra writes for `api://AzureADTokenExchange` in its public cloud."""


@dataclass(frozen=True)
class Federated:
    """A workload of another cloud: who issues its tokens, whom they name, and for which audience."""

    issuer: str
    subject: str
    audience: str


def federated(cloud: Cloud, tenant: str, subject: str) -> Federated:
    """The claims in a machine token.

    Args:
        cloud: where the machine runs.
        tenant: Entra tenant id for azure; not used elsewhere.
        subject: object id of the managed identity (azure) or unique id of the service account (gcp).

    Raises:
        ValueError: AWS machines use the key directly.
    """
    if cloud == "azure":
        return Federated(f"https://sts.windows.net/{tenant}/", subject, _AZURE_EXCHANGE_ID)
    if cloud == "gcp":
        return Federated("https://accounts.google.com", subject, TOKEN_AUDIENCE["gcp"])
    raise ValueError("machines of the primary's cloud use the key with their own identity, not by federation")
