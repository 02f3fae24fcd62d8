"""Metadata services of the three clouds. A machine is known by the address that it asks from."""

from __future__ import annotations

import json
import secrets

from .azure import EXCHANGE, EXCHANGE_ID, RESOURCE
from .exchange import Answer, Request, answered
from .gcp import STORAGE
from .ground import Ground, Machine
from .tokens import LIFE, Tokens

_NONE = Answer(404, "not found")
_AWS = "/latest/meta-data/"
_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/"


class Metadata:
    """What each machine may know of itself."""

    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._tokens = tokens
        self._machines = {machine.address: machine for machine in ground.machines}
        self._identities = {identity.client: identity for identity in ground.identities}
        self._accounts = {account.email: account for account in ground.accounts}
        self._sessions: set[str] = set()

    def handle(self, request: Request) -> Answer:
        """The answer of the asking machine's own cloud."""
        machine = self._machines.get(request.source)
        if machine is None:
            return _NONE
        return {"aws": self._aws, "azure": self._azure, "gcp": self._gcp}[machine.cloud](request, machine)

    def _aws(self, request: Request, machine: Machine) -> Answer:
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            if "x-aws-ec2-metadata-token-ttl-seconds" not in request.headers:
                return Answer(400)
            session = secrets.token_urlsafe()
            self._sessions.add(session)
            return Answer(200, session)
        if request.headers.get("x-aws-ec2-metadata-token") not in self._sessions:
            return Answer(401)
        role = machine.identity.rpartition("/")[2]
        about = "iam/security-credentials/"
        path = request.path.removeprefix(_AWS)
        if path == about + role:
            made = self._tokens.session(machine.identity, f"i-{machine.name}")
            return answered({"AccessKeyId": made.key, "SecretAccessKey": made.secret, "Token": made.token})
        found = {"placement/region": machine.region, about: role}.get(path)
        return Answer(200, found) if found else _NONE

    def _azure(self, request: Request, machine: Machine) -> Answer:
        query = request.query
        if request.path != "/metadata/identity/oauth2/token" or request.headers.get("metadata") != "true":
            return Answer(400, json.dumps({"error": "invalid_request"}))
        if query.get("client_id") != machine.identity:
            return Answer(400, json.dumps({"error": "invalid_request", "error_description": "Identity not found"}))
        identity, resource = self._identities[machine.identity], query.get("resource", "")
        if resource == RESOURCE:
            token = self._tokens.bearer(RESOURCE, identity.principal)
        else:
            audience = EXCHANGE_ID if resource == EXCHANGE else resource
            token = self._tokens.identity(
                {"iss": f"https://sts.windows.net/{identity.tenant}/", "sub": identity.principal, "aud": audience}
            )
        return answered({"access_token": token, "expires_in": str(LIFE), "resource": resource})

    def _gcp(self, request: Request, machine: Machine) -> Answer:
        if request.headers.get("metadata-flavor") != "Google":
            return Answer(403)
        account = self._accounts[machine.identity]
        if request.path == f"{_ACCOUNT}token":
            token = self._tokens.bearer(STORAGE, f"serviceAccount:{account.email}")
            return answered({"access_token": token, "expires_in": LIFE, "token_type": "Bearer"})
        if request.path == f"{_ACCOUNT}identity" and "audience" in request.query:
            who = {"sub": account.unique_id, "azp": account.unique_id, "email": account.email}
            claims = {"iss": "https://accounts.google.com", "aud": request.query["audience"], **who}
            return Answer(200, self._tokens.identity(claims))
        return _NONE
