"""Fixtures: the three products, started once, and a sandbox whose stacks act on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.cloud import daemon
from tests.harness import Sandbox, Stack
from tests.sandbox.acting import agents
from tests.sandbox.acting.agents import Agent

PROVIDERS = """
import json, os
import pulumi, pulumi_consul as consul, pulumi_nomad as nomad, pulumi_vault as vault
at, tokens = json.loads(os.environ["AT"]), {name: pulumi.Output.secret(value) for name, value in json.loads(os.environ["TOKENS"]).items()}
on_vault = pulumi.ResourceOptions(provider=vault.Provider("vault", address=at["vault"], token=tokens["vault"], ca_cert_file=at["authority"]))
on_consul = pulumi.ResourceOptions(provider=consul.Provider("consul", address=at["consul"], token=tokens["consul"]))
on_nomad = pulumi.ResourceOptions(provider=nomad.Provider("nomad", address=at["nomad"], secret_id=tokens["nomad"]))
"""


@dataclass(frozen=True)
class Products:
    """The three products, and what a program is told of them."""

    vault: Agent
    consul: Agent
    nomad: Agent
    root: Path

    def environment(self, **tokens: str) -> dict[str, str]:
        """Variables for a program that begins with `PROVIDERS`; `tokens` replace the real ones."""
        real = {each.name: each.token for each in (self.vault, self.consul, self.nomad)}
        at = {each.name: each.address for each in (self.vault, self.consul, self.nomad)}
        authority = str(self.root / "vault-ca.pem")
        return {"AT": json.dumps({**at, "authority": authority}), "TOKENS": json.dumps({**real, **tokens})}


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Products]:
    root = tmp_path_factory.mktemp("products")
    with ExitStack() as stack:
        enter = stack.enter_context
        yield Products(enter(agents.vault(root)), enter(agents.consul(root)), enter(agents.nomad(root)), root)


def trial(sandbox: Sandbox, name: str, source: str) -> Stack:
    """A stack of a program that declares `source` through the three providers."""
    return sandbox.stack("trial", sandbox.program(PROVIDERS + source, name))


@pytest.fixture(autouse=True)
def leading(sandbox: Sandbox) -> Iterator[None]:
    """Products are those of this machine; the sandbox is others' too, for whom there are none."""
    file = daemon.inside_file(sandbox.home.cloud)
    file.touch()
    yield
    file.unlink(missing_ok=True)
