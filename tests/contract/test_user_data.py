"""A machine is told the same in every cloud, but for how that cloud reads secrets, reaches keys and names disks."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from components.plan.addressing import all_servers
from components.plan.naming import service_label
from components.plan.spec import CLOUDS, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.posture import Machine, Posture

pytestmark = pytest.mark.engine

OF_THE_CLOUD = {
    "/usr/local/sbin/read-secret": "how this cloud's store is asked",
    "/etc/platform/azure.env": "which identity and vault Azure's script means",
    "/etc/vault.d/seal.hcl": "the cloud's key",
    "/etc/nomad.d/keyring.hcl": "the cloud's key",
    "/etc/boundary.d/kms.hcl": "the primary's key, and the way to it",
    "/etc/systemd/system/consul-relay-8500.service": "Azure's balancer cannot map this port",
    "/etc/systemd/system/consul-relay-8500.socket": "Azure's balancer cannot map this port",
    "/usr/local/sbin/web-identity": "not on the primary: its workers use the key directly",
    "/usr/local/lib/platform/identity.sh": "not on the primary",
    "/etc/systemd/system/boundary-identity.service": "not on the primary",
    "/etc/systemd/system/boundary-identity.timer": "not on the primary",
    "/etc/platform/backup.json": "the region's sets and where their copies go",
}
DISKS = "/etc/platform/disks.tsv"
UNITS = "units"
_IGNORED = re.compile(
    r"^ *#|identity|relay-8500|replication|initial_management|consul-management-token|postgresql|boundary-database"
)
"""Comments; lines that name one of the cloud's own files; ACL tokens, which the primary makes and its peers copy; what the
primary dumps Boundary's database with."""


@cache
def _files(machine: Machine) -> Mapping[str, str]:
    document = yaml.load(machine.user_data, Loader=yaml.CSafeLoader)
    files = {file["path"]: f"{file['permissions']}\n{file['content']}" for file in document["write_files"]}
    return {**files, UNITS: "\n".join(word for command in document["runcmd"] for word in command)}


def _without_devices(table: str) -> str:
    return "\n".join(line.partition("\t")[2] for line in table.splitlines())


def _neutral(text: str, plan: Stack) -> str:
    """The text with this region's words replaced by words that fit any region."""
    platform, region = plan.platform, plan.region
    for peer in platform.peers(plan.cloud):
        text = text.replace(_stem(peer.cidr), "peer.")
    text = text.replace(_stem(region.cidr), "own.")
    for index in range(len(region.zones)):
        text = re.sub(rf'(?<=[",]){region.zone_label(index)}(?=")', f"zone-{index}", text)
    for product in PRODUCTS:
        label = service_label(product, plan.cloud, platform.primary)
        text = text.replace(f"//{label}.{platform.domain}", f"//{product}-{plan.cloud}.{platform.domain}")
    text = re.sub(r'(primary_datacenter|authoritative_region)( *= *)"\w+"', r"\1\2primary", text)
    text = re.sub(rf"(?<![a-z]){plan.cloud}(?![a-z])", "cloud", text.replace(region.name, "region"))
    return "\n".join(line for line in text.splitlines() if not _IGNORED.search(line))


def _stem(cidr: str) -> str:
    return ".".join(cidr.split(".")[:2]) + "."


def _told(machine: Machine, plan: Stack) -> Mapping[str, str]:
    return {
        path: _neutral(_without_devices(content) if path == DISKS else content, plan)
        for path, content in _files(machine).items()
        if path not in OF_THE_CLOUD
    }


def _counterparts(plan: Stack) -> Iterator[tuple[str, str]]:
    """(server of the primary, its counterpart in the plan's region)."""
    for server in all_servers(plan.platform, plan.platform.primary):
        yield server.name, server.name.replace(f"-{plan.platform.primary}-", f"-{plan.cloud}-")


@pytest.mark.parametrize("cloud", [cloud for cloud in CLOUDS if cloud != "aws"])
def test_user_data_differs_only_where_clouds_do(
    cloud: Cloud, postures: Mapping[Cloud, Posture], plans: Mapping[Cloud, Stack]
) -> None:
    first, other = postures["aws"], postures[cloud]
    pairs = [(first.machines[one], other.machines[two]) for one, two in _counterparts(plans[cloud])]
    for one, two in [*pairs, (first.clients.template, other.clients.template)]:
        told, wanted = _told(two, plans[cloud]), _told(one, plans["aws"])
        assert told.keys() == wanted.keys(), two.name
        for path in told:
            assert told[path] == wanted[path], f"{two.name}: {path}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_the_clouds_own_is_in_use(cloud: Cloud, postures: Mapping[Cloud, Posture]) -> None:
    written = {path for machine in postures[cloud].every_machine for path in _files(machine)}
    assert {"/usr/local/sbin/read-secret", "/etc/vault.d/seal.hcl", "/etc/nomad.d/keyring.hcl"} <= written
    everywhere = {
        path for posture in postures.values() for machine in posture.every_machine for path in _files(machine)
    }
    assert OF_THE_CLOUD.keys() <= everywhere
