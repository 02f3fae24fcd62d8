"""A small region of each cloud, in the vendors' own words: a seal key, a secret and a name, and two machines.

The vault machine is granted the use of the key and the secret, the other one nothing; both grants are worded as the
stacks word theirs (`test_declared` looks at those).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.plan.server import KeyStanza
from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.services.feed import Feed, feed
from sandbox.lab.world import Machine

ACCOUNT, TENANT, PROJECT = "123456789012", "11111111-2222-3333-4444-555555555555", "hmc"
REGIONS: Mapping[Cloud, str] = {"aws": "us-west-2", "azure": "westus2", "gcp": "us-west1"}
DOMAIN, SECRET, KEY = "platform.example", "hmc-vault-token", "hmc-vault-seal"
AZURE_VAULT = "hmc-1a2b3c4d"
AWS_KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/mrk-0123456789abcdef0123456789abcdef"
AWS_SECRET = f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:{SECRET}-Ab1Cd2"
_STORE_KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/mrk-fedcba9876543210fedcba9876543210"
_VAULT = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{AZURE_VAULT}"
AZURE_KEY, AZURE_SECRET = f"{_VAULT}/keys/{KEY}", f"{_VAULT}/secrets/{SECRET}"
GCP_KEY = f"projects/{PROJECT}/locations/us/keyRings/{KEY}/cryptoKeys/{KEY}"
GCP_SECRET = f"projects/{PROJECT}/secrets/{SECRET}"
KEYS: Mapping[Cloud, str] = {"aws": AWS_KEY, "azure": AZURE_KEY, "gcp": GCP_KEY}
STANZAS: Mapping[Cloud, KeyStanza] = {
    "aws": KeyStanza("awskms", {"region": "us-west-2", "kms_key_id": AWS_KEY.rpartition("/")[2]}),
    "azure": KeyStanza("azurekeyvault", {"tenant_id": TENANT, "vault_name": AZURE_VAULT, "key_name": KEY}),
    "gcp": KeyStanza("gcpckms", {"project": PROJECT, "region": "us", "key_ring": KEY, "crypto_key": KEY}),
}

Resource = dict[str, Any]


def value(cloud: Cloud) -> str:
    """What the secret holds: not one line, and with an end that a careless reader loses."""
    return f'secret of {cloud}: "quoted" é\nsecond line\n'


def machine(cloud: Cloud, name: str) -> Machine:
    """One of the two machines of a cloud."""
    index = 2 * CLOUDS.index(cloud) + (name == "other")
    identity = {
        "aws": f"arn:aws:iam::{ACCOUNT}:role/hmc-{name}-us-west-2",
        "azure": f"client-{name}",
        "gcp": f"hmc-{name}@{PROJECT}.iam.gserviceaccount.com",
    }[cloud]
    place = REGIONS[cloud]
    full, address = f"{cloud}-{name}", f"10.98.0.{10 + index}"
    return Machine(full, full, cloud, place, f"{place}a", address, "10.98.0.0/24", b"", identity)


MACHINES = tuple(machine(cloud, name) for cloud in CLOUDS for name in ("vault", "other"))


def told(*, without: Sequence[str] = (), disabled: Sequence[str] = (), machines: Sequence[Machine] = MACHINES) -> Feed:
    """The three regions.

    Args:
        without: names of resources that are not there.
        disabled: ids of disabled keys.
        machines: who asks.
    """
    return feed([one for one in resources() if one["name"] not in without], machines, disabled)


def resources() -> list[Resource]:
    """What the three stacks registered."""
    return [*_aws(), *_azure(), *_gcp()]


def _made(kind: str, name: str, id_: str = "", /, **inputs: object) -> Resource:
    return {"type": kind, "name": name, "id": id_ or name, "inputs": inputs, "outputs": {}}


def _document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(action: object, resource: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _aws() -> list[Resource]:
    rooted = _document(_allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    trust = _document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-west-2.amazonaws.com"}}
    read = _document(
        _allow("secretsmanager:GetSecretValue", AWS_SECRET), _allow("kms:Decrypt", _STORE_KEY, Condition=via)
    )
    use = _document(_allow(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"], AWS_KEY))
    role = machine("aws", "vault").identity
    roles = [
        _made(
            "aws:iam/role:Role",
            f"aws-{name}",
            one.rpartition("/")[2],
            arn=one,
            name=one.rpartition("/")[2],
            assumeRolePolicy=trust,
        )
        for name, one in ((name, machine("aws", name).identity) for name in ("vault", "other"))
    ]
    owner = role.rpartition("/")[2]
    return [
        *roles,
        _made("aws:iam/rolePolicy:RolePolicy", "aws-read", role=owner, name="read", policy=read),
        _made("aws:iam/rolePolicy:RolePolicy", "aws-use", role=owner, name="use", policy=use),
        _made("aws:kms/key:Key", "aws-key", AWS_KEY, arn=AWS_KEY, isEnabled=True, policy=rooted),
        _made("aws:kms/key:Key", "aws-store-key", _STORE_KEY, arn=_STORE_KEY, isEnabled=True, policy=rooted),
        _made("aws:kms/alias:Alias", f"alias/{KEY}", targetKeyId=AWS_KEY.rpartition("/")[2], name=f"alias/{KEY}"),
        _made(
            "aws:secretsmanager/secret:Secret",
            "aws-secret",
            AWS_SECRET,
            arn=AWS_SECRET,
            name=SECRET,
            kmsKeyId=_STORE_KEY,
        ),
        _made(
            "aws:secretsmanager/secretVersion:SecretVersion",
            "aws-value",
            secretId=AWS_SECRET,
            secretString=value("aws"),
        ),
        _made(
            "aws:route53/record:Record",
            "aws-record",
            name=f"vault.{DOMAIN}",
            type="A",
            ttl=60,
            records=["10.98.1.1", "10.98.1.2"],
        ),
    ]


def _azure() -> list[Resource]:
    secrets_user, crypto_user = "4633458b-17de-408a-b874-0445c86b69e6", "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    definitions = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions"

    def granted(name: str, scope: str, role: str) -> Resource:
        who = {"scope": scope, "principalId": "object-vault", "roleDefinitionId": f"{definitions}/{role}"}
        return _made("azure-native:authorization:RoleAssignment", name, **who)

    enabled = {"enabled": True}
    return [
        *(
            _made(
                "azure-native:managedidentity:UserAssignedIdentity",
                f"azure-{name}",
                resourceName=name,
                clientId=f"client-{name}",
                principalId=f"object-{name}",
                tenantId=TENANT,
            )
            for name in ("vault", "other")
        ),
        granted("azure-read", AZURE_SECRET, secrets_user),
        granted("azure-use", AZURE_KEY, crypto_user),
        _made(
            "azure-native:keyvault:Vault", "azure-vault", _VAULT, vaultName=AZURE_VAULT, properties={"tenantId": TENANT}
        ),
        _made(
            "azure-native:keyvault:Key",
            "azure-key",
            AZURE_KEY,
            vaultName=AZURE_VAULT,
            keyName=KEY,
            properties={"kty": "RSA-HSM", "keySize": 2048, "attributes": enabled},
        ),
        _made(
            "azure-native:keyvault:Secret",
            "azure-secret",
            AZURE_SECRET,
            vaultName=AZURE_VAULT,
            secretName=SECRET,
            properties={"value": value("azure"), "attributes": enabled},
        ),
        _made(
            "azure-native:privatedns:PrivateRecordSet",
            "azure-record",
            relativeRecordSetName="vault",
            recordType="A",
            privateZoneName=DOMAIN,
            ttl=60,
            aRecords=[{"ipv4Address": "10.98.2.1"}],
        ),
    ]


def _gcp() -> list[Resource]:
    accounts = [
        _made(
            "gcp:serviceaccount/account:Account",
            f"gcp-{name}",
            email=machine("gcp", name).identity,
            uniqueId=f"1000-{name}",
        )
        for name in ("vault", "other")
    ]
    member = f"serviceAccount:{machine('gcp', 'vault').identity}"
    member_of_key, member_of_secret = (
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "gcp:secretmanager/secretIamMember:SecretIamMember",
    )
    return [
        *accounts,
        _made("gcp:kms/cryptoKey:CryptoKey", "gcp-key", GCP_KEY, name=KEY),
        _made(
            member_of_key,
            "gcp-use",
            cryptoKeyId=GCP_KEY,
            member=member,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        ),
        _made(member_of_key, "gcp-view", cryptoKeyId=GCP_KEY, member=member, role="roles/cloudkms.viewer"),
        _made("gcp:secretmanager/secret:Secret", "gcp-secret", GCP_SECRET, secretId=SECRET),
        _made(
            "gcp:secretmanager/secretVersion:SecretVersion",
            "gcp-value",
            secret=GCP_SECRET,
            secretData=value("gcp"),
            enabled=True,
        ),
        _made(
            member_of_secret, "gcp-read", secretId=GCP_SECRET, member=member, role="roles/secretmanager.secretAccessor"
        ),
        _made(
            "gcp:dns/recordSet:RecordSet",
            "gcp-record",
            name=f"vault.{DOMAIN}.",
            type="A",
            ttl=60,
            rrdatas=["10.98.3.1"],
        ),
    ]
