"""`pulumi` on the sandbox leaves the tree's stack files as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.toolchain.engine import WRAPPER

SALT = "encryptionsalt: v1:abc=\n"
STACK_FILE = "# a comment\nconfig:\n  trial:word: hello"


@dataclass
class Tree:
    """A project, and a fake engine that says how it was called."""

    project: Path
    copies: Path
    env: dict[str, str]

    def call(self, *words: str, folder: Path | None = None, **env: str) -> tuple[list[str], str | None]:
        """The words the engine got, and the stack file it was told to use."""
        done = subprocess.run(
            [WRAPPER, *words],
            cwd=folder or self.project,
            env=self.env | env,
            capture_output=True,
            text=True,
            check=True,
        )
        first, *given = done.stdout.splitlines()
        return given, first or None


# Spaces and quotes: the places where shell programs break.
@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    project, copies = tmp_path / "the 'project'", tmp_path / "the copies"
    project.mkdir()
    copies.mkdir()
    (copies / "salt").write_text(SALT)
    for stack in ("aws", "azure"):
        (project / f"Pulumi.{stack}.yaml").write_text(STACK_FILE)
    fake = tmp_path / "an engine"
    fake.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2" != "stack --show-name" ] || { echo azure; exit; }\n'
        'printf "%s\\n" "${PULUMI_OPTION_CONFIG_FILE-}" "$@"\n'
    )
    fake.chmod(0o755)
    port_file = tmp_path / "the port"
    port_file.write_text(f"4711 {os.getpid()} 1\n")
    env = {"HMC_ENGINE": str(fake), "HMC_STACK_FILES": str(copies), "HMC_PORT_FILE": str(port_file)}
    return Tree(project, copies, {"PATH": os.environ["PATH"], **env})


@pytest.mark.parametrize(
    "words",
    [
        ("up", "-s", "aws"),
        ("preview", "--stack", "aws"),
        ("--stack=aws", "destroy"),
        ("refresh", "-s", "org/trial/aws"),
    ],
)
def test_an_operation_reads_a_copy_with_the_salt_and_the_file_stays(tree: Tree, words: tuple[str, ...]) -> None:
    given, file = tree.call(*words)
    assert given == list(words)
    copy = tree.copies / "Pulumi.aws.yaml"
    assert file == str(copy)
    assert copy.read_text() == f"{STACK_FILE}\n{SALT}"
    assert (tree.project / "Pulumi.aws.yaml").read_text() == STACK_FILE


def test_the_copy_follows_an_edit_of_the_file(tree: Tree) -> None:
    tree.call("up", "-s", "aws")
    (tree.project / "Pulumi.aws.yaml").write_text("config: {trial:word: bye}\nencryptionsalt: v1:other=\n")
    _, file = tree.call("up", "-s", "aws")
    assert file
    assert Path(file).read_text() == f"config: {{trial:word: bye}}\n{SALT}"


def test_an_empty_stack_file_is_enough(tree: Tree) -> None:
    (tree.project / "Pulumi.aws.yaml").write_text("")
    tree.call("up", "-s", "aws")
    assert (tree.copies / "Pulumi.aws.yaml").read_text() == SALT


def test_the_stack_may_come_from_the_environment_or_the_selection(tree: Tree) -> None:
    assert tree.call("up", PULUMI_STACK="aws")[1] == str(tree.copies / "Pulumi.aws.yaml")
    assert tree.call("up")[1] == str(tree.copies / "Pulumi.azure.yaml")


def test_another_folder_may_be_named(tree: Tree, tmp_path: Path) -> None:
    assert tree.call("-C", tree.project.name, "up", "-s", "aws", folder=tmp_path)[1] is not None
    assert tree.call(f"--cwd={tree.project}", "up", "-s", "aws", folder=tmp_path)[1] is not None


@pytest.mark.parametrize(
    "words",
    [
        ("stack", "export", "-s", "aws"),
        ("config", "set", "word", "x y", "-s", "aws"),
        ("version",),
        ("up", "-s", "unknown"),
        ("up", "-s", "aws", "--config-file", "mine.yaml"),
        ("up", "-s", "aws", "--config-file=mine.yaml"),
    ],
)
def test_everything_else_reaches_the_engine_unchanged(tree: Tree, words: tuple[str, ...]) -> None:
    assert tree.call(*words) == (list(words), None)
    assert [file.name for file in tree.copies.iterdir()] == ["salt"]


def test_without_the_environment_it_says_how_to_get_it(tree: Tree) -> None:
    done = subprocess.run(
        [WRAPPER, "up"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert 'eval "$(make -s env)"' in done.stderr


@pytest.mark.parametrize("text", [None, "", "4711 999999999 1\n"], ids=["no file", "empty", "process gone"])
@pytest.mark.parametrize("words", [("up", "-s", "aws"), ("preview", "--config-file", "mine.yaml")])
def test_a_simulated_cloud_that_is_down_takes_one_line(tree: Tree, text: str | None, words: tuple[str, ...]) -> None:
    port_file = Path(tree.env["HMC_PORT_FILE"])
    port_file.unlink()
    if text is not None:
        port_file.write_text(text)
    done = subprocess.run(
        [WRAPPER, *words], cwd=tree.project, env=tree.env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["error: the simulated cloud is not running; start it with `make cloud`"]
    assert tree.call("stack", "export") == (["stack", "export"], None)


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh"])
def test_it_is_plain_posix_shell(tree: Tree, shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    command = [found, WRAPPER, "up", "-s", "aws"]
    done = subprocess.run(command, cwd=tree.project, env=tree.env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(tree.copies / "Pulumi.aws.yaml"), "up", "-s", "aws"]
