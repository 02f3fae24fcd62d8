"""What a program may ask of Google Cloud: whose credentials these are, a project, a machine."""

from __future__ import annotations

from typing import Final

from sandbox.cloud.draft import Call
from sandbox.cloud.errors import Refusal
from sandbox.cloud.packages import GCP_PROJECT_NUMBER
from sandbox.cloud.registry import invoke
from sandbox.cloud.wire import Value

PROJECT: Final = "platform-sandbox"  # the project that the sandbox's credentials work in
_INSTANCE: Final = "gcp:compute/instance:Instance"


@invoke("gcp:organizations/getClientConfig:getClientConfig")
def client_config(call: Call) -> dict[str, Value]:
    """The configuration of the provider; without a project of its own it has the credentials'."""
    return {
        "id": "client",
        "project": call.scope("project") or PROJECT,
        "region": call.scope("region"),
        "zone": call.scope("zone"),
        "accessToken": "",
        "defaultLabels": {},
    }


@invoke("gcp:organizations/getProject:getProject")
def project(call: Call) -> dict[str, Value]:
    """The project, which exists if the provider or the credentials name it."""
    own = call.scope("project") or PROJECT
    wanted = call.arguments.get("projectId") or own
    if wanted not in (own, PROJECT):
        raise Refusal("forbidden", f"The caller does not have permission to get project {wanted}", 403)
    return {
        "id": f"projects/{wanted}",
        "projectId": wanted,
        "name": wanted,
        "number": GCP_PROJECT_NUMBER,
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "labels": {},
        "orgId": "",
        "pulumiLabels": {},
        "tags": {},
    }


@invoke("gcp:storage/getProjectServiceAccount:getProjectServiceAccount")
def storage_agent(call: Call) -> dict[str, Value]:
    """Cloud Storage's own identity in the project."""
    email = f"service-{GCP_PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    return {
        "id": email,
        "project": call.scope("project") or PROJECT,
        "emailAddress": email,
        "member": f"serviceAccount:{email}",
    }


@invoke("gcp:compute/getInstance:getInstance")
def instance(call: Call) -> dict[str, Value]:
    """One machine, as its last update left it."""
    place = f"projects/{call.scope('project')}/zones/{call.scope('zone')}/instances/{call.arguments.get('name')}"
    found = call.store.get((_INSTANCE, place))
    if found is None:
        raise Refusal("notFound", f"The resource '{place}' was not found", 404)
    return {**found.plain, "id": found.id, "deletionProtection": bool(found["deletionProtection"])}
