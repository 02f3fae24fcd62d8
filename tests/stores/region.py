"""The three clouds' stores with the grants that the stacks declare, built by hand and in the vendors' own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.plan.backup import WRITING_ROLES, prefixes
from components.plan.federation import TRUSTED, Federated, federated
from components.plan.spec import CLOUDS, Cloud, Role
from sandbox.stores import ground as given

ACCOUNT, TENANT, PROJECT, STRANGERS = "123456789012", "11111111-2222-3333-4444-555555555555", "4711", "66666666-0000"
REGION = "us-west-2"
BUCKET, STORAGE, CONTAINER, GCS = "hmc-backups-1", "hmcbackups1", "backups", "hmc-backups-gcp"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/backup"
LOCK_DAYS = 7
WAYS: tuple[tuple[Cloud, Cloud], ...] = (*((cloud, cloud) for cloud in CLOUDS), *TRUSTED)
"""(home, store): every machine's own cloud and every second one that it can convince."""
RESTORER = "restorer"
OWNER = "owner"
"""Who may do anything with objects; no stack declares one."""
_ADD = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"
_SCOPE = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/{STORAGE}/blobServices/default/containers/{CONTAINER}"
_ISSUED = f"sts.windows.net/{TENANT}/"

ATTRIBUTES: Mapping[Cloud, dict[str, str]] = {
    "aws": {"bucket": BUCKET, "region": REGION},
    "azure": {"account": STORAGE, "container": CONTAINER},
    "gcp": {"bucket": GCS},
}


def identity(cloud: Cloud, name: str) -> str:
    """What the machine's metadata service calls its identity."""
    return {
        "aws": f"arn:aws:iam::{ACCOUNT}:role/hmc-{name}-{REGION}",
        "azure": f"client-{name}",
        "gcp": f"{name}@hmc.iam.gserviceaccount.com",
    }[cloud]


def subject(cloud: Cloud, name: str) -> str:
    """What another cloud's trust names."""
    return {"aws": identity("aws", name), "azure": f"object-{name}", "gcp": f"1000-{name}"}[cloud]


def writer(home: Cloud, store: Cloud, role: Role) -> dict[str, str] | None:
    """`BackupFacts.writers[home][role]` of the store's region."""
    if home == store:
        return None
    audience = TRUSTED[home, store]
    if store == "aws":
        return {"role_arn": identity("aws", f"{home}-{role}"), "audience": audience}
    if store == "azure":
        return {"tenant": TENANT, "client_id": f"client-{home}-{role}", "audience": audience}
    kind = "aws:token-type:aws4_request" if home == "aws" else "oauth:token-type:jwt"
    provider = f"//iam.googleapis.com/{_provider(home)}"
    return {"provider": provider, "subject_token_type": f"urn:ietf:params:{kind}", "audience": audience}


def target(home: Cloud, store: Cloud, role: Role = "consul-server") -> dict[str, Any]:
    """What the uploader is given."""
    return {"home": home, "cloud": store, "attributes": ATTRIBUTES[store], "writer": writer(home, store, role)}


def _pool(home: Cloud) -> str:
    return f"projects/{PROJECT}/locations/global/workloadIdentityPools/{home}"


def _provider(home: Cloud) -> str:
    return f"{_pool(home)}/providers/{home}"


def _document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True)
class _Writer:
    """A role's machines of one cloud, as they write into a store."""

    home: Cloud
    role: Role

    @property
    def names(self) -> tuple[str, ...]:
        return prefixes(self.role, self.home)

    def trusted(self, store: Cloud) -> Federated:
        return federated(self.home, ACCOUNT, TENANT, subject(self.home, self.role), store)


def _writers(store: Cloud) -> list[_Writer]:
    homes: list[Cloud] = [home for home, where in WAYS if where == store]
    return [_Writer(home, role) for home in homes for role in WRITING_ROLES]


def _aws() -> dict[str, Any]:
    arn = f"arn:aws:s3:::{BUCKET}"
    via = {"StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com"]}}
    roles: list[given.AwsRole] = []
    for one in _writers("aws"):
        name = one.role if one.home == "aws" else f"{one.home}-{one.role}"
        policy = _document(
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": [f"{arn}/{prefix}*" for prefix in one.names]},
            {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": KEY, "Condition": via},
        )
        roles.append(given.AwsRole(identity("aws", name), _trust(one), (policy,)))
    reading = _document(
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": [arn]},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": [f"{arn}/*"]},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": [KEY], "Condition": via},
    )
    writers = [role.arn for role in roles]
    roles.append(given.AwsRole(identity("aws", RESTORER), _document(), (reading,)))
    everything = _document({"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"})
    roles.append(given.AwsRole(identity("aws", OWNER), _document(), (everything,)))
    writing = {"ArnEquals": {"aws:PrincipalArn": writers}}
    bucket = given.AwsBucket(
        name=BUCKET,
        region=REGION,
        account=ACCOUNT,
        policy=_document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:DeleteObject*", "s3:PutObjectRetention", "s3:BypassGovernanceRetention"],
                "Resource": [arn, f"{arn}/*"],
                "Condition": writing,
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"{arn}/*",
                "Condition": {**writing, "Null": {"s3:if-none-match": "true"}},
            },
        ),
        key=KEY,
        lock_mode="COMPLIANCE",
        lock_days=LOCK_DAYS,
    )
    known = federated("azure", ACCOUNT, TENANT, "", "aws")
    provider = given.AwsProvider(f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_ISSUED}", known.issuer, (known.audience,))
    return {"roles": tuple(roles), "buckets": (bucket,), "providers": (provider,)}


def _trust(one: _Writer) -> str:
    if one.home == "aws":
        return _document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    workload = one.trusted("aws")
    issuer = workload.issuer.removeprefix("https://")
    claims = {f"{issuer}:aud": workload.audience, f"{issuer}:sub": workload.subject}
    principal = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    if one.home == "gcp":
        claims |= {f"{issuer}:aud": workload.subject, f"{issuer}:oaud": workload.audience}
        principal = issuer
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": principal},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
    )


def _azure() -> dict[str, Any]:
    identities: list[given.AzureIdentity] = []
    grants: list[given.AzureGrant] = []
    for one in _writers("azure"):
        name = one.role if one.home == "azure" else f"{one.home}-{one.role}"
        workload = None if one.home == "azure" else one.trusted("azure")
        trusts = ((workload.issuer, workload.subject, workload.audience),) if workload else ()
        identities.append(given.AzureIdentity(f"client-{name}", f"object-{name}", TENANT, trusts))
        begins = " OR ".join(
            f"@Resource[{_ADD.removesuffix('/add/action')}:path] StringStartsWith '{prefix}'" for prefix in one.names
        )
        condition = f"((!(ActionMatches{{'{_ADD}'}})) OR ({begins}))"
        grants.append(given.AzureGrant(f"object-{name}", _SCOPE, (_ADD,), condition))
    identities.append(given.AzureIdentity(f"client-{RESTORER}", f"object-{RESTORER}", TENANT))
    identities.append(given.AzureIdentity(f"client-{OWNER}", f"object-{OWNER}", TENANT))
    grants.append(given.AzureGrant(f"object-{OWNER}", _SCOPE, (_ADD.replace("add/action", "*"),)))
    identities.append(given.AzureIdentity("client-stranger", "object-consul-server", STRANGERS))
    grants.append(given.AzureGrant(f"object-{RESTORER}", _SCOPE, (_ADD.replace("add/action", "read"),)))
    container = given.AzureContainer(STORAGE, CONTAINER, _SCOPE)
    return {"identities": tuple(identities), "containers": (container,), "azure_grants": tuple(grants)}


def _gcp() -> dict[str, Any]:
    grants: list[given.GcpGrant] = []
    subjects: dict[Cloud, list[str]] = {}
    for one in _writers("gcp"):
        condition = " || ".join(
            f'resource.name.startsWith("projects/_/buckets/{GCS}/objects/{prefix}")' for prefix in one.names
        )
        member = f"serviceAccount:{identity('gcp', one.role)}"
        if one.home != "gcp":
            who = one.trusted("gcp").subject
            role = who.rpartition("/")[2]
            subjects.setdefault(one.home, []).append(role)
            path = f"iam.googleapis.com/{_pool(one.home)}"
            member = (
                f"principalSet://{path}/attribute.aws_role/{role}"
                if one.home == "aws"
                else f"principal://{path}/subject/{who}"
            )
        grants.append(given.GcpGrant(GCS, member, ("storage.objects.create",), condition))
    reading = ("storage.objects.get", "storage.objects.list")
    grants.append(given.GcpGrant(GCS, f"serviceAccount:{identity('gcp', RESTORER)}", reading))
    everything = (*reading, "storage.objects.create", "storage.objects.delete")
    grants.append(given.GcpGrant(GCS, f"serviceAccount:{identity('gcp', OWNER)}", everything))
    listed = {home: ", ".join(f"'{who}'" for who in names) for home, names in subjects.items()}
    aws = given.GcpProvider(
        _provider("aws"),
        {"google.subject": "assertion.arn", "attribute.aws_role": "assertion.arn.extract('assumed-role/{role}/')"},
        f"attribute.aws_role in [{listed['aws']}]",
        aws_account=ACCOUNT,
    )
    trusted = federated("azure", ACCOUNT, TENANT, "", "gcp")
    azure = given.GcpProvider(
        _provider("azure"),
        {"google.subject": "assertion.sub"},
        f"google.subject in [{listed['azure']}]",
        issuer=trusted.issuer,
        audiences=(trusted.audience,),
    )
    accounts = tuple(
        given.GcpAccount(identity("gcp", name), subject("gcp", name)) for name in (*WRITING_ROLES, RESTORER, OWNER)
    )
    return {"accounts": accounts, "pool_providers": (aws, azure), "gcs_buckets": (GCS,), "gcp_grants": tuple(grants)}


def _machines() -> tuple[given.Machine, ...]:
    named: list[tuple[Cloud, str]] = [
        (cloud, name) for cloud in CLOUDS for name in ("consul-server", "vault-server", RESTORER, OWNER)
    ]
    named.append(("azure", "stranger"))
    return tuple(
        given.Machine(f"{cloud}-{name}", cloud, f"10.99.0.{number}", identity(cloud, name), REGION)
        for number, (cloud, name) in enumerate(named, start=1)
    )


def ground() -> given.Ground:
    """Everything."""
    return given.Ground(machines=_machines(), **_aws(), **_azure(), **_gcp())


def facts() -> dict[str, dict[str, str]]:
    """What user data tells a machine of Azure."""
    return {
        machine.name: {"platform/azure.env": f"AZURE_CLIENT_ID={machine.identity}\nAZURE_KEY_VAULT=vault\n"}
        for machine in _machines()
        if machine.cloud == "azure"
    }
