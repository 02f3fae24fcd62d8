"""One process a state, found by its port file, ended without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox.cloud import daemon
from sandbox.cloud.app import app
from sandbox.cloud.launcher import DOWN, launcher_script
from tests.sandbox.cloud.client import Client


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    daemon.stop(daemon.port_file(tmp_path))


def start(state: Path) -> daemon.Running:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the process outlives its handle on purpose
        return daemon.start(state, daemon.port_file(state))


def launch(state: Path) -> subprocess.CompletedProcess[str]:
    """A launcher whose standard input ends at once, as when an engine is gone."""
    script = launcher_script(daemon.port_file(state))
    return subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_a_started_cloud_is_found_serves_and_keeps_its_state_over_a_restart(state: Path) -> None:
    first = start(state)
    assert start(state) == first
    client = Client(first.port)
    made = client.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    client.close()
    assert daemon.stop(daemon.port_file(state))
    assert daemon.running(daemon.port_file(state)) is None
    again = Client(start(state).port)
    assert again.read("aws:ec2/vpc:Vpc", made.id).id == made.id
    again.close()


def test_a_second_cloud_on_the_same_state_is_refused(state: Path) -> None:
    start(state)
    command = [sys.executable, "-m", "sandbox.cloud", "serve", "--state", str(state)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "already serves" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_launcher_prints_the_port_or_says_in_one_line_how_to_start(state: Path) -> None:
    down = launch(state)
    assert (down.returncode, down.stdout, down.stderr) == (1, "", f"{DOWN}\n")
    running = start(state)
    assert launch(state).stdout == f"{running.port}\n"


def test_after_a_kill_nothing_is_taken_for_running_and_it_starts_again(state: Path) -> None:
    killed = start(state)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    assert daemon.running(daemon.port_file(state)) is None
    assert launch(state).returncode == 1
    assert start(state).pid != killed.pid


def test_a_process_that_got_the_id_since_is_not_taken_for_the_cloud(state: Path) -> None:
    daemon.port_file(state).write_text(f"1 {os.getpid()} 1\n")
    assert daemon.running(daemon.port_file(state)) is None
    assert daemon.stop(daemon.port_file(state)) is False


def test_the_command_line_lists_shows_and_takes_away_without_showing_secrets(state: Path) -> None:
    client = Client(start(state).port)
    made = client.create("random:index/randomPassword:RandomPassword", {"length": 20}, "word")
    vpc = client.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, "net")
    run = CliRunner()
    at = ["--state", str(state)]
    listed = run.invoke(app, ["ls", "--json", *at])
    assert [json.loads(line)["name"] for line in listed.output.splitlines()] == ["net", "word"]
    assert vpc.id in run.invoke(app, ["ls", "--type", "aws:*", *at]).output
    shown = run.invoke(app, ["show", "word", *at])
    assert json.loads(shown.output)["outputs"]["result"] == "[secret]"
    assert made["result"] not in shown.output + listed.output
    assert "would remove" in run.invoke(app, ["rm", vpc.id, *at]).output
    assert client.read(vpc.type, vpc.id).id
    assert run.invoke(app, ["rm", vpc.id, "--yes", *at]).exit_code == 0
    assert not client.read(vpc.type, vpc.id).id
    assert run.invoke(app, ["show", vpc.id, *at]).exit_code == 3
    client.close()


def test_the_exit_code_of_status_tells_whether_it_runs(state: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["status", "--state", str(state)]).exit_code == 3
    start(state)
    assert run.invoke(app, ["status", "--state", str(state)]).exit_code == 0
    assert run.invoke(app, ["stop", "--state", str(state)]).exit_code == 0
    assert run.invoke(app, ["status", "--state", str(state)]).exit_code == 3
