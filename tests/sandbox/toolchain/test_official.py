"""The official release: taken when it can be reached, never noticed when it cannot."""

from __future__ import annotations

import http.server
import io
import os
import platform
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from sandbox.progress import Board
from sandbox.toolchain import cache, official

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHITECTURE = official.ARCHITECTURES[platform.machine().lower()]
NAME = f"pulumi-v9.9.9-{platform.system().lower()}-{ARCHITECTURE}.tar.gz"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMC_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def board() -> Board:
    return Board(Console(stderr=True, force_terminal=False))


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    folder = tmp_path / "releases"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # pyright: ignore[reportArgumentType]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def archive(**files: str) -> bytes:
    """A release archive with these files in its top folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.size, member.mode = len(text), 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def test_a_release_is_unpacked_into_the_cache_with_its_language_host(releases: tuple[Path, str], board: Board) -> None:
    folder, url = releases
    (folder / NAME).write_bytes(archive(**{"pulumi": "engine", "pulumi-language-python": "host"}))
    found = official.fetch("9.9.9", board, url)
    assert {file.name: file.read_text() for file in found.iterdir()} == {
        "pulumi": "engine", "pulumi-language-python": "host",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [None, archive(pulumi=os.urandom(20_000).hex())[:10_000], archive(other="x"), b"<html>not here</html>"],
    ids=["missing", "cut off", "without engine", "no archive"],
)
def test_a_bad_release_is_unreachable_and_leaves_nothing(
    releases: tuple[Path, str], board: Board, content: bytes | None
) -> None:
    folder, url = releases
    if content is not None:
        (folder / NAME).write_bytes(content)
    with pytest.raises(official.UnreachableError):
        official.fetch("9.9.9", board, url)
    assert not cache.place("pulumi", "9.9.9").exists()


def test_an_archive_cannot_write_outside_its_folder(releases: tuple[Path, str], board: Board, tmp_path: Path) -> None:
    folder, url = releases
    (folder / NAME).write_bytes(archive(**{"../../../escaped": "x", "pulumi": "engine"}))
    with pytest.raises(official.UnreachableError):
        official.fetch("9.9.9", board, url)
    assert not list(tmp_path.rglob("escaped"))


def test_no_network_is_unreachable_without_a_word(board: Board, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(official.UnreachableError):
        official.fetch("9.9.9", board, "http://127.0.0.1:9")
    assert capfd.readouterr() == ("", "")
