"""What a machine is told fits what its agent asks for, and the agent finds room where it travels."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.plan.backup import RUN_MINUTES, SUFFIXES, WRITERS, calendar
from components.plan.spec import CLOUDS, Cloud
from components.products.backup import packed
from tests.products.machines import BACKUP, Case, contents, machine, stack

AGENT = Path(__file__).parents[2] / "components" / "templates" / "backup"
LARGEST_SECRET = 25 * 1024
"""Of Azure's key vault, the smallest of the three."""


def settings(cloud: Cloud, role: str) -> dict[str, Any]:
    return json.loads(contents(machine(Case(cloud, role)), cloud)["/etc/platform/backup.json"])  # pyright: ignore[reportArgumentType]


def modules(cloud: Cloud) -> dict[str, str]:
    plain = zipfile.ZipFile(io.BytesIO(gzip.decompress(base64.b64decode(packed(stack(cloud))))))
    return {name: plain.read(name).decode() for name in plain.namelist()}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_agent_fits_every_secret_store_and_is_the_same_bytes_each_time(cloud: Cloud) -> None:
    assert packed(stack(cloud)) == packed(stack(cloud))
    assert len(packed(stack(cloud))) < LARGEST_SECRET - 2048


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_regions_agent_knows_its_own_two_stores_and_no_other(cloud: Cloud) -> None:
    stores = {"aws": "s3.py", "azure": "blob.py", "gcp": "gcs.py"}
    found = modules(cloud)
    assert {name for name in stores.values() if name in found} == {stores[cloud], stores[BACKUP.copies[cloud]]}
    assert ("boundary.py" in found) == (cloud == "aws")
    for name, text in found.items():
        compile(text, name, "exec")


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("role", sorted(set(WRITERS.values())))
def test_a_machine_takes_the_sets_that_its_role_may_write_and_no_other(cloud: Cloud, role: str) -> None:
    given = settings(cloud, role)
    assert set(given["sets"]) == {
        saved for saved, writer in WRITERS.items() if writer == role and (saved != "boundary" or cloud == "aws")
    }
    assert {saved: facts["suffix"] for saved, facts in given["sets"].items()} == {
        saved: SUFFIXES[saved] for saved in given["sets"]
    }
    assert given["targets"] == [cloud, BACKUP.copies[cloud]]
    timer = contents(machine(Case(cloud, role)), cloud)["/etc/systemd/system/platform-backup.timer"]  # pyright: ignore[reportArgumentType]
    assert f"OnCalendar={calendar(30)}\n" in timer


def test_the_dump_is_told_all_that_it_asks_for() -> None:
    asked = set(re.findall(r'settings\["(\w+)"\]', (AGENT / "boundary.py").read_text())) | {"host", "port", "user"}
    told = settings("aws", "consul-server")["sets"]["boundary"]
    # The manifest tells the host when the agent runs.
    assert asked - {"host"} <= set(told)
    paths = {secret.path for secret in machine(Case("aws", "consul-server")).secrets}
    assert told["password_file"] in paths
    table = contents(machine(Case("aws", "consul-server")), "aws")["/etc/platform/artefacts.tsv"]
    assert Path(told["programs"]).name in table


def test_a_dump_and_its_verification_end_within_one_run() -> None:
    limits = {
        name: int(value) for name, value in re.findall(r'^(SECONDS|PATIENCE) = "?(\d+)"?$', _dump(), re.MULTILINE)
    }
    assert limits["PATIENCE"] + 2 * limits["SECONDS"] < settings("aws", "consul-server")["run"]
    assert settings("aws", "consul-server")["run"] == (RUN_MINUTES - 1) * 60


def _dump() -> str:
    return (AGENT / "boundary.py").read_text()
