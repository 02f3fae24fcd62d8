"""Who asks a key or secret service, what he asks, and how each cloud words a refusal.

Owns the way in, which the services of one cloud have in common. What somebody may do is for each service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sandbox.stores import iam
from sandbox.stores.azure import VAULTS
from sandbox.stores.exchange import Answer, RefusedError, Request
from sandbox.stores.gcp import GOOGLE
from sandbox.stores.ground import AzureVault, Ground
from sandbox.stores.signatures import Signed, UnprovenError, signer
from sandbox.stores.tokens import Session, Tokens

from .places import VAULT_DOMAIN, aws_host

_FIELDS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_AWS_JSON = "application/x-amz-json-1.1"
_CODES = {"AccessDenied": "MissingAuthenticationTokenException", "InvalidToken": "UnrecognizedClientException"}
"""What the services that speak JSON call it, where it is not the code with `Exception` behind it."""


def aws_refusal(code: str, message: str, status: int = 400) -> RefusedError:
    """An error of a service of AWS that speaks JSON."""
    body = json.dumps({"__type": code, "message": message})
    return RefusedError(Answer(status, body, {"Content-Type": _AWS_JSON, "x-amzn-ErrorType": code}))


def aws_answer(document: Mapping[str, object]) -> Answer:
    """A success of such a service."""
    return Answer(200, json.dumps(document), {"Content-Type": _AWS_JSON})


@dataclass(frozen=True)
class AwsCall:
    """A proven request to a region's service."""

    session: Session
    policies: tuple[str, ...]
    region: str
    operation: str
    asked: Mapping[str, Any]

    def context(self, **more: str) -> iam.Context:
        """Condition keys; an underscore stands for the colon."""
        role = self.session.role
        every = {
            "aws:principalarn": role,
            "aws:principalaccount": role.split(":")[4],
            "aws:securetransport": "true",
            "aws:requestedregion": self.region,
        }
        return every | {name.replace("_", ":").lower(): value for name, value in more.items()}

    def of_account(self, arn: str) -> bool:
        """Whether the thing is in the caller's own account; nobody is granted anything in another's."""
        return arn.split(":")[4] == self.session.role.split(":")[4]

    def denied(self, action: str, resource: str) -> RefusedError:
        """The refusal of an action."""
        said = f"User: {self.session.arn} is not authorized to perform: {action} on resource: {resource}"
        return aws_refusal("AccessDeniedException", f"{said} because no policy allows the {action} action")


def aws_call(ground: Ground, tokens: Tokens, request: Request, service: str) -> AwsCall:
    """The request, once it is proven whose it is.

    Raises:
        RefusedError: it proves nobody, or is no request.
    """
    region = request.host.split(".")[1] if request.host.count(".") > 1 else ""
    if request.host != aws_host(service, region):
        raise aws_refusal("UnknownEndpoint", request.host, 404)
    body = request.content()
    try:
        session = signer(
            tokens, Signed(request.method, request.host, request.target, request.headers, body), service, region
        )
    except UnprovenError as unproven:
        code = _CODES.get(unproven.code, f"{unproven.code}Exception")
        raise aws_refusal(code, "The request's signature proves nobody.", unproven.status) from unproven
    try:
        asked = _FIELDS.validate_json(body)
    except ValidationError as error:
        raise aws_refusal("SerializationException", "The body is no JSON object.") from error
    return aws_session_call(ground, session, region, request.headers.get("x-amz-target", "").rpartition(".")[2], asked)


def aws_session_call(
    ground: Ground, session: Session, region: str, operation: str, asked: Mapping[str, Any]
) -> AwsCall:
    """A call in the name of whoever is proven to have a session."""
    role = next((role for role in ground.roles if role.arn == session.role), None)
    return AwsCall(session, role.policies if role else (), region, operation, asked)


def azure_refusal(status: int, code: str, message: str, inner: str = "") -> RefusedError:
    """An error of a key vault."""
    error: dict[str, object] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return RefusedError(Answer(status, json.dumps({"error": error}), {"Content-Type": "application/json"}))


def azure_vault(ground: Ground, tokens: Tokens, request: Request) -> tuple[AzureVault, frozenset[str]]:
    """The vault that is asked, and the names that the caller has in grants.

    Raises:
        RefusedError: there is no such vault, or nobody asks.
    """
    name = request.host.removesuffix(VAULT_DOMAIN)
    vault = next((vault for vault in ground.vaults if vault.name == name), None)
    if vault is None:
        raise azure_refusal(404, "VaultNotFound", f"There is no vault {name}.")
    bearer = tokens.holder(request.headers.get("authorization", ""))
    if bearer is None or bearer.audience != VAULTS:
        # How a client learns where its token must come from: it asks without one first.
        where = f'authorization="https://login.microsoftonline.com/{vault.tenant}", resource="{VAULTS}"'
        error = {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
        headers = {"Content-Type": "application/json", "WWW-Authenticate": f"Bearer {where}"}
        raise RefusedError(Answer(401, json.dumps({"error": error}), headers))
    if "api-version" not in request.query:
        raise azure_refusal(400, "BadParameter", "The api-version is missing.")
    return vault, bearer.names


def azure_denied(action: str, thing: str) -> RefusedError:
    """The refusal of a data action."""
    said = f"Caller is not authorized to perform action on resource. Action: '{action}', Resource: '{thing}'"
    return azure_refusal(403, "Forbidden", said, "ForbiddenByRbac")


def google_refusal(status: int, code: str, message: str) -> RefusedError:
    """An error of a service of Google's."""
    error = {"code": status, "status": code, "message": message}
    return RefusedError(Answer(status, json.dumps({"error": error}), {"Content-Type": "application/json"}))


def google_caller(tokens: Tokens, authorization: str) -> frozenset[str] | None:
    """The names that the caller has in grants; None for nobody."""
    bearer = tokens.holder(authorization)
    return bearer.names if bearer and bearer.audience == GOOGLE else None
