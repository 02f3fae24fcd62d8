"""ACL policies and tokens of a real Nomad (/v1/acl/policy, /v1/acl/token)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from nomad.api.exceptions import URLNotFoundNomadException

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.nomad.api import Api
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Secret, Value

_JOB: Final = {"namespace": "Namespace", "jobId": "JobID", "group": "Group", "task": "Task"}
_NEVER: Final = "0001-01-01T00:00:00Z"


class _Policy(Actor):
    """As with the real provider, a policy of that name is overwritten."""

    inputs = frozenset({"name", "description", "rulesHcl", "jobAcl"})

    def create(self, api: Api, draft: Draft) -> str:
        given = draft.inputs
        body: dict[str, Value] = {
            "Name": given["name"],
            "Description": given.get("description") or "",
            "Rules": given["rulesHcl"],
        }
        if given.get("jobAcl"):
            body["JobACL"] = {theirs: given["jobAcl"].get(ours) or "" for ours, theirs in _JOB.items()}
        api.acl.create_policy(given["name"], body)
        return given["name"]

    def read(self, api: Api, draft: Draft) -> Mapping[str, Value] | None:
        try:
            found = api.acl.get_policy(draft.id)
        except URLNotFoundNomadException:
            return None
        job = found.get("JobACL")
        return {
            "name": found["Name"],
            "description": found["Description"],
            "rulesHcl": found["Rules"],
            "jobAcl": job and {ours: job[theirs] for ours, theirs in _JOB.items()},
        }

    def update(self, api: Api, draft: Draft) -> None:
        self.create(api, draft)

    def delete(self, api: Api, draft: Draft) -> None:
        with suppress(URLNotFoundNomadException):
            api.acl.delete_policy(draft.id)


class _Token(Actor):
    """Nomad makes both ids, and tells the secret whenever it is asked by one who may."""

    inputs = frozenset({"name", "type", "policies", "roles", "global", "expirationTtl"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return None

    def create(self, api: Api, draft: Draft) -> str:
        body = self._body(draft)
        if draft.inputs.get("expirationTtl"):
            body["ExpirationTTL"] = draft.inputs["expirationTtl"]
        return api.acl.create_token(body)["AccessorID"]

    def read(self, api: Api, draft: Draft) -> Mapping[str, Value] | None:
        try:
            found = api.acl.get_token(draft.id)
        except URLNotFoundNomadException:
            return None
        expires = found.get("ExpirationTime")
        return {
            "accessorId": found["AccessorID"],
            "secretId": Secret(found["SecretID"]),
            "name": found["Name"],
            "type": found["Type"],
            "global": found["Global"],
            "policies": found["Policies"] or [],
            "roles": [{"id": role["ID"]} for role in found.get("Roles") or []],
            "createTime": found["CreateTime"],
            "expirationTime": expires if expires and expires != _NEVER else "",
        }

    def update(self, api: Api, draft: Draft) -> None:
        api.acl.update_token(draft.id, {"AccessorID": draft.id, **self._body(draft)})

    def delete(self, api: Api, draft: Draft) -> None:
        with suppress(URLNotFoundNomadException):
            api.acl.delete_token(draft.id)

    def _body(self, draft: Draft) -> dict[str, Any]:
        given = draft.inputs
        return {
            "Name": given["name"],
            "Type": given["type"],
            "Policies": given.get("policies") or [],
            "Roles": [{"ID": role["id"]} for role in given.get("roles") or []],
            "Global": bool(given.get("global")),
        }


policy: Final = model("nomad:index/aclPolicy:AclPolicy", name=Name("name"), immutable=("name",), acts=_Policy())
token: Final = model(
    "nomad:index/aclToken:AclToken", name=Name("name"), immutable=("global", "expirationTtl"), acts=_Token()
)
