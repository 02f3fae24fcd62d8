"""What Google Cloud refuses of buckets and of grants on them: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, World
from tests.sandbox.cloud.gcp.ground import ACCOUNT, DISK_AGENT, key

BUCKET, MEMBER = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMMember:BucketIAMMember"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
STORAGE_AGENT = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
CREATE = "roles/storage.objectCreator"
DUAL = {"location": "US", "customPlacementConfig": {"dataLocations": ["US-WEST1", "US-CENTRAL1"]}}


def _bucket(**changes: object) -> dict[str, Any]:
    return {"name": "hmc-backups", "location": "US-WEST1", "uniformBucketLevelAccess": True, **changes}


def test_a_name_is_the_worlds(world: World) -> None:
    cloud = world.client()
    cloud.create(BUCKET, _bucket())
    elsewhere = world.client("other", {"gcp": {"project": "another-project", "region": "us-west1"}})
    with pytest.raises(RefusedError, match="already exists"):
        elsewhere.create(BUCKET, _bucket(), "theirs")
    assert elsewhere.create(BUCKET, _bucket(name="theirs"), "theirs")["url"] == "gs://theirs"


@pytest.mark.parametrize("name", ["Backups", "ab", "b" * 64, "goog-backups", "my-google-backups", "-backups"])
def test_a_name_has_its_form(cloud: Client, name: str) -> None:
    assert cloud.failures(BUCKET, _bucket(name=name))
    assert cloud.failures(BUCKET, _bucket(name="b" * 63)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({**DUAL, "customPlacementConfig": {"dataLocations": ["US-WEST1", "US-WEST1"]}}, "two different regions"),
        ({**DUAL, "customPlacementConfig": {"dataLocations": ["US-WEST1", "EUROPE-WEST1"]}}, "cannot be placed"),
        ({**DUAL, "location": "US-WEST1"}, "cannot be placed"),
        ({**DUAL, "rpo": "SOON"}, "must be DEFAULT or ASYNC_TURBO"),
        ({"rpo": "ASYNC_TURBO"}, "only supported in a dual region"),
        ({"rpo": "DEFAULT"}, "single region"),
        ({"location": "us-west1-a"}, "not valid"),
    ],
)
def test_a_bucket_lies_in_one_region_or_in_two_of_one_continent(
    cloud: Client, changes: dict[str, Any], said: str
) -> None:
    assert said in str(cloud.failures(BUCKET, _bucket(**changes)))
    assert cloud.failures(BUCKET, _bucket(**DUAL, rpo="ASYNC_TURBO")) == []
    assert cloud.failures(BUCKET, _bucket()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retentionPolicy": {"retentionPeriod": "35d"}}, "seconds"),
        ({"retentionPolicy": {"retentionPeriod": "3155760001"}}, "seconds"),
        ({"softDeletePolicy": {"retentionDurationSeconds": 86400}}, "expected 0 or"),
        ({"softDeletePolicy": {"retentionDurationSeconds": 91 * 86400}}, "expected 0 or"),
        ({"publicAccessPrevention": "on"}, "enforced or inherited"),
        ({"storageClass": "COLD"}, "no storage class"),
    ],
)
def test_a_bucket_is_kept_as_google_can_keep_it(cloud: Client, changes: dict[str, Any], said: str) -> None:
    fine: dict[str, Any] = {
        "retentionPolicy": {"retentionPeriod": "3024000", "isLocked": True},
        "softDeletePolicy": {"retentionDurationSeconds": 90 * 86400},
        "publicAccessPrevention": "enforced",
        "storageClass": "COLDLINE",
    }
    assert said in str(cloud.failures(BUCKET, _bucket(**{**fine, **changes})))
    assert cloud.failures(BUCKET, _bucket(**fine)) == []


@pytest.mark.parametrize(
    ("action", "condition", "said"),
    [
        ({"type": "Remove"}, {"age": 30}, "must be one of Delete"),
        ({"type": "Delete"}, {}, "at least one condition"),
        ({"type": "Delete", "storageClass": "COLDLINE"}, {"age": 30}, "SetStorageClass"),
        ({"type": "SetStorageClass"}, {"age": 30}, "SetStorageClass"),
        ({"type": "SetStorageClass", "storageClass": "ICE"}, {"age": 30}, "no storage class"),
        ({"type": "AbortIncompleteMultipartUpload"}, {"numNewerVersions": 1}, "unfinished uploads"),
        ({"type": "Delete"}, {"age": 30, "withState": "DEAD"}, "LIVE, ARCHIVED or ANY"),
    ],
)
def test_a_rule_of_age_is_one_that_google_follows(
    cloud: Client, action: dict[str, Any], condition: dict[str, Any], said: str
) -> None:
    assert said in str(cloud.failures(BUCKET, _bucket(lifecycleRules=[{"action": action, "condition": condition}])))
    fine = [
        {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 35}},
        {"action": {"type": "Delete"}, "condition": {"age": 400, "withState": "ANY"}},
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
    ]
    assert cloud.failures(BUCKET, _bucket(lifecycleRules=fine)) == []


def test_a_locked_retention_grows_and_never_shrinks(cloud: Client) -> None:
    loose = cloud.create(BUCKET, _bucket(retentionPolicy={"retentionPeriod": "864000", "isLocked": False}))
    shorter = cloud.update(loose, _bucket(retentionPolicy={"retentionPeriod": "86400", "isLocked": False}))
    locked = cloud.update(shorter, _bucket(retentionPolicy={"retentionPeriod": "86400", "isLocked": True}))
    for wrong in ({"retentionPeriod": "3600", "isLocked": True}, {"retentionPeriod": "86400", "isLocked": False}, None):
        with pytest.raises(RefusedError, match="locked Retention Policy"):
            cloud.update(locked, _bucket(**({"retentionPolicy": wrong} if wrong else {})))
    assert cloud.update(locked, _bucket(retentionPolicy={"retentionPeriod": "172800", "isLocked": True})).id


def test_a_bucket_stays_where_it_is(cloud: Client) -> None:
    made = cloud.create(BUCKET, _bucket())
    assert cloud.diff(made, _bucket(location="US-EAST1")).replaces
    assert not cloud.diff(made, _bucket(versioning={"enabled": True})).replaces


def test_a_prevented_deletion_is_prevented(cloud: Client) -> None:
    made = cloud.create(BUCKET, _bucket(deletionPolicy="PREVENT"))
    with pytest.raises(RefusedError, match="without setting deletion_policy"):
        cloud.delete(made)
    cloud.delete(cloud.update(made, _bucket(deletionPolicy="DELETE")))


def test_a_buckets_key_lies_where_the_bucket_does_and_serves_its_agent(cloud: Client) -> None:
    def encrypted(key_id: str, **changes: object) -> dict[str, Any]:
        return _bucket(encryption={"defaultKmsKeyName": key_id}, **changes)

    near, both = key(cloud, "us-west1", STORAGE_AGENT, "near"), key(cloud, "us", STORAGE_AGENT, "both")
    for wrong in (encrypted(both.id), encrypted(near.id, **DUAL)):
        with pytest.raises(RefusedError, match="Key location must match"):
            cloud.create(BUCKET, wrong)
    with pytest.raises(RefusedError, match="Permission denied for service-"):
        cloud.create(BUCKET, encrypted(key(cloud, "us-west1", DISK_AGENT, "disks").id))
    assert cloud.create(BUCKET, encrypted(near.id, name="near-one"), "near").id
    assert cloud.create(BUCKET, encrypted(both.id, name="both-one", **DUAL), "both").id


def test_nobody_lets_the_public_into_a_bucket_that_keeps_it_out(cloud: Client) -> None:
    cloud.create(BUCKET, _bucket(publicAccessPrevention="enforced"))
    cloud.create(BUCKET, _bucket(name="open-one"), "open")
    for who in ("allUsers", "allAuthenticatedUsers"):
        grant = {"role": "roles/storage.objectViewer", "member": who}
        with pytest.raises(RefusedError, match="public access prevention is enforced"):
            cloud.create(MEMBER, {**grant, "bucket": "hmc-backups"}, who)
        assert cloud.create(MEMBER, {**grant, "bucket": "open-one"}, who).id


def test_a_condition_needs_uniform_access_and_few_operators(cloud: Client) -> None:
    member = cloud.create(ACCOUNT, {"accountId": "vault-server"})["member"]
    grant = {"role": CREATE, "member": member}

    def under(*clauses: str) -> dict[str, Any]:
        return {"title": "own", "expression": " || ".join(clauses)}

    cloud.create(BUCKET, _bucket(uniformBucketLevelAccess=False))
    cloud.create(BUCKET, _bucket(name="uniform"), "uniform")
    with pytest.raises(RefusedError, match="without uniform bucket-level access"):
        cloud.create(MEMBER, {**grant, "bucket": "hmc-backups", "condition": under("true")})
    many = {**grant, "bucket": "uniform", "condition": under(*["true"] * 14)}
    assert "more than 12" in str(cloud.failures(MEMBER, many))
    assert cloud.create(MEMBER, {**many, "condition": under(*["true"] * 13)}).id
    # The same right under another condition is another grant.
    assert cloud.create(MEMBER, {**many, "condition": {"title": "two", "expression": "true"}}, "two").id


def test_only_what_exists_is_granted_a_bucket(cloud: Client) -> None:
    cloud.create(BUCKET, _bucket())
    missing = "serviceAccount:vault-server@platform-sandbox.iam.gserviceaccount.com"
    path = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/machines"
    foreign = f"principalSet://{path}/attribute.aws_role/vault"
    for member, said in ((missing, "referenced resource cannot be found"), (foreign, "Identity Pool does not exist")):
        with pytest.raises(RefusedError, match=said):
            cloud.create(MEMBER, {"bucket": "hmc-backups", "role": CREATE, "member": member})
    cloud.create(ACCOUNT, {"accountId": "vault-server"})
    cloud.create(POOL, {"workloadIdentityPoolId": "machines"})
    for member in (missing, foreign):
        assert cloud.create(MEMBER, {"bucket": "hmc-backups", "role": CREATE, "member": member}, member).id
    assert "is not a role" in str(cloud.failures(MEMBER, {"bucket": "b", "role": "creator", "member": missing}))


def test_asking_for_googles_storage_identity_names_it(cloud: Client) -> None:
    found = cloud.invoke("gcp:storage/getProjectServiceAccount:getProjectServiceAccount")
    assert found["member"] == STORAGE_AGENT
