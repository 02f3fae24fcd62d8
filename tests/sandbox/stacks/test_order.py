"""The order of stacks comes from the stack files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.stacks import order


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    for stack, cloud in (("one", "gcp"), ("two", "aws"), ("three", "azure"), ("four", "aws")):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"config:\n  trial:cloud: {cloud}\n")
    return tmp_path


def test_the_primarys_stacks_come_first_then_the_platforms_order(project: Path) -> None:
    assert [stack.name for stack in order.stacks(project)] == ["four", "two", "three", "one"]


def test_one_stack_may_be_chosen_and_a_wrong_name_lists_the_right_ones(project: Path) -> None:
    assert [stack.cloud for stack in order.chosen(project, "one")] == ["gcp"]
    assert order.chosen(project, "") == order.stacks(project)
    with pytest.raises(SandboxError, match="no stack 'five'") as caught:
        order.chosen(project, "five")
    assert "four, two, three, one" in caught.value.fix


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config: {}\n", "does not say which cloud"),
        ("config:\n", "does not say which cloud"),
        ("", "does not say which cloud"),
        ("config: {trial:cloud: [\n", "does not say which cloud"),
        ("config: {trial:cloud: oracle}\n", "'oracle', which does not exist"),
        ("config: {trial:cloud: [aws]}\n", "which does not exist"),
    ],
)
def test_a_stack_file_without_a_known_cloud_is_explained(project: Path, text: str, says: str) -> None:
    (project / "Pulumi.one.yaml").write_text(text)
    with pytest.raises(SandboxError, match=says):
        order.stacks(project)


def test_a_folder_without_stacks_is_explained(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\n")
    with pytest.raises(SandboxError, match="no stack file"):
        order.stacks(tmp_path)
