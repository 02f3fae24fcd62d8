"""The manifest: read back as written, nothing unknown, no place for a secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError

from components.plan import manifest, values
from components.plan.manifest import Manifest, fingerprint
from components.plan.spec import Clients, Platform
from tests.plan.platforms import platforms

KEY = {"purpose": "vault-seal", "kind": "awskms", "attributes": {"region": "us-west-2"}, "region": "us-west-2",
       "usableFrom": ["us-west-2", "us-east-2"]}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "schemaVersion": 1,
    "platform": "hashicorp",
    "environment": "production",
    "domain": "hashicorp.example.com",
    "cloud": "aws",
    "region": "us-west-2",
    "recoveryRegion": "us-east-2",
    "account": "123456789012",
    "tenant": "aws",
    "primary": "aws",
    "profile": "production",
    "edition": "community",
    "seal": "cloud",
    "versions": {"vault": "1.21.0"},
    "shared": "0123456789abcdef",
    "network": {
        "id": "vpc-1", "cidr": "10.1.0.0/16", "zones": ["a", "b", "c"], "serverSubnets": ["s"], "clientSubnets": ["c"],
    },
    "clusters": [
        {
            "product": "vault",
            "name": "vault-aws",
            "version": "1.21.0",
            "endpoint": "https://vault.hashicorp.example.com:8200",
            "health": "https://vault.hashicorp.example.com:8200/v1/sys/health",
            "servers": [{"name": "vault-aws-1", "zone": "a", "address": "10.1.1.20", "id": "i-1"}],
            "key": "vault-seal",
            "secrets": ["vault-server-key"],
        }
    ],
    "clients": {"group": "asg-1", "minimum": 3, "maximum": 12},
    "keys": [KEY],
    "secrets": {"vault-server-key": "arn:aws:secretsmanager:us-west-2:123456789012:secret:x"},
    "workerAuth": KEY,
    "identities": {"vault-server": "arn:aws:iam::123456789012:role/x"},
    "caCertificate": "-----BEGIN CERTIFICATE-----\n",
}  # fmt: skip


def changed(path: str, value: object) -> dict[str, Any]:
    *above, last = path.split(".")
    document = Manifest.model_validate(DOCUMENT).model_dump(by_alias=True, mode="json")
    branch: Any = document
    for step in above:
        branch = branch[int(step)] if step.isdigit() else branch[step]
    branch[last] = value
    return document


def test_a_manifest_reads_back_as_it_was_written() -> None:
    read = Manifest.model_validate(DOCUMENT)
    assert read.model_dump(by_alias=True, mode="json", exclude_unset=True) == DOCUMENT
    assert Manifest.model_validate_json(read.model_dump_json(by_alias=True)) == read


@pytest.mark.parametrize("path", ["clusters.0.endpoint", "clusters.0.health", "clusters.0.key", "workerAuth"])
def test_what_may_be_null_may_be_missing_because_the_engine_drops_nulls(path: str) -> None:
    document = changed(path, None)
    *above, last = path.split(".")
    branch: Any = document
    for step in above:
        branch = branch[int(step)] if step.isdigit() else branch[step]
    assert Manifest.model_validate(document) == Manifest.model_validate(changed(path, None))
    del branch[last]
    assert Manifest.model_validate(document) == Manifest.model_validate(changed(path, None))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schemaVersion", 2),
        ("schemaVersion", 0),
        ("cloud", "ibm"),
        ("added", 1),
        ("network.added", 1),
        ("clusters.0.added", 1),
        ("clusters.0.servers.0.added", 1),
        ("keys.0.added", 1),
        ("clients.minimum", "many"),
        ("identities", {"somebody": "x"}),
    ],
)
def test_a_manifest_of_another_schema_or_with_more_in_it_is_refused(path: str, value: object) -> None:
    Manifest.model_validate(DOCUMENT)
    with pytest.raises(ValidationError):
        Manifest.model_validate(changed(path, value))


def test_a_manifest_cannot_be_changed() -> None:
    read = Manifest.model_validate(DOCUMENT)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(read, "region", "eu-west-1")  # noqa: B010 - assignment would not pass the type checker


def test_no_field_is_made_for_a_secret() -> None:
    models = [kind for kind in vars(manifest).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
    fields = [field for model in models for field in model.model_fields]
    assert len(fields) > 40
    assert not [field for field in fields if re.search(r"token|password|passphrase|private|credential|value", field)]
    assert values.secret_like(Manifest.model_validate(DOCUMENT).model_dump_json()) is None


@given(platforms())
def test_the_fingerprint_changes_with_what_regions_must_agree_on_and_with_nothing_else(platform: Platform) -> None:
    def of(**settings: object) -> str:
        return fingerprint(Platform(**{**vars(platform), **settings}))

    assert of() == fingerprint(platform)
    assert len({of(), of(name="other"), of(domain="other.org"), of(environment="other"), of(servers={"vault": 9})}) == 5
    moved = {**platform.regions, "aws": type(platform.regions["aws"])("aws", "eu-west-1", ("a",), "10.0.0.0/16", "x")}
    assert of(regions=moved) != of()
    assert of(regions=dict(reversed(list(platform.regions.items())))) == of()
    assert of(versions={}, owner="x", cost_center="x", clients=Clients(1, 1)) == of()
