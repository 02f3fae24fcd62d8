import json
from typing import Any

from policies.resource import Provider
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed

_PROJECT = "hashicorp-multicloud"
_TAGS: dict[str, Any] = {
    "Project": _PROJECT,
    "Cluster": "vault-aws",
    "Product": "vault",
    "Environment": "production",
    "Owner": "platform",
}
_LABELS = {key.lower(): value for key, value in _TAGS.items()}
_WRONG = ("other", "", ABSENT)


def _at(path: str, keys: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Each key taken out, or empty; another project's name too."""
    first, *others = keys
    return {
        path: ({}, ABSENT),
        f"{path}.{first}": _WRONG,
        **{f"{path}.{key}": ("", ABSENT) for key in others},
    }


def _defaults(setting: str, value: object) -> Provider:
    return Provider("pulumi:providers:any", {setting: json.dumps(value) if isinstance(value, dict) else value})


_LISTED = [{"key": key, "value": value, "propagateAtLaunch": True} for key, value in _TAGS.items()]
_GROUP = {"maxSize": 3, "minSize": 3}
_DATABASE = {"databaseVersion": "POSTGRES_16"}
_ALERT = {
    "combiner": "OR",
    "displayName": "sealed",
    "conditions": [{"displayName": "sealed"}],
}

CASES = (
    Case("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16", "tags": _TAGS}, _at("tags", _TAGS)),
    Case(
        "aws:ec2/vpc:Vpc",
        {"cidrBlock": "10.1.0.0/16", "tags": {"Cluster": "mesh"}},
        {"tags.Owner": ("",), "tags.Cluster": ("",)},
        provider=_defaults("defaultTags", {"tags": _TAGS}),
    ),
    Case("aws:ec2/route:Route", {"routeTableId": "r"}),
    Case(
        "aws:ec2/vpc:Vpc",
        {"cidrBlock": "10.1.0.0/16", "tags": _TAGS},
        {"tags": (ABSENT,)},
        provider=_defaults("defaultTags", "no json"),
    ),
    Case(
        "aws:autoscaling/group:Group",
        {**_GROUP, "tags": _LISTED},
        {
            "tags": ([], ABSENT, _LISTED[:4]),
            "tags[0].value": _WRONG,
            "tags[0].propagateAtLaunch": (False, "false", ABSENT),
            "tags[4].value": ("", ABSENT),
        },
        indifferent=("tags",),
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "tags": _TAGS,
            "tagSpecifications": [{"resourceType": kind, "tags": _TAGS} for kind in ("instance", "volume")],
        },
        {
            "tags.Owner": (ABSENT,),
            "tagSpecifications": ([], ABSENT),
            "tagSpecifications[0].resourceType": ("network-interface",),
            "tagSpecifications[1].resourceType": ("network-interface",),
            "tagSpecifications[0].tags.Project": _WRONG,
            "tagSpecifications[1].tags.Project": _WRONG,
        },
    ),
    Case(
        "azure-native:compute:Disk",
        {"resourceGroupName": "rg", "creationData": {"createOption": "Empty"}, "tags": _TAGS},
        _at("tags", _TAGS),
        provider=_defaults("location", "westus2"),
    ),
    Case(
        "azure-native:resources:ResourceGroup",
        {"resourceGroupName": f"rg-{_PROJECT}-prod", "tags": _TAGS},
        {"resourceGroupName": (f"{_PROJECT}-prod", "rg-other", ABSENT), "tags.Project": _WRONG},
    ),
    Case("gcp:storage/bucket:Bucket", {"location": "US", "labels": _LABELS}, _at("labels", _LABELS)),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "labels": {"cluster": "vault-gcp"}},
        {"labels.owner": ("",)},
        provider=_defaults("defaultLabels", _LABELS),
    ),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "labels": {"cluster": "vault-gcp"}},
        {"labels.owner": ("",)},
        provider=Provider("pulumi:providers:gcp", {"defaultLabels": _LABELS}),
    ),
    Case("gcp:container/cluster:Cluster", {"resourceLabels": _LABELS}, _at("resourceLabels", _LABELS)),
    Case(
        "gcp:container/cluster:Cluster",
        {"resourceLabels": {"cluster": "vault-gcp"}},
        {"resourceLabels.owner": ("",)},
        provider=_defaults("defaultLabels", _LABELS),
    ),
    Case(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {**_DATABASE, "settings": {"tier": "db-custom-2-8192", "userLabels": _LABELS}},
        _at("settings.userLabels", _LABELS),
    ),
    Case("gcp:monitoring/alertPolicy:AlertPolicy", {**_ALERT, "userLabels": _LABELS}, _at("userLabels", _LABELS)),
    # Nothing is added to labels of the user's own.
    Case(
        "gcp:monitoring/alertPolicy:AlertPolicy",
        {**_ALERT, "userLabels": _LABELS},
        {"userLabels": (ABSENT,)},
        provider=_defaults("defaultLabels", _LABELS),
    ),
    Case(
        "kubernetes:core/v1:Namespace",
        {"metadata": {"labels": {"app.kubernetes.io/part-of": _PROJECT}}},
        advises={"metadata.labels": ({"app.kubernetes.io/part-of": "other"}, {}, ABSENT)},
    ),
    Case("kubernetes:helm.sh/v3:Release", {"chart": "consul"}),
    StackCase(
        ("aws", "gcp"),
        (
            Held("aws:s3/bucket:Bucket", "s3", {"tags": _TAGS, "tagsAll": _TAGS}),
            Held("gcp:storage/bucket:Bucket", "gcs", {"labels": _LABELS, "effectiveLabels": _LABELS}),
        ),
        breaks={
            "tags that were lost": changed("s3", "tagsAll", {}),
            "another project": changed("s3", "tagsAll.Project", "other"),
            "no tags at all": changed("s3", "tagsAll", ABSENT),
            "labels that were lost": changed("gcs", "effectiveLabels", {}),
            "another project's label": changed("gcs", "effectiveLabels.project", "other"),
        },
        defers={
            "an effective set that is not known yet": lambda stack: changed("gcs", "labels", ABSENT)(
                changed("gcs", "effectiveLabels", UNKNOWN)(stack)
            ),
        },
    ),
    StackCase(
        ("aws", "gcp"),
        (
            Held("aws:s3/bucket:Bucket", "s3", {"tags": _TAGS, "tagsAll": UNKNOWN}),
            Held("gcp:storage/bucket:Bucket", "gcs", {"labels": _LABELS, "effectiveLabels": UNKNOWN}),
        ),
        breaks={"a bucket that lost them": changed("gcs", "effectiveLabels", {})},
    ),
)
