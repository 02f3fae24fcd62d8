"""ACL policies and tokens of a real Consul (/v1/acl/policy, /v1/acl/token).

pulumi-consul lets a program choose a token's accessor and never its secret: Consul makes that, and
`getAclTokenSecretId` tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import consul
from consul.exceptions import ACLPermissionDenied

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Call, Draft
from sandbox.cloud.errors import Refusal
from sandbox.cloud.models.consul.api import put
from sandbox.cloud.products import acts, client
from sandbox.cloud.registry import Name, invoke, model
from sandbox.cloud.wire import Secret, Value


class _Policy(Actor):
    inputs = frozenset({"name", "rules", "description", "datacenters"})

    def create(self, api: consul.Consul, draft: Draft) -> str:
        return put(api, "/v1/acl/policy", self._body(draft))["ID"]

    def read(self, api: consul.Consul, draft: Draft) -> Mapping[str, Value] | None:
        found = _found(lambda: api.acl.policy.read(draft.id))
        return found and {
            "name": found["Name"],
            "rules": found["Rules"],
            "description": found["Description"],
            "datacenters": found.get("Datacenters") or [],
        }

    def update(self, api: consul.Consul, draft: Draft) -> None:
        put(api, f"/v1/acl/policy/{draft.id}", {"ID": draft.id, **self._body(draft)})

    def delete(self, api: consul.Consul, draft: Draft) -> None:
        _found(lambda: api.acl.policy.delete(draft.id))

    def _body(self, draft: Draft) -> dict[str, Value]:
        given = draft.inputs
        return {
            "Name": given["name"],
            "Rules": given["rules"],
            "Description": given.get("description") or "",
            "Datacenters": given.get("datacenters"),
        }


class _Token(Actor):
    inputs = frozenset({
        "accessorId", "description", "policies", "roles", "local", "expirationTime", "serviceIdentities", "nodeIdentities",
    })  # fmt: skip

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return inputs.get("accessorId")

    def create(self, api: consul.Consul, draft: Draft) -> str:
        own = {"AccessorID": draft.inputs.get("accessorId"), "ExpirationTime": draft.inputs.get("expirationTime")}
        given = {name: value for name, value in own.items() if value}
        return put(api, "/v1/acl/token", {**self._body(draft), **given})["AccessorID"]

    def read(self, api: consul.Consul, draft: Draft) -> Mapping[str, Value] | None:
        found = _found(lambda: api.acl.token.read(draft.id))
        return found and {
            "accessorId": found["AccessorID"],
            "description": found["Description"],
            "local": found["Local"],
            "policies": [link["Name"] for link in found.get("Policies") or []],
            "roles": [link["Name"] for link in found.get("Roles") or []],
            "serviceIdentities": [
                {
                    "serviceName": each["ServiceName"],
                    **({"datacenters": each["Datacenters"]} if each.get("Datacenters") else {}),
                }
                for each in found.get("ServiceIdentities") or []
            ],
            "nodeIdentities": [
                {"nodeName": each["NodeName"], "datacenter": each["Datacenter"]}
                for each in found.get("NodeIdentities") or []
            ],
        }

    def update(self, api: consul.Consul, draft: Draft) -> None:
        put(api, f"/v1/acl/token/{draft.id}", {"AccessorID": draft.id, **self._body(draft)})

    def delete(self, api: consul.Consul, draft: Draft) -> None:
        _found(lambda: api.acl.token.delete(draft.id))

    def _body(self, draft: Draft) -> dict[str, Value]:
        given = draft.inputs
        return {
            "Description": given.get("description") or "",
            "Local": bool(given.get("local")),
            "Policies": [{"Name": name} for name in given.get("policies") or []],
            "Roles": [{"Name": name} for name in given.get("roles") or []],
            "ServiceIdentities": [
                {"ServiceName": each["serviceName"], "Datacenters": each.get("datacenters")}
                for each in given.get("serviceIdentities") or []
            ],
            "NodeIdentities": [
                {"NodeName": each["nodeName"], "Datacenter": each["datacenter"]}
                for each in given.get("nodeIdentities") or []
            ],
        }


def _found(ask: Callable[[], Any]) -> Any:  # noqa: ANN401  # as Consul answers
    """The answer, or None if there is no such thing; some versions say so as 403 with words that tell it apart."""
    try:
        return ask()
    except ACLPermissionDenied as error:
        if _ABSENT not in str(error):
            raise
        return None


_ABSENT: Final = "Requested token does not exist"
policy: Final = model("consul:index/aclPolicy:AclPolicy", name=Name("name"), acts=_Policy())
token: Final = model(
    "consul:index/aclToken:AclToken", immutable=("accessorId", "local", "expirationTime"), acts=_Token()
)


@invoke("consul:index/getAclTokenSecretId:getAclTokenSecretId")
def _secret_id(call: Call) -> Mapping[str, Value]:
    accessor = str(call.arguments["accessorId"])
    if not acts(call.provider, token.type):
        raise Refusal("NotSupported", "only a real Consul has secret ids: give the provider an address", 501)
    if any(call.arguments.get(name) for name in ("pgpKey", "namespace", "partition")):
        raise Refusal("NotSupported", "only `accessorId` is obeyed: leave the other arguments out", 501)
    with client(call.reach, call.provider, "consul") as api:
        found = _found(lambda: api.acl.token.read(accessor))
    if not found:
        raise Refusal("NotFound", f"Consul has no token with the accessor {accessor}: refresh, then run again", 404)
    return {"id": accessor, "accessorId": accessor, "secretId": Secret(found["SecretID"]), "encryptedSecretId": ""}
