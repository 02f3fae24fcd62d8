"""A sandbox's folder, and that a plain `pulumi` works on it and leaves the project alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import service
from sandbox.errors import SandboxError
from sandbox.home import Home, project_name
from sandbox.toolchain.engine import Engine

if TYPE_CHECKING:
    from tests.harness import Sandbox

SHELLS = ["sh", "bash", "zsh"]


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("name", SHELLS)
def test_the_shell_lines_survive_any_path(tmp_path: Path, name: str) -> None:
    program = shell(name)
    home = Home(tmp_path / 'it\'s a "$HOME" `folder`', Engine(Path("/opt/pulumi home/pulumi"), None))
    script = f"PULUMI_CONFIG_PASSPHRASE=mine\n{home.shell_lines()}\nenv"
    done = subprocess.run(
        [program, "-euc", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    wanted = home.environment()
    assert seen["PATH"] == f"{wanted.pop('PATH')}:/usr/bin:/bin"
    assert {key: seen.get(key) for key in wanted} == wanted
    assert "PULUMI_CONFIG_PASSPHRASE" not in seen


def test_the_passphrase_is_nobody_elses_to_read_and_never_in_the_environment(sandbox: Sandbox) -> None:
    passphrase = sandbox.home.passphrase
    assert passphrase.stat().st_mode & 0o077 == 0
    assert passphrase.read_text() not in sandbox.home.shell_lines()


@pytest.mark.engine
def test_a_plain_pulumi_runs_the_project_and_leaves_its_files_as_they_are(sandbox: Sandbox) -> None:
    source = "import pulumi; pulumi.export('word', pulumi.Output.secret(pulumi.Config().require('word')))"
    project = sandbox.program(source, "plain")
    file = project / "Pulumi.dev.yaml"
    file.write_text("# stays\nconfig:\n  plain:word:   hello\n")
    before = {path: path.read_bytes() for path in project.iterdir() if path.is_file()}
    sandbox.home.ensure_stack(project, "dev")
    script = (
        f"{sandbox.home.shell_lines()}\n"
        "pulumi preview -s dev >&2 && pulumi up -s dev --yes >&2 && pulumi refresh -s dev --yes >&2\n"
        "pulumi stack export -s dev\n"
        "pulumi destroy -s dev --yes >&2\n"
    )
    done = subprocess.run([shell("bash"), "-ec", script], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["deployment"]["resources"][0]["outputs"]["word"]["ciphertext"]
    assert {path: path.read_bytes() for path in project.iterdir() if path.is_file()} == before


@pytest.mark.engine
def test_all_stacks_share_one_salt_so_that_a_command_derives_one_key(sandbox: Sandbox) -> None:
    project = sandbox.program("import pulumi; pulumi.export('x', pulumi.Output.secret('y'))", "salted")
    salts: set[str] = set()
    for name in ("one", "two"):
        stack = sandbox.stack(name, project)
        stack.up()
        salts.add(stack.export()["secrets_providers"]["state"]["salt"])
    assert len(salts) == 1


@pytest.mark.engine
def test_an_operation_without_the_simulated_cloud_fails_in_one_line(fresh_sandbox: Sandbox) -> None:
    program = fresh_sandbox.program("import pulumi_random as random; random.RandomPet('pet')", "down")
    stack = fresh_sandbox.stack("dev", program)
    service.stop(fresh_sandbox.home.cloud)
    result = stack.up(fails=True)
    assert result.complaint == "error: the simulated cloud is not running; start it with `make cloud`"
    assert result.diagnostics == []


def test_a_folder_without_a_project_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="names no Pulumi project"):
        project_name(tmp_path)
