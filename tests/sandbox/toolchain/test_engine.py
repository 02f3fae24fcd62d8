"""Which engine is taken: a fitting one from PATH first, never the sandbox's own wrapper."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from sandbox.progress import Board
from sandbox.toolchain import cache, engine, golang, official
from sandbox.toolchain.table import PULUMI

MAJOR, MINOR, PATCH = (int(part) for part in PULUMI.version.split("."))


@pytest.fixture
def board() -> Board:
    return Board(Console(stderr=True, force_terminal=False))


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a built engine, and an empty PATH but for what a test puts there."""
    monkeypatch.setenv("HMC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return cache.obtain(PULUMI.name, PULUMI.version, lambda folder: (folder / "pulumi").touch())


def put_on_path(folder: Path, version: str, *, host: bool = True) -> Path:
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho v{version}\n")
    program.chmod(0o755)
    if host:
        (program.parent / "pulumi-language-python").touch()
    return program


@pytest.mark.parametrize("version", [PULUMI.version, f"{MAJOR}.{MINOR + 13}.0", f"{MAJOR}.{MINOR}.{PATCH + 1}-dev"])
def test_an_engine_on_path_that_is_new_enough_is_taken(tmp_path: Path, board: Board, version: str) -> None:
    program = put_on_path(tmp_path, version)
    assert engine.obtain(board) == engine.Engine(program, None)


@pytest.mark.parametrize("version", [f"{MAJOR}.{MINOR - 1}.9", f"{MAJOR + 1}.0.0", "", "unknown"])
def test_an_engine_on_path_of_another_line_is_passed_over(
    tmp_path: Path, board: Board, version: str, cached: Path
) -> None:
    put_on_path(tmp_path, version)
    assert engine.obtain(board).program == cached / "pulumi"


def test_an_engine_on_path_that_cannot_run_python_is_passed_over(tmp_path: Path, board: Board, cached: Path) -> None:
    put_on_path(tmp_path, PULUMI.version, host=False)
    assert engine.obtain(board).program == cached / "pulumi"


def test_the_sandboxs_own_wrapper_is_never_taken_for_an_engine(
    board: Board, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{engine.WRAPPER.parent}:/usr/bin:/bin")
    monkeypatch.setattr(engine, "_acceptable", lambda _: pytest.fail("the wrapper was asked for its version"))
    assert engine.obtain(board).program == cached / "pulumi"


def test_a_built_engine_needs_the_sandboxs_language_host_and_an_official_one_does_not(
    board: Board, cached: Path
) -> None:
    assert engine.obtain(board).executor == cached / "pulumi-language-python-exec"
    (cached / "pulumi-language-python").touch()
    assert engine.obtain(board).executor is None


def test_without_download_the_engine_is_built(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMC_CACHE", str(tmp_path / "empty"))
    built = tmp_path / "built"

    def unreachable(*_: object) -> Path:
        raise official.UnreachableError

    monkeypatch.setattr(official, "fetch", unreachable)
    monkeypatch.setattr(golang, "build", lambda *_: built)
    assert engine.obtain(board).program == built / "pulumi"
