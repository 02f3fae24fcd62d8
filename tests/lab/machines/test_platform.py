"""The platform's own user data, the bytes that each cloud takes, boot on the lab's image as far as one machine can."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest

from components.plan.userdata import encoded
from sandbox.lab.machines.needs import missing
from sandbox.lab.world import Disk, Machine
from tests.lab.machines.rig import fleet, until, world
from tests.products import machines as planned
from tests.products.machines import DEVICES, Case

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud
    from sandbox.lab.machines.fleet import Fleet

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


def vault(cloud: Cloud) -> Machine:
    """A Vault server, which has two disks, as its cloud would make it."""
    spec = planned.machine(Case(cloud, "vault-server"))
    text = encoded(cloud, planned.document(spec, cloud))
    data = text.encode() if cloud == "gcp" else base64.b64decode(text)
    disks = tuple(Disk(f"{cloud}-{disk.purpose}", 1, (DEVICES[cloud][disk.purpose],)) for disk in spec.disks)
    assert spec.address
    assert len(disks) == 2
    subnet = spec.address.rpartition(".")[0] + ".0/24"
    return Machine(f"i-{cloud}", spec.name, cloud, "here", "a", spec.address, subnet, data, disks=disks)


def journal(lab: Fleet, machine: Machine) -> str:
    files = lab.instance(machine.name).root.files / "var/log/journal"
    command = ["journalctl", f"--directory={files}", "--unit=platform-boot", "--output=cat", "--no-pager"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_every_clouds_user_data_run_and_find_their_disks_where_that_cloud_shows_them(tmp_path: Path) -> None:
    servers = [vault(cloud) for cloud in ("aws", "azure", "gcp")]
    with fleet(tmp_path / "lab") as lab:
        lab.apply(world(*servers))
        for server in servers:
            paths = [disk.paths[0] for disk in server.disks]
            until(
                lambda server=server, paths=paths: all(
                    f"disks: disk {path} is mounted at" in journal(lab, server) for path in paths
                ),
                lambda server=server: journal(lab, server),
            )
            # What is missing now is around the machine and not in it: nothing serves its archives here.
            status = lab.instance(server.name).status()
            assert (status.phase, status.reason) == ("booting", "")
