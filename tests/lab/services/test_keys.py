"""Keys: what was encrypted is read again after any restart, by whom may, with the same context, and by nobody else."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.lab.services.feed import Feed
from sandbox.lab.services.kept import kept
from sandbox.lab.services.keys import AwsKeys, AzureVaults
from sandbox.lab.services.material import Material, UnreadableError
from sandbox.stores.azure import VAULTS
from sandbox.stores.exchange import Answer, RefusedError, Request
from sandbox.stores.tokens import Tokens
from tests.lab.services import region

_HOST = "kms.us-west-2.amazonaws.com"


class Caller:
    """Asks AWS's key service as a machine's role, its requests signed by the vendor's library."""

    def __init__(self, folder: Path, feed: Feed | None = None, name: str = "vault") -> None:
        self.tokens = Tokens(b"k" * 32)
        self._keys = AwsKeys((feed or region.told()).ground, self.tokens, Material(folder))
        self._role = region.machine("aws", name).identity

    def request(self, operation: str, token: str = "", /, **asked: object) -> Request:
        session = self.tokens.session(self._role, "i-1")
        body = json.dumps(asked).encode()
        made = AWSRequest("POST", f"https://{_HOST}/", data=body, headers={"X-Amz-Target": f"TrentService.{operation}"})
        SigV4Auth(Credentials(session.key, session.secret, token or session.token), "kms", "us-west-2").add_auth(made)
        headers = {"host": _HOST, **{name.lower(): value for name, value in made.headers.items()}}
        return Request(
            "POST", _HOST, "/", headers, "10.98.0.10", io.BytesIO(body), {"sha256": hashlib.sha256(body).digest()}
        )

    def send(self, request: Request) -> tuple[int, dict[str, Any]]:
        try:
            answer = self._keys.handle(request)
        except RefusedError as refused:
            answer = refused.answer
        return answer.status, json.loads(answer.body)

    def ask(self, operation: str, **asked: object) -> tuple[int, dict[str, Any]]:
        return self.send(self.request(operation, **asked))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "name",
    [
        region.AWS_KEY,
        region.AWS_KEY.rpartition("/")[2],
        f"alias/{region.KEY}",
        f"{region.AWS_KEY.rpartition(':')[0]}:alias/{region.KEY}",
    ],
)
def test_a_key_is_found_by_every_name_it_has(tmp_path: Path, name: str) -> None:
    caller = Caller(tmp_path)
    assert caller.ask("DescribeKey", KeyId=name)[1]["KeyMetadata"]["Arn"] == region.AWS_KEY
    _, sealed = caller.ask("Encrypt", KeyId=name, Plaintext=_text(b"secret"))
    again = Caller(tmp_path).ask("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])
    assert again[1]["Plaintext"] == _text(b"secret")


def test_another_context_a_changed_byte_and_another_labs_key_read_nothing(tmp_path: Path) -> None:
    caller = Caller(tmp_path / "one")
    context = {"b": "2", "a": "1"}
    _, sealed = caller.ask("Encrypt", KeyId=region.AWS_KEY, Plaintext=_text(b"x"), EncryptionContext=context)
    blob = sealed["CiphertextBlob"]
    assert caller.ask("Decrypt", CiphertextBlob=blob, EncryptionContext={"a": "1", "b": "2"})[0] == 200
    assert caller.ask("Decrypt", CiphertextBlob=blob)[1]["__type"] == "InvalidCiphertextException"
    broken = _text(base64.b64decode(blob)[:-1] + b"\0")
    for other, one in ((caller, broken), (Caller(tmp_path / "two"), blob)):
        refused = other.ask("Decrypt", CiphertextBlob=one, EncryptionContext=context)
        assert refused == (400, {"__type": "InvalidCiphertextException", "message": ""})


def test_a_role_without_grant_may_not_even_describe_a_key(tmp_path: Path) -> None:
    status, said = Caller(tmp_path, name="other").ask("DescribeKey", KeyId=region.AWS_KEY)
    assert (status, said["__type"]) == (400, "AccessDeniedException")
    assert region.AWS_KEY in said["message"]


def test_a_key_whose_policy_forgot_its_account_is_nobodys(tmp_path: Path) -> None:
    told = region.feed(
        [
            {**one, "inputs": {**one["inputs"], "policy": '{"Statement": []}'}} if one["name"] == "aws-key" else one
            for one in region.resources()
        ],
        region.MACHINES,
    )
    assert Caller(tmp_path, told).ask("DescribeKey", KeyId=region.AWS_KEY)[1]["__type"] == "AccessDeniedException"


def test_a_disabled_key_is_described_and_used_by_nobody(tmp_path: Path) -> None:
    caller = Caller(tmp_path, region.told(disabled=[region.AWS_KEY]))
    assert caller.ask("DescribeKey", KeyId=region.AWS_KEY)[1]["KeyMetadata"]["KeyState"] == "Disabled"
    assert caller.ask("Encrypt", KeyId=region.AWS_KEY, Plaintext=_text(b"x"))[1]["__type"] == "DisabledException"


@pytest.mark.parametrize("spoilt", ["body", "target", "token", "signature", "unsigned"])
def test_a_request_that_was_changed_on_its_way_proves_nobody(tmp_path: Path, spoilt: str) -> None:
    caller = Caller(tmp_path)
    request = caller.request("DescribeKey", KeyId=region.AWS_KEY)
    headers = dict(request.headers)
    if spoilt == "body":
        request.body = io.BytesIO(json.dumps({"KeyId": "alias/other"}).encode())
    elif spoilt == "target":
        headers["x-amz-target"] = "TrentService.Encrypt"
    elif spoilt == "token":
        headers["x-amz-security-token"] = caller.tokens.session("arn:aws:iam::1:role/root", "x").token
    elif spoilt == "signature":
        headers["authorization"] = headers["authorization"][:-1] + ("0" if headers["authorization"][-1] != "0" else "1")
    else:
        headers["x-amz-more"] = "not signed"
    request.headers = headers
    status, said = caller.send(request)
    assert status in (400, 403)
    assert "KeyMetadata" not in said


def test_anothers_token_is_worth_nothing_without_his_key(tmp_path: Path) -> None:
    caller = Caller(tmp_path, name="other")
    seen = caller.tokens.session(region.machine("aws", "vault").identity, "i-2").token
    status, said = caller.send(caller.request("DescribeKey", seen, KeyId=region.AWS_KEY))
    assert (status, said["__type"]) == (400, "UnrecognizedClientException")


def _azure(folder: Path, method: str, path: str, value: bytes = b"", feed: Feed | None = None) -> Answer:
    tokens = Tokens(b"k" * 32)
    body = json.dumps({"alg": "RSA-OAEP-256", "value": base64.urlsafe_b64encode(value).decode().rstrip("=")})
    headers = {"authorization": f"Bearer {tokens.bearer(VAULTS, 'object-vault')}"}
    host = f"{region.AZURE_VAULT}.vault.azure.net"
    target = f"{path}?api-version=7.4"
    request = Request(method, host, target, headers, "10.98.0.12", io.BytesIO(body.encode()), {})
    try:
        return AzureVaults((feed or region.told()).ground, tokens, Material(folder)).handle(request)
    except RefusedError as refused:
        return refused.answer


def test_a_vaults_key_unwraps_what_it_wrapped_with_its_version_named_or_not(tmp_path: Path) -> None:
    kid = json.loads(_azure(tmp_path, "GET", f"/keys/{region.KEY}/").body)["key"]["kid"]
    version = kid.rpartition("/")[2]
    for way in (f"/keys/{region.KEY}/{version}", f"/keys/{region.KEY}/", f"/keys/{region.KEY}"):
        wrapped = json.loads(_azure(tmp_path, "POST", f"{way}/wrapkey", b"secret").body)
        assert wrapped["kid"] == kid
        data = base64.urlsafe_b64decode(wrapped["value"] + "==")
        unwrapped = json.loads(_azure(tmp_path, "POST", f"{way}/unwrapkey", data).body)
        assert base64.urlsafe_b64decode(unwrapped["value"] + "==") == b"secret"
    assert _azure(tmp_path, "POST", f"/keys/{region.KEY}/{'0' * 32}/wrapkey", b"x").status == 404
    assert _azure(tmp_path, "POST", f"/keys/{region.KEY}//unwrapkey", b"never wrapped").status == 400


def test_a_grant_on_one_key_is_none_on_a_key_whose_name_begins_alike(tmp_path: Path) -> None:
    refused = _azure(tmp_path, "GET", f"/keys/{region.KEY}-2/")
    assert (refused.status, json.loads(refused.body)["error"]["innererror"]) == (403, {"code": "ForbiddenByRbac"})


def test_two_that_need_a_new_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    materials = [Material(tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda material: material.encrypt("name", b"x"), materials))
    assert all(Material(tmp_path).decrypt("name", one) == b"x" for one in sealed)
    with pytest.raises(UnreadableError):
        Material(tmp_path).decrypt("other", sealed[0])


def test_what_is_kept_is_its_owners_alone_and_made_once(tmp_path: Path) -> None:
    file = tmp_path / "below" / "file"
    assert kept(file, lambda: b"first") == b"first"
    assert kept(file, lambda: b"second") == b"first"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["file"]
