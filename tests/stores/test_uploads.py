"""Who may do what with backups, on every way from a machine to a store, judged by the grants as declared."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest

from components.plan.backup import NOTE_SUFFIX, prefix
from components.plan.spec import Cloud
from tests.stores import region
from tests.stores.conftest import Rig

every_way = pytest.mark.parametrize(("home", "store"), region.WAYS, ids=["-to-".join(way) for way in region.WAYS])
every_second = pytest.mark.parametrize(
    ("home", "store"), list(region.TRUSTED), ids=["-to-".join(way) for way in region.TRUSTED]
)
every_store = pytest.mark.parametrize("store", region.CLOUDS)
_CHECKSUM = base64.b64encode(hashlib.sha256(b"worse").digest()).decode()
_OVERWRITE: dict[Cloud, dict[str, Any]] = {
    "aws": {
        "method": "PUT",
        "headers": {"x-amz-checksum-sha256": _CHECKSUM, "x-amz-sdk-checksum-algorithm": "SHA256"},
    },
    "azure": {"method": "PUT", "headers": {"x-ms-blob-type": "BlockBlob"}},
    "gcp": {"method": "POST", "path": f"/upload/storage/v1/b/{region.GCS}/o"},
}
_LIST: dict[Cloud, str] = {
    "aws": "list-type=2&prefix=consul%2Faws%2F",
    "azure": "restype=container&comp=list",
    "gcp": "prefix=consul/gcp/",
}


def _overwrite(store: Cloud, name: str) -> dict[str, Any]:
    return {
        **_OVERWRITE[store],
        "body": "worse",
        **({"query": f"uploadType=media&name={name}"} if store == "gcp" else {}),
    }


@every_way
def test_what_a_writer_stores_is_there_byte_for_byte_and_can_only_be_added(
    rig: Rig, home: Cloud, store: Cloud, name: str, snapshot: Path
) -> None:
    full = prefix("consul", home) + name
    stored = rig.put(home, store, full, snapshot)
    assert stored["stored"], stored
    assert rig.put(home, store, full + NOTE_SUFFIX, snapshot)["stored"]
    wanted = hashlib.sha256(snapshot.read_bytes())
    found = rig.read(store, full)
    assert (found["status"], found["sha256"]) == (200, wanted.hexdigest())
    if store == "aws":
        about = rig.restorer(store, "HEAD", full, headers={"x-amz-checksum-mode": "ENABLED"})["headers"]
        assert about["x-amz-checksum-sha256"] == base64.b64encode(wanted.digest()).decode()
    again = rig.put(home, store, full, snapshot)
    assert not again["stored"]
    assert not again["retry"]
    assert "the name is taken" in again["message"]
    machine, target = f"{home}-consul-server", region.target(home, store)
    for attempt in (_overwrite(store, full), {"method": "DELETE"}, {"method": "GET"}):
        refused = rig.do(machine, do="ask", target=target, name="" if "path" in attempt else full, **attempt)
        assert refused["status"] == 403, (attempt, refused)
    listed = rig.do(machine, do="ask", target=target, method="GET", query=_LIST[store])
    assert listed["status"] == 403
    assert rig.read(store, full)["sha256"] == wanted.hexdigest()


@every_way
def test_a_writer_stays_below_its_own_sets_in_its_own_region(
    rig: Rig, home: Cloud, store: Cloud, name: str, snapshot: Path
) -> None:
    other: Cloud = next(cloud for cloud in region.CLOUDS if cloud != home)
    for place in (prefix("vault", home), prefix("consul", other), "", "consul/"):
        refused = rig.put(home, store, place + name, snapshot)
        assert not refused["stored"], place
        assert not refused["retry"]
        assert " 403 " in refused["message"]


@every_way
def test_machines_of_another_role_cannot_write_these_sets(
    rig: Rig, home: Cloud, store: Cloud, name: str, snapshot: Path
) -> None:
    machine = f"{home}-vault-server"
    as_itself = region.target(home, store, "vault-server")
    assert rig.put(home, store, prefix("vault", home) + name, snapshot, machine=machine, target=as_itself)["stored"]
    for target in (as_itself, region.target(home, store)):
        refused = rig.put(home, store, prefix("consul", home) + name, snapshot, machine=machine, target=target)
        assert not refused["stored"], target
        assert not refused["retry"]


@every_store
def test_the_restorer_reads_and_lists_and_changes_nothing(rig: Rig, store: Cloud, name: str, snapshot: Path) -> None:
    full = prefix("consul", store) + name
    assert rig.put(store, store, full, snapshot)["stored"]
    listed = rig.restorer(store, "GET", query=_LIST[store])
    assert listed["status"] == 200
    assert name in listed["text"]
    assert rig.read(store, full)["status"] == 200
    for attempt in (_overwrite(store, full), {"method": "DELETE"}):
        about = {"name": "" if "path" in attempt else full, **attempt}
        assert rig.restorer(store, **about)["status"] == 403, attempt
    fresh = rig.put(store, store, f"{full}.new", snapshot, machine=f"{store}-{region.RESTORER}")
    assert not fresh["stored"]


@every_store
def test_even_whoever_may_overwrite_only_creates(rig: Rig, store: Cloud, name: str, snapshot: Path) -> None:
    owner = f"{store}-{region.OWNER}"
    assert rig.put(store, store, name, snapshot, machine=owner)["stored"]
    wanted = hashlib.sha256(snapshot.read_bytes()).hexdigest()
    snapshot.write_bytes(b"worse")
    again = rig.put(store, store, name, snapshot, machine=owner)
    assert "the name is taken" in again["message"]
    assert rig.read(store, name)["sha256"] == wanted
    replaced = rig.do(owner, do="ask", target=region.target(store, store), name=name, **_overwrite(store, name))
    assert replaced["status"] in (200, 201), "the owner could have overwritten it"


@every_store
def test_a_proof_that_is_changed_by_one_character_proves_nothing(
    rig: Rig, store: Cloud, name: str, snapshot: Path
) -> None:
    full = prefix("consul", store) + name
    assert rig.put(store, store, full, snapshot)["stored"]
    method = "GET" if store == "gcp" else "HEAD"
    assert rig.restorer(store, method, full)["status"] == 200
    assert rig.restorer(store, method, full, forge=True)["status"] in (401, 403)


@every_second
def test_a_token_for_another_audience_opens_nothing(
    rig: Rig, home: Cloud, store: Cloud, name: str, snapshot: Path
) -> None:
    target = region.target(home, store)
    if home == "aws":
        # The provider is what the machine signs for: one that does not exist, and below, one of another cloud.
        target["writer"]["provider"] = region.writer("azure", "gcp", "consul-server")["provider"]  # pyright: ignore[reportOptionalSubscript]
    else:
        target["writer"]["audience"] = "api://somebody-else"
    refused = rig.put(home, store, prefix("consul", home) + name, snapshot, target=target)
    assert not refused["stored"]
    assert not refused["retry"]
    assert "update the region that holds the bucket" in refused["message"]


@pytest.mark.parametrize("store", ["aws", "gcp"])
def test_the_same_subject_of_another_issuer_is_nobody(rig: Rig, store: Cloud, name: str, snapshot: Path) -> None:
    refused = rig.put("azure", store, prefix("consul", "azure") + name, snapshot, machine="azure-stranger")
    assert not refused["stored"]
    assert not refused["retry"]


def test_a_stranger_has_no_way_into_the_own_store(rig: Rig, name: str, snapshot: Path) -> None:
    target = region.target("azure", "azure")
    refused = rig.put("azure", "azure", f"vault/azure/{name}", snapshot, machine="azure-stranger", target=target)
    assert not refused["stored"]


def test_a_locked_version_outlives_whoever_may_delete(rig: Rig, name: str, snapshot: Path) -> None:
    owner, target = f"aws-{region.OWNER}", region.target("aws", "aws")
    assert rig.put("aws", "aws", name, snapshot, machine=owner)["stored"]
    about = rig.restorer("aws", "HEAD", name)["headers"]
    assert about["x-amz-object-lock-mode"] == "COMPLIANCE"
    until = dt.datetime.fromisoformat(about["x-amz-object-lock-retain-until-date"])
    assert until - dt.datetime.now(dt.UTC) > dt.timedelta(days=region.LOCK_DAYS - 1)
    version = f"versionId={about['x-amz-version-id']}"
    for bypass in ({}, {"x-amz-bypass-governance-retention": "true"}):
        refused = rig.do(owner, do="ask", target=target, method="DELETE", name=name, query=version, headers=bypass)
        assert refused["status"] == 403
    assert rig.read("aws", name)["status"] == 200
