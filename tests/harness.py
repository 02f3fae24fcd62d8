"""The real engine against a simulated cloud, for tests.

A `Sandbox` is everything that an operation needs, in a temporary folder: engine home, state, simulated cloud. Stacks
run a project where it lies (this repository, or a small program written by `program`), but with their own copy of the
stack file, which `configure` edits; the project's files stay as they are. Nothing is shared between two pytest-xdist
workers, so tests run in parallel.

Each operation says whether it must succeed: a test that forgets to look at a result still fails when the engine does.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox import service
from sandbox.cloud import daemon, store
from sandbox.cloud.launcher import launcher_script
from sandbox.home import TREE, Home, project_name
from sandbox.process import run as run_command
from sandbox.progress import Board
from sandbox.stacks import operation
from sandbox.toolchain import engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.stacks.operation import Result, Verb


@dataclass(frozen=True)
class Sandbox:
    """One empty simulated cloud with an engine pointed at it."""

    home: Home

    def environment(self) -> dict[str, str]:
        """Variables for an engine in this sandbox. The state is saved once, when the operation ends in whatever way:
        saving it after each resource is two thirds of the engine's time, and helps only an engine that is killed.
        """
        return self.home.process_environment() | {"PULUMI_SKIP_CHECKPOINTS": "true"}

    def stack(self, name: str, project: Path = TREE) -> Stack:
        """A stack of a project; created in this sandbox's backend, with a copy of its stack file if it has one."""
        self.home.ensure_stack(project, name)
        folder = self.home.root / "configured" / project_name(project)
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / f"Pulumi.{name}.yaml"
        original = project / copy.name
        settings = yaml.safe_load(original.read_text(encoding="utf-8")) if original.exists() else {}
        salt = yaml.safe_load((self.home.stack_files / "salt").read_text(encoding="utf-8"))
        copy.write_text(yaml.safe_dump({**(settings or {}), **salt}), encoding="utf-8")
        return Stack(self, name, project, copy)

    def program(self, source: str, name: str = "trial") -> Path:
        """A project with this source as its program; returns its folder. The same name again replaces the source."""
        folder = self.home.root / "programs" / name
        folder.mkdir(parents=True, exist_ok=True)
        runtime = {"name": "python", "options": {"virtualenv": str(TREE / ".venv")}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": runtime}), encoding="utf-8")
        (folder / "__main__.py").write_text(source, encoding="utf-8")
        return folder

    @contextmanager
    def faults(self, *rules: Mapping[str, Any]) -> Iterator[None]:
        """The simulated cloud's fault rules (see `sandbox.cloud.faults`) while the body runs."""
        file = daemon.faults_file(self.home.cloud)
        file.write_text(yaml.safe_dump({"rules": [dict(rule) for rule in rules]}), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink()

    def existing(self, type_glob: str = "*", stack_glob: str = "*") -> list[dict[str, str]]:
        """What exists in the simulated cloud, whatever the engine believes."""
        return list(store.rows(self.home.cloud, type_glob=type_glob, stack_glob=stack_glob))


@dataclass(frozen=True)
class Stack:
    """One stack in a sandbox; `file` is its own copy of the stack file."""

    sandbox: Sandbox
    name: str
    project: Path
    file: Path

    def configure(self, **settings: object) -> None:
        """Sets configuration keys of the project; None removes one. The copy only: the project's file stays."""
        document = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        config = document.setdefault("config", {})
        for key, value in settings.items():
            full = f"{project_name(self.project)}:{key}"
            config.pop(full, None)
            if value is not None:
                config[full] = value
        self.file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def up(self, *flags: str, fails: bool = False, env: Mapping[str, str] | None = None) -> Result:
        return self._run("up", *flags, fails=fails, env=env)

    def preview(self, *flags: str, fails: bool = False, env: Mapping[str, str] | None = None) -> Result:
        return self._run("preview", *flags, fails=fails, env=env)

    def refresh(self, *flags: str, fails: bool = False, env: Mapping[str, str] | None = None) -> Result:
        return self._run("refresh", *flags, fails=fails, env=env)

    def destroy(self, *flags: str, fails: bool = False, env: Mapping[str, str] | None = None) -> Result:
        return self._run("destroy", *flags, fails=fails, env=env)

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """The deployment in the stack's state, `resources` and more; secrets encrypted unless asked for in clear."""
        return json.loads(self._command("stack", "export", *(["--show-secrets"] if secrets else [])))["deployment"]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in clear: for a test that must know a value to look for it elsewhere."""
        return json.loads(self._command("stack", "output", "--json", "--show-secrets"))

    def _command(self, *words: str) -> str:
        command = [str(self.sandbox.home.engine.program), *words, "--stack", self.name, "--cwd", str(self.project)]
        return run_command(command, env=self.sandbox.home.process_environment(), doing=" ".join(words))

    def _run(self, verb: Verb, *flags: str, fails: bool, env: Mapping[str, str] | None) -> Result:
        result = operation.run(
            verb,
            self.name,
            project=self.project,
            environment=self.sandbox.environment() | dict(env or {}),
            flags=("--config-file", str(self.file), *flags),
        )
        if result.succeeded is fails:
            told = [f"{each.level}: {each.urn}: {each.message}" for each in result.violations]
            said = "\n".join([*(item.message for item in result.diagnostics), *told, result.complaint])
            raise AssertionError(f"{verb} {self.name} ended with {result.code}, changes {result.changes}:\n{said}")
        return result


@contextmanager
def open_sandbox(root: Path, like: Sandbox | None = None) -> Iterator[Sandbox]:
    """A sandbox in the folder `root`; `like` lends its passphrase and salt, which saves making new ones."""
    home = Home(root, engine.obtain(Board()))
    if like:
        home.stack_files.mkdir(parents=True)
        shutil.copy(like.home.stack_files / "salt", home.stack_files)
        shutil.copy(like.home.passphrase, home.passphrase)
    home.prepare(launcher_script(daemon.port_file(home.cloud)))
    service.ensure(home.cloud, Board())
    try:
        yield Sandbox(home)
    finally:
        service.stop(home.cloud)
