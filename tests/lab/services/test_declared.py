"""What the stacks really register: each role's machines read their secrets and use their keys, and no others'."""

from __future__ import annotations

import base64
import gzip
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from components.plan.naming import Names
from components.plan.records import records
from components.plan.secrets import ENTRIES, MANIFEST
from components.plan.spec import CLOUDS, ROLES, Cloud, Role
from sandbox.cloud.store import Entry, Store
from sandbox.lab.services import feed as fed
from sandbox.lab.services.keys import AwsKeys, AzureVaults
from sandbox.lab.services.material import Material
from sandbox.lab.services.secrets import AwsSecrets, GcpSecrets
from sandbox.lab.world import Machine
from sandbox.stores import gcp
from sandbox.stores.azure import VAULTS
from sandbox.stores.exchange import Answer, RefusedError, Request
from sandbox.stores.tokens import Tokens
from tests.deployed import Deployed, plan

_SEAL = "vault-seal"


@dataclass(frozen=True)
class Region:
    """All that the three stacks registered, and the identity of each role."""

    told: fed.Feed
    identities: dict[tuple[Cloud, Role], str]
    """As a grant's subject: role ARN, principal, or account's address."""
    folder: Path
    tokens: Tokens

    def roles(self, cloud: Cloud) -> list[Role]:
        """Those that have an identity there."""
        return [role for home, role in self.identities if home == cloud]

    def secret(self, cloud: Cloud, role: Role, name: str) -> Answer:
        who, ground = self.identities[cloud, role], self.told.ground
        if cloud == "aws":
            request = self._signed(who, "secretsmanager", "GetSecretValue", SecretId=name)
            return _answer(AwsSecrets(ground, self.tokens), request)
        if cloud == "azure":
            return self._azure(who, f"/secrets/{name}")
        (account,) = (one for one in ground.accounts if one.unique_id == who)
        token = self.tokens.bearer(gcp.GOOGLE, f"serviceAccount:{account.email}")
        (project,) = {one.place for one in ground.secrets if one.cloud == "gcp"}
        target = f"/v1/projects/{project}/secrets/{name}/versions/latest:access"
        headers = {"authorization": f"Bearer {token}"}
        request = Request("GET", "secretmanager.googleapis.com", target, headers, "", io.BytesIO(), {})
        return _answer(GcpSecrets(ground, self.tokens), request)

    def key(self, cloud: Cloud, role: Role, name: str) -> bool:
        """Whether the role may use a key of its cloud's."""
        who, ground = self.identities[cloud, role], self.told.ground
        if cloud == "aws":
            asked = {"KeyId": f"alias/{name}", "Plaintext": "eA=="}
            request = self._signed(who, "kms", "Encrypt", **asked)
            return _answer(AwsKeys(ground, self.tokens, Material(self.folder)), request).status == 200
        if cloud == "azure":
            return self._azure(who, f"/keys/{name}/").status == 200
        (account,) = (one for one in ground.accounts if one.unique_id == who)
        (key,) = (one for one in ground.keys if one.cloud == "gcp" and one.id.endswith(f"/{name}"))
        names, permission = frozenset({f"serviceAccount:{account.email}"}), "cloudkms.cryptoKeyVersions.useToDecrypt"
        return gcp.allowed(ground.gcp_grants, names, key.id, permission, {})

    def _signed(self, role: str, service: str, operation: str, **asked: str) -> Request:
        region = plan("aws").region.name
        host, body = f"{service}.{region}.amazonaws.com", json.dumps(asked).encode()
        session = self.tokens.session(role, "i-1")
        made = AWSRequest("POST", f"https://{host}/", data=body, headers={"X-Amz-Target": f"{service}.{operation}"})
        SigV4Auth(Credentials(session.key, session.secret, session.token), service, region).add_auth(made)
        headers = {"host": host, **{name.lower(): value for name, value in made.headers.items()}}
        return Request("POST", host, "/", headers, "", io.BytesIO(body), {})

    def _azure(self, principal: str, path: str) -> Answer:
        (vault,) = self.told.ground.vaults
        headers = {"authorization": f"Bearer {self.tokens.bearer(VAULTS, principal)}"}
        host = f"{vault.name}.vault.azure.net"
        request = Request("GET", host, f"{path}?api-version=7.4", headers, "", io.BytesIO(), {})
        return _answer(AzureVaults(self.told.ground, self.tokens, Material(self.folder)), request)


def _names(cloud: Cloud) -> Names:
    return Names(plan(cloud).platform, cloud)


def _answer(service: AwsKeys | AwsSecrets | AzureVaults | GcpSecrets, request: Request) -> Answer:
    try:
        return service.handle(request)
    except RefusedError as refused:
        return refused.answer


@pytest.fixture(scope="module")
def region(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Region:
    state = deployed.platform / "cloud"
    store = Store(state, lambda record: Entry())
    try:
        resources = fed.resources(store.everything())
    finally:
        store.close()
    identities: dict[tuple[Cloud, Role], str] = {}
    for cloud in CLOUDS:
        known = deployed.stack(cloud).outputs()["manifest"]["identities"]
        identities |= {(cloud, role): known[role] for role in ROLES if role in known}
    return Region(fed.feed(resources, []), identities, tmp_path_factory.mktemp("keys"), Tokens())


def test_every_role_reads_its_secrets_and_no_others(region: Region) -> None:
    for cloud in CLOUDS:
        names = _names(cloud)
        for entry, spec in ENTRIES.items():
            registered = [
                one for one in region.told.ground.secrets if one.name == names.secret(entry) and one.cloud == cloud
            ]
            for role in region.roles(cloud):
                answer = region.secret(cloud, role, names.secret(entry))
                if role in spec.readers and registered:
                    assert answer.status == 200, (cloud, role, entry, answer)
                else:
                    assert answer.status in (400, 403), (cloud, role, entry, answer.status)


def test_values_arrive_as_they_were_registered(region: Region) -> None:
    for cloud in CLOUDS:
        name = _names(cloud).secret(MANIFEST)
        said = json.loads(region.secret(cloud, "consul-server", name).body)
        text = said.get("SecretString") or said.get("value") or base64.b64decode(said["payload"]["data"]).decode()
        assert json.loads(gzip.decompress(base64.b64decode(text)))["region"] == plan(cloud).region.name


def test_the_seal_is_its_servers_alone(region: Region) -> None:
    for cloud in CLOUDS:
        name = _names(cloud).thing(_SEAL)
        using = {role for role in region.roles(cloud) if region.key(cloud, role, name)}
        assert using == {"vault-server"}, cloud


def test_every_cloud_resolves_the_whole_record_table(region: Region) -> None:
    platform = plan("aws").platform
    wanted = {f"{one.name}.{platform.domain}": set(one.addresses) for one in records(platform)}
    for cloud in CLOUDS:
        zone = region.told.zones[cloud]
        assert {name: set(zone[name].addresses) for name in zone} == wanted, cloud


def test_a_feed_comes_through_its_pipe_as_it_was(region: Region) -> None:
    machine = Machine("i-1", "one", "aws", "us-west-2", "us-west-2a", "10.1.1.1", "10.1.1.0/24", b"\0", "arn")
    told = replace(region.told, ground=replace(region.told.ground, machines=fed.feed([], [machine]).ground.machines))
    line = told.dump()
    assert line.count(b"\n") == 1
    assert fed.load(line) == told
