"""A real Vault, Consul and Nomad on the loopback interface, each one server with ACLs on, and its own command line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.rendered.tools import product

PATIENCE = 60


@dataclass(frozen=True)
class Agent:
    """One product that runs; `command` is its own command line, which tests look through."""

    name: str
    address: str
    token: str = field(repr=False)
    binary: Path
    surroundings: Mapping[str, str] = field(repr=False)
    within: Sequence[str] = ()

    def cli(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        done = subprocess.run(
            [*self.within, str(self.binary), *words], env={"PATH": os.environ["PATH"], **self.surroundings},
            input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert bool(done.returncode) is fails, f"{self.name} {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr if fails else done.stdout

    def bearing(self, token: str) -> Agent:
        """The same, asked by somebody else."""
        variables = {key: token if value == self.token else value for key, value in self.surroundings.items()}
        return replace(self, token=token, surroundings=variables)

    def told(self, *words: str) -> Any:  # noqa: ANN401  # as it answers
        return json.loads(self.cli(*words))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def vault(root: Path, within: Sequence[str] = ()) -> Iterator[Agent]:
    """In memory, unsealed, with a certificate of an authority of its own: `root/vault-ca.pem`."""
    token, port = str(uuid.uuid4()), free_port()
    command = ["server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={root}", "-dev-no-store-token"]
    surroundings = {
        "VAULT_DEV_ROOT_TOKEN_ID": token, "VAULT_DEV_LISTEN_ADDRESS": f"127.0.0.1:{port}", "HOME": str(root),
        "VAULT_ADDR": f"https://127.0.0.1:{port}", "VAULT_TOKEN": token, "VAULT_CACERT": str(root / "vault-ca.pem"),
        "VAULT_FORMAT": "json",
    }  # fmt: skip
    agent = Agent("vault", f"https://127.0.0.1:{port}", token, product("vault"), surroundings, within)
    with _serving(agent, command, root, ready=("token", "lookup")):
        yield agent


@contextmanager
def consul(root: Path) -> Iterator[Agent]:
    token, port = str(uuid.uuid4()), free_port()
    settings = {
        "datacenter": "trial",
        "ports": {"http": port, "dns": -1, "grpc": -1, "grpc_tls": -1, "server": free_port(), "serf_lan": free_port(), "serf_wan": -1},
        "acl": {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": token, "agent": token}},
    }  # fmt: skip
    file = root / "consul.json"
    file.write_text(json.dumps(settings))
    surroundings = {"CONSUL_HTTP_ADDR": f"127.0.0.1:{port}", "CONSUL_HTTP_TOKEN": token, "HOME": str(root)}
    agent = Agent("consul", f"127.0.0.1:{port}", token, product("consul"), surroundings)
    with _serving(agent, ["agent", "-dev", f"-config-file={file}"], root, ready=("kv", "put", "ready", "yes")):
        yield agent


@contextmanager
def nomad(root: Path) -> Iterator[Agent]:
    token, port = str(uuid.uuid4()), free_port()
    settings = {
        "data_dir": str(root / "nomad"),
        "bind_addr": "127.0.0.1",
        "advertise": {"http": "127.0.0.1", "rpc": "127.0.0.1", "serf": "127.0.0.1"},
        "ports": {"http": port, "rpc": free_port(), "serf": free_port()},
        "server": {"enabled": True, "bootstrap_expect": 1},
        "acl": {"enabled": True},
    }
    file = root / "nomad.json"
    file.write_text(json.dumps(settings))
    surroundings = {"NOMAD_ADDR": f"http://127.0.0.1:{port}", "NOMAD_TOKEN": token, "HOME": str(root)}
    agent = Agent("nomad", f"http://127.0.0.1:{port}", token, product("nomad"), surroundings)
    secret = root / "bootstrap"
    secret.write_text(token)
    with _serving(agent, ["agent", f"-config={file}"], root, ready=("acl", "bootstrap", str(secret))):
        yield agent


@contextmanager
def _serving(agent: Agent, command: Sequence[str], root: Path, ready: Sequence[str]) -> Iterator[None]:
    """The agent's server, from when a command succeeds until the block ends."""
    log = root / f"{agent.name}.log"
    with log.open("wb") as stream:
        # The command line's variables would tell a server nothing, but for Vault's token.
        surroundings = {"PATH": os.environ["PATH"], **agent.surroundings}
        server = subprocess.Popen(
            [*agent.within, str(agent.binary), *command],
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                agent.cli(*ready)
                break
            except AssertionError:
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"{agent.name} did not come up:\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()
