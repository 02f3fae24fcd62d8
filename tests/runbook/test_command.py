"""Bad input ends with 2 and a remedy, what cannot be known with 3, and no secret is ever repeated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sandbox.home import TREE
from tests.runbook.real import Ran, run
from tests.runbook.regions import World
from tests.runbook.strangers import credentials

SECRET = "s.very-secret-token"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A manifest of each region. Their addresses are of documentation networks, where nobody answers."""
    made: dict[str, Path] = {}
    for cloud, region in World().regions.items():
        document = json.loads(region.model_dump_json(by_alias=True))
        document["clusters"] = document["clusters"][:1]
        document["clusters"][0]["servers"] = [
            {**server, "address": "127.255.255.254"} for server in document["clusters"][0]["servers"]
        ]
        document["clusters"][0] |= {"health": None, "endpoint": None}
        document["caCertificate"] = _authority(tmp_path)
        made[cloud] = tmp_path / f"{cloud}.json"
        made[cloud].write_text(json.dumps(document))
    return made


def _authority(folder: Path) -> str:
    kept = folder / "trust" / "ca.pem"
    return kept.read_text() if kept.exists() else credentials(folder / "trust")


def changed(file: Path, **changes: object) -> Path:
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | changes))
    return file


def refuses(ran: Ran, code: int, *says: str) -> None:
    assert ran.code == code, ran.out + ran.err
    assert ran.out == ""
    for word in says:
        assert word in ran.err


def health(*files: Path, words: tuple[str, ...] = (), **options: Any) -> Ran:  # noqa: ANN401
    named = [word for file in files for word in ("--manifest", str(file))]
    return run("health", *named, *words, **options)


def test_nobody_answering_is_undetermined_in_both_forms(files: dict[str, Path]) -> None:
    people = health(*files.values(), tokens={"VAULT_TOKEN": SECRET})
    machines = health(*files.values(), words=("--json",))
    assert (people.code, machines.code) == (3, 3)
    for cloud in files:
        assert f"consul-{cloud}" in people.out
    assert "no server can be reached from here" in people.out
    assert "not asked: whether each tunnel passes packets" in people.out
    document = machines.document
    assert (document["schemaVersion"], document["exitCode"], document["verdict"]) == (1, 3, "unknown")


def test_files_that_are_no_manifest_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    refuses(health(tmp_path / "none.json"), 2, "none.json cannot be read")
    (tmp_path / "text.json").write_text(f"token={SECRET}")
    refuses(health(tmp_path / "text.json"), 2, "is no JSON")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    refuses(health(tmp_path / "bytes.json"), 2, "cannot be read")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    refuses(health(tmp_path / "deep.json"), 2, "is no JSON")
    (tmp_path / "list.json").write_text("[]")
    refuses(health(tmp_path / "list.json"), 2, "cannot be read")
    refuses(health(tmp_path), 2, "cannot be read")
    refuses(health(changed(files["aws"], schemaVersion=2)), 2, "its schema is 2")


def test_manifests_that_do_not_go_together_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    refuses(health(files["aws"], files["aws"]), 2, "both of aws")
    refuses(health(files["aws"], changed(files["gcp"], platform="other")), 2, "two platforms")


def test_a_manifest_whose_servers_cannot_be_told_from_impostors_is_refused(files: dict[str, Path]) -> None:
    refuses(
        health(changed(files["gcp"], caCertificate="-----BEGIN CERTIFICATE-----\n")),
        2,
        "no certificate of an authority",
    )
    refuses(health(changed(files["azure"], caCertificate="")), 2, "no certificate of an authority")
    document = json.loads(files["aws"].read_text())
    document["clusters"][0]["servers"][0]["address"] = "evil.example.com"
    refuses(health(changed(files["aws"], clusters=document["clusters"])), 2, "consul-aws-1 has no address")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--cloud", "ibm"), "no region 'ibm'"),
        (("--cloud", "gcp"), "no manifest of gcp"),
        (("--product", "terraform"), "no product 'terraform'"),
        (("--stack", "aws"), "Name one or the other"),
        (("--deadline", "0"), "--deadline"),
        (("--deadline", "nan"), "--deadline"),
        (("--tokens-fd", "97"), "file descriptor 97"),
        (("--unknown",), "No such option"),
        ((SECRET,), "unexpected extra argument"),
    ],
)
def test_wrong_usage_ends_with_two(files: dict[str, Path], words: tuple[str, ...], says: str) -> None:
    refuses(health(files["aws"], words=words), 2, says)


def test_tokens_that_cannot_be_one_are_refused_and_not_repeated(files: dict[str, Path]) -> None:
    ran = health(files["aws"], tokens={"NOMAD_TOKEN": f"{SECRET}\nX-Injected: 1"})
    refuses(ran, 2, "NOMAD_TOKEN holds characters")
    assert SECRET not in ran.err


def test_tokens_come_by_a_descriptor_and_its_mistakes_are_not_repeated(files: dict[str, Path]) -> None:
    def given(text: str) -> Ran:
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        try:
            return health(files["aws"], words=("--tokens-fd", str(reading)), pass_fds=(reading,))
        finally:
            os.close(reading)

    assert given(f"CONSUL_HTTP_TOKEN={SECRET}\n\nVAULT_TOKEN_AZURE={SECRET}\n").code == 3
    for wrong in (f"{SECRET}\n", f"CONSUL_TOKEN={SECRET}\n"):
        ran = given(wrong)
        refuses(ran, 2, "Line 1 of the token descriptor")
        assert SECRET not in ran.err


def pulumi(folder: Path, script: str) -> dict[str, str]:
    """A played engine; gives the PATH on which it is the first."""
    (folder / "bin").mkdir()
    file = folder / "bin" / "pulumi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{file.parent}:{os.environ['PATH']}"}


def test_without_manifests_every_stack_of_the_project_is_asked(tmp_path: Path, files: dict[str, Path]) -> None:
    for cloud in files:
        (tmp_path / f"Pulumi.{cloud}.yaml").write_text("")
    path = pulumi(tmp_path, f'echo "$@" >>{tmp_path}/asked; for last; do :; done; cat {tmp_path}/$last.json')
    ran = run("health", "--json", cwd=tmp_path, tokens=path)
    assert ran.code == 3
    assert [subject["name"] for subject in ran.document["subjects"]] == [
        f"{name}-{cloud}" for cloud in files for name in ("consul", "mesh", "clients")
    ]
    asked = sorted((tmp_path / "asked").read_text().splitlines())
    assert asked == [f"stack output manifest --json --non-interactive --stack {cloud}" for cloud in sorted(files)]
    assert run("health", "--stack", "gcp", cwd=tmp_path, tokens=path).code == 3


def test_a_stack_that_says_nothing_is_undetermined(tmp_path: Path) -> None:
    refuses(run("health", cwd=tmp_path), 2, "holds no stack files")
    (tmp_path / "Pulumi.aws.yaml").write_text("")
    path = pulumi(tmp_path, "echo 'error: no such backend' >&2; exit 255")
    refuses(run("health", cwd=tmp_path, tokens=path), 3, "Stack aws does not say its manifest (error: no such backend)")
    empty = {"PATH": str(tmp_path)}
    refuses(run("health", cwd=tmp_path, tokens=empty), 3, "There is no `pulumi` on the PATH")


def test_a_mistake_of_the_program_is_neither_a_finding_nor_success(tmp_path: Path, files: dict[str, Path]) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import runbook.app\ndef broken(*_, **__): raise RuntimeError('" + SECRET + "')\nrunbook.app.survey = broken\n"
    )
    ran = health(
        files["aws"],
        tokens={"PYTHONPATH": os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""), str(TREE)))},
    )
    refuses(ran, 3, "RuntimeError")
    assert SECRET not in ran.err


def test_help_tells_the_exit_codes() -> None:
    ran = run("health", "--help")
    assert ran.code == 0
    said = " ".join(ran.out.split())
    for words in (
        "0 every check passed",
        "1 something is wrong",
        "2 refused",
        "3 something could not be determined",
        "1 wins over 3",
    ):
        assert words in said
