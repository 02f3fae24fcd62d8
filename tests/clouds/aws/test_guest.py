"""The guest script, unmodified, in a shell, against a metadata service and a secret store on loopback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from components.clouds.aws.guest import guest
from components.clouds.contract import Account, Site
from tests.clouds import surroundings
from tests.clouds.aws.region import STACK
from tests.clouds.surroundings import Service, surrounded

SITE = Site(STACK, Account("123456789012", "aws"))
REGION, ROLE = "us-west-2", "hmc-vault-server-us-west-2"
METADATA, HOST = "169.254.169.254", f"secretsmanager.{REGION}.amazonaws.com"
SESSION = "session-hush"
GIVEN = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "key/hush+hush", "Token": "token/hush=="}
ENTRY, VALUE = "hmc-vault-server-key", '-----BEGIN KEY-----\n"hush" \\ ünder\n-----END KEY-----\n'


@dataclass
class Cloud:
    """What the two services answer, and what they were asked."""

    credentials: dict[str, str] = field(default_factory=lambda: dict(GIVEN))
    young: int = 0
    """How often the role is still missing."""
    answer: tuple[int, dict[str, Any]] = (200, {"SecretString": VALUE})
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


def _metadata(cloud: Cloud) -> type[Service]:
    class Metadata(Service):
        def do_PUT(self) -> None:  # noqa: N802 - http.server asks for the name
            lasting = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            self.say(200 if self.path == "/latest/api/token" and lasting else 400, SESSION.encode())

        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            roles = "/latest/meta-data/iam/security-credentials/"
            known = {
                "/latest/meta-data/placement/region": REGION,
                roles: ROLE,
                f"{roles}{ROLE}": json.dumps(cloud.credentials),
            }
            if self.headers.get("X-aws-ec2-metadata-token") != SESSION:
                self.say(401, b"no session")
            elif self.path == roles and cloud.young:
                cloud.young -= 1
                self.say(404, b"not yet")
            else:
                self.say(200 if self.path in known else 404, known.get(self.path, "").encode())

    return Metadata


def _store(cloud: Cloud) -> type[Service]:
    class Store(Service):
        def do_POST(self) -> None:  # noqa: N802 - http.server asks for the name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cloud.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, answer = cloud.answer
            self.say_json(status, answer)

    return Store


@dataclass
class Machine(surroundings.Machine):
    """A machine on AWS."""

    cloud: Cloud

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run_text(guest(SITE).read_secret, *arguments)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    cloud = Cloud()
    with surrounded(tmp_path, metadata=(METADATA, _metadata(cloud)), store=(HOST, _store(cloud))):
        yield Machine(tmp_path, cloud)


def test_a_secret_is_printed_exactly_as_it_is_kept(machine: Machine) -> None:
    assert machine.read(guest(SITE).read_secret, ENTRY) == {ENTRY: VALUE.encode()}
    ((_, body),) = machine.cloud.asked
    assert json.loads(body) == {"SecretId": ENTRY}


def test_the_request_is_signed_with_the_machines_own_credentials(machine: Machine) -> None:
    machine.call(ENTRY)
    ((headers, body),) = machine.cloud.asked
    parts = dict(part.strip(" ,").split("=", 1) for part in headers["authorization"].split()[1:])
    date = headers["x-amz-date"]
    assert parts["Credential"] == f"{GIVEN['AccessKeyId']}/{date[:8]}/{REGION}/secretsmanager/aws4_request"
    signed = parts["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(signed)
    assert headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert headers["x-amz-security-token"] == GIVEN["Token"]
    request = AWSRequest("POST", f"https://{HOST}/", {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = date
    credentials = Credentials(GIVEN["AccessKeyId"], GIVEN["SecretAccessKey"], GIVEN["Token"])
    signer = SigV4Auth(credentials, "secretsmanager", REGION)
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert parts["Signature"] == wanted


def test_nothing_secret_stands_in_an_argument(machine: Machine) -> None:
    machine.call(ENTRY)
    assert ENTRY in machine.arguments, "the recorder saw no call"
    assert "hush" not in machine.arguments


def test_a_role_that_appears_late_is_waited_for(machine: Machine) -> None:
    machine.cloud.young = 2
    assert machine.read(guest(SITE).read_secret, ENTRY) == {ENTRY: VALUE.encode()}
    assert machine.cloud.young == 0


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"__type": "AccessDeniedException", "Message": "not authorized"}, "AccessDeniedException"),
        (400, {"__type": "ResourceNotFoundException"}, "ResourceNotFoundException"),
        (200, {"SecretBinary": "aHVzaA=="}, "no text value"),
        (403, {}, "{}"),
    ],
)
def test_a_failure_is_one_line_without_a_value(
    machine: Machine, status: int, answer: dict[str, Any], said: str
) -> None:
    machine.cloud.answer = status, answer
    ended = machine.call(ENTRY)
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("read-secret: ")
    assert ENTRY in line
    assert said in line
    assert "hush" not in line


def test_broken_credentials_are_a_failure_before_anything_is_asked(machine: Machine) -> None:
    del machine.cloud.credentials["SecretAccessKey"]
    ended = machine.call(ENTRY)
    assert ended.returncode != 0
    assert "SecretAccessKey" in ended.stderr
    assert "hush" not in ended.stderr
    assert machine.cloud.asked == []


def test_a_name_is_required(machine: Machine) -> None:
    assert "usage" in machine.call().stderr


def test_keys_are_local_so_no_token_for_another_cloud_is_made() -> None:
    assert guest(SITE).web_identity is None
