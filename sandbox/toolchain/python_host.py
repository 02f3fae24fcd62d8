"""Python language host: lets an engine built from its Go module run Python programs and policy packs.

The official host is not among Pulumi's Go modules, so a built engine has none. This one answers the part of
`pulumirpc.LanguageRuntime` that preview, up, refresh, destroy, about and policy packs call; code generation and
`pulumi new` stay unimplemented and the engine says so. The launcher in the sandbox's PULUMI_HOME
starts it for every command, so it imports gRPC and the messages only, never the Pulumi SDK itself.

Dangerous edges: it must be gone at once on SIGINT or SIGTERM, else the engine waits five seconds after every command;
and it must take its children along, else a cancelled `pulumi up` leaves a program registering resources.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.toolchain.providers import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import grpc
    from pulumi.runtime.proto import language_pb2 as messages
    from pulumi.runtime.proto import language_pb2_grpc as service
    from pulumi.runtime.proto import plugin_pb2 as plugins
else:

    def _bare(name: str) -> None:
        """Stands an empty package in for `name`: its submodules import, its own (slow) body never runs."""
        spec = find_spec(name)
        module = types.ModuleType(name)
        module.__path__ = list(spec.submodule_search_locations)
        sys.modules[name] = module

    for _package in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        _bare(_package)
    import grpc
    from pulumi.runtime.proto import language_pb2 as messages
    from pulumi.runtime.proto import language_pb2_grpc as service
    from pulumi.runtime.proto import plugin_pb2 as plugins

# The program printed its own error; the engine must stop without adding one. Defined by the exec script.
SHOWN_TO_USER = 32
# A configuration may be megabytes; the engine itself accepts 400 MB.
MESSAGE_LIMIT = 400 << 20
PARENT_POLL_SECONDS = 1.0


class VirtualenvError(Exception):
    """The project names a virtual environment that is not there."""


def interpreter(info: messages.ProgramInfo) -> Path:
    """The Python of the project's `virtualenv` option (relative to the project), else this process's own."""
    options: Mapping[str, Any] = dict(info.options)
    named = str(options.get("virtualenv") or "")
    if not named:
        return Path(sys.executable)
    python = Path(info.root_directory, named, "bin", "python")
    if not python.exists():
        raise VirtualenvError(
            f"The project's virtual environment {named!r} has no interpreter ({python} is missing), so no program can "
            "run. Create it and install the project's requirements.txt into it."
        )
    return python


def environment(python: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The process environment with `extra` on top and the interpreter's virtual environment, if it has one, active."""
    env = {**os.environ, **extra}
    env.pop("PYTHONHOME", None)
    if (python.parent.parent / "pyvenv.cfg").exists():
        env["VIRTUAL_ENV"] = str(python.parent.parent)
        env["PATH"] = f"{python.parent}{os.pathsep}{env.get('PATH', '')}"
    return env


class Children:
    """The processes this host started, each in its own group so that one signal ends it with its descendants."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def start(
        self, argv: list[str], *, cwd: str | None, env: Mapping[str, str], output: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts a process; `output` is where both its streams go, None for this process's own."""
        child = subprocess.Popen(argv, process_group=0, cwd=cwd, env=env, stdout=output, stderr=output)
        with self._lock:
            self._running.add(child)
        return child

    def finish(self, child: subprocess.Popen[bytes]) -> int:
        """Waits for a child to end by itself; returns its exit code."""
        code = child.wait()
        with self._lock:
            self._running.discard(child)
        return code

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """Ends a child and its descendants now, if it still runs."""
        if child.poll() is None:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def kill_all(self) -> None:
        for child in list(self._running):
            self.kill(child)


class LanguageHost(service.LanguageRuntimeServicer):
    """Answers the engine. `executor` is the Pulumi module's own `pulumi-language-python-exec`."""

    def __init__(self, executor: Path, engine: str, children: Children) -> None:
        self._executor = executor
        self._engine = engine
        self._children = children

    def Handshake(
        self, request: messages.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> messages.LanguageHandshakeResponse:
        self._engine = request.engine_address or self._engine
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugins.PluginInfo:  # noqa: ANN401
        from importlib.metadata import version  # noqa: PLC0415 - 40 ms that most commands never need

        return plugins.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(
        self, request: messages.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> messages.GetRequiredPackagesResponse:
        python = self._interpreter(request.info, context)
        packages = [
            plugins.PackageDependency(name=name, kind="resource", version=f"v{version}", server=server)
            for name, version, server in installed(python.parent.parent)
        ]
        return messages.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(
        self, request: messages.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> messages.GetProgramDependenciesResponse:
        from importlib.metadata import distributions  # noqa: PLC0415 - only `pulumi about` asks

        python = self._interpreter(request.info, context)
        libraries = [str(path) for path in python.parent.parent.glob("lib/python3*/site-packages")]
        names = sorted((dist.name, dist.version) for dist in distributions(path=libraries))
        found = [messages.DependencyInfo(name=name, version=version) for name, version in names]
        return messages.GetProgramDependenciesResponse(dependencies=found)

    def About(self, request: messages.AboutRequest, context: grpc.ServicerContext) -> messages.AboutResponse:
        python = self._interpreter(request.info, context)
        return messages.AboutResponse(executable=str(python), version=sys.version.split()[0])

    def InstallDependencies(
        self, request: messages.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.InstallDependenciesResponse]:
        """Installs nothing: the environment is the project's own and pinned; says so instead of surprising anybody."""
        note = "The sandbox keeps the project's virtual environment itself; run `make venv`.\n"
        yield messages.InstallDependenciesResponse(stdout=note.encode())

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - google.protobuf.Empty
        from google.protobuf.empty_pb2 import Empty  # noqa: PLC0415

        self._children.kill_all()
        return Empty()

    def Run(self, request: messages.RunRequest, context: grpc.ServicerContext) -> messages.RunResponse:
        try:
            python = interpreter(request.info)
        except VirtualenvError as error:
            return messages.RunResponse(error=str(error))
        flags = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "pwd": request.pwd,
            "dry_run": str(request.dryRun).lower(),
            "parallel": str(request.parallel),
        }
        argv = [str(python), "-u", str(self._executor)]
        argv += [part for flag, value in flags.items() if value for part in (f"--{flag}", value)]
        argv += [request.info.entry_point or ".", *request.args]
        configuration = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        child = self._children.start(
            argv, cwd=request.info.program_directory or None, env=environment(python, configuration)
        )
        context.add_callback(lambda: self._children.kill(child))
        code = self._children.finish(child)
        if code == SHOWN_TO_USER:
            return messages.RunResponse(bail=True)
        return messages.RunResponse(error=f"Program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(
        self, request: messages.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.RunPluginResponse]:
        """Runs a policy pack (or another plugin written in Python); a pack runs in its own folder."""
        info = request.info
        python = self._interpreter(info, context)
        program = Path(info.program_directory, info.entry_point)
        child = self._children.start(
            [str(python), "-u", str(program), *request.args],
            cwd=info.program_directory if request.kind == "analyzer" else request.pwd,
            env=environment(python, dict(item.split("=", 1) for item in request.env)),
            output=subprocess.PIPE,
        )
        context.add_callback(lambda: self._children.kill(child))
        yield from _stream(child)
        yield messages.RunPluginResponse(exitcode=self._children.finish(child))

    @staticmethod
    def _interpreter(info: messages.ProgramInfo, context: grpc.ServicerContext) -> Path:
        try:
            return interpreter(info)
        except VirtualenvError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise


def _stream(child: subprocess.Popen[bytes]) -> Iterator[messages.RunPluginResponse]:
    """Yields a child's output as it comes, both streams, until it has closed both."""
    chunks: queue.SimpleQueue[messages.RunPluginResponse | None] = queue.SimpleQueue()

    def pump(stream: Any, name: str) -> None:  # noqa: ANN401 - a BufferedReader, which typing.IO lacks read1 of
        while chunk := stream.read1(1 << 16):
            chunks.put(messages.RunPluginResponse(**{name: chunk}))
        chunks.put(None)

    for stream, name in ((child.stdout, "stdout"), (child.stderr, "stderr")):
        threading.Thread(target=pump, args=(stream, name), daemon=True).start()
    still_open = 2
    while still_open:
        chunk = chunks.get()
        if chunk is None:
            still_open -= 1
        else:
            yield chunk


def main(arguments: list[str]) -> None:
    """Serves until the engine says stop or is gone; arguments: the exec script, then whatever the engine adds."""
    executor, *rest = arguments
    children = Children()

    def leave(*_: object) -> None:
        children.kill_all()
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    engine = next((word for word in rest if not word.startswith("-")), "")
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.server(ThreadPoolExecutor(16), options=limits)
    service.add_LanguageRuntimeServicer_to_server(LanguageHost(Path(executor), engine, children), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    parent = os.getppid()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    leave()
