"""Three real servers of a product on their rendered configuration and the loopback, which can die and come back."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.plan.server import ServerSpec
from components.plan.spec import RAFT_PRODUCTS, SERVER_ROLE, Product
from components.products import consul, nomad, vault
from tests.products.machines import guest, stack
from tests.rendered.rig import Rig
from tests.rendered.test_region import HERE, SMALL, Api, authority, local, secret
from tests.rendered.tools import packaged, product

_VOTES: dict[Product, str] = {
    "consul": "/v1/operator/raft/configuration",
    "vault": "/v1/sys/storage/raft/configuration",
    "nomad": "/v1/operator/raft/configuration",
}
_SERVERS = {"consul": consul.servers, "vault": vault.servers, "nomad": nomad.servers}
MANAGEMENT = {name: secret(f"{name}-management-token") for name in RAFT_PRODUCTS}


def binary(name: Product) -> Path:
    """The product's program; OpenBao serves Vault's API."""
    return packaged("bao") if name == "vault" else product(name)


@dataclass
class Member:
    """One machine: its files, and its server when it runs."""

    spec: ServerSpec
    made: Rig
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is during this run."""
        return (self.spec.address or "").replace("10.1", HERE)

    def start(self) -> None:
        """Start the server, or start it again on the data that it has."""
        with self.made.path("/server.log").open("ab") as stream:
            surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.made.root)}
            self.process = subprocess.Popen(self.command, stdout=stream, stderr=stream, env=surroundings)

    def kill(self) -> None:
        """End the server as a lost machine ends."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Cluster:
    """The servers of one product."""

    product: Product
    members: tuple[Member, ...]
    trust: Path
    root_token: str = ""
    keys: list[str] = field(default_factory=list)

    def api(self, member: Member) -> Api:
        """A server's API as an administrator."""
        port = {"consul": 8501, "vault": 8200, "nomad": 4646}[self.product]
        context = self._context
        token = self.root_token or MANAGEMENT[self.product]
        return Administrator(f"https://{member.address}:{port}", context, token)

    def leader(self) -> Member:
        """The member that leads, as every running member sees it."""
        for member in self.running():
            if self.product == "vault":
                if self.api(member).until("/v1/sys/leader", lambda said: bool(said.get("leader_address")))["is_self"]:
                    return member
            else:
                said = self.api(member).until("/v1/status/leader", lambda said: said.startswith(HERE))
                return next(other for other in self.members if other.address == said.rpartition(":")[0])
        raise AssertionError("nobody leads")

    def running(self) -> list[Member]:
        """The members whose servers run."""
        return [member for member in self.members if member.process]

    def followers(self) -> list[Member]:
        """The running members that do not lead."""
        leader = self.leader()
        return [member for member in self.running() if member is not leader]

    def bootstrap(self) -> None:
        """Give a fresh cluster its tokens, and a vote at once to whoever comes back.

        A server that is new, or was given up while it was down, has no vote until it was healthy for a while: a leader
        that dies in that time is no longer one of three.
        """
        if self.product == "vault":
            return
        for member in self.members:
            self._ready(member)
        api = self.api(self.leader())
        if self.product == "nomad":
            api("POST", "/v1/acl/bootstrap", {"BootstrapSecret": MANAGEMENT["nomad"]})
        path = "/v1/operator/autopilot/configuration"
        api("PUT", path, {**api.until(path, bool), "ServerStabilizationTime": "1s"})

    def settle(self) -> None:
        """Start whoever is down and wait until every voter is known and someone leads."""
        for member in self.members:
            if not member.process:
                member.start()
        for member in self.members:
            self._ready(member)
        leader = self.api(self.leader())
        leader.until(_VOTES[self.product], lambda said: _votes(said) == [True] * len(self.members))

    def _ready(self, member: Member) -> None:
        api = self.api(member)
        if self.product == "vault":
            state = api.until("/v1/sys/seal-status", lambda said: said["initialized"] or not self.keys)
            if state["initialized"] and state["sealed"]:
                api("POST", "/v1/sys/unseal", {"key": self.keys[0]})
            if self.keys:
                api.until("/v1/sys/leader", lambda said: bool(said.get("leader_address")))
        else:
            api.until("/v1/status/peers", lambda peers: len(peers) == len(self.members))
            api.until("/v1/status/leader", lambda leader: leader.startswith(HERE))

    @property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.trust / "ca.pem"))


@dataclass(frozen=True)
class Administrator(Api):
    """An API that takes any product's token."""

    def __call__(self, method: str, path: str, body: object = None) -> object:
        headers = {"X-Consul-Token": self.token, "X-Nomad-Token": self.token, "X-Vault-Token": self.token}
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)  # noqa: S310 - https
        with urllib.request.urlopen(request, context=self.trust, timeout=30) as answer:  # noqa: S310 - https
            text = answer.read()
        return json.loads(text) if text.strip() else None


def _votes(said: dict[str, Any]) -> list[bool]:
    if "data" in said:
        return [server["voter"] for server in said["data"]["config"]["servers"]]
    return [server["Voter"] for server in said["Servers"]]


def _laid_out(name: Product, spec: ServerSpec, root: Path, trust: Path) -> Member:
    made = Rig(root / spec.name)
    address = (spec.address or "").replace("10.1", HERE)
    for file in spec.files:
        made.write(file.path, file.content, int(file.mode, 8))
    for file in (file for file in spec.secrets if f"/{name}/" in file.path):
        kept = trust / Path(file.path).name
        made.write(file.path, kept.read_text() if kept.exists() else secret(file.entry))
    for other in made.path("/etc/platform/compose.d").iterdir():
        if other.stem != name:
            other.unlink()
    if name != "vault":
        done = made.run("steps/70-compose.sh")
        assert done.returncode == 0, done.stderr
    config = made.path(f"/etc/{name}.d/{'server' if name == 'vault' else 'agent'}.hcl")
    text = config.read_text()
    if name == "vault":
        # Registration with Consul is not in OpenBao.
        text = re.sub(r'service_registration "consul" \{.*?\n\}\n', "", text, flags=re.DOTALL)
        text = text.replace("0.0.0.0", address).replace("10.1.", f"{HERE}.")  # noqa: S104
    config.write_text(local(text, made, address))
    for folder in ("data", "plugins"):
        made.path(f"/opt/{name}/{folder}").mkdir(parents=True)
    composed = made.path(f"/run/platform/secrets/{name}/config.json")
    words = {
        "consul": ["agent", f"-config-dir={config.parent}", f"-config-file={composed}"],
        "vault": ["server", f"-config={config}"],
        "nomad": ["agent", f"-config={config.parent}", f"-config={composed}"],
    }[name]
    return Member(spec, made, [str(binary(name)), *words])


@contextmanager
def cluster(name: Product, root: Path) -> Iterator[Cluster]:
    """Three servers that have elected a leader and whose access control is bootstrapped."""
    given = stack("aws", SMALL)
    trust, _ = authority(root, SERVER_ROLE[name])
    members = tuple(_laid_out(name, spec, root, trust) for spec in _SERVERS[name](given, guest(given)))
    made = Cluster(name, members, trust)
    try:
        if name == "vault":
            _initialise(made)
        for member in members:
            if not member.process:
                member.start()
        made.bootstrap()
        made.settle()
        yield made
    finally:
        for member in members:
            member.kill()


def _initialise(made: Cluster) -> None:
    first, *others = made.members
    first.start()
    api = made.api(first)
    api.until("/v1/sys/seal-status", lambda said: not said["initialized"])
    answer = api("POST", "/v1/sys/init", {"secret_shares": 1, "secret_threshold": 1})
    assert isinstance(answer, dict)
    made.keys, made.root_token = answer["keys_base64"], answer["root_token"]
    api("POST", "/v1/sys/unseal", {"key": made.keys[0]})
    api.until("/v1/sys/leader", lambda said: said["is_self"])
    for member in others:
        member.start()
        joined = made.api(member)
        joined.until("/v1/sys/seal-status", lambda said: said["initialized"])
        joined("POST", "/v1/sys/unseal", {"key": made.keys[0]})
    made.api(others[-1]).until("/v1/sys/leader", lambda said: bool(said.get("leader_address")))
    root = made.api(first)
    # A server that is new has no vote until it was healthy for so long.
    root("POST", "/v1/sys/storage/raft/autopilot/configuration", {"server_stabilization_time": "1s"})
    root.until(_VOTES["vault"], lambda said: len(_votes(said)) == len(made.members))
