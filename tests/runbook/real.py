"""Real clusters of three servers, and the command as an operator starts it."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from components.plan.flows import NODE_EXPORTER
from components.plan.manifest import Manifest
from components.plan.spec import Product
from sandbox.home import TREE
from tests.backup.members import MANAGEMENT, Cluster, Member, cluster
from tests.rendered.test_region import SMALL
from tests.runbook.regions import facts, metrics, region
from tests.runbook.strangers import answering, text

VERSIONS: dict[Product, str] = {**SMALL.versions, "vault": "2.7.2"}  # pyright: ignore[reportAssignmentType] - OpenBao's
VARIABLES = {"consul": "CONSUL_HTTP_TOKEN", "vault": "VAULT_TOKEN", "nomad": "NOMAD_TOKEN"}
PATIENCE = 180


@dataclass
class Ran:
    """A run of the command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """What it said to machines."""
        return json.loads(self.out)

    def said(self, *verdicts: str) -> list[str]:
        """What it said in these verdicts, with the server before it."""
        return [
            f"{row['server']} {row['says']}".strip()
            for subject in self.document["subjects"]
            for row in subject["outcomes"]
            if row["verdict"] in (verdicts or ("wrong", "unknown", "elevated"))
        ]


def run(*words: str, tokens: dict[str, str] | None = None, cwd: Path = TREE, **options: Any) -> Ran:  # noqa: ANN401
    """Start `python -m runbook` and wait for its end."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "PYTHONPATH", "LANG"}}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TREE), kept.get("PYTHONPATH"))))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "runbook", *words],
        env=kept | (tokens or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **options,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    for value in (tokens or {}).values():
        assert value not in done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


@dataclass
class Running:
    """A real cluster, its manifest, and machines' exporters beside it."""

    made: Cluster
    manifest: Manifest
    file: Path
    exporters: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def tokens(self) -> dict[str, str]:
        """An administrator's."""
        return {VARIABLES[self.made.product]: self.made.root_token or MANAGEMENT[self.made.product]}

    def health(self, *words: str, tokens: dict[str, str] | None = None) -> Ran:
        """`runbook health` of this cluster."""
        given = self.tokens if tokens is None else tokens
        return run(
            "health", "--manifest", str(self.file), "--product", self.made.product, "--json", *words, tokens=given
        )

    def until(self, good: Callable[[Ran], bool], *words: str) -> Ran:
        """The first run that is good."""
        ran, end = self.health(*words), time.monotonic() + PATIENCE
        while not good(ran):
            if time.monotonic() > end:
                pytest.fail(f"{ran.code}: {ran.said()}")
            ran = self.health(*words)
        return ran


def healthy(ran: Ran) -> bool:
    """Whether a run passed."""
    return ran.code == 0


def manifest_of(made: Cluster) -> Manifest:
    """The manifest of a region that holds the cluster alone."""
    addresses = [member.address for member in made.members]
    return region(
        "aws",
        [facts(made.product, "aws", addresses, version=VERSIONS[made.product])],
        ("aws",),
        clients={"group": "none", "minimum": 0, "maximum": 1},
        caCertificate=(made.trust / "ca.pem").read_text(),
    )


@contextmanager
def running(product: Product, root: Path) -> Iterator[Running]:
    """A cluster whose command finds it healthy sooner or later."""
    with cluster(product, root) as made, ExitStack() as exporters:
        if product == "vault":
            audit(made)
        written = manifest_of(made)
        file = root / "manifest.json"
        file.write_text(written.model_dump_json(by_alias=True))
        for member in made.members:
            told = metrics(product, "aws", at=dt.datetime.now(dt.UTC))
            exporters.enter_context(answering(text(told), address=(member.address, NODE_EXPORTER.first)))
        yield Running(made, written, file, exporters)


def audit(made: Cluster) -> None:
    """Two audit devices on every node; OpenBao takes them from its configuration alone."""
    for member in made.members:
        config = member.made.path("/etc/vault.d/server.hcl")
        devices = (
            f'audit "file" "{name}" {{\n  options = {{\n    file_path = "{member.made.root}/{name}.log"\n  }}\n}}\n'
            for name in ("first", "second")
        )
        config.write_text(config.read_text() + "".join(devices))
    # One at a time: sealed ones wait for an active one.
    for member in (*made.followers(), made.leader()):
        member.kill()
        made.settle()


def restart(made: Cluster, member: Member) -> None:
    """A server that comes back by itself; Vault's comes back sealed here, for nobody unseals it."""
    member.kill()
    member.start()
    made.api(member).until("/v1/sys/seal-status", lambda said: said["sealed"])


def least(made: Cluster) -> str:
    """A token that may do what the operator's page says, and nothing else."""
    page = (TREE / "docs" / "operator.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```hcl\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (rules,) = [block for block in blocks if re.match(rf"# {made.product}\b", block)]
    api = made.api(made.leader())

    def ask(method: str, path: str, body: object) -> dict[str, Any]:
        answer = api(method, path, body)
        return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}

    if made.product == "consul":
        ask("PUT", "/v1/acl/policy", {"Name": "health", "Rules": rules})
        return ask("PUT", "/v1/acl/token", {"Policies": [{"Name": "health"}]})["SecretID"]
    if made.product == "nomad":
        ask("POST", "/v1/acl/policy/health", {"Name": "health", "Rules": rules})
        return ask("PUT", "/v1/acl/token", {"Name": "h", "Type": "client", "Policies": ["health"]})["SecretID"]
    ask("POST", "/v1/sys/policies/acl/health", {"policy": rules})
    return ask("POST", "/v1/auth/token/create", {"policies": ["health"]})["auth"]["client_token"]
