"""Buckets come as stacks declare them, and the platform's own uploader writes into each with its machine's identity."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.services.feed import Feed, feed
from sandbox.stores import emulators
from tests.lab.services import region
from tests.lab.services.rig import TREE, Rig, rig

_BUCKET, _ACCOUNT = "hmc-lab-backups", "hmclabbackups"
pytestmark = pytest.mark.lab


_ATTRIBUTES: dict[Cloud, dict[str, str]] = {
    "aws": {"bucket": _BUCKET, "region": region.REGIONS["aws"]},
    "azure": {"account": _ACCOUNT, "container": "backups"},
    "gcp": {"bucket": f"{_BUCKET}-gcp"},
}
_STORAGE = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/{_ACCOUNT}"
_CONTAINER = f"{_STORAGE}/blobServices/default/containers/backups"
_ADD = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"


def _resource(kind: str, id_: str, **inputs: object) -> dict[str, Any]:
    return {"type": kind, "id": id_, "inputs": inputs, "outputs": {}}


def _declared(cloud: Cloud) -> list[dict[str, Any]]:
    who = region.machine(cloud, "vault").identity
    if cloud == "aws":
        statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{_BUCKET}/*"}
        policy = json.dumps({"Statement": [statement]})
        return [
            _resource("aws:s3/bucket:Bucket", _BUCKET, bucket=_BUCKET, region=region.REGIONS["aws"]),
            _resource("aws:iam/rolePolicy:RolePolicy", "write", role=who.rpartition("/")[2], policy=policy),
        ]
    if cloud == "azure":
        definition = {"roleDefinitionId": "writer", "permissions": [{"dataActions": [_ADD]}]}
        granted = {"scope": _CONTAINER, "principalId": "object-vault", "roleDefinitionId": "/x/writer"}
        return [
            _resource("azure-native:storage:BlobContainer", _CONTAINER, accountName=_ACCOUNT, containerName="backups"),
            _resource("azure-native:authorization:RoleDefinition", "writer", **definition),
            _resource("azure-native:authorization:RoleAssignment", "write", **granted),
        ]
    name, member = _ATTRIBUTES["gcp"]["bucket"], f"serviceAccount:{who}"
    granted = {"bucket": name, "member": member, "role": "roles/storage.objectCreator"}
    return [
        _resource("gcp:storage/bucket:Bucket", name, name=name),
        _resource("gcp:storage/bucketIAMMember:BucketIAMMember", "write", **granted),
    ]


def _told(*clouds: Cloud) -> Feed:
    buckets = [one for cloud in clouds for one in _declared(cloud)]
    return feed([*region.resources(), *buckets], region.MACHINES)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if missing := emulators.programs().missing:
        pytest.skip(f"{', '.join(missing)} is not installed: make tools")
    with rig(tmp_path_factory.mktemp("buckets")) as made:
        yield made


def _put(lab: Rig, machine: str, cloud: Cloud, name: str, file: Path) -> dict[str, Any]:
    asked = {"home": cloud, "cloud": cloud, "attributes": _ATTRIBUTES[cloud], "writer": None}
    words = ["-I", str(TREE / "tests" / "stores" / "act.py"), str(TREE / "components" / "templates" / "backup")]
    what = {"do": "put", "target": asked, "name": name, "file": str(file)}
    done = lab.run(machine, sys.executable, *words, stdin=json.dumps(what))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tries"][-1]


def test_buckets_come_one_after_the_other_and_keep_what_they_hold(lab: Rig, tmp_path: Path) -> None:
    file = tmp_path / "snapshot"
    file.write_bytes(b"snapshot")
    for count, cloud in enumerate(CLOUDS, 1):
        lab.cloud.tell(_told(*CLOUDS[:count]))
        assert _put(lab, f"{cloud}-vault", cloud, "first", file)["stored"], cloud
        refused = _put(lab, f"{cloud}-other", cloud, "other", file)
        assert not refused["stored"], cloud
        assert " 403 " in refused["message"], refused
    lab.cloud.tell(_told(*CLOUDS))
    # A writer may not write the same name again, so the first object is still there.
    again = {cloud: _put(lab, f"{cloud}-vault", cloud, "first", file) for cloud in CLOUDS}
    assert not any(found["stored"] for found in again.values()), again


def test_after_a_crash_buckets_are_there_again(lab: Rig, tmp_path: Path) -> None:
    file = tmp_path / "snapshot"
    file.write_bytes(b"snapshot")
    lab.cloud.kill()
    lab.cloud.start()
    lab.cloud.tell(_told(*CLOUDS))
    for cloud in CLOUDS:
        assert _put(lab, f"{cloud}-vault", cloud, "second", file)["stored"], cloud
