"""What a machine makes of a store that is slow, broken, gone or lying: try again or not, and never two truths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.plan.backup import prefix
from components.plan.spec import Cloud
from tests.stores import region
from tests.stores.conftest import Rig

HOSTS: dict[Cloud, str] = {
    "aws": ".s3.us-west-2.amazonaws.com",
    "azure": ".blob.core.windows.net",
    "gcp": "storage.googleapis.com",
}
every_store = pytest.mark.parametrize("store", region.CLOUDS)


@every_store
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_store_in_trouble_is_tried_again(healthy: Rig, store: Cloud, status: int, name: str, snapshot: Path) -> None:
    healthy.fail(host=HOSTS[store], status=status)
    full = prefix("consul", store) + name
    tried = healthy.put(store, store, full, snapshot, tries=2, heal=str(healthy.faults))
    first, second = tried["tries"]
    assert not first["stored"]
    assert first["retry"]
    assert f" {status} " in first["message"]
    assert second["stored"]
    assert tried["left"] == []


@every_store
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_final(healthy: Rig, store: Cloud, status: int, name: str, snapshot: Path) -> None:
    healthy.fail(host=HOSTS[store], status=status)
    refused = healthy.put(store, store, prefix("consul", store) + name, snapshot)
    assert not refused["stored"]
    assert not refused["retry"]
    assert refused["left"] == []


@every_store
def test_a_slow_store_is_given_up_in_time(healthy: Rig, store: Cloud, name: str, snapshot: Path) -> None:
    healthy.fail(host=HOSTS[store], delay=2.5)
    slow = healthy.put(store, store, prefix("consul", store) + name, snapshot, timeout=0.7)
    assert slow["retry"]
    assert "no answer" in slow["message"]


@every_store
def test_a_lost_answer_is_success_at_the_next_try_even_of_another_process(
    healthy: Rig, store: Cloud, name: str, snapshot: Path
) -> None:
    healthy.fail(host=HOSTS[store], method="POST" if store == "gcp" else "PUT", lose=True)
    full = prefix("consul", store) + name
    lost = healthy.put(store, store, full, snapshot)
    assert lost["retry"]
    assert lost["left"] == [f"{snapshot.name}@{store}.unsure"]
    healthy.faults.unlink()
    found = healthy.put(store, store, full, snapshot)
    assert found["stored"]
    assert found["left"] == []


@every_store
def test_a_connection_that_breaks_leaves_nothing_under_the_final_name(
    rig: Rig, store: Cloud, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "snapshot"
    file.write_bytes(os.urandom(3 << 20))
    full = prefix("consul", store) + name
    cut = rig.put(store, store, full, file, cut=True)
    assert not cut["stored"]
    assert cut["retry"]
    assert rig.read(store, full)["status"] == 404
    assert rig.put(store, store, full, file)["stored"]


@every_store
def test_content_that_is_not_what_was_promised_is_not_stored(rig: Rig, store: Cloud, name: str, snapshot: Path) -> None:
    full = prefix("consul", store) + name
    refused = rig.put(store, store, full, snapshot, spoil=True)
    assert not refused["stored"]
    assert not refused["retry"]
    assert rig.read(store, full)["status"] == 404


@every_store
def test_what_is_too_large_for_one_request_is_refused_before_anything_is_sent(
    healthy: Rig, store: Cloud, name: str, tmp_path: Path
) -> None:
    healthy.fail(delay=30)
    file = tmp_path / "huge"
    file.touch()
    os.truncate(file, (5 << 40) + 1 if store == "gcp" else (5 << 30) + 1)
    refused = healthy.put(store, store, prefix("consul", store) + name, file, sha256="0" * 64)
    assert not refused["retry"]
    assert "in one request" in refused["message"]


@pytest.mark.parametrize(("home", "host"), [("aws", ""), ("azure", ""), ("gcp", "metadata.google.internal")])
def test_a_machine_without_identity_yet_tries_again(
    healthy: Rig, home: Cloud, host: str, name: str, snapshot: Path
) -> None:
    healthy.fail(host=host, status=404)
    early = healthy.put(home, home, prefix("consul", home) + name, snapshot)
    assert early["retry"]
    assert early["left"] == []


@pytest.mark.parametrize(("home", "store"), region.WAYS)
def test_no_message_shows_a_secret(healthy: Rig, home: Cloud, store: Cloud, name: str, snapshot: Path) -> None:
    for status in (400, 401, 403, 500):
        for host in (HOSTS[store], ""):
            healthy.fail(host=host, status=status, echo=True)
            failed = healthy.put(home, store, prefix("consul", home) + name, snapshot)
            assert not failed["stored"]
            assert failed["shown"] == 0, failed["message"]
            assert "InjectedFault" in failed["message"]
            assert failed["secrets"] >= 1 or not host
