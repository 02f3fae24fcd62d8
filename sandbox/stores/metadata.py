"""Metadata services of the three clouds. A machine is known by the address that it asks from.

Owns what boot scripts, uploaders and the clouds' own libraries ask for, and nothing else. Nothing is remembered:
sessions and tokens prove themselves.

Dangerous edge: an address is an identity only where nobody can send from another's. That is for whoever builds the
networks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .azure import EXCHANGE, EXCHANGE_ID, RESOURCE, VAULTS
from .exchange import Answer, Request, answered
from .gcp import GOOGLE
from .ground import Ground, Machine
from .tokens import Tokens

_NONE = Answer(404, "not found")
_AWS = "/latest/meta-data/"
_SESSION = "x-aws-ec2-metadata-token-ttl-seconds"
_GCP = "/computeMetadata/v1/"
_ACCOUNT = f"{_GCP}instance/service-accounts/default/"
_FLAVOR: Mapping[str, str] = {"Metadata-Flavor": "Google"}


class Metadata:
    """What each machine may know of itself."""

    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._tokens = tokens
        self._machines = {machine.address: machine for machine in ground.machines}
        self._identities = {identity.client: identity for identity in ground.identities}
        self._accounts = {account.email: account for account in ground.accounts}

    def handle(self, request: Request) -> Answer:
        """The answer of the asking machine's own cloud."""
        machine = self._machines.get(request.source)
        if machine is None:
            return _NONE
        # What comes through a proxy was not asked by the machine itself.
        if "x-forwarded-for" in request.headers:
            return Answer(403)
        return {"aws": self._aws, "azure": self._azure, "gcp": self._gcp}[machine.cloud](request, machine)

    def _aws(self, request: Request, machine: Machine) -> Answer:
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            life = request.headers.get(_SESSION, "")
            if not life.isdecimal() or not 1 <= int(life) <= 6 * 3600:
                return Answer(400)
            return Answer(200, self._tokens.metadata(machine.address, int(life)), {_SESSION: life})
        if not self._tokens.admits(request.headers.get("x-aws-ec2-metadata-token", ""), machine.address):
            return Answer(401)
        role = machine.identity.rpartition("/")[2]
        about = "iam/security-credentials/"
        path = request.path.removeprefix(_AWS)
        if role and path == about + role:
            made = self._tokens.session(machine.identity, f"i-{machine.name}")
            keys = {"AccessKeyId": made.key, "SecretAccessKey": made.secret, "Token": made.token}
            return answered({"Code": "Success", "Type": "AWS-HMAC", **keys, "Expiration": self._tokens.ends()})
        found = {"placement/region": machine.region, about: role, about.rstrip("/"): role}.get(path)
        return Answer(200, found) if found else _NONE

    def _azure(self, request: Request, machine: Machine) -> Answer:
        query = request.query
        if request.path != "/metadata/identity/oauth2/token" or request.headers.get("metadata", "").lower() != "true":
            return Answer(400, json.dumps({"error": "invalid_request"}))
        # A machine with one identity need not name it.
        identity = self._identities.get(machine.identity)
        if identity is None or query.get("client_id", machine.identity) != machine.identity:
            return Answer(400, json.dumps({"error": "invalid_request", "error_description": "Identity not found"}))
        resource = query.get("resource", "")
        if resource.rstrip("/") in (RESOURCE, VAULTS):
            token = self._tokens.bearer(resource.rstrip("/"), identity.principal)
        else:
            audience = EXCHANGE_ID if resource == EXCHANGE else resource
            token = self._tokens.identity(
                {"iss": f"https://sts.windows.net/{identity.tenant}/", "sub": identity.principal, "aud": audience}
            )
        life = {"expires_in": str(self._tokens.life), "expires_on": str(self._tokens.until())}
        who = {"client_id": identity.client, "resource": resource, "token_type": "Bearer"}
        return answered({"access_token": token, **life, **who})

    def _gcp(self, request: Request, machine: Machine) -> Answer:
        if request.path == "/":
            return Answer(200, "computeMetadata/\n", _FLAVOR)
        if request.headers.get("metadata-flavor") != "Google":
            return Answer(403, headers=_FLAVOR)
        texts = {
            f"{_GCP}universe/universe-domain": GOOGLE,
            f"{_GCP}universe/universe_domain": GOOGLE,
            f"{_GCP}project/project-id": machine.identity.partition("@")[2].partition(".")[0],
            f"{_ACCOUNT}email": machine.identity,
        }
        account = self._accounts.get(machine.identity)
        if texts.get(request.path):
            return Answer(200, texts[request.path], _FLAVOR)
        if account and request.path == f"{_ACCOUNT}token":
            token = self._tokens.bearer(GOOGLE, f"serviceAccount:{account.email}")
            answer = {"access_token": token, "expires_in": self._tokens.life, "token_type": "Bearer"}
            return Answer(200, json.dumps(answer), {**_FLAVOR, "Content-Type": "application/json"})
        if account and request.path == f"{_ACCOUNT}identity" and "audience" in request.query:
            who = {"sub": account.unique_id, "azp": account.unique_id, "email": account.email}
            claims = {"iss": "https://accounts.google.com", "aud": request.query["audience"], **who}
            return Answer(200, self._tokens.identity(claims), _FLAVOR)
        return _NONE
