"""A Consul datacenter and a Nomad region of real servers, on their own configuration and the loopback.

Addresses 10.… become 127.…, all of which this machine answers to; nothing else of the configuration is of this test
but paths, and that Nomad's keyring has no cloud here. What is shown: servers join by planned addresses over TLS, agents get
their certificates from them, and tokens that were chosen before anything honours them start to work without a restart.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.plan.certificates import subject
from components.plan.server import ServerSpec
from components.plan.spec import Role
from components.products import boundary, consul, nomad
from tests.products.machines import guest, platform, stack
from tests.rendered import certificates
from tests.rendered.rig import Rig
from tests.rendered.test_accepted import GOSSIP
from tests.rendered.tools import product

HERE = f"127.{16 + os.getpid() % 200}"
"""Where 10.1 is during this run, so that two runs on one machine do not meet."""
SMALL = platform(servers={"consul": 3, "vault": 3, "nomad": 3, "boundary": 1})


def secret(entry: str) -> str:
    """A token of an entry's own, the same on every machine."""
    return GOSSIP if "gossip" in entry else str(uuid.uuid5(uuid.NAMESPACE_DNS, entry))


def local(text: str, made: Rig, address: str) -> str:
    """A configuration moved to the loopback and below the machine's folder."""
    text = text.replace('"127.0.0.1"', f'"{address}"').replace('"0.0.0.0"', f'"{address}"')
    text = text.replace('"10.1.', f'"{HERE}.').replace('"10.', '"127.')
    return text.replace('"/run/', f'"{made.root}/run/').replace('"/opt/', f'"{made.root}/opt/')


@contextmanager
def agent(name: str, spec: ServerSpec, root: Path, trust: Path) -> Iterator[Path]:
    """One program of a machine, running on the machine's own configuration; gives its log."""
    made, address = Rig(root / spec.name), (spec.address or "").replace("10.1", HERE)
    for file in spec.files:
        made.write(file.path, file.content, int(file.mode, 8))
    for file in (file for file in spec.secrets if f"/{name}/" in file.path):
        kept = trust / Path(file.path).name
        made.write(file.path, kept.read_text() if kept.exists() else secret(file.entry))
    for other in made.path("/etc/platform/compose.d").iterdir():
        if other.stem != name:
            other.unlink()
    done = made.run("steps/70-compose.sh")
    assert done.returncode == 0, done.stderr
    config = made.path(f"/etc/{name}.d/agent.hcl")
    config.write_text(local(config.read_text(), made, address))
    made.path(f"/opt/{name}/data").mkdir(parents=True)
    made.path(f"/opt/{name}/plugins").mkdir()
    unit = made.path(f"/etc/systemd/system/{name}.service").read_text()
    (start,) = (line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart="))
    words = [word.replace("=/", f"={made.root}/") for word in start.split()[1:]]
    log = made.path(f"/{name}.log")
    with log.open("w") as stream:
        process = subprocess.Popen(
            [str(product(name)), *words], stdout=stream, stderr=stream, env={"PATH": os.environ["PATH"]}
        )
    try:
        yield log
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Api:
    """A server's API, over TLS."""

    url: str
    trust: ssl.SSLContext
    token: str = ""

    def __call__(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        headers = {"X-Consul-Token": self.token}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)  # noqa: S310 - https
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(request, data, context=self.trust, timeout=10) as answer:  # noqa: S310 - https
            return json.loads(answer.read())

    def until(self, path: str, good: Callable[[Any], bool]) -> Any:  # noqa: ANN401
        """The first answer that is good; two minutes are for a machine that builds other things meanwhile."""
        seen: object = None
        for _ in range(240):
            try:
                seen = self("GET", path)
                if good(seen):
                    return seen
            except (OSError, urllib.error.HTTPError) as error:
                seen = error
            time.sleep(0.5)
        pytest.fail(f"{path}: {seen}")


def authority(tmp_path: Path, role: Role) -> tuple[Path, ssl.SSLContext]:
    """Certificates of a role on the loopback, and trust in who signed them."""
    folder = tmp_path / "trust"
    folder.mkdir()
    named = subject(SMALL, "aws", role)
    certificates.write(folder, named.dns, tuple(address.replace("10.1", HERE) for address in named.addresses))
    return folder, ssl.create_default_context(cafile=str(folder / "ca.pem"))


@pytest.mark.binaries
def test_consul_servers_and_agents_find_each_other_and_tokens_work_once_they_exist(tmp_path: Path) -> None:
    given = stack("aws", SMALL)
    servers = consul.servers(given, guest(given))
    worker = boundary.servers(given, guest(given))[0]
    folder, trust = authority(tmp_path, "consul-server")
    with ExitStack() as running:
        for spec in servers:
            running.enter_context(agent("consul", spec, tmp_path, folder))
        log = running.enter_context(agent("consul", worker, tmp_path, folder))
        api = Api(f"https://{HERE}.1.10:8501", trust, secret("consul-management-token"))
        api.until("/v1/status/leader", lambda leader: leader.startswith(HERE))
        api.until("/v1/status/peers", lambda peers: len(peers) == len(servers))
        with pytest.raises(urllib.error.HTTPError, match="403"):
            Api(api.url, trust, secret("consul-agent-token"))("GET", "/v1/acl/token/self")
        for entry, rules in {
            "consul-agent-token": 'node_prefix "" { policy = "write" } service_prefix "" { policy = "read" }',
            "consul-boundary-token": 'service "boundary-worker" { policy = "write" } node_prefix "" { policy = "read" }',
        }.items():
            api("PUT", "/v1/acl/policy", {"Name": entry, "Rules": rules})
            api("PUT", "/v1/acl/token", {"SecretID": secret(entry), "Policies": [{"Name": entry}]})
        nodes = api.until("/v1/catalog/nodes", lambda nodes: worker.name in {node["Node"] for node in nodes})
        assert {node["Node"] for node in nodes} == {worker.name, *(spec.name for spec in servers)}
        (registered,) = api.until("/v1/catalog/service/boundary-worker", lambda services: len(services) == 1)
        assert (registered["Node"], registered["ServicePort"]) == (worker.name, 9202)
        assert registered["NodeMeta"]["zone"] == "us-west-2a"
    assert "automatically upgraded to TLS" in log.read_text()


@pytest.mark.binaries
def test_nomad_servers_elect_a_leader_and_deny_by_default(tmp_path: Path) -> None:
    given = stack("aws", SMALL)
    servers = nomad.servers(given, guest(given))
    folder, trust = authority(tmp_path, "nomad-server")
    with ExitStack() as running:
        for spec in servers:
            running.enter_context(agent("nomad", spec, tmp_path, folder))
        api = Api(f"https://{HERE}.1.30:4646", trust)
        api.until("/v1/status/leader", lambda leader: leader.startswith(HERE))
        api.until("/v1/status/peers", lambda peers: len(peers) == len(servers))
        assert api("GET", "/v1/agent/health?type=server")["server"]["ok"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            api("GET", "/v1/jobs")
