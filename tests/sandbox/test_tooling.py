"""The project's own tools: one documented target a job, every package pinned, a bootstrap that needs nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import bootstrap
from sandbox.home import TREE

MAKEFILE = (TREE / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
INNER = {"lint-style", "lint-types", "lint-layers", "lint-shell", "lint-workflows"}


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    done = subprocess.run(["make"], cwd=TREE, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(set(TARGETS) - INNER)


def test_every_target_is_phony() -> None:
    assert sorted(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE)) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_parses_and_uses_no_undefined_variable(target: str) -> None:
    command = ["make", "--dry-run", "--warn-undefined-variables", target]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def pins(file: str) -> set[str]:
    """The `name==version` requirements that a file states itself."""
    lines = (TREE / file).read_text().splitlines()
    return {re.sub(r"\[.*?\]", "", line.split()[0]) for line in lines if re.match(r"\w.*==", line)}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_holds_every_direct_requirement_at_its_version(file: str) -> None:
    assert pins(file) <= pins("requirements.lock"), "run `make lock`"


def test_every_direct_requirement_is_pinned_and_every_locked_one_has_hashes() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (TREE / file).read_text().splitlines():
            assert re.fullmatch(r"(#.*|-r \S+|[\w\[\].-]+==\S+|)", line), line
    lock = (TREE / "requirements.lock").read_text()
    assert lock.count("==") <= lock.count("--hash=sha256:")


def bootstrap_with(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Runs a copy of the bootstrap in an empty project with the tree's lock."""
    (folder / "sandbox").mkdir()
    (folder / "sandbox" / "bootstrap.py").write_bytes((TREE / "sandbox" / "bootstrap.py").read_bytes())
    (folder / "requirements.lock").write_bytes((TREE / "requirements.lock").read_bytes())
    env = {"PATH": path, "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-I", str(folder / "sandbox" / "bootstrap.py")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_without_uv_and_pip_it_says_what_to_install(tmp_path: Path) -> None:
    done = bootstrap_with(tmp_path, "/nonexistent")
    assert done.returncode == 1
    assert "apt-get install python3-pip" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_finished_environment_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = bootstrap.Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment.lock.write_text("one lock", encoding="utf-8")
    ran: list[Path] = []
    monkeypatch.setattr(bootstrap, "ENVIRONMENTS", (environment,))
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: ["uv"])
    monkeypatch.setattr(bootstrap, "run", lambda _, venv: ran.append(venv))
    bootstrap.main()
    bootstrap.main()
    assert ran == [environment.venv]
    environment.lock.write_text("another lock", encoding="utf-8")
    bootstrap.main()
    assert ran == [environment.venv] * 2


def test_an_old_python_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (3, 99))
    with pytest.raises(SystemExit):
        bootstrap.main()
    assert "make PYTHON=python3.99" in capsys.readouterr().err


def test_the_pinned_uv_is_the_locks() -> None:
    assert bootstrap.pinned_uv() in pins("requirements.lock")
