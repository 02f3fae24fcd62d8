"""The language host as the engine sees it: a process that prints a port and answers over gRPC."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto import language_pb2_grpc as service

from sandbox.home import TREE, host_launcher
from sandbox.toolchain.providers import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Stands in for the exec script: says how it was called, then does what the test wrote into `program`.
EXEC = """
import json, os, runpy, sys
facts = {"argv": sys.argv[1:], "pid": os.getpid(), "prefix": sys.prefix, "config": os.environ["PULUMI_CONFIG"]}
with open("called.part", "w") as file:
    json.dump(facts, file)
os.rename("called.part", "called.json")
runpy.run_path("program.py")
"""


@dataclass
class Host:
    """A running host and the folder of the project it serves."""

    process: subprocess.Popen[str]
    stub: service.LanguageRuntimeStub
    folder: Path

    def info(self, **options: str) -> messages.ProgramInfo:
        struct = Struct()
        struct.update(options)
        folder = str(self.folder)
        return messages.ProgramInfo(root_directory=folder, program_directory=folder, entry_point=".", options=struct)

    def run(self, program: str, **options: str) -> grpc.Future[messages.RunResponse]:
        """Starts a program; returns the engine's pending call."""
        (self.folder / "program.py").write_text(program)
        request = messages.RunRequest(
            project="trial", stack="dev", parallel=4, monitor_address="127.0.0.1:1", config={"trial:key": "value"},
            info=self.info(**options),
        )  # fmt: skip
        return self.stub.Run.future(request)

    def called(self) -> dict[str, Any]:
        """How the exec script was called, once it runs."""
        note = self.folder / "called.json"
        wait_until(note.exists)
        return json.loads(note.read_text())


def wait_until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with start(tmp_path) as started:
        yield started


@contextmanager
def start(folder: Path) -> Iterator[Host]:
    """A host started as the engine starts it, from the launcher's text."""
    (folder / "exec.py").write_text(EXEC)
    launcher = folder / "pulumi-language-python"
    launcher.write_text(host_launcher(folder / "exec.py"))
    launcher.chmod(0o755)
    with (
        (folder / "output").open("w") as output,
        subprocess.Popen([launcher, "127.0.0.1:9"], stdout=subprocess.PIPE, stderr=output, text=True) as process,
    ):
        assert process.stdout
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Host(process, service.LanguageRuntimeStub(channel), folder)
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_host_and_program_at_once(host: Host, number: signal.Signals) -> None:
    call = host.run("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)")
    program = host.called()["pid"]
    host.process.send_signal(number)
    # The engine gives a plugin five seconds after a signal before it kills it; every command would pay them.
    assert host.process.wait(timeout=4) == 0
    wait_until(lambda: not runs(program))
    assert call.exception() is not None


def test_a_dead_engine_takes_the_host_along(tmp_path: Path) -> None:
    (tmp_path / "host").write_text(host_launcher(tmp_path / "exec.py"))
    engine = "import subprocess, sys, time; p = subprocess.Popen(['sh', sys.argv[1]]); print(p.pid, flush=True); time.sleep(300)"
    command = [sys.executable, "-c", engine, str(tmp_path / "host")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert int(process.stdout.readline()) > 0
        assert runs(pid)
        process.kill()
    wait_until(lambda: not runs(pid))


def test_cancelling_a_run_ends_the_program_with_its_children(host: Host) -> None:
    call = host.run("import subprocess; subprocess.run(['sh', '-c', 'echo $$ > shell; sleep 300'])")
    program = host.called()["pid"]
    wait_until(lambda: (host.folder / "shell").exists() and bool((host.folder / "shell").read_text()))
    shell = int((host.folder / "shell").read_text())
    call.cancel()
    wait_until(lambda: not runs(program) and not runs(shell))
    assert host.process.poll() is None


def test_a_program_gets_the_engine_its_configuration_and_the_projects_environment(host: Host) -> None:
    answer = host.run("", virtualenv=str(TREE / ".venv")).result()
    assert (answer.error, answer.bail) == ("", False)
    called = host.called()
    assert called["prefix"] == str(TREE / ".venv")
    assert json.loads(called["config"]) == {"trial:key": "value"}
    given = dict(zip(called["argv"][:-1:2], called["argv"][1:-1:2], strict=True))
    assert given["--engine"] == "127.0.0.1:9"
    assert given["--monitor"] == "127.0.0.1:1"
    assert (given["--project"], given["--stack"], given["--dry_run"], given["--parallel"]) == (
        "trial",
        "dev",
        "false",
        "4",
    )
    assert called["argv"][-1] == "."


@pytest.mark.parametrize(("code", "bail", "says"), [(0, False, ""), (32, True, ""), (3, False, "exit code: 3")])
def test_the_exit_code_tells_the_engine_who_explained_a_failure(
    host: Host, code: int, *, bail: bool, says: str
) -> None:
    answer = host.run(f"raise SystemExit({code})").result()
    assert answer.bail is bail
    assert says in answer.error
    assert bool(answer.error) is bool(says)


def test_a_missing_virtual_environment_is_named_with_the_remedy(host: Host) -> None:
    answer = host.run("", virtualenv="nowhere").result()
    assert "nowhere" in answer.error
    assert "requirements.txt" in answer.error
    assert not (host.folder / "called.json").exists()


def test_required_packages_are_the_providers_of_the_projects_environment(host: Host) -> None:
    request = messages.GetRequiredPackagesRequest(info=host.info(virtualenv=str(TREE / ".venv")))
    found = {package.name: package.version for package in host.stub.GetRequiredPackages(request).packages}
    assert found == {provider.name: f"v{provider.version}" for provider in installed(TREE / ".venv")}
    assert found.keys() >= {"aws", "azure-native", "gcp", "random", "tls"}


def test_a_policy_pack_runs_in_its_own_folder_and_its_output_arrives_as_it_is_written(host: Host) -> None:
    (host.folder / "__main__.py").write_text(
        "import os, sys, time\n"
        "print(os.getcwd(), sys.argv[1:], os.environ['GREETING'])\n"
        "print('wrong', file=sys.stderr)\n"
        "while not os.path.exists('go'): time.sleep(.02)\n"
        "raise SystemExit(7)\n"
    )
    request = messages.RunPluginRequest(
        pwd="/", args=["127.0.0.1:9"], env=["GREETING=hello"], kind="analyzer", name="pack", info=host.info()
    )
    said = {"stdout": b"", "stderr": b""}
    code = None
    for part in host.stub.RunPlugin(request):
        if part.WhichOneof("output") == "exitcode":
            code = part.exitcode
            continue
        said["stdout"] += part.stdout
        said["stderr"] += part.stderr
        if said["stdout"].endswith(b"hello\n") and said["stderr"]:
            # Only now may the pack end: both lines came while it was running.
            (host.folder / "go").touch()
    assert said == {"stdout": f"{host.folder} ['127.0.0.1:9'] hello\n".encode(), "stderr": b"wrong\n"}
    assert code == 7


def test_start_does_not_import_the_pulumi_sdk() -> None:
    code = (
        "import sys; import sandbox.toolchain.python_host; "
        "print([n for n in ('pulumi.resource', 'pulumi.automation', 'importlib.metadata') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=TREE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
