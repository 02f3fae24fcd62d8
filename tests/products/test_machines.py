"""What holds for every machine of every region."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from components.plan import flows
from components.plan.certificates import subject
from components.plan.flows import Port
from components.plan.secrets import ENTRIES
from components.plan.spec import CLOUDS, Cloud, Profile
from components.plan.userdata import LIMIT_BYTES, encoded
from components.products import agent, nomad, vault
from components.products.rendering import render
from tests.products.machines import (
    CASES,
    PLATFORM,
    Case,
    contents,
    document,
    guest,
    machine,
    machines,
    platform,
    stack,
)

TEMPLATES = Path(__file__).parents[2] / "components" / "templates"
EVERY = pytest.mark.parametrize("case", CASES, ids=str)


def rows(case: Case, table: str) -> list[list[str]]:
    """A table of the boot."""
    return [line.split("\t") for line in contents(machine(case), case.cloud)[f"/etc/platform/{table}.tsv"].splitlines()]


@pytest.mark.parametrize("profile", ["small", "production"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_user_data_of_every_machine_fits_its_cloud(cloud: Cloud, profile: Profile) -> None:
    for spec in machines(stack(cloud, platform(profile=profile))):
        sent = encoded(cloud, document(spec, cloud))
        if cloud == "aws":
            assert len(base64.b64decode(sent)) < LIMIT_BYTES[cloud] - 500, "leave room for what comes next"


@EVERY
def test_a_machine_asks_only_for_secrets_that_its_role_may_read(case: Case) -> None:
    spec = machine(case)
    refused = {secret.entry for secret in spec.secrets if case.role not in ENTRIES[secret.entry].readers}
    assert not refused


@EVERY
def test_no_file_holds_what_looks_like_a_secret(case: Case) -> None:
    pattern = re.compile(r"-----BEGIN|[A-Za-z0-9+/]{43}=|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|hvs\.|AKIA")
    for file in machine(case).files:
        assert not pattern.search(file.content), file.path


@EVERY
def test_every_secret_path_that_a_file_names_is_filled_by_the_boot(case: Case) -> None:
    spec = machine(case)
    filled = {secret.path for secret in spec.secrets}
    filled |= {
        f"/run/platform/secrets/{Path(file.path).stem}/config.json" for file in spec.files if "compose.d" in file.path
    }
    named = set(re.findall(r"/run/platform/secrets/[\w-]+/[\w.-]+", "\n".join(contents(spec, case.cloud).values())))
    assert named <= filled


@EVERY
def test_every_owner_has_an_account_and_every_account_an_id_of_its_own(case: Case) -> None:
    accounts = {name: number for name, number, _ in rows(case, "accounts")}
    owners = [row[-1] for table in ("paths", "secrets") for row in rows(case, table)]
    owners += [disk.owner for disk in machine(case).disks]
    assert {part for owner in owners for part in owner.split(":")} <= {*accounts, "root"}
    assert len(set(accounts.values())) == len(accounts)


@EVERY
def test_every_unit_that_is_started_is_written(case: Case) -> None:
    spec = machine(case)
    assert {f"/etc/systemd/system/{unit}" for unit in spec.units} <= contents(spec, case.cloud).keys()


@EVERY
def test_every_service_of_a_program_waits_for_the_boot(case: Case) -> None:
    spec = machine(case)
    for unit in spec.units:
        text = contents(spec, case.cloud)[f"/etc/systemd/system/{unit}"]
        if unit.endswith(".service") and unit not in ("platform-boot.service", "node_exporter.service"):
            assert "Requires=platform-boot.service" in text
            assert re.search(r"^After=.*platform-boot\.service", text, re.MULTILINE)


@EVERY
def test_what_only_one_user_may_read_is_closed_to_others(case: Case) -> None:
    for _, path, mode, _ in rows(case, "secrets"):
        assert mode == "0400", path
    modes = {path: mode for path, mode, _ in rows(case, "paths")}
    for secret in machine(case).secrets:
        assert modes[str(Path(secret.path).parent) + "/"] == "0700"


@EVERY
def test_two_renders_are_the_same_bytes(case: Case) -> None:
    assert document(machine(case), case.cloud) == document(machine(case), case.cloud)


def test_renders_do_not_depend_on_the_order_of_hashing() -> None:
    # A guest of its own: importing a cloud's package, and with it an SDK, would cost seconds.
    program = """
from components.plan.server import File, Guest
from tests.products.machines import PRODUCT_MODULES, document, nomad, stack
guest = Guest(File("/usr/local/sbin/read-secret", ""), None)
for product in PRODUCT_MODULES.values():
    print(document(product.servers(stack("aws"), guest)[0], "aws"))
print(document(nomad.clients(stack("aws"), guest), "aws"))
"""
    tree = Path(__file__).parents[2]

    def rendered(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(tree)}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=True).stdout

    assert rendered("1") == rendered("2")


@pytest.mark.parametrize("artefact", PLATFORM.versions)
@EVERY
def test_a_new_version_changes_nothing_but_what_is_installed(case: Case, artefact: str) -> None:
    newer = platform(versions={**PLATFORM.versions, artefact: "9.9.9"})
    before, after = contents(machine(case), case.cloud), contents(machine(case, newer), case.cloud)
    changed = {path for path in before if before[path] != after[path]}
    installed = artefact in [row[0] for row in rows(case, "artefacts")]
    # The agent refuses a snapshot of another version than its machine is made for.
    saved = artefact == case.role.removesuffix("-server") or (case, artefact) == (
        Case("aws", "consul-server"),
        "boundary",
    )
    assert changed == ({"/etc/platform/artefacts.tsv"} if installed else set()) | (
        {"/etc/platform/backup.json"} if saved else set()
    )


@pytest.mark.parametrize("role", sorted({case.role for case in CASES}))
def test_clouds_differ_only_in_names_addresses_keys_and_the_guest(role: str) -> None:
    each = {case.cloud: contents(machine(case), case.cloud) for case in CASES if case.role == role}
    expected = {
        "/etc/consul.d/agent.hcl", "/etc/consul.d/service.hcl", "/etc/nomad.d/agent.hcl", "/etc/nomad.d/keyring.hcl",
        "/etc/vault.d/server.hcl", "/etc/vault.d/seal.hcl", "/etc/boundary.d/worker.hcl",
        # The primary makes tokens, the others copy them from it.
        "/etc/platform/compose.d/consul.json", "/etc/platform/compose.d/nomad.json",
        "/etc/platform/artefacts.tsv", "/etc/platform/paths.tsv", "/etc/platform/secrets.tsv",
        "/etc/systemd/system/node_exporter.service", "/usr/local/sbin/read-secret",
        # The primary's own workers reach the key without a token.
        "/etc/systemd/system/boundary.service", "/etc/systemd/system/boundary-identity.service",
        "/etc/systemd/system/boundary-identity.timer", "/usr/local/sbin/web-identity",
        "/usr/local/lib/platform/identity.sh",
        # What is saved, and where to.
        "/etc/platform/backup.json",
    }  # fmt: skip
    paths = set().union(*each.values())
    differing = {path for path in paths if len({files.get(path) for files in each.values()}) > 1}
    assert differing <= expected


def test_no_template_states_a_port() -> None:
    numbers = {str(n) for port in vars(flows).values() if isinstance(port, Port) for n in (port.first, port.last)} - {
        "0",
        "443",
    }
    pattern = re.compile(rf"(?<![\w.]){'|'.join(rf'({n})' for n in sorted(numbers))}(?!\w)")
    for template in TEMPLATES.rglob("*"):
        if template.is_file() and template.suffix != ".pyc":
            assert not pattern.search(template.read_text()), template


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_server_is_told_to_join_itself(cloud: Cloud) -> None:
    for spec in machines(stack(cloud)):
        if spec.role.endswith("server") and spec.role != "vault-server":
            config = contents(spec, cloud)[f"/etc/{spec.product}.d/agent.hcl"]
            joined = re.findall(r"retry_join +=.*", config)
            assert joined
            assert f'"{spec.address}"' not in "".join(joined)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_vault_servers_know_each_other_by_names_that_their_certificate_has(cloud: Cloud) -> None:
    named = subject(PLATFORM, cloud, "vault-server")
    for spec in (spec for spec in machines(stack(cloud)) if spec.role == "vault-server"):
        config = contents(spec, cloud)["/etc/vault.d/server.hcl"]
        peers = set(re.findall(r"leader_api_addr +=.*https://([\d.]+)", config))
        assert peers == set(named.addresses) - {spec.address, "127.0.0.1"} & peers
        assert len(peers) == 2
        assert set(re.findall(r'leader_tls_servername += "(.*)"', config)) <= set(named.dns)
        assert spec.address in named.addresses


def test_vault_with_shared_keys_has_no_seal() -> None:
    for spec in vault.servers(stack("aws", platform(seal="shamir")), guest(stack("aws"))):
        assert spec.late == ()


def test_only_the_primary_makes_tokens_and_only_the_others_copy_them() -> None:
    for cloud in CLOUDS:
        secrets = machine(Case(cloud, "consul-server")).secrets
        entries = {secret.entry for secret in secrets if "/consul/" in secret.path}
        assert ("consul-management-token" in entries) == (cloud == PLATFORM.primary)
        assert ("consul-replication-token" in entries) == (cloud != PLATFORM.primary)


def test_only_the_enterprise_edition_is_asked_for_audit_logs_and_redundancy_zones() -> None:
    for case in (Case("aws", "consul-server"), Case("aws", "nomad-server")):
        community = "\n".join(contents(machine(case), "aws").values())
        enterprise = contents(machine(case, platform(edition="enterprise")), "aws")
        assert "audit {" not in community
        assert "redundancy_zone_tag" not in community
        assert "audit {" in enterprise[f"/etc/{machine(case).product}.d/agent.hcl"]
        assert "+ent_linux_amd64.zip" in enterprise["/etc/platform/artefacts.tsv"]
        assert "node_exporter-1.9.0.linux-amd64.tar.gz" in enterprise["/etc/platform/artefacts.tsv"]


def test_a_pinned_sum_reaches_the_machine_that_installs_the_archive() -> None:
    archive = "consul_1.21.0_linux_amd64.zip"
    pinned = platform(artifacts=replace(PLATFORM.artifacts, checksums={archive: "a" * 64}))
    lines = contents(machine(Case("gcp", "vault-server"), pinned), "gcp")["/etc/platform/artefacts.tsv"].splitlines()
    assert {line.split("\t")[1]: line.split("\t")[4] for line in lines} == {
        "node_exporter-1.9.0.linux-amd64.tar.gz": "-",
        archive: "a" * 64,
        "vault_1.21.0_linux_amd64.zip": "-",
    }


def test_machines_of_a_group_have_no_name_address_or_zone_of_their_own() -> None:
    for cloud in CLOUDS:
        given = stack(cloud)
        template = nomad.clients(given, guest(given))
        assert (template.address, template.zone) == (None, None)
        assert "hostname" not in yaml.safe_load(document(template, cloud))
        text = "".join(contents(template, cloud)[path] for path in (agent.CONFIG, "/etc/nomad.d/agent.hcl"))
        assert not re.search(r"^(node_)?name ", text, re.MULTILINE)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_guests_bring_programs_under_the_names_that_the_boot_calls(cloud: Cloud) -> None:
    given = guest(stack(cloud))
    scripts = {"read-secret": given.read_secret, **({"web-identity": given.web_identity} if given.web_identity else {})}
    for name, script in scripts.items():
        assert script.path in (f"/usr/local/sbin/{name}", f"/usr/local/bin/{name}")
        assert script.mode == "0755"
    assert (given.web_identity is None) == (cloud == PLATFORM.primary)


def test_a_template_that_misses_a_value_is_an_error() -> None:
    with pytest.raises(Exception, match="'address' is undefined"):
        render("boundary/service.hcl.j2", {"tags": []})
