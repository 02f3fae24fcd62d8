"""Which machines are meant, what is written down, and what a Vault's journal says: nothing here needs a lab."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.lab.breaking import record
from sandbox.lab.breaking.apart import ruleset
from sandbox.lab.breaking.choosing import Choice, chosen
from sandbox.lab.breaking.filling import Mount, meant
from sandbox.lab.breaking.looking import sealed
from sandbox.lab.breaking.record import Broken, Fill, Skew
from sandbox.lab.world import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud


def machine(name: str, cloud: Cloud, region: str, zone: str) -> Machine:
    return Machine(f"i-{name}", name, cloud, region, zone, "10.1.1.10", "10.1.1.0/24", b"")


MACHINES = (
    machine("consul-aws-1", "aws", "us-west-2", "us-west-2a"),
    machine("consul-azure-1", "azure", "westus2", "1"),
    machine("consul-gcp-1", "gcp", "us-west1", "1"),
    machine("vault-aws-1", "aws", "us-west-2", "us-west-2a"),
    machine("consulting-aws-1", "aws", "us-west-2", "us-west-2b"),
)


def names(choice: Choice) -> list[str]:
    return [each.name for each in chosen(MACHINES, choice, "lab")]


def test_everything_that_is_said_narrows_what_is_meant() -> None:
    assert names(Choice(role="consul")) == ["consul-aws-1", "consul-azure-1", "consul-gcp-1"]
    assert names(Choice(role="consul", cloud="aws")) == ["consul-aws-1"]
    assert names(Choice(zone="us-west-2a")) == ["consul-aws-1", "vault-aws-1"]
    assert names(Choice(region="westus2")) == names(Choice(region="azure")) == ["consul-azure-1"]
    assert names(Choice(names=("vault-aws-1",), region="aws")) == ["vault-aws-1"]


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (Choice(), "all of them are never meant"),
        (Choice(names=("consul-aws-1", "nobody")), "has no machine nobody"),
        (Choice(names=("vault-aws-1",), cloud="gcp"), "No machine of lab lab fits"),
        (Choice(zone="1"), "Zone 1 is in azure, gcp"),
    ],
)
def test_what_cannot_be_meant_is_refused(choice: Choice, why: str) -> None:
    with pytest.raises(SandboxError, match=why):
        names(choice)


WHOLE = Broken(
    apart=(("a", "b"), ("c",)),
    cut=(("aws", "azure"),),
    fills=(Fill("a", "/opt/a"),),
    skews=(Skew("a", "consul.service", -5),),
    keys=("arn:aws:kms:x:1:key/k",),
)


def test_what_is_written_down_is_read_again_and_leaves_no_file_when_all_is_mended(tmp_path: Path) -> None:
    record.write(tmp_path, WHOLE)
    assert record.read(tmp_path) == WHOLE
    record.write(tmp_path, Broken())
    assert list(tmp_path.iterdir()) == []
    assert record.read(tmp_path) == Broken()


def test_a_record_that_cannot_be_read_is_not_taken_for_nothing_broken(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"apart": 1}', encoding="utf-8")
    with pytest.raises(SandboxError, match="does not say what is broken"):
        record.read(tmp_path)


def test_the_same_break_twice_is_one_and_a_later_shift_takes_the_earlier_ones_place() -> None:
    assert WHOLE.with_group(["b", "a"]).with_fill(Fill("a", "/opt/a")).with_cuts([("aws", "azure")]) == WHOLE
    assert WHOLE.with_skew(Skew("a", "consul.service", 7)).skews == (Skew("a", "consul.service", 7),)
    assert WHOLE.with_skew(Skew("a", "consul.service", 0)).skews == ()
    assert WHOLE.with_keys(["k2"], disabled=True).with_keys(WHOLE.keys, disabled=False).keys == ("k2",)


def test_each_break_is_told_of_its_own_machine() -> None:
    assert WHOLE.of("a") == ["set apart with b", "disk at /opt/a filled", "clock of consul.service shifted by -5 s"]
    assert WHOLE.of("c") == ["set apart"]
    assert WHOLE.of("d") == []
    assert replace(WHOLE, keys=()).beside() == ["tunnels between aws and azure cut"]


def test_the_table_is_replaced_as_a_whole_and_names_no_other() -> None:
    text = ruleset([["10.1.1.2", "10.1.1.1"], []])
    assert "elements = { 10.1.1.1, 10.1.1.2 }" in text
    assert "group2" not in text
    assert "flush" not in text


MOUNTS = [Mount("/opt/a", 1, 2), Mount("/opt/a/b", 1, 2)]


def test_a_path_is_on_the_innermost_disk() -> None:
    assert meant(MOUNTS, "/opt/a/b/c", "m").point == "/opt/a/b"
    assert meant(MOUNTS, "/opt/a/c", "m").point == "/opt/a"
    for path, why in (("", "which one is meant"), ("/opt", "lies on no data disk")):
        with pytest.raises(SandboxError, match=why):
            meant(MOUNTS, path, "m")


HEAD = """\
2026-01-01T09:12:00.160Z [WARN]  while unwrapping, value has no key-id in common with currently healthy seals.
2026-01-01T09:12:00.165Z [WARN]  failed to unseal core:
  error=
  | fetching stored unseal keys failed: failed to decrypt keys from storage: error decrypting seal wrapped value
"""
AWS = (
    "  | error decrypting using seal awskms: error decrypting data encryption key: "
    "DisabledException: arn:aws:kms:us-west-2:1:key/mrk-0 is disabled.\n"
)
AZURE = """\
  | error decrypting using seal azurekeyvault: POST https://v.vault.azure.net/keys/seal/c6/unwrapkey
  | --------------------------------------------------------------------------------
  | RESPONSE 403: 403 Forbidden
  |     "message": "Operation unwrapkey is not allowed on a disabled key.",
"""
JSON = (
    '{"@level":"warn","@message":"failed to unseal core","error":"failed to decrypt keys from storage'
    '\\nerror decrypting using seal awskms: DisabledException: the key is disabled"}\n'
)
WELL = "2026-01-01T09:12:05.180Z [INFO]  core: vault is unsealed\n"


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (
            WELL + HEAD + AWS,
            "awskms: error decrypting data encryption key: DisabledException: arn:aws:kms:us-west-2:1:",
        ),
        (JSON, "DisabledException: the key is disabled"),
        (HEAD + AZURE, "Operation unwrapkey is not allowed on a disabled key."),
        ("Error parsing Seal configuration: AccessDeniedException: denied\n", "AccessDeniedException: denied"),
    ],
)
def test_a_vault_that_cannot_unseal_says_why_in_its_own_words(journal: str, said: str) -> None:
    assert sealed(journal).startswith("sealed: ")
    assert said in sealed(journal)


def test_a_vault_that_was_unsealed_since_is_well() -> None:
    assert sealed(HEAD + AWS + WELL) == sealed(WELL) == sealed("") == ""
