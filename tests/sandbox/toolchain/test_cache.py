"""What the cache holds is complete: half-made things never look finished."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from sandbox.toolchain import cache


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMC_CACHE", str(tmp_path / "cache"))


def make(folder: Path) -> None:
    (folder / "tool").write_text("#!/bin/sh\n")


def test_the_cache_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.cache_root() == tmp_path / "cache"
    monkeypatch.delenv("HMC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_root() == tmp_path / "xdg" / "hashicorp-multicloud"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_root() == tmp_path / ".cache" / "hashicorp-multicloud"


def test_a_second_request_makes_nothing(tmp_path: Path) -> None:
    first = cache.obtain("tool", "1.2.3", make)
    assert first == tmp_path / "cache" / "tool-v1.2.3"
    assert (first / "tool").exists()
    assert cache.obtain("tool", "1.2.3", lambda _: pytest.fail("made again")) == first


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failed_or_interrupted_making_leaves_nothing_behind(failure: type[BaseException]) -> None:
    def half(folder: Path) -> None:
        make(folder)
        raise failure

    with pytest.raises(failure):
        cache.obtain("tool", "1.2.3", half)
    assert [path.name for path in cache.cache_root().iterdir() if path.is_dir()] == []
    assert (cache.obtain("tool", "1.2.3", make) / "tool").exists()


def test_versions_do_not_share_a_folder() -> None:
    assert cache.obtain("tool", "1.0.0", make) != cache.obtain("tool", "1.0.1", make)


def _make_slowly(folder: Path) -> None:
    with (cache.cache_root() / "makers").open("a") as log:
        log.write("x")
    time.sleep(0.3)
    make(folder)


def _obtain() -> None:
    cache.obtain("tool", "1.2.3", _make_slowly)


def test_two_commands_at_once_make_it_once() -> None:
    cache.cache_root().mkdir()
    # Not forked: a test process has threads (gRPC), and forking those is not safe.
    processes = [multiprocessing.get_context("spawn").Process(target=_obtain) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (cache.cache_root() / "makers").read_text() == "x"
