"""User data: what cloud-init reads back is what the server is, the same bytes each time, within each cloud's limit."""

from __future__ import annotations

import base64
import gzip
import random
from bisect import bisect_right
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.plan.server import Disk, File, LateFile, SecretFile, ServerSpec
from components.plan.sizing import DiskSize, machine
from components.plan.spec import CLOUDS, Cloud
from components.plan.userdata import DISK_TABLE, LIMIT_BYTES, compressed, encoded, render

SIZE = DiskSize(100, 3000, 125)
SERVER = ServerSpec(
    name="vault-aws-1",
    role="vault-server",
    zone=0,
    address="10.1.1.20",
    size=machine("small", "aws", "vault-server"),
    disks=(Disk("data", SIZE, "/srv/data", "vault:vault"), Disk("audit", SIZE, "/srv/audit", "vault:vault")),
    files=(File("/etc/b", "two\nlines\n", "0640", "vault:vault"), File("/etc/a", "one")),
    late=(LateFile("/etc/c", "vault-seal"),),
    secrets=(SecretFile("/run/key", "vault-server-key"),),
    units=("platform-boot.service", "vault.service"),
)
FACTS = {"vault-seal": 'seal "awskms" {}\n'}
DEVICES = {"data": "/dev/disk/by-id/one", "audit": "/dev/disk/by-id/two"}
printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), include_characters="\n\t")
)


def read(document: str) -> dict[str, object]:
    assert document.startswith("#cloud-config\n")
    return yaml.safe_load(document)


def written(document: str) -> dict[str, dict[str, str]]:
    files = yaml.safe_load(document)["write_files"]
    return {file["path"]: file for file in files}


@given(st.lists(printable, max_size=4))
def test_every_file_comes_back_as_it_went_in(contents: list[str]) -> None:
    files = tuple(File(f"/etc/{number}", content) for number, content in enumerate(contents))
    found = written(render(replace(SERVER, files=files), FACTS, DEVICES))
    assert [found[file.path]["content"] for file in files] == contents


def test_modes_late_files_and_disks_are_written() -> None:
    found = written(render(SERVER, FACTS, DEVICES))
    assert found["/etc/b"]["permissions"] == "0640"
    assert found["/etc/c"]["content"] == FACTS["vault-seal"]
    assert found[DISK_TABLE]["content"] == (
        "/dev/disk/by-id/one\t/srv/data\tvault:vault\tdata\n/dev/disk/by-id/two\t/srv/audit\tvault:vault\taudit\n"
    )
    assert all("owner" not in file for file in found.values())


def test_units_are_enabled_in_their_order_without_holding_up_the_boot() -> None:
    enable = read(render(SERVER, FACTS, DEVICES))["runcmd"]
    assert enable == [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "--no-block", "platform-boot.service", "vault.service"],
    ]


def test_a_fixed_server_has_its_name_and_a_groups_machine_keeps_the_clouds() -> None:
    assert read(render(SERVER, FACTS, DEVICES))["hostname"] == "vault-aws-1"
    assert "hostname" not in read(render(replace(SERVER, zone=None, address=None), FACTS, DEVICES))


def test_the_order_of_files_changes_nothing() -> None:
    turned = replace(SERVER, files=SERVER.files[::-1])
    assert render(turned, dict(reversed(FACTS.items())), DEVICES) == render(SERVER, FACTS, DEVICES)
    assert list(written(render(SERVER, FACTS, DEVICES))) == sorted(written(render(SERVER, FACTS, DEVICES)))


def test_a_missing_fact_or_device_is_an_error_and_not_an_empty_file() -> None:
    with pytest.raises(KeyError, match="vault-seal"):
        render(SERVER, {}, DEVICES)
    with pytest.raises(KeyError, match="audit"):
        render(SERVER, FACTS, {"data": "/dev/disk/by-id/one"})


@given(st.text())
def test_compression_is_reversible_and_repeatable(text: str) -> None:
    packed = compressed(text)
    assert gzip.decompress(base64.b64decode(packed)).decode() == text
    # A time in the header would make every preview show a change.
    assert base64.b64decode(packed)[4:8] == bytes(4)
    assert compressed(text) == packed


def packed_size(cloud: Cloud, document: str) -> int:
    """Bytes as the cloud counts them, reckoned apart from the code under test."""
    packed = len(gzip.compress(document.encode(), compresslevel=9, mtime=0))
    return {"aws": packed, "azure": 4 * -(-packed // 3), "gcp": len(document)}[cloud]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_user_data_at_the_limit_is_sent_and_beyond_it_refused(cloud: Cloud) -> None:
    noise = random.Random(7).randbytes(200_000).hex()  # noqa: S311 - any text that does not compress well
    limit = LIMIT_BYTES[cloud]
    beyond = bisect_right(range(len(noise)), limit, key=lambda length: packed_size(cloud, noise[:length]))
    assert limit - 4 <= packed_size(cloud, noise[: beyond - 1]) <= limit
    assert encoded(cloud, noise[: beyond - 1])
    with pytest.raises(ValueError, match=f"{cloud} accepts {limit}: the machine would never boot"):
        encoded(cloud, noise[:beyond])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_a_cloud_takes_unpacks_to_the_document(cloud: Cloud) -> None:
    document = render(SERVER, FACTS, DEVICES)
    sent = encoded(cloud, document)
    assert (sent if cloud == "gcp" else gzip.decompress(base64.b64decode(sent)).decode()) == document
