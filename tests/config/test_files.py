"""The project's own files: complete, alike, accepted unchanged, and documented."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import pytest

from components.plan import resilience, values
from components.plan.backup import INTERVALS, RUN_MINUTES
from components.plan.sizing import CLIENTS, SERVERS
from components.plan.spec import CLOUDS, PRODUCTS, Cloud
from components.plan.versions import ARTIFACTS, SUPPORTED
from config import parse
from config.keys import Settings, Versions, known_below
from sandbox.home import TREE
from sandbox.toolchain.table import PULUMI
from tests.config.files import merged, project, stack_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OF_THE_STACK = ["cloud", "account", "image", "rollout", "deletion", "change", "exemptions"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_unchanged_files_describe_the_stack_they_are_named_for(cloud: Cloud) -> None:
    stack = parse(merged(cloud), stack=cloud)
    assert stack.cloud == cloud
    assert stack.is_primary == (cloud == "aws")


def test_the_three_stacks_agree_on_the_platform() -> None:
    assert len({repr(parse(merged(cloud)).platform) for cloud in CLOUDS}) == 1


def test_stack_files_hold_the_same_keys_in_the_same_order_and_only_what_differs() -> None:
    for cloud in CLOUDS:
        assert list(stack_file(cloud)) == OF_THE_STACK


def test_the_project_declares_every_key_in_the_order_of_the_model_each_explained() -> None:
    declared = project()["config"]
    assert list(declared) == list(known_below(()))
    for declaration in declared.values():
        # A `type` would make the engine stop at the first value that does not fit it, and hide the others.
        assert set(declaration) == {"description", "default"}
        assert declaration["description"]


def test_the_model_names_everything_that_is_installed() -> None:
    assert tuple(Versions.model_fields) == ARTIFACTS
    assert set(SUPPORTED) == set(ARTIFACTS)


def test_the_project_wants_the_engine_that_is_pinned() -> None:
    assert project()["requiredPulumiVersion"].split()[0] == f">={PULUMI.version}"


@pytest.mark.parametrize("profile", ["production", "small"])
def test_numbers_that_are_not_given_are_the_profiles(profile: str) -> None:
    platform = parse(merged("aws", {"profile": profile})).platform
    assert platform.servers == SERVERS[platform.profile]
    assert platform.clients == CLIENTS[platform.profile]
    given = parse(merged("aws", {"profile": profile, "servers.nomad": 7, "clients.maximum": 9})).platform
    assert given.servers == {**SERVERS[platform.profile], "nomad": 7}
    assert (given.clients.minimum, given.clients.maximum) == (CLIENTS[platform.profile].minimum, 9)


def test_production_is_the_platform_of_the_runbook() -> None:
    assert SERVERS["production"] == {"consul": 5, "vault": 3, "nomad": 5, "boundary": 3}
    platform = parse(merged("aws")).platform
    assert [(region.name, region.cidr) for region in platform.regions.values()] == [
        ("us-west-2", "10.1.0.0/16"),
        ("westus2", "10.2.0.0/16"),
        ("us-west1", "10.3.0.0/16"),
    ]
    assert tuple(platform.servers) == PRODUCTS


def _leaves(path: tuple[str, ...] = ()) -> Iterator[str]:
    below = known_below(path)
    if not below:
        yield ".".join(path)
    elif below == CLOUDS:
        for leaf in _leaves((*path, "aws")):
            yield leaf.replace("aws", "<cloud>")
    else:
        for key in below:
            yield from _leaves((*path, key))


def _documented() -> list[tuple[str, str, str]]:
    text = (TREE / "docs/configuration.md").read_text(encoding="utf-8").partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \| (?:.+?) \| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE)


def test_the_documentation_explains_every_key_once_and_no_other() -> None:
    assert [key for key, _, _ in _documented()] == list(_leaves())


def test_documented_defaults_and_choices_are_the_real_ones() -> None:
    for key, default, limits in _documented():
        real: Any = _default(key)
        if isinstance(real, str) and real:
            assert default == f"`{real}`", key
        elif isinstance(real, bool):
            assert default == f"`{str(real).lower()}`", key
        elif isinstance(real, int):
            assert default == str(real), key
        elif key.endswith("<cloud>") and isinstance(real, dict):
            assert default == ", ".join(map(str, real.values())), key
        top, _, below = key.partition(".")
        if top in ("servers", "clients"):
            numbers: Any = SERVERS if top == "servers" else {name: vars(clients) for name, clients in CLIENTS.items()}
            assert default == f"{numbers['production'][below]} (small: {numbers['small'][below]})"
        for choice in _choices(key):
            assert f"`{choice}`" in limits, key


def _default(key: str) -> Any:  # noqa: ANN401 - whatever stands in the file
    """What Pulumi.yaml holds at a documented key; for every cloud's, the map of them."""
    top, *below = key.removesuffix(".<cloud>").split(".")
    branch = project()["config"][top]["default"]
    for step in below:
        branch = branch.get(step) if isinstance(branch, dict) else None
    return branch


def _choices(key: str) -> tuple[str, ...]:
    """The words that a key takes, where it takes no others."""
    kind: Any = Settings
    for step in key.split("."):
        fields = getattr(kind, "model_fields", {})
        kind = next((field.annotation for name, field in fields.items() if step in (name, field.alias)), None)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\d+", text)}


@pytest.mark.parametrize(
    ("key", "judge"),
    [
        ("backup.rpoMinutes", resilience.rpo),
        ("backup.lockDays", resilience.lock_days),
        ("backup.keepDays", resilience.keep_days),
        ("audit.keepDays", resilience.audit_days),
    ],
)
def test_documented_bounds_are_the_last_that_are_accepted(
    key: str, judge: Callable[[int], values.Refusal | None]
) -> None:
    (limits,) = (limits for documented, _, limits in _documented() if documented == key)
    (bounds,) = re.findall(r"^(\d+) to (\d+)", limits)
    least, most = map(int, bounds)
    assert [judge(days) is None for days in (least - 1, least, most, most + 1)] == [False, True, True, False]


def test_documented_intervals_and_numbers_of_gateways_are_the_accepted_ones() -> None:
    limits = {key: limits for key, _, limits in _documented()}
    assert _numbers(limits["backup.intervalMinutes.consul"].partition(";")[0]) == set(INTERVALS)
    assert f"with {RUN_MINUTES} minutes for the run" in limits["backup.intervalMinutes.consul"]
    edges = _numbers(limits["mesh.asns.<cloud>"])
    assert edges == {64512, 65534, 4200000000, 4294967294, 65515, 65517, 65520}
    inside = {number for number in edges if resilience.asn(number) is None}
    assert inside == {64512, 65534, 4200000000, 4294967294}
    around = {number for edge in edges for number in (edge - 1, edge + 1) if resilience.asn(number) is None}
    assert around == {64513, 65533, 4200000001, 4294967293, 65514, 65516, 65521}


def test_documented_lines_are_the_supported_ones() -> None:
    lines = {key.partition(".")[2]: limits for key, _, limits in _documented() if key.startswith("versions.")}
    for artefact, line in SUPPORTED.items():
        first, last = (".".join(map(str, end)) for end in (line.first, line.last))
        said = rf"any {line}" if str(line).startswith("of") else rf"{first} (or|to) {last}"
        assert re.match(rf"exact; {said}(;|$)", lines[artefact]), artefact
