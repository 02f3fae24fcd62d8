"""Real boot scripts on machines that know no address but the resolver's: what each may read, and what not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan.spec import CLOUDS, Cloud
from tests.lab.services import region
from tests.lab.services.rig import TREE, Rig

pytestmark = pytest.mark.lab


def script(cloud: Cloud) -> Path:
    return TREE / "components" / "clouds" / cloud / "templates" / "read_secret.sh"


def line(cloud: Cloud) -> str:
    """What the script prints of the entry."""
    return f"{region.SECRET}\t{base64.b64encode(region.value(cloud).encode()).decode()}\n"


@pytest.fixture
def changed(lab: Rig) -> Iterator[Rig]:
    """The lab, told the whole truth again afterwards."""
    yield lab
    lab.cloud.tell(region.told())


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_machine_reads_what_its_identity_is_granted_to_the_last_byte(lab: Rig, cloud: Cloud) -> None:
    done = lab.run(f"{cloud}-vault", "sh", str(script(cloud)), region.SECRET, region.SECRET)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == 2 * line(cloud)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_machine_without_the_grant_is_refused_and_told_so(lab: Rig, cloud: Cloud) -> None:
    done = lab.run(f"{cloud}-other", "sh", str(script(cloud)), region.SECRET)
    assert done.returncode == 1
    assert done.stdout == ""
    assert {"aws": "AccessDenied", "azure": "Caller is not authorized", "gcp": "PERMISSION_DENIED"}[
        cloud
    ] in done.stderr


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_grant_that_is_taken_back_counts_at_once_and_comes_back_as_fast(changed: Rig, cloud: Cloud) -> None:
    changed.cloud.tell(region.told(without=[f"{cloud}-read"]))
    assert changed.run(f"{cloud}-vault", "sh", str(script(cloud)), region.SECRET).returncode == 1
    changed.cloud.tell(region.told())
    assert changed.run(f"{cloud}-vault", "sh", str(script(cloud)), region.SECRET).stdout == line(cloud)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_address_that_no_machine_has_is_nobody(changed: Rig, cloud: Cloud) -> None:
    gone = [one for one in region.MACHINES if one.name != f"{cloud}-vault"]
    changed.cloud.tell(region.told(machines=gone))
    path = {
        "aws": "latest/meta-data/iam/security-credentials/",
        "azure": "metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net",
        "gcp": "computeMetadata/v1/instance/service-accounts/default/token",
    }[cloud]
    url = f"http://169.254.169.254/{path}"
    asked = ["--header", "Metadata: true", "--header", "Metadata-Flavor: Google", "--write-out", "\n%{http_code}", url]
    done = changed.run(f"{cloud}-vault", "curl", "--silent", "--max-time", "10", *asked)
    assert done.stdout.rpartition("\n")[2] == "404"


def test_credentials_need_a_session_and_nobody_elses(lab: Rig) -> None:
    put = ["--request", "PUT", "--header", "X-aws-ec2-metadata-token-ttl-seconds: 60"]
    session = lab.run("aws-other", "curl", "--silent", *put, "http://169.254.169.254/latest/api/token").stdout
    url = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"

    def asked(machine: str, *more: str) -> str:
        words = ["curl", "--silent", "--write-out", "%{http_code}", "--output", "/dev/null", *more, url]
        return lab.run(machine, *words).stdout

    assert asked("aws-vault") == "401"
    assert asked("aws-vault", "--header", f"X-aws-ec2-metadata-token: {session}") == "401"
    assert asked("aws-other", "--header", f"X-aws-ec2-metadata-token: {session}") == "200"


def test_what_was_issued_before_a_crash_is_honoured_after_it(lab: Rig) -> None:
    flavor = ["curl", "--silent", "--header", "Metadata-Flavor: Google"]
    url = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
    token = json.loads(lab.run("gcp-vault", *flavor, url).stdout)["access_token"]
    lab.cloud.kill()
    lab.cloud.start()
    lab.cloud.tell(region.told())
    secret = f"https://secretmanager.googleapis.com/v1/{region.GCP_SECRET}/versions/latest:access"
    header = f'header = "Authorization: Bearer {token}"\n'
    assert "payload" in json.loads(
        lab.run("gcp-vault", "curl", "--silent", "--config", "-", secret, stdin=header).stdout
    )


_RESOLVE = """
import socket, sys
try:
    print(*sorted({found[4][0] for found in socket.getaddrinfo(sys.argv[1], None)}))
except socket.gaierror as error:
    print(error.errno == socket.EAI_NONAME)
"""
"""Tells a name that does not exist from a resolver that does not answer."""


@pytest.mark.parametrize(
    ("cloud", "addresses"), [("aws", "10.98.1.1 10.98.1.2"), ("azure", "10.98.2.1"), ("gcp", "10.98.3.1")]
)
def test_a_machine_sees_its_own_clouds_zone_and_no_name_that_nobody_registered(
    lab: Rig, cloud: Cloud, addresses: str
) -> None:
    def resolved(name: str) -> str:
        return lab.run(f"{cloud}-other", "python3", "-c", _RESOLVE, name).stdout.strip()

    assert resolved(f"vault.{region.DOMAIN}") == addresses
    assert resolved("example.org") == "True"
    assert resolved(f"nobody.{region.DOMAIN}") == "True"


def test_a_feed_that_cannot_be_read_changes_nothing_and_shows_no_secret(lab: Rig) -> None:
    for cloud in CLOUDS:
        told = region.told().dump()
        for broken in (
            told.replace(f'"{cloud}"'.encode(), b"7"),
            told.replace(b'"value":', b'"values":'),
            told[:-20] + b"\n",
        ):
            said = lab.cloud.say(broken)
            assert "cannot read" in said
            assert "secret of" not in said
        done = lab.run(f"{cloud}-vault", "sh", str(script(cloud)), region.SECRET)
        assert done.stdout == line(cloud)


def test_no_secret_comes_to_the_labs_folder(lab: Rig) -> None:
    assert lab.run("aws-vault", "sh", str(script("aws")), region.SECRET).returncode == 0
    found = [file for file in lab.cloud.folder.rglob("*") if file.is_file()]
    assert {file.name for file in found} >= {"authority.pem", "tokens.key", "services.log"}
    for file in found:
        assert b"secret of" not in file.read_bytes(), file
        assert file.name == "services.log" or file.stat().st_mode & 0o77 == 0, file
    assert (lab.cloud.folder / "services.log").read_text() == ""
