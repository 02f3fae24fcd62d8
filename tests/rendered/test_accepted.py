"""Rendered files are accepted by the programs that will read them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import hcl2
import pytest

from components.plan.certificates import subject
from components.plan.spec import CLOUDS, Cloud
from tests.products.machines import CASES, PLATFORM, Case, contents, document, machine, platform
from tests.rendered import certificates
from tests.rendered.rig import Rig, rig
from tests.rendered.tools import TREE, packaged, product, system

EVERY = pytest.mark.parametrize("case", CASES, ids=str)
GOSSIP = base64.b64encode(bytes(range(32))).decode()
TOKEN = "0e0d0c0b-0a09-4807-8605-040302010000"


def run(*command: str | Path) -> tuple[int, str]:
    """Exit code and everything said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def provisioned(root: Path, case: Case) -> Rig:
    """A machine with secrets, its configuration composed by its own boot step."""
    made = rig(root, case)
    named = subject(PLATFORM, case.cloud, case.role)
    for secret in machine(case).secrets:
        made.write(secret.path, GOSSIP if "gossip" in secret.entry else TOKEN)
    for folder in {
        made.path(secret.path).parent for secret in machine(case).secrets if secret.path.endswith("cert.pem")
    }:
        certificates.write(folder, named.dns, named.addresses)
    done = made.run("steps/70-compose.sh")
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.binaries
@pytest.mark.parametrize("line", ["consul", "consul-previous"])
@EVERY
def test_both_lines_of_consul_accept_the_configuration_of_every_agent(case: Case, line: str, tmp_path: Path) -> None:
    made = provisioned(tmp_path, case)
    code, said = run(
        product(line), "validate", made.path("/etc/consul.d"), made.path("/run/platform/secrets/consul/config.json")
    )
    # A server says how many it expects; anything else would be a warning.
    expected = {f"bootstrap_expect > 0: expecting {PLATFORM.servers['consul']} servers"}
    said_of_servers = expected if case.role == "consul-server" else set[str]()
    assert (code, set(said.splitlines())) == (0, {"Configuration is valid!", *said_of_servers})


@pytest.mark.binaries
@pytest.mark.parametrize("case", [case for case in CASES if case.role.startswith("nomad")], ids=str)
def test_nomad_accepts_the_configuration_of_servers_and_clients(case: Case, tmp_path: Path) -> None:
    made = provisioned(tmp_path, case)
    # The authority is read while validating: at its place on the machine, which is another one here.
    agent = made.path("/etc/nomad.d/agent.hcl")
    agent.write_text(agent.read_text().replace('"/run/platform/', f'"{made.path("/run/platform")}/'))
    code, said = run(
        product("nomad"), "config", "validate", agent.parent, made.path("/run/platform/secrets/nomad/config.json")
    )
    assert (code, said) == (0, "Configuration is valid!\n")


@pytest.mark.binaries
def test_consul_of_the_community_edition_sees_no_setting_of_the_enterprise_one(tmp_path: Path) -> None:
    text = contents(machine(Case("aws", "consul-server"), platform(edition="enterprise")), "aws")[
        "/etc/consul.d/agent.hcl"
    ]
    (tmp_path / "agent.hcl").write_text(text)
    code, said = run(product("consul"), "validate", tmp_path)
    assert code == 0
    assert "Enterprise configuration and will have no effect" in said


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bao:
    """OpenBao on a machine's Vault configuration, whose addresses, paths and seal are of this test."""

    def __init__(self, made: Rig, spec_address: str) -> None:
        self.api, cluster, dead = free_port(), free_port(), free_port()
        config = made.path("/etc/vault.d/server.hcl")
        text = config.read_text()
        # Registration with Consul is not in OpenBao.
        text, dropped = re.subn(r'service_registration "consul" \{.*?\n\}\n', "", text, flags=re.DOTALL)
        assert dropped == 1
        text = text.replace(f"{spec_address}:8201", f"127.0.0.1:{cluster}")
        text = text.replace("0.0.0.0:8200", f"127.0.0.1:{self.api}").replace(
            f"{spec_address}:8200", f"127.0.0.1:{self.api}"
        )
        text = re.sub(r"10\.\d\.\d\.\d+:8200", f"127.0.0.1:{dead}", text)
        text = text.replace('"/run/', f'"{made.root}/run/').replace('"/opt/', f'"{made.root}/opt/')
        # Given by name, because a folder's files are read without a word about keys that are not known.
        config.write_text(text)
        made.path("/opt/vault/data").mkdir(parents=True)
        self.log = made.root / "bao.log"
        self._ca = made.path("/run/platform/secrets/vault/ca.pem")
        with self.log.open("w") as stream:
            command = [str(packaged("bao")), "server", f"-config={config}"]
            self._process = subprocess.Popen(command, stdout=stream, stderr=stream, env={"PATH": os.environ["PATH"]})

    def ask(self, path: str) -> bytes:
        """An answer over TLS, verified by the machine's own authority; waits for the server."""
        trust = ssl.create_default_context(cafile=str(self._ca))
        for _ in range(150):
            assert self._process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"https://127.0.0.1:{self.api}{path}", context=trust) as answer:
                    return answer.read()
            except OSError:
                time.sleep(0.2)
        pytest.fail(self.log.read_text())

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()


@pytest.mark.binaries
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_vault_server_starts_on_its_configuration(cloud: Cloud, tmp_path: Path) -> None:
    case = Case(cloud, "vault-server")
    bao = Bao(provisioned(tmp_path, case), machine(case).address or "")
    try:
        status = json.loads(bao.ask("/v1/sys/seal-status"))
        assert (status["storage_type"], status["initialized"]) == ("raft", False)
        # Without a token and sealed: what Prometheus needs to see that a server is sealed.
        assert b"go_goroutines" in bao.ask("/v1/sys/metrics?format=prometheus")
    finally:
        bao.stop()
    unknown = re.findall(r"unknown or unsupported field (\w+)", bao.log.read_text())
    assert unknown == ["disable_mlock"], "Vault demands what OpenBao has removed; anything else is a mistake"
    assert "failed to get raft challenge" in bao.log.read_text(), "it looks for its peers"


@EVERY
def test_cloud_init_accepts_the_user_data(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "user-data"
    file.write_text(document(machine(case), case.cloud))
    code, said = run(system("cloud-init", "cloud-init"), "schema", "--config-file", file)
    assert code == 0, said
    assert "Valid" in said


@EVERY
def test_systemd_accepts_every_unit(case: Case, tmp_path: Path) -> None:
    made = rig(tmp_path, case)
    units = sorted(made.path("/etc/systemd/system").iterdir())
    _, said = run(system("systemd-analyze", "systemd"), "--man=no", "verify", *units)
    # Programs and scripts are on the machine and not here; every other word is a fault of a unit.
    ours = {unit.name for unit in units}
    faults = [line for line in said.splitlines() if "is not executable: No such file" not in line]
    faults = [line for line in faults if any(name in line for name in ours)]
    assert not faults


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.cloud == "azure" and case.role != "nomad-client"], ids=str
)
def test_services_are_exposed_to_little(case: Case, tmp_path: Path) -> None:
    made = rig(tmp_path, case)
    analyze = system("systemd-analyze", "systemd")
    for unit in sorted(made.path("/etc/systemd/system").glob("*.service")):
        if "User=" in unit.read_text():
            code, said = run(analyze, "security", "--offline=true", "--threshold=40", "--no-pager", unit)
            assert code == 0, said.splitlines()[-1]


def scripts() -> list[Path]:
    """Every shell script that reaches a machine."""
    return sorted({*TREE.glob("components/templates/*/*.sh"), *TREE.glob("components/clouds/*/templates/*.sh")})


@EVERY
def test_every_script_on_a_machine_is_a_file_of_the_tree_byte_for_byte(case: Case) -> None:
    known = {script.read_text() for script in scripts()}
    for file in machine(case).files:
        if file.content.startswith("#!") or file.path.endswith(".sh"):
            assert file.content in known, file.path


def test_shellcheck_has_nothing_to_say_about_any_script() -> None:
    code, said = run(packaged("shellcheck"), *scripts())
    assert code == 0, said


def parsed(text: str) -> dict[str, Any]:
    """HCL as data."""
    options = hcl2.SerializationOptions(strip_string_quotes=True, with_comments=False, explicit_blocks=False)
    return hcl2.load(io.StringIO(text), serialization_options=options)


WORKER = {
    "disable_mlock": None,
    "worker": {"name": None, "public_addr": None, "initial_upstreams": None, "tags": {"cloud", "region", "zone", "type"}},
    "listener": {"purpose": None, "address": None, "tls_disable": None},
    "events": {
        "audit_enabled": None, "observations_enabled": None, "sysevents_enabled": None, "telemetry_enabled": None,
        "sink": {"name", "event_types", "format", "file"},
    },
    "kms": {"purpose", "region", "kms_key_id", "role_arn", "web_identity_token_file"},
}  # fmt: skip
"""Keys that Boundary documents for a worker and that this platform uses."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_boundary_worker_uses_only_documented_keys(cloud: Cloud) -> None:
    files = contents(machine(Case(cloud, "boundary-worker")), cloud)
    worker, kms = parsed(files["/etc/boundary.d/worker.hcl"]), parsed(files["/etc/boundary.d/kms.hcl"])
    assert worker.keys() <= WORKER.keys() - {"kms"}
    (own,) = worker["worker"]
    assert own.keys() == WORKER["worker"].keys()
    assert own["tags"][0].keys() <= WORKER["worker"]["tags"]
    assert own["name"] == own["name"].lower()
    assert {one["tcp"]["purpose"] for one in worker["listener"]} == {"proxy", "ops"}
    for one in worker["listener"]:
        assert one["tcp"].keys() <= WORKER["listener"].keys()
    (events,) = worker["events"]
    assert events.keys() <= WORKER["events"].keys()
    (key,) = kms["kms"]
    ((kind, attributes),) = key.items()
    assert (kind, attributes["purpose"]) == ("awskms", "worker-auth")
    assert attributes.keys() <= WORKER["kms"]


@EVERY
def test_every_hcl_file_is_hcl_to_an_independent_parser(case: Case) -> None:
    for path, content in contents(machine(case), case.cloud).items():
        if path.endswith(".hcl"):
            assert parsed(content), path
