"""AWS keys and secrets.

Source: KMS API reference, CreateKey, CreateAlias, ScheduleKeyDeletion; Secrets Manager API reference, DeleteSecret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.identity import ROLE, principals
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

KEY: Final = "aws:kms/key:Key"
REPLICA: Final = "aws:kms/replicaKey:ReplicaKey"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105  # a type token
KEYS: Final = (KEY, REPLICA, "aws:kms/alias:Alias")
_WINDOW: Final = (7, 30)  # days


def _secret_arn(draft: Draft) -> str:
    return draft.fill("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{hex6}") or ""


def _default_policy(draft: Draft) -> dict[str, Value]:
    root = draft.fill("arn:aws:iam::{account}:root")
    statement = {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": root},
                 "Action": "kms:*", "Resource": "*"}  # fmt: skip
    return {"Id": "key-default-1", "Version": "2012-10-17", "Statement": [statement]}


key = model(
    KEY,
    id=lambda draft: draft.fill("mrk-{hex32}" if draft.get("multiRegion") else "{hex8}-{hex4}-4{hex3}-8{hex3}-{hex12}"),
    immutable=("customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId"),
    outputs={
        "arn": "arn:aws:kms:{region}:{account}:key/{id}",
        "keyId": "{id}",
        "multiRegion": False,
        "policy": lambda draft: json.dumps(_default_policy(draft)),
        "rotationPeriodInDays": 365,
    },
    handles=("arn", "keyId"),
)
replica = model(
    REPLICA,
    id=lambda draft: str(draft.get("primaryKeyArn")).rpartition("/")[2],
    references=(Ref("primaryKeyArn", (KEY,), missing="NotFoundException"),),
    unique=(("primaryKeyArn", "region"),),
    immutable=("primaryKeyArn",),
    outputs={
        "arn": "arn:aws:kms:{region}:{account}:key/{id}",
        "keyId": "{id}",
        "keySpec": "SYMMETRIC_DEFAULT",
        "keyUsage": "ENCRYPT_DECRYPT",
        "policy": lambda draft: json.dumps(_default_policy(draft)),
    },
    handles=("arn",),
)
alias = model(
    "aws:kms/alias:Alias",
    id="{name}",
    name=Name("name", pattern=r"alias/(?!aws/)[a-zA-Z0-9:/_-]+", rule="it starts with alias/, and not with alias/aws/",
              made=False),
    unique=(("region", "name"),),
    references=(Ref("targetKeyId", (KEY, REPLICA), missing="NotFoundException"),),
    outputs={"arn": "arn:aws:kms:{region}:{account}:{name}"},
    exists="AlreadyExistsException",
)  # fmt: skip
secret = model(
    SECRET,
    id=_secret_arn,
    name=Name("name", max=512, characters="A-Za-z0-9-"),
    unique=(("region", "name"),),
    references=(
        Ref("kmsKeyId", KEYS, external=r"(.*:)?alias/aws/.*", missing="InvalidParameterException", holds=False),
        Ref("replicas[*].kmsKeyId", KEYS, external=r"(.*:)?alias/aws/.*", holds=False),
    ),
    immutable=("name", "namePrefix"),
    outputs={"arn": "{id}", "policy": ""},
    exists="ResourceExistsException",
    lingers=lambda draft: draft.get("recoveryWindowInDays", 30),
)
version = model(
    "aws:secretsmanager/secretVersion:SecretVersion",
    id="{secretId}|terraform-{hex26}",
    references=(Ref("secretId", (SECRET,), missing="ResourceNotFoundException"),),
    immutable=("secretId", "secretString", "secretBinary", "secretStringWoVersion"),
    outputs={
        "arn": "{secretId}",
        "versionId": "terraform-{hex26}",
        "versionStages": ["AWSCURRENT"],
        "hasSecretStringWo": lambda draft: draft.get("secretStringWo") is not None,
    },
    handles=(),
)


@key.check
@replica.check
def _window(draft: Draft) -> Iterator[Failure]:
    days, (low, high) = draft.known("deletionWindowInDays"), _WINDOW
    if isinstance(days, int) and not low <= days <= high:
        yield draft.fail("deletionWindowInDays", f"expected to be in the range ({low} - {high}), got {days}")


@key.check
def _rotation(draft: Draft) -> Iterator[Failure]:
    days, spec = draft.known("rotationPeriodInDays"), draft.known("customerMasterKeySpec")
    if isinstance(days, int) and not 90 <= days <= 2560:
        yield draft.fail("rotationPeriodInDays", f"expected to be in the range (90 - 2560), got {days}")
    if draft.get("enableKeyRotation") is True and spec not in (None, "SYMMETRIC_DEFAULT"):
        yield draft.fail("enableKeyRotation", f"a key of spec {spec} cannot rotate by itself")


@key.check
@replica.check
@secret.check
def _policy_is_json(draft: Draft) -> Iterator[Failure]:
    policy = draft.known("policy")
    if isinstance(policy, str) and policy:
        try:
            json.loads(policy)
        except ValueError as error:
            yield draft.fail("policy", f"contains an invalid JSON policy: {error}")


@key.admit
@replica.admit
def _policy_stands(draft: Draft) -> None:
    """Whom a key policy names must exist, and it must leave somebody of the account in charge of itself."""
    policy = draft.get("policy")
    if not policy or not draft.changed("policy"):
        return
    named = list(principals(policy, "AWS"))
    for _, who in named:
        if ":role/" in who and draft.find(ROLE, who) is None:
            raise draft.refuse(
                "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
            )
    if draft.get("bypassPolicyLockoutSafetyCheck") is not True and not any(_rules(item) for item, _ in named):
        raise draft.refuse(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )


def _rules(statement: dict[str, Value]) -> bool:
    actions = statement.get("Action")
    mighty = {"*", "kms:*", "kms:Put*", "kms:PutKeyPolicy"}
    return statement.get("Effect") == "Allow" and bool(
        mighty.intersection(actions if isinstance(actions, list) else [actions])
    )


@replica.admit
def _primary_can_be_replicated(draft: Draft) -> None:
    primary = draft.find(KEY, draft.get("primaryKeyArn"))
    if primary is None:
        return
    if not primary["multiRegion"]:
        raise draft.refuse("UnsupportedOperationException", f"{primary['arn']} is not a multi-Region key.")
    if primary["region"] == draft.scope("region"):
        raise draft.refuse("AlreadyExistsException", f"the key {primary.id} exists in {primary['region']} already", 409)


@secret.check
def _recovery(draft: Draft) -> Iterator[Failure]:
    days, (low, high) = draft.known("recoveryWindowInDays"), _WINDOW
    if isinstance(days, int) and days != 0 and not low <= days <= high:
        yield draft.fail("recoveryWindowInDays", f"expected 0 or a value between {low} and {high}, got {days}")
    name = draft.known("name")
    if isinstance(name, str) and not all(char.isalnum() or char in "/_+=.@-" for char in name):
        yield draft.fail("name", "a name holds letters, digits and /_+=.@- only")


@secret.admit
def _keys_lie_where_they_serve(draft: Draft) -> None:
    own = draft.scope("region")
    wanted = [("kmsKeyId", draft.get("kmsKeyId"), own)]
    for path, item in draft.each("replicas[*]"):
        if item["region"] == own:
            raise draft.refuse("InvalidParameterException", f"{path}: {own} is the secret's own region.")
        wanted.append((path, item.get("kmsKeyId"), item["region"]))
    for path, value, region in wanted:
        if isinstance(value, str) and value.startswith("arn:") and value.split(":")[3] != region:
            raise draft.refuse("InvalidParameterException", f"{path}: the key must be in {region}.")


@version.check
def _has_a_value(draft: Draft) -> Iterator[Failure]:
    given = [name for name in ("secretString", "secretBinary", "secretStringWo") if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("secretString", f"exactly one of secretString, secretBinary, secretStringWo, got {given}")
