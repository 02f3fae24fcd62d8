"""What the shelf holds is what a machine's own installation step takes, and refuses when it is damaged."""

from __future__ import annotations

import hashlib
import http.client
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from components.plan.spec import Artifacts
from components.plan.versions import ARTIFACTS, archive
from sandbox.lab.services.artefacts import Shelf, shelve
from sandbox.stores.exchange import Answer, Forward, Request

VERSIONS = {"consul": "1.21.0", "node_exporter": "1.9.1", "postgresql": "16.9.0"}
PLACES = Artifacts(
    base_url="https://releases.example.com",
    exporter_url="https://code.example.com/exporter/releases",
    postgresql_url="https://code.example.com/postgresql/releases",
    checksums={},
)


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "a-program"
    program.write_bytes(b"#!/bin/sh\n")
    program.chmod(0o755)
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "pg_dump").write_bytes(b"dump")
    return {"consul": program, "node_exporter": program, "postgresql": tree}


def _request(url: str, method: str = "GET") -> Request:
    _, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return Request(method, host, f"/{path}", {}, "10.1.1.10", io.BytesIO(), {})


def _fetch(answer: Answer | Forward) -> tuple[int, bytes]:
    assert isinstance(answer, Forward)
    line = http.client.HTTPConnection("127.0.0.1", answer.port, timeout=30)
    line.request("GET", answer.target)
    found = line.getresponse()
    return found.status, found.read()


def test_each_archive_lies_where_machines_look_with_its_sum_beside_it(
    tmp_path: Path, programs: dict[str, Path]
) -> None:
    folder = tmp_path / "shelf"
    missing = shelve(folder, VERSIONS, PLACES, programs)
    assert missing == [artefact for artefact in ARTIFACTS if artefact not in programs]
    shelf = Shelf(folder)
    with shelf.served():
        assert shelf.hosts == ["code.example.com", "releases.example.com"]
        for artefact in programs:
            found = archive(artefact, VERSIONS, PLACES)
            status, content = _fetch(shelf.handle(_request(found.url)))
            assert status == 200
            assert shelf.serves(_request(found.url).host)
            _, sums = _fetch(shelf.handle(_request(found.sums_url)))
            assert f"{hashlib.sha256(content).hexdigest()}  {found.file}" in sums.decode().splitlines()
            assert _names(found.file, content), found


def _names(file: str, content: bytes) -> bool:
    """Whether an archive has inside what the installation step looks for."""
    if file.endswith(".zip"):
        return zipfile.ZipFile(io.BytesIO(content)).namelist() == ["consul"]
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        names = packed.getnames()
    top = file.removesuffix(".tar.gz")
    return f"{top}/node_exporter" in names or f"{top}/bin/pg_dump" in names


def test_what_is_shelved_once_stays_as_it_is(tmp_path: Path, programs: dict[str, Path]) -> None:
    folder = tmp_path / "shelf"
    shelve(folder, VERSIONS, PLACES, programs)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    shelve(folder, VERSIONS, PLACES, programs)
    assert before == {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def test_nobody_changes_what_is_on_the_shelf_and_what_is_not_there_is_not_found(
    tmp_path: Path, programs: dict[str, Path]
) -> None:
    folder = tmp_path / "shelf"
    shelve(folder, VERSIONS, PLACES, programs)
    shelf = Shelf(folder)
    with shelf.served():
        assert shelf.handle(_request(archive("consul", VERSIONS, PLACES).url, "PUT")) == Answer(405)
        assert _fetch(shelf.handle(_request("https://releases.example.com/vault/1.21.0/vault.zip")))[0] == 404
        assert not shelf.serves("elsewhere.example.com")
