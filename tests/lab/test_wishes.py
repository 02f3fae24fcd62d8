"""What a lab is made with: regions, profile and links become a platform that the program accepts."""

from __future__ import annotations

import stat
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

import config
from components.plan.spec import CLOUDS, PRIMARY, Cloud, Profile
from config.files import effective
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab.holders import HOLDERS, keys
from sandbox.lab.place import Place, Wish, chosen, kept
from sandbox.lab.programs import NOT_SUPPLIED, boundary, supplied
from sandbox.lab.settings import configured
from sandbox.stacks import order

_OTHERS = [cloud for cloud in CLOUDS if cloud != PRIMARY]
SUBSETS = [
    chosen(",".join((PRIMARY, *others)))
    for others in chain.from_iterable(combinations(_OTHERS, count) for count in range(len(_OTHERS) + 1))
]


def _project() -> dict[str, Any]:
    return yaml.safe_load((TREE / "Pulumi.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("profile", ["small", "production"])
@pytest.mark.parametrize("regions", SUBSETS, ids=",".join)
def test_every_choice_of_regions_is_a_platform_that_the_program_accepts(
    regions: tuple[Cloud, ...], profile: Profile
) -> None:
    project = _project()
    for stack in order.stacks(TREE):
        if stack.cloud not in regions:
            continue
        committed = yaml.safe_load((TREE / f"Pulumi.{stack.name}.yaml").read_text(encoding="utf-8"))
        made = configured(project, committed, Wish(regions, profile))
        read = config.parse(effective(project, made))
        assert read.platform.clouds == regions
        assert read.platform.profile == profile
        assert set(chain(*read.platform.backup.copies.items())) <= set(regions)


def test_what_speaks_of_no_region_stays_as_committed() -> None:
    project = _project()
    committed = yaml.safe_load((TREE / f"Pulumi.{PRIMARY}.yaml").read_text(encoding="utf-8"))
    made = configured(project, committed, Wish(CLOUDS, "production"))
    assert effective(project, made) == effective(project, committed["config"])


@pytest.mark.parametrize("text", ["", "azure", "aws,mars"])
def test_regions_that_cannot_stand_are_refused(text: str) -> None:
    with pytest.raises(SandboxError):
        chosen(text)


def test_a_lab_goes_on_only_with_what_it_was_made_with(tmp_path: Path) -> None:
    place, wish = Place("one", tmp_path), Wish((PRIMARY,))
    assert place.wish() is None
    place.settle(wish)
    place.settle(wish)
    assert place.wish() == wish
    with pytest.raises(SandboxError, match="REGIONS=aws PROFILE=small LINKS=ipsec"):
        place.settle(Wish(CLOUDS))
    with pytest.raises(SandboxError, match="with VAULT_PROGRAM=openbao REGIONS=aws"):
        place.settle(Wish((PRIMARY,), vault="openbao"))
    assert place.wish() == wish
    assert stat.S_IMODE(place.root.stat().st_mode) == 0o700
    assert kept(tmp_path) == [place]


def test_a_holder_keeps_his_key_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first = [file.read_text(encoding="ascii") for file in keys(tmp_path)]
    assert [file.read_text(encoding="ascii") for file in keys(tmp_path)] == first
    assert len({*first}) == HOLDERS
    private = list(tmp_path.glob("*.age"))
    assert len(private) == HOLDERS
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}


def test_boundary_is_what_its_variable_names_or_says_that_it_is_not_supplied(tmp_path: Path) -> None:
    assert (boundary({}), supplied({})) == (NOT_SUPPLIED, False)
    program = tmp_path / "boundary"
    named = {"BOUNDARY_BINARY": str(program)}
    with pytest.raises(SandboxError, match="BOUNDARY_BINARY"):
        boundary(named)
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    assert (boundary(named), supplied(named)) == (program, True)
