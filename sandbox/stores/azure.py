"""Azure Blob Storage and Entra: bearer tokens, federated credentials, data actions and conditions.

Source: Blob service REST, "Permissions" of each operation; RBAC, "Conditions for blobs".
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from urllib.parse import quote, urlencode

from . import conditions
from .exchange import Answer, Forward, Request, answered, document, xml
from .ground import AzureContainer, AzureGrant, Ground
from .tokens import Tokens

RESOURCE = "https://storage.azure.com"
VAULTS = "https://vault.azure.net"
"""Services that take tokens of this tenant, as tokens name them, without a final slash."""
EXCHANGE = "api://AzureADTokenExchange"
EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"
"""What Entra writes as the audience of tokens for `EXCHANGE`."""
KEY = base64.b64encode(b"the emulator's account key, known to the gateway").decode()
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_ADD, _WRITE, _READ, _DELETE = (f"{_BLOBS}/{word}" for word in ("add/action", "write", "read", "delete"))


class Azure:
    """Containers, identities and grants of one tenant or several."""

    def __init__(self, ground: Ground, tokens: Tokens, port: int, exists: Callable[[int, str], bool]) -> None:
        self._ground, self._tokens, self._port, self._exists = ground, tokens, port, exists
        self._containers = {(found.account, found.name): found for found in ground.containers}
        self._clients = {identity.client: identity for identity in ground.identities}

    def serves(self, host: str) -> bool:
        """Whether the host is one of these services'."""
        return host.endswith(".blob.core.windows.net") or host == "login.microsoftonline.com"

    def handle(self, request: Request) -> Answer | Forward:
        """Authenticate, authorize, hand on."""
        if request.host == "login.microsoftonline.com":
            return self._login(request)
        account = request.host.partition(".")[0]
        _, container_name, name = [*request.path.split("/", 2), ""][:3]
        if (container := self._containers.get((account, container_name))) is None:
            raise xml(404, "ContainerNotFound")
        bearer = self._tokens.holder(request.headers.get("authorization", ""))
        if bearer is None or bearer.audience != RESOURCE or "x-ms-version" not in request.headers:
            raise xml(401, "InvalidAuthenticationInfo")
        if container.admitted is not None and request.source not in container.admitted:
            raise xml(403, "AuthorizationFailure")
        forward = self._forward(request, container, name)
        self._authorize(request, container, name, bearer.names, forward)
        digest = request.headers.get("content-md5")
        if digest and digest != base64.b64encode(request.digests["md5"]).decode():
            raise xml(400, "Md5Mismatch")
        return forward

    def _forward(self, request: Request, container: AzureContainer, name: str) -> Forward:
        path = f"/{container.account}/{container.name}" + (f"/{quote(name)}" if name else "")
        dropped = ("host", "content-length", "authorization")
        headers = {key: value for key, value in request.headers.items() if key not in dropped}
        query = urlencode(request.query)
        return Forward(self._port, f"{path}?{query and query + '&'}{shared_access(container.account)}", headers)

    def _authorize(
        self, request: Request, container: AzureContainer, name: str, names: frozenset[str], forward: Forward
    ) -> None:
        query = request.query
        operation = (request.method, query.get("comp", ""), bool(name))
        attributes = {
            f"@Resource[{_BLOBS}:path]": name,
            "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]": container.name,
        }

        def may(action: str) -> bool:
            return allowed(self._ground.azure_grants, names, container.id, action, attributes)

        if operation == ("PUT", "", True) and "x-ms-copy-source" not in request.headers:
            if may(_WRITE):
                return
            if not may(_ADD):
                raise xml(403, "AuthorizationPermissionMismatch")
            if self._exists(self._port, forward.target):
                raise xml(403, "UnauthorizedBlobOverwrite")
            return
        needed: Mapping[tuple[str, str, bool], str] = {
            ("GET", "", True): _READ,
            ("HEAD", "", True): _READ,
            ("GET", "list", False): _READ,
            ("DELETE", "", True): _DELETE,
            ("PUT", "metadata", True): _WRITE,
            ("PUT", "properties", True): _WRITE,
        }
        if operation not in needed:
            raise xml(501, "NotImplemented", f"{operation} is not modelled")
        if not may(needed[operation]):
            raise xml(403, "AuthorizationPermissionMismatch")

    def _login(self, request: Request) -> Answer:
        form, tenant = request.form(), request.path.split("/")[1]
        claims = self._tokens.claims(form.get("client_assertion", ""))
        identity = self._clients.get(form.get("client_id", ""))
        if claims is None or identity is None or identity.tenant != tenant:
            raise document(401, "invalid_client", "AADSTS700016: no such application, or no valid assertion")
        if (claims["iss"], claims["sub"], claims["aud"]) not in identity.trusts:
            raise document(401, "invalid_client", "AADSTS70021: No matching federated identity record found")
        if form.get("scope") != f"{RESOURCE}/.default":
            raise document(400, "invalid_scope", "AADSTS70011")
        return answered({"access_token": self._tokens.bearer(RESOURCE, identity.principal), "token_type": "Bearer"})


def allowed(
    grants: Iterable[AzureGrant], names: frozenset[str], thing: str, action: str, attributes: Mapping[str, str]
) -> bool:
    """Whether one of the caller's assignments at the thing's scope, or at one above it, has the data action."""
    return any(
        grant.principal in names
        and f"{thing}/".lower().startswith(f"{grant.scope}/".lower())
        and any(fnmatchcase(action.lower(), one.lower()) for one in grant.data_actions)
        and conditions.azure(grant.condition, action, attributes)
        for grant in grants
    )


def shared_access(account: str) -> str:
    """The gateway's own way into the emulator, as a query."""
    fields = {
        "sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600)),
        "sip": "", "spr": "", "sv": "2018-11-09",
    }  # fmt: skip
    text = "\n".join([account, *fields.values()]) + "\n"
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")).decode()
    return urlencode({**{key: value for key, value in fields.items() if value}, "sig": signature})
