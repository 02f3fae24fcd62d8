import json

from policies.values import ABSENT
from tests.policies.case import Case

_ACCOUNT = "123456789012"
_ALLOW = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{_ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
_ANYONE = {**_ALLOW, "Principal": "*"}
_TOKEN = {
    "Effect": "Allow",
    "Principal": {"Federated": "accounts.google.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {"accounts.google.com:sub": "1155", "accounts.google.com:aud": "1155"}},
}


def _policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _when(**condition: object) -> dict[str, object]:
    return {**_ANYONE, "Condition": {operator.replace("__", ":"): value for operator, value in condition.items()}}


_PINNED = (
    _when(StringEquals={"aws:PrincipalAccount": _ACCOUNT}, ArnEquals={"aws:PrincipalArn": "arn:aws:iam::*:role/x"}),
    _when(StringEqualsIgnoreCase={"AWS:principalaccount": [_ACCOUNT, "210987654321"]}),
    _when(StringLike={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    _when(ForAnyValue__StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    _when(ArnLike={"aws:SourceArn": f"arn:aws:cloudtrail:us-west-2:{_ACCOUNT}:trail/*"}),
    _when(ArnEquals={"aws:SourceArn": "arn:aws:s3:::backups"}),
    _when(ArnLike={"aws:SourceArn": f"arn:aws:logs:us-west-2:{_ACCOUNT}:log-group:platform:*"}),
    {**_ANYONE, "Effect": "Deny"},
)
_OPEN = (
    _ANYONE,
    {**_ANYONE, "Principal": {"AWS": "*"}},
    {**_ANYONE, "Principal": {"AWS": [f"arn:aws:iam::{_ACCOUNT}:root", "*"]}},
    {**{key: value for key, value in _ALLOW.items() if key != "Principal"}, "NotPrincipal": _ALLOW["Principal"]},
    _when(StringEquals={"aws:RequestedRegion": "us-west-2"}),
    _when(StringNotEquals={"aws:PrincipalAccount": _ACCOUNT}),
    _when(StringEqualsIfExists={"aws:PrincipalAccount": _ACCOUNT}),
    _when(ForAllValues__StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    _when(StringLike={"aws:PrincipalOrgID": "*"}),
    _when(StringLike={"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "o-?"]}),
    _when(StringEquals={"aws:PrincipalAccount": []}),
    _when(StringEquals={"aws:PrincipalAccount": ""}),
    _when(ArnLike={"aws:SourceArn": "*"}),
    _when(ArnLike={"aws:SourceArn": []}),
    _when(ArnLike={"aws:SourceArn": "arn:aws:s3:::*"}),
    _when(ArnLike={"aws:SourceArn": "arn:aws:cloudtrail:us-west-2:*:trail/platform"}),
    _when(ArnLike={"aws:SourceArn": "arn:aws:lambda:us-west-2:*:function:platform"}),
    _when(ArnLike={"aws:SourceArn": "arn:aws:logs:us-west-2:*:log-group:platform:log-stream:a"}),
    _when(ArnLike={"aws:SourceArn": ["arn:aws:s3:::backups", "arn:aws:s3:::*"]}),
)
_BREAKS = (*(_policy(_ALLOW, each) for each in _OPEN), json.dumps({"Statement": _ANYONE}), "no json", "[]", "{}")


def _claims(operator: str = "StringEquals", **claims: object) -> str:
    told = {f"accounts.google.com:{claim}": value for claim, value in claims.items()}
    return _policy({**_TOKEN, "Condition": {operator: told}})


def _member(kind: str, **inputs: str) -> tuple[Case, ...]:
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/peers"
    return tuple(
        Case(
            kind,
            {"role": "roles/viewer", "member": member, **inputs},
            {
                "member": (
                    "allUsers",
                    "allAuthenticatedUsers",
                    f"principalSet:{pool}/*",
                    f"principalSet:{pool}/attribute.aws_role/*",
                    f"principalSet:{pool}",
                )
            },
        )
        for member in (
            "serviceAccount:vault@example.iam.gserviceaccount.com",
            f"principal:{pool}/subject/1155",
            f"principalSet:{pool}/attribute.aws_role/vault",
            f"principalSet:{pool}/group/operators",
        )
    )


def _binding(kind: str, **inputs: str) -> Case:
    members = ["group:operators@example.com", "serviceAccount:vault@example.iam.gserviceaccount.com"]
    return Case(kind, {"role": "roles/viewer", "members": members, **inputs}, {"members[1]": ("allUsers",)})


CASES = (
    Case(
        "aws:kms/key:Key",
        {"description": "seal", "policy": _policy(_ALLOW, *_PINNED)},
        {"policy": _BREAKS},
    ),
    # Without a policy of its own a key is its account's alone.
    Case("aws:kms/key:Key", {"description": "seal"}),
    Case("aws:kms/key:Key", {"policy": json.dumps({"Statement": _ALLOW})}),
    Case(
        "aws:kms/replicaKey:ReplicaKey",
        {"primaryKeyArn": f"arn:aws:kms:us-west-2:{_ACCOUNT}:key/mrk-1", "policy": _policy(_ALLOW)},
        {"policy": (_policy(_ANYONE),)},
    ),
    Case("aws:kms/keyPolicy:KeyPolicy", {"keyId": "mrk-1", "policy": _policy(_ALLOW)}, {"policy": (_policy(_ANYONE),)}),
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "backups", "policy": _policy(_ALLOW)},
        {"policy": (_policy(_ANYONE),)},
    ),
    Case(
        "aws:sns/topicPolicy:TopicPolicy",
        {"arn": f"arn:aws:sns:us-west-2:{_ACCOUNT}:alerts", "policy": _policy(_ALLOW)},
        {"policy": (_policy(_ANYONE),)},
    ),
    Case(
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        {"secretArn": f"arn:aws:secretsmanager:us-west-2:{_ACCOUNT}:secret:x", "policy": _policy(_ALLOW)},
        {"policy": (_policy(_ANYONE),)},
    ),
    Case(
        "aws:iam/role:Role",
        {"name": "peers", "assumeRolePolicy": _policy(_TOKEN)},
        {
            "assumeRolePolicy": (
                _policy(_ANYONE),
                _claims(sub="1155"),
                _claims(aud="1155"),
                _claims(sub="*", aud="1155"),
                _claims(sub="1155", aud=["1155", "*"]),
                _claims(sub="1155", aud=[]),
                _claims("StringLike", sub="?*", aud="1155"),
                _claims("StringNotEquals", sub="1155", aud="1155"),
                _policy({key: value for key, value in _TOKEN.items() if key != "Condition"}),
                _policy({**_TOKEN, "Action": "STS:assume*", "Condition": {}}),
                _policy({**_TOKEN, "Action": "*", "Condition": {}}),
            )
        },
    ),
    Case(
        "aws:iam/role:Role",
        {
            "assumeRolePolicy": _policy(
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
                {**_TOKEN, "Effect": "Deny", "Condition": {}},
            )
        },
    ),
    Case(
        "azure-native:managedidentity:FederatedIdentityCredential",
        {
            "resourceGroupName": "rg",
            "resourceName": "boundary-worker",
            "issuer": "https://accounts.google.com",
            "subject": "1155",
            "audiences": ["api://AzureADTokenExchange"],
        },
        {
            "subject": ("*", "repo:*", "", ABSENT),
            "issuer": ("http://accounts.google.com", "https://*", ABSENT),
            "audiences": ([], ["a", "b"], ABSENT),
            "audiences[0]": ("*", ""),
        },
    ),
    *_member("gcp:projects/iAMMember:IAMMember", project="example"),
    *_member("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", cryptoKeyId="seal"),
    *_member("gcp:kms/keyRingIAMMember:KeyRingIAMMember", keyRingId="platform"),
    *_member("gcp:secretmanager/secretIamMember:SecretIamMember", secretId="token"),
    *_member("gcp:serviceaccount/iAMMember:IAMMember", serviceAccountId="projects/example/serviceAccounts/vault"),
    *_member("gcp:storage/bucketIAMMember:BucketIAMMember", bucket="backups"),
    _binding("gcp:projects/iAMBinding:IAMBinding", project="example"),
    _binding("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", cryptoKeyId="seal"),
    _binding("gcp:kms/keyRingIAMBinding:KeyRingIAMBinding", keyRingId="platform"),
    _binding("gcp:secretmanager/secretIamBinding:SecretIamBinding", secretId="token"),
    _binding("gcp:serviceaccount/iAMBinding:IAMBinding", serviceAccountId="projects/example/serviceAccounts/vault"),
    _binding("gcp:storage/bucketIAMBinding:BucketIAMBinding", bucket="backups"),
    Case(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        {
            "workloadIdentityPoolId": "peers",
            "workloadIdentityPoolProviderId": "aws",
            "attributeCondition": "attribute.aws_role in ['vault']",
        },
        {"attributeCondition": ("", " ", "true", " TRUE ", ABSENT)},
    ),
)
