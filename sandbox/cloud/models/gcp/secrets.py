"""Google Cloud Secret Manager: secrets, versions, readers.

Source: Secret Manager API reference, projects.secrets; "Customer-managed encryption keys", "Delay secret version
destruction".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.identity import ACCOUNT, AGENT
from sandbox.cloud.models.gcp.keys import KEY, usable
from sandbox.cloud.models.gcp.names import FOREIGN, last
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value, is_known

SECRET: Final = "gcp:secretmanager/secret:Secret"  # noqa: S105 - a type token
VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_REPLICAS: Final = "replication.userManaged.replicas[*]"
_LARGEST: Final = 64 * 1024

secret = model(
    SECRET,
    name=Name("secretId", max=255, pattern=r"[a-zA-Z0-9_-]+", rule="letters, digits, underscores, hyphens"),
    references=(Ref(f"{_REPLICAS}.customerManagedEncryption.kmsKeyName", (KEY,)),),
    immutable=("secretId", "replication.auto", "replication.userManaged.replicas.location"),
    outputs={"name": "projects/{projectNumber}/secrets/{secretId}"},
)
version = model(
    VERSION,
    references=(Ref("secret", (SECRET,), holds=False),),
    immutable=("secret", "secretData", "isSecretDataBase64", "secretDataWoVersion"),
)
reader = model(
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    id=lambda draft: (
        f"projects/{draft.scope('project')}/secrets/{last(draft.get('secretId'))}"
        f"/{draft.get('role')}/{draft.get('member')}"
    ),
    references=(Ref("secretId", (SECRET,), holds=False), Ref("member", (ACCOUNT, AGENT), external=FOREIGN)),
    immutable=("secretId", "role", "member", "condition"),
    outputs={"etag": "{hex8}="},
)


@secret.check
def _replication(draft: Draft) -> Iterator[Failure]:
    kinds = [kind for kind in ("auto", "userManaged") if draft.get(f"replication.{kind}") is not None]
    if len(kinds) != 1:
        yield draft.fail("replication", f"exactly one of auto and userManaged must be given, got {kinds or 'none'}")
    locations = [value for _, value in draft.each(f"{_REPLICAS}.location") if is_known(value)]
    if len(set(locations)) != len(locations):
        yield draft.fail("replication.userManaged.replicas", "each location can hold one replica")
    ttl = draft.known("versionDestroyTtl")
    if isinstance(ttl, str) and not re.fullmatch(r"\d+s", ttl):
        yield draft.fail("versionDestroyTtl", f"'{ttl}' is not a number of seconds such as 2592000s")


@secret.admit
def _keys(draft: Draft) -> None:
    for _, replica in draft.each(_REPLICAS):
        key_id = (replica.get("customerManagedEncryption") or {}).get("kmsKeyName")
        place = str(replica.get("location"))
        found = draft.find(KEY, key_id)
        if found and found.id.split("/")[3] != place:
            message = f"The key {found.id} must lie in {place}, as the replica does that it encrypts."
            raise draft.refuse("FAILED_PRECONDITION", message)
        agent = f"service-{draft.scope('projectNumber')}@gcp-sa-secretmanager.iam.gserviceaccount.com"
        usable(draft, "replication", key_id, place, agent)


@secret.guard
def _protected(draft: Draft) -> None:
    if draft.inputs.get("deletionProtection"):
        message = "cannot destroy secret without setting deletion_protection=false and running `pulumi up`"
        raise draft.refuse("deletionProtected", message)


@secret.guard
def _with_versions(draft: Draft) -> None:
    """Versions go with their secret."""
    for record in list(draft.others(VERSION)):
        if draft.find(SECRET, record["secret"]) == draft.old:
            draft.store.remove(record.key)


@version.check
def _one_value(draft: Draft) -> Iterator[Failure]:
    given = [name for name in ("secretData", "secretDataWo") if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("", f"exactly one of secretData and secretDataWo must be given, got {given or 'none'}")
    value = draft.known("secretData")
    if isinstance(value, str) and len(value.encode()) > _LARGEST:
        yield draft.fail("secretData", f"holds more than {_LARGEST} bytes")


@version.compute
def _number(draft: Draft) -> dict[str, Value]:
    if draft.old is not None:
        return {}
    held = draft.find(SECRET, draft.get("secret"))
    numbers = [
        int(record["version"]) for record in draft.others(VERSION) if draft.find(SECRET, record["secret"]) == held
    ]
    number = max(numbers, default=0) + 1
    name = f"{held.id if held else draft.get('secret')}/versions/{number}"
    return {"id": name, "name": name, "version": str(number), "destroyTime": ""}
