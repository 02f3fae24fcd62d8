"""One machine of every kind and cloud as it was last agreed on: what a change does to machines is read in its diff.

`UPDATE_GOLDEN=1 make test ARGS=tests/golden` writes the files again. Files that stand in the tree as they are, such as the
boot's scripts, are named and not repeated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan.userdata import DISK_TABLE
from tests.products.machines import CASES, DEVICES, Case, contents, machine

TREE = Path(__file__).parents[2]
KEPT = Path(__file__).parent
VERBATIM = {
    file.read_text(): str(file.relative_to(TREE))
    for pattern in ("components/templates/*/*", "components/clouds/*/templates/*")
    for file in sorted(TREE.glob(pattern))
    if file.is_file() and file.suffix != ".j2"
}


def described(case: Case) -> Iterator[str]:
    """The machine, in lines."""
    spec = machine(case)
    yield f"machine {spec.name} role {spec.role} zone {spec.zone} address {spec.address}"
    yield f"size {spec.size.instance_type} root {spec.size.root_gib} GiB"
    for disk in spec.disks:
        size = f"{disk.size.gib} GiB {disk.size.iops} IOPS {disk.size.mbps} MB/s"
        yield f"disk {disk.purpose} {DEVICES[case.cloud][disk.purpose]} at {disk.mount} of {disk.owner}: {size}"
    yield "units " + " ".join(spec.units)
    for secret in spec.secrets:
        yield f"secret {secret.entry} in {secret.path} {secret.mode} {secret.owner}"
    about = {file.path: f"{file.mode} {file.owner}" for file in (*spec.files, *spec.late)}
    for path, content in sorted(contents(spec, case.cloud).items()):
        yield ""
        if content in VERBATIM:
            yield f"=== {path} {about[path]} is {VERBATIM[content]}"
        else:
            yield f"=== {path} {about[path]}"
            yield content.rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_machine_is_what_was_agreed_on(case: Case) -> None:
    kept = KEPT / case.cloud / f"{case.role}.txt"
    now = "\n".join(described(case)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(now)
    assert now == kept.read_text(), "if this is wanted: UPDATE_GOLDEN=1 make test ARGS=tests/golden"


def test_no_golden_file_is_left_of_a_machine_that_is_gone() -> None:
    assert {str(path.relative_to(KEPT)) for path in KEPT.rglob("*.txt")} == {f"{c.cloud}/{c.role}.txt" for c in CASES}


def test_the_disk_table_is_written_by_user_data_alone() -> None:
    assert not any(file.path == DISK_TABLE for case in CASES for file in machine(case).files)
