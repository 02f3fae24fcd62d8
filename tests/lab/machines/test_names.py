"""Names that the kernel's interfaces take, and labs that cannot meet."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.lab.machines.lab import Lab, Surroundings, port

names = st.from_regex(r"[a-z][a-z0-9]{0,11}", fullmatch=True)
machines = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
FOLDER = Path("/some/where")


def test_the_resolver_is_reachable_and_no_resolver_is_no_address() -> None:
    assert Surroundings(resolver="198.18.0.2", services=("198.18.0.1",)).reachable == ("198.18.0.1", "198.18.0.2")
    assert Surroundings(services=()).reachable == ()


@given(machines, machines)
def test_ports_fit_the_kernel_and_differ(one: str, other: str) -> None:
    assert len(port(one)) <= 15
    assert (port(one) == port(other)) == (one == other)


@given(names, names, machines)
def test_no_labs_things_begin_like_another_labs(one: str, other: str, machine: str) -> None:
    if one != other:
        assert not Lab(one, FOLDER).container(machine).startswith(Lab(other, FOLDER).container(""))
    assert len(Lab(one, FOLDER).container(machine)) <= 64


@pytest.mark.parametrize("name", ["", "Lab", "a-b", "1a", "a" * 13, "a/b"])
def test_a_lab_name_that_could_be_another_labs_machine_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot name a lab"):
        Lab(name, FOLDER)


@pytest.mark.parametrize("folder", ["relative", "/a:b", "/a,b", "/a b", "/a\\b"])
def test_a_folder_that_would_cut_an_overlays_options_is_refused(folder: str) -> None:
    with pytest.raises(SandboxError, match="cannot lie in"):
        Lab("a", Path(folder))


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 41])
def test_a_machine_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot name a machine"):
        Lab("a", FOLDER).place(name)
