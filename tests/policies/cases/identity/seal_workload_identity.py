from policies.values import ABSENT
from tests.policies.case import Case

_ABOVE = ("hashicorp:products:VaultCluster",)
_ID = ["/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vault"]
_IDENTITY = {"type": "UserAssigned", "userAssignedIdentities": _ID}
_AUTH = ("token", "static-key", "", ABSENT)
_ACCOUNT = {
    "email": "vault@example.iam.gserviceaccount.com",
    "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
}
_TEMPLATE = {"machineType": "n2-standard-4", "disks": [{}]}


def _seal(auth: str) -> Case:
    return Case("hashicorp:products:VaultCluster", {"seal": {"auth": auth}}, {"seal.auth": _AUTH})


CASES = (
    _seal("instance-role"),
    _seal("managed-identity"),
    _seal("service-account"),
    _seal("workload-identity"),
    Case(
        "hashicorp:products:BoundaryCluster",
        {"kms": [{"auth": "instance-role"}, {"auth": "service-account"}]},
        {"kms[1].auth": _AUTH},
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"iamInstanceProfile": {"arn": "arn:aws:iam::1:instance-profile/vault"}},
        {"iamInstanceProfile": (ABSENT,), "iamInstanceProfile.arn": ("",)},
        indifferent=("iamInstanceProfile.arn", "iamInstanceProfile.name"),
        above=_ABOVE,
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"iamInstanceProfile": {"name": "vault"}},
        {"iamInstanceProfile.name": ("",)},
        indifferent=("iamInstanceProfile.arn", "iamInstanceProfile.name"),
        above=_ABOVE,
    ),
    Case("aws:ec2/launchTemplate:LaunchTemplate", {"imageId": "i"}),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "identity": {**_IDENTITY, "type": "SystemAssigned, UserAssigned"}},
        {"identity.type": ("SystemAssigned", "None", ABSENT), "identity.userAssignedIdentities": ([], ABSENT)},
        indifferent=("identity.userAssignedIdentities[]",),
        above=_ABOVE,
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {"resourceGroupName": "rg", "identity": _IDENTITY},
        {"identity.type": ("SystemAssigned",), "identity": (ABSENT,)},
        indifferent=("identity.userAssignedIdentities[]",),
        above=_ABOVE,
    ),
    Case("azure-native:compute:VirtualMachineScaleSet", {"resourceGroupName": "rg"}),
    Case(
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        {**_TEMPLATE, "region": "us-west1", "serviceAccount": _ACCOUNT},
        {
            "serviceAccount.email": ("1234-compute@developer.gserviceaccount.com", "", ABSENT),
            "serviceAccount.scopes": ([], ABSENT),
        },
        indifferent=("serviceAccount.email", "serviceAccount.scopes[]"),
        above=_ABOVE,
    ),
    Case("gcp:compute/instanceTemplate:InstanceTemplate", _TEMPLATE),
)
