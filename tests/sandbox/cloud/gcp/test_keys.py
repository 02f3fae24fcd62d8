"""What Google Cloud refuses of identities, keys and secrets: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError
from tests.sandbox.cloud.gcp.ground import (
    ACCOUNT,
    AGENT,
    DISK,
    DISK_AGENT,
    KEY,
    KEY_GRANT,
    KEY_RING,
    USE,
    ZONE,
    key,
)

SECRET, VERSION = "gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretVersion:SecretVersion"
READER = "gcp:secretmanager/secretIamMember:SecretIamMember"
STORE_AGENT = "serviceAccount:service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com"
READ = "roles/secretmanager.secretAccessor"
AUTOMATIC = {"auto": {}}


def test_an_accounts_id_has_its_form(cloud: Client) -> None:
    for wrong in ("short", "a" * 31, "Vault-server", "-vault-server"):
        assert cloud.failures(ACCOUNT, {"accountId": wrong}), wrong
    made = cloud.create(ACCOUNT, {"accountId": "a" * 30})
    assert made["email"] == f"{'a' * 30}@platform-sandbox.iam.gserviceaccount.com"
    assert made["member"] == f"serviceAccount:{made['email']}"


def test_an_account_made_again_is_another_one_at_the_same_address(cloud: Client) -> None:
    first = cloud.create(ACCOUNT, {"accountId": "vault-server"})
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create(ACCOUNT, {"accountId": "vault-server"}, "again")
    cloud.delete(first)
    second = cloud.create(ACCOUNT, {"accountId": "vault-server"})
    assert second["email"] == first["email"]
    assert second["uniqueId"] != first["uniqueId"]


def test_a_key_ring_is_never_gone(cloud: Client) -> None:
    ring = cloud.create(KEY_RING, {"name": "seal", "location": "us"})
    made = cloud.create(KEY, {"name": "seal", "keyRing": ring.id})
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(ring)
    cloud.delete(made)
    cloud.delete(ring)
    for type_, inputs in ((KEY_RING, {"name": "seal", "location": "us"}), (KEY, {"name": "seal", "keyRing": ring.id})):
        with pytest.raises(RefusedError):
            cloud.create(type_, inputs, "again")
    assert cloud.create(KEY_RING, {"name": "seal", "location": "us-west1"}, "elsewhere").id


def test_a_prevented_deletion_is_prevented(cloud: Client) -> None:
    ring = cloud.create(KEY_RING, {"name": "seal", "location": "us"})
    made = cloud.create(KEY, {"name": "seal", "keyRing": ring.id, "deletionPolicy": "PREVENT"})
    with pytest.raises(RefusedError, match="without setting deletion_policy"):
        cloud.delete(made)
    cloud.delete(cloud.update(made, {**made.inputs, "deletionPolicy": "DELETE"}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rotationPeriod": "90d"}, "number of seconds"),
        ({"rotationPeriod": "3600s"}, "86400s to"),
        ({"destroyScheduledDuration": "10454400s"}, "86400s to"),
        ({"purpose": "ASYMMETRIC_SIGN", "rotationPeriod": "7776000s"}, "ENCRYPT_DECRYPT"),
    ],
)
def test_a_keys_periods_are_such_as_kms_takes(cloud: Client, changes: dict[str, Any], said: str) -> None:
    fine = {"name": "it", "keyRing": "r", "rotationPeriod": "7776000s", "destroyScheduledDuration": "2592000s"}
    assert said in str(cloud.failures(KEY, {**fine, **changes}))
    assert cloud.failures(KEY, fine) == []


def test_a_keys_location_is_a_region_or_a_multi_region(cloud: Client) -> None:
    assert "no location" in str(cloud.failures(KEY_RING, {"name": "it", "location": "us-west1-a"}))
    for fine in ("us", "europe", "global", "us-west1"):
        assert cloud.failures(KEY_RING, {"name": "it", "location": fine}) == []


def test_only_what_exists_is_granted_anything(cloud: Client) -> None:
    made = key(cloud, user=None)
    grant = {"cryptoKeyId": made.id, "role": USE}
    mine = "serviceAccount:vault-server@platform-sandbox.iam.gserviceaccount.com"
    for missing in (mine, STORE_AGENT):
        with pytest.raises(RefusedError, match="referenced resource cannot be found"):
            cloud.create(KEY_GRANT, {**grant, "member": missing})
    cloud.create(ACCOUNT, {"accountId": "vault-server"})
    cloud.create(AGENT, {"service": "secretmanager.googleapis.com"})
    for number, member in enumerate((mine, STORE_AGENT, DISK_AGENT, "user:someone@example.com")):
        assert cloud.create(KEY_GRANT, {**grant, "member": member}, f"grant-{number}").id


def test_a_disks_key_serves_its_region_and_its_agent(cloud: Client) -> None:
    def disk(key_id: str, name: str) -> dict[str, Any]:
        return {"name": name, "zone": ZONE, "diskEncryptionKey": {"kmsKeySelfLink": key_id}}

    with pytest.raises(RefusedError, match="cannot be used in us-west1"):
        cloud.create(DISK, disk(key(cloud, "us-central1").id, "far"))
    with pytest.raises(RefusedError, match="Permission denied for service-"):
        cloud.create(DISK, disk(key(cloud, "us-west1", None, "closed").id, "closed"))
    for place in ("us-west1", "us", "global"):
        assert cloud.create(DISK, disk(key(cloud, place).id, place), place).id


def _replicated(*replicas: tuple[str, str | None]) -> dict[str, Any]:
    return {
        "userManaged": {
            "replicas": [
                {"location": place, **({"customerManagedEncryption": {"kmsKeyName": key_id}} if key_id else {})}
                for place, key_id in replicas
            ]
        }
    }


@pytest.mark.parametrize(
    ("replication", "said"),
    [
        ({}, "exactly one"),
        ({"auto": {}, **_replicated(("us-west1", None))}, "exactly one"),
        (_replicated(("us-west1", None), ("us-west1", None)), "one replica"),
    ],
)
def test_a_secret_lies_where_it_is_said_once(cloud: Client, replication: dict[str, Any], said: str) -> None:
    assert said in str(cloud.failures(SECRET, {"secretId": "it", "replication": replication}))
    fine = _replicated(("us-west1", None), ("us-central1", None))
    assert cloud.failures(SECRET, {"secretId": "it", "replication": fine}) == []


def test_a_replicas_key_lies_beside_it_and_is_granted_to_the_store(cloud: Client) -> None:
    cloud.create(AGENT, {"service": "secretmanager.googleapis.com"})
    wide = key(cloud, "us", STORE_AGENT)
    closed = key(cloud, "us-west1", None, "closed")
    fine = key(cloud, "us-west1", STORE_AGENT)
    for wrong, said in ((wide, "must lie in us-west1"), (closed, "Permission denied")):
        with pytest.raises(RefusedError, match=said):
            cloud.create(SECRET, {"secretId": "it", "replication": _replicated(("us-west1", wrong.id))})
    assert cloud.create(SECRET, {"secretId": "it", "replication": _replicated(("us-west1", fine.id))}).id


def test_a_guarded_secret_stays_and_takes_its_versions_with_it(cloud: Client) -> None:
    made = cloud.create(SECRET, {"secretId": "it", "replication": AUTOMATIC, "deletionProtection": True})
    version = cloud.create(VERSION, {"secret": made.id, "secretData": "hush"})
    with pytest.raises(RefusedError, match="deletion_protection=false"):
        cloud.delete(made)
    cloud.delete(cloud.update(made, {**made.inputs, "deletionProtection": False}))
    assert cloud.read(VERSION, version.id).id == ""


def test_versions_count_up_and_a_new_value_is_a_new_version(cloud: Client) -> None:
    made = cloud.create(SECRET, {"secretId": "it", "replication": AUTOMATIC})
    first = cloud.create(VERSION, {"secret": made.id, "secretData": "one"}, "one")
    second = cloud.create(VERSION, {"secret": made.id, "secretData": "two"}, "two")
    assert (first["version"], second["version"]) == ("1", "2")
    assert "secretData" in cloud.diff(first, {"secret": made.id, "secretData": "three"}).replaces


def test_a_version_has_one_value_that_fits(cloud: Client) -> None:
    assert "exactly one" in str(cloud.failures(VERSION, {"secret": "s"}))
    assert "exactly one" in str(cloud.failures(VERSION, {"secret": "s", "secretData": "a", "secretDataWo": "b"}))
    assert "65536 bytes" in str(cloud.failures(VERSION, {"secret": "s", "secretData": "x" * 65537}))
    assert cloud.failures(VERSION, {"secret": "s", "secretData": "x" * 65536}) == []


def test_a_reader_reads_a_secret_that_exists(cloud: Client) -> None:
    account = cloud.create(ACCOUNT, {"accountId": "vault-server"})
    made = cloud.create(SECRET, {"secretId": "it", "replication": AUTOMATIC})
    reader = {"secretId": made.id, "role": READ, "member": account["member"]}
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(READER, {**reader, "secretId": "projects/platform-sandbox/secrets/none"})
    granted = cloud.create(READER, reader)
    assert granted.id.endswith(account["member"])
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create(READER, reader, "again")
