"""`.sandbox/`: the engine's home, the stacks' state and the simulated cloud's, all inside the tree and git-ignored.

Owns the layout of that folder and the environment variables that point a plain `pulumi` at it. The program and its
stack files know nothing of it: the same commands without these variables act on real clouds.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from components.plan.change import VARIABLE
from sandbox import record
from sandbox.cloud.daemon import port_file
from sandbox.errors import SandboxError
from sandbox.process import run
from sandbox.toolchain.engine import WRAPPER
from sandbox.toolchain.providers import installed

if TYPE_CHECKING:
    from sandbox.toolchain.engine import Engine

TREE = Path(__file__).resolve().parent.parent
CLOUD = "cloud"

# A passphrase of the user's own would win over the file; SDKs that are compiled anew at each run cost more than the
# program itself.
UNWANTED = ("PULUMI_CONFIG_PASSPHRASE", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Home:
    """One sandbox: `root` holds everything, so removing it removes the sandbox."""

    root: Path
    engine: Engine

    @property
    def pulumi_home(self) -> Path:
        return self.root / "home"

    @property
    def backend(self) -> Path:
        return self.root / "state"

    @property
    def stack_files(self) -> Path:
        """Copies of stack files with the sandbox's salt; `salt` is that line alone."""
        return self.root / "stack-files"

    @property
    def cloud(self) -> Path:
        """State of the simulated cloud."""
        return self.root / CLOUD

    @property
    def change(self) -> Path:
        """Record of the change under which updates run here."""
        return self.root / "change.yaml"

    @property
    def passphrase(self) -> Path:
        return self.root / "passphrase"

    def environment(self) -> dict[str, str]:
        """Variables after which a plain `pulumi` acts on this sandbox; PATH is only what goes in front of it."""
        return {
            "HMC_ENGINE": str(self.engine.program),
            "HMC_STACK_FILES": str(self.stack_files),
            "HMC_PORT_FILE": str(port_file(self.cloud)),
            # Whoever names a record of their own means that one.
            VARIABLE: os.environ.get(VARIABLE) or str(self.change),
            "PULUMI_HOME": str(self.pulumi_home),
            # Without side files, which the engine does not write whole: a stack that reads another one's outputs while
            # that one is being saved would find an empty file.
            "PULUMI_BACKEND_URL": f"file://{self.backend}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            # Every plugin is a launcher in PULUMI_HOME: nothing else may answer for it, nothing may be downloaded.
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PATH": str(WRAPPER.parent),
        }

    def process_environment(self) -> dict[str, str]:
        """This process's environment pointed at the sandbox, for a child process."""
        ours = self.environment()
        inherited = {key: value for key, value in os.environ.items() if key not in UNWANTED}
        return {**inherited, **ours, "PATH": f"{ours['PATH']}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}

    def shell_lines(self) -> str:
        """The environment as lines for `eval` in a POSIX shell."""
        ours = self.environment()
        path = ours.pop("PATH")
        lines = [f"export {name}={shlex.quote(value)}" for name, value in ours.items()]
        lines += [f"unset {' '.join(UNWANTED)}", f'export PATH={shlex.quote(path)}:"$PATH"']
        return "\n".join(lines)

    def prepare(self, launcher: str) -> None:
        """Creates what is missing: folders, passphrase, record, plugins that run `launcher`, the salt. Cheap when all is there.

        Args:
            launcher: text of the shell script that answers the engine for every provider package.
        """
        for folder in (self.pulumi_home, self.backend, self.stack_files, self.cloud):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.passphrase.exists():
            self.passphrase.touch(mode=0o600)
            self.passphrase.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        record.ensure(self.change, datetime.now(UTC))
        for provider in installed(Path(sys.prefix)):
            self._plugin("resource", provider.name, provider.version, launcher)
        if self.engine.executor:
            self._plugin("language", "python", "1.0.0", host_launcher(self.engine.executor))
        salt = self.stack_files / "salt"
        if not salt.exists():
            salt.write_text(self._new_salt(), encoding="utf-8")

    def _plugin(self, kind: str, name: str, version: str, script: str) -> None:
        folder = self.pulumi_home / "plugins" / f"{kind}-{name}-v{version}"
        program = folder / f"pulumi-{kind}-{name}"
        if not program.exists() or program.read_text(encoding="utf-8") != script:
            folder.mkdir(parents=True, exist_ok=True)
            program.write_text(script, encoding="utf-8")
            program.chmod(0o755)

    def _new_salt(self) -> str:
        """The `encryptionsalt:` line for all stacks; one for all, because deriving a key from it costs .3 s each."""
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "Pulumi.yaml").write_text("name: salt\nruntime: python\n", encoding="utf-8")
            backend = {"PULUMI_BACKEND_URL": f"file://{scratch}"}
            run(
                [str(self.engine.program), "stack", "init", "salt", "--non-interactive", "--cwd", scratch],
                env=self.process_environment() | backend,
                doing="making the sandbox's encryption salt",
            )
            for line in (Path(scratch) / "Pulumi.salt.yaml").read_text(encoding="utf-8").splitlines():
                if line.startswith("encryptionsalt:"):
                    return f"{line}\n"
        raise SandboxError(
            "The engine made no encryption salt, so no secret of a stack could be encrypted.",
            "This engine's passphrase provider differs from the pinned version's: remove it from PATH and try again.",
        )

    def ensure_stack(self, project: Path, stack: str) -> None:
        """Creates a stack of the project in this sandbox's backend unless it exists; leaves the tree alone."""
        name = project_name(project)
        if (self.backend / ".pulumi" / "stacks" / name / f"{stack}.json").exists():
            return
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n", encoding="utf-8")
            salt = (self.stack_files / "salt").read_text(encoding="utf-8")
            (Path(scratch) / f"Pulumi.{stack}.yaml").write_text(salt, encoding="utf-8")
            run(
                [
                    str(self.engine.program),
                    "stack",
                    "init",
                    stack,
                    "--no-select",
                    "--non-interactive",
                    "--cwd",
                    scratch,
                ],
                env=self.process_environment(),
                doing=f"creating the stack {stack}",
            )


def project_name(project: Path) -> str:
    """The `name` in the Pulumi.yaml of the folder `project`."""
    file = project / "Pulumi.yaml"
    try:
        return str(yaml.safe_load(file.read_text(encoding="utf-8"))["name"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SandboxError(
            f"{file} names no Pulumi project ({error}).", "Run the command in a folder whose Pulumi.yaml has a `name`."
        ) from error


def host_launcher(executor: Path) -> str:
    """Script that becomes the Python language host; isolated, so that a program's PYTHONPATH cannot reach it."""
    code = (
        f"import sys; sys.path.insert(0, {str(TREE)!r}); "
        f"from sandbox.toolchain.python_host import main; main([{str(executor)!r}, *sys.argv[1:]])"
    )
    return f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(code)} "$@"\n'
