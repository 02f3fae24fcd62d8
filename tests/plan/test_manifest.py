"""The manifest: read back as written, nothing unknown, no place for a secret."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError

from components.plan import manifest, values
from components.plan.manifest import Manifest, fingerprint, packed, platform_of, remembered, settings_of
from components.plan.spec import Clients, Cloud, Platform
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
        "egress": ["203.0.113.1"],
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
    "settings": {"name": "hashicorp"},
    "stack": {"account": "", "image": "ubuntu"},
    "mesh": {
        "asn": 64610,
        "endpoints": {"aws-gcp": ["198.51.100.1"]},
        "declared": ["aws-gcp"],
        "tunnels": [{"pair": "aws-gcp", "index": 0, "status": "half", "inside": "169.254.10.0/30", "own": "198.51.100.1",
                     "far": "198.51.100.2"}],
    },
    "backup": {
        "bucket": {"name": "b", "attributes": {"bucket": "b", "region": "us-west-2"}, "replica": "r",
                   "replicaRegion": "us-east-2", "key": "backup", "lock": "compliance", "lockDays": 35, "keepDays": 400},
        "sets": [{"saved": "vault", "intervalMinutes": 30, "role": "vault-server", "targets": ["aws", "gcp"]}],
        "rpoMinutes": 60,
        "restorer": "arn:aws:iam::123456789012:role/backup-restorer",
        "writers": {"azure": {"vault-server": {"role_arn": "arn:aws:iam::123456789012:role/w", "audience": "a"}}},
    },
    "audit": {"bucket": "a", "keepDays": 400},
    "database": {"id": "db-1", "address": "db.example.com", "version": "16.9.0", "pitrDays": 35, "copyRegion": "us-east-2"},
}  # fmt: skip
LATER = ("settings", "stack", "mesh", "backup", "audit", "database")
"""Fields that manifests did not have at first. Regions read each other's before they write their own."""


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
        ("mesh.added", 1),
        ("mesh.tunnels.0.status", "down"),
        ("mesh.tunnels.0.key", "x"),
        ("backup.bucket.lock", "legal-hold"),
        ("backup.sets.0.saved", "etcd"),
        ("backup.writers", {"ibm": {}}),
        ("database.added", "x"),
        ("peers", {"ibm": {}}),
        ("identities", {"somebody": "x"}),
    ],
)
def test_a_manifest_of_another_schema_or_with_more_in_it_is_refused(path: str, value: object) -> None:
    Manifest.model_validate(DOCUMENT)
    with pytest.raises(ValidationError):
        Manifest.model_validate(changed(path, value))


def test_a_manifest_without_the_later_fields_is_read_still() -> None:
    early = {key: value for key, value in DOCUMENT.items() if key not in LATER}
    read = Manifest.model_validate(early)
    assert read.settings == {}
    assert [getattr(read, field) for field in LATER[1:]] == [None] * 5
    assert read.peers == {}
    required = {field.alias for field in Manifest.model_fields.values() if field.is_required()}
    assert required <= early.keys()
    for field in required:
        with pytest.raises(ValidationError):
            Manifest.model_validate({key: value for key, value in early.items() if key != field})


def test_a_region_keeps_of_a_peer_what_others_updates_do_not_change() -> None:
    whole = Manifest.model_validate({**DOCUMENT, "peers": {"gcp": {**DOCUMENT, "cloud": "gcp"}}})
    tried: tuple[tuple[Cloud, set[str]], ...] = (("azure", {"azure"}), ("gcp", set()))
    for by, ways in tried:
        kept = remembered(whole, by)
        assert kept.mesh
        assert whole.mesh
        assert kept.backup
        assert (kept.peers, kept.mesh.declared, kept.mesh.tunnels) == ({}, (), ())
        assert kept.mesh.endpoints == whole.mesh.endpoints
        assert set(kept.backup.writers) == ways
        untouched = set(Manifest.model_fields) - {"peers", "mesh", "backup"}
        assert all(getattr(kept, field) == getattr(whole, field) for field in untouched)
        assert remembered(kept, by) == kept


def test_what_machines_are_handed_does_not_change_with_how_far_the_mesh_has_come() -> None:
    whole = Manifest.model_validate(DOCUMENT)
    assert packed(whole) == packed(Manifest.model_validate(changed("mesh.tunnels", [])))
    assert packed(whole) == packed(Manifest.model_validate(changed("mesh.declared", [])))
    assert packed(whole) != packed(Manifest.model_validate(changed("mesh.endpoints", {})))
    assert packed(whole) != packed(Manifest.model_validate(changed("backup.bucket.name", "other")))
    document = json.loads(gzip.decompress(base64.b64decode(packed(whole))))
    assert Manifest.model_validate(document).backup == whole.backup


@given(platforms())
def test_settings_read_back_as_the_platform_they_were_made_of_even_as_the_engine_hands_them_over(
    platform: Platform,
) -> None:
    assert platform_of(settings_of(platform)) == platform
    handed_over = json.loads(json.dumps(settings_of(platform), sort_keys=True), parse_int=float)
    assert platform_of(handed_over) == platform
    for wrong in ({**settings_of(platform), "added": 1}, {}):
        with pytest.raises(ValueError, match=r"more than this program knows|Field required|required positional"):
            platform_of(wrong)


def test_a_manifest_cannot_be_changed() -> None:
    read = Manifest.model_validate(DOCUMENT)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(read, "region", "eu-west-1")  # noqa: B010 - assignment would not pass the type checker


def test_no_field_is_made_for_a_secret() -> None:
    models = [kind for kind in vars(manifest).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
    fields = [field for model in models for field in model.model_fields]
    assert len(fields) > 80
    assert not [
        field for field in fields if re.search(r"token|password|passphrase|private|credential|value|psk", field)
    ]
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
    assert of(versions={}, owner="x", cost_center="x", clients=Clients(1, 1), audit_days=1) == of()
    assert of(asns={**platform.asns, "aws": 1}) != of()
    assert of(backup=replace(platform.backup, copies={"aws": "aws"})) != of()
    assert of(backup=replace(platform.backup, lock_days=9999, rpo_minutes=9999)) == of()
