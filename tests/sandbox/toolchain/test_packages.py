"""The one table of the operating system's programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.toolchain import packages


def test_a_program_is_found_by_name_and_by_pattern(tmp_path: Path) -> None:
    for version in ("15", "16"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "server").touch()
    assert Path(packages.Wanted("sh", "dash", frozenset()).found).name == "sh"
    assert packages.Wanted(f"{tmp_path}/*/server", "server", frozenset()).found == f"{tmp_path}/16/server"


def test_what_is_not_here_is_named_by_its_package_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "table", lambda: (packages.Wanted("no-such-program", "nowhere", frozenset({"lab"})),))
    assert packages.absent("lab") == ["nowhere"]
    assert packages.absent("tests") == []
    with pytest.raises(SandboxError, match="apt-get install --no-install-recommends nowhere"):
        packages.program("nowhere")


def test_ci_installs_what_tests_and_the_lab_need_and_nothing_else() -> None:
    script = (TREE / ".ci/run").read_text(encoding="utf-8")
    (loop,) = re.findall(r"^wanted=\(\)\n.*?^done <.*?$", script, re.DOTALL | re.MULTILINE)
    # Nothing is found, so everything is wanted.
    shell = f'command() {{ false; }}; compgen() {{ false; }}; {loop}; printf "%s\\n" "${{wanted[@]}}"'
    said = subprocess.run(["bash", "-c", shell], cwd=TREE, capture_output=True, text=True, check=True).stdout.split()
    needed = {one.package for one in packages.table() if one.purposes - {"monitoring"}}
    assert set(said) == needed
