"""The whole boot, entered as root: from user data to programs that accept their configuration, on every kind of machine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from components.plan.certificates import subject
from components.plan.naming import Names
from components.plan.server import ServerSpec
from components.plan.spec import ROLES, Role
from components.plan.userdata import render
from tests.products.machines import PLATFORM, Case, late_facts, machine, platform
from tests.rendered import certificates
from tests.rendered.entered import Entered, blank, entered, loop_device
from tests.rendered.loopback import Served, serving
from tests.rendered.rig import Rig
from tests.rendered.test_accepted import GOSSIP, TOKEN
from tests.rendered.tools import product

BOOT = "/usr/local/lib/platform/boot.sh"
READER = """#!/bin/sh
for name; do printf '%s\\t%s\\n' "$name" "$(base64 --wrap=0 "/store/$name")"; done
"""
DONE = "/var/lib/node_exporter/textfile/platform_boot.prom"


def publish(folder: Path, versions: Mapping[str, str]) -> None:
    """Consul and Nomad are real; the others, of which nothing is asked during the boot, are empty scripts."""
    for name, version in versions.items():
        below = folder / (f"v{version}" if name == "node_exporter" else f"{name}/{version}")
        below.mkdir(parents=True)
        if name == "node_exporter":
            file, sums = f"{name}-{version}.linux-amd64.tar.gz", "sha256sums.txt"
            with tarfile.open(below / file, "w:gz") as packed:
                packed.addfile(tarfile.TarInfo(f"{name}-{version}.linux-amd64/{name}"), io.BytesIO())
        else:
            file, sums = f"{name}_{version}_linux_amd64.zip", f"{name}_{version}_SHA256SUMS"
            with zipfile.ZipFile(below / file, "w") as packed:
                if name in ("consul", "nomad"):
                    packed.write(product(name), name)
                else:
                    packed.writestr(name, "#!/bin/sh\n")
        digest = hashlib.sha256((below / file).read_bytes()).hexdigest()
        (below / sums).write_text(f"{digest}  {file}\n")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The artefacts, served as the vendors serve them."""
    folder = tmp_path_factory.mktemp("mirror")
    publish(folder, PLATFORM.versions)
    with serving(folder) as served:
        yield served


@dataclass
class Booted:
    """A machine with its disks attached, and its secret store."""

    spec: ServerSpec
    entered: Entered
    secrets: Mapping[str, str]

    def boot(self, then: str = "true", patience: int = 30) -> str:
        """Boot and run shell text; returns what that text says."""
        done = self.entered.run(f"{BOOT} >/log 2>&1 || {{ cat /log; exit 1; }}\n{then}", patience)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


Attach = Callable[[Role], Booted]


def store(case: Case, spec: ServerSpec, folder: Path) -> dict[str, str]:
    """A value for every entry that the machine reads, by the cloud's name of it."""
    named = subject(PLATFORM, case.cloud, case.role)
    certificates.write(folder, named.dns, named.addresses)
    names = Names(PLATFORM, case.cloud)
    suffixes = {"ca-cert": "ca.pem", f"{case.role}-cert": "cert.pem", f"{case.role}-key": "key.pem"}
    return {
        names.secret(secret.entry): (folder / suffixes[secret.entry]).read_text()
        if secret.entry in suffixes
        else (GOSSIP if "gossip" in secret.entry else TOKEN)
        for secret in spec.secrets
    }


@pytest.fixture
def attach(tmp_path: Path, mirror: Served) -> Iterator[Attach]:
    """Makes a machine of a role from its user data, as cloud-init would lay it out."""
    with ExitStack() as stack:

        def made(role: Role) -> Booted:
            case = Case("gcp", role)
            artifacts = replace(PLATFORM.artifacts, base_url=mirror.url, exporter_url=mirror.url)
            spec = machine(case, platform(artifacts=artifacts))
            devices: dict[str, str] = {
                disk.purpose: stack.enter_context(loop_device(blank(tmp_path / disk.purpose))) for disk in spec.disks
            }
            laid = Rig(tmp_path / "machine")
            document = render(spec, late_facts(spec, "gcp"), devices)
            for file in yaml.safe_load(document)["write_files"]:
                laid.write(file["path"], file["content"], int(file["permissions"], 8))
            certificate_folder = tmp_path / "certificates"
            certificate_folder.mkdir()
            values = store(case, spec, certificate_folder)
            for name, value in values.items():
                laid.write(f"/store/{name}", value)
            laid.write("/usr/local/sbin/read-secret", READER, 0o755)
            laid.write("/dev/console", "")
            return Booted(spec, entered(laid, tmp_path), values)

        yield made


@pytest.mark.binaries
@pytest.mark.parametrize("role", ROLES)
def test_a_machine_boots_from_its_user_data(role: Role, attach: Attach) -> None:
    booted = attach(role)
    secrets = " ".join(secret.path for secret in booted.spec.secrets)
    report = booted.boot(f"stat -c '%n %U:%G %a' {secrets}; echo; cat {DONE}; echo; cat /log; cat /etc/fstab")
    owners, metric, log = report.split("\n\n", 2)
    assert owners.splitlines() == [f"{secret.path} {secret.owner} 400" for secret in booted.spec.secrets]
    assert metric.startswith("platform_boot_completed_timestamp_seconds ")
    assert "consul accepts its configuration" in log
    assert ("nomad accepts its configuration" in log) == role.startswith("nomad")
    for disk in booted.spec.disks:
        assert f" {disk.mount} ext4 " in log
    for value in booted.secrets.values():
        assert value.splitlines()[-1] not in log
    assert booted.entered.console.read_text() == ""


@pytest.mark.binaries
def test_a_second_boot_downloads_nothing_and_reads_the_secrets_again(attach: Attach, mirror: Served) -> None:
    booted = attach("consul-server")
    mirror.asked.clear()
    log = booted.boot(
        f"rm -rf /run/platform; {BOOT} >/again 2>&1; cat /again; "
        'python3 -c \'import json; print(json.load(open("/run/platform/secrets/consul/config.json"))["encrypt"])\''
    )
    assert [path for path in mirror.asked if path.endswith("zip")] == ["/consul/1.21.0/consul_1.21.0_linux_amd64.zip"]
    assert "installed consul" not in log
    assert "consul is in place" in log
    assert "formatting" not in log
    assert log.endswith(f"{GOSSIP}\n")


@pytest.mark.binaries
def test_a_configuration_that_its_program_refuses_stops_the_boot_with_the_reason(attach: Attach) -> None:
    booted = attach("consul-server")
    config = booted.entered.made.path("/etc/consul.d/agent.hcl")
    config.write_text(config.read_text() + "no_such_key = true\n")
    done = booted.entered.run(BOOT, 30)
    assert done.returncode == 1
    assert "no_such_key" in done.stderr
    assert booted.entered.console.read_text() == (
        "platform-boot: FAILED at step validate: consul refuses its configuration; "
        "see the lines above; fix the template and replace this machine\n"
    )
    assert json.dumps(booted.secrets["hmc-consul-gossip"]) not in done.stdout + done.stderr
