from policies.values import ABSENT
from tests.policies.case import Case

_FLAG = (False, ABSENT)
_OPTIONS = {"httpTokens": "required", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled"}
_AWS = {
    "metadataOptions.httpTokens": ("optional", ABSENT),
    "metadataOptions.httpPutResponseHopLimit": (0, 2, 64, ABSENT),
    "metadataOptions.httpEndpoint": ("disabled",),
    "metadataOptions": (ABSENT,),
}
_SHIELDED = {"enableSecureBoot": True, "enableVtpm": True, "enableIntegrityMonitoring": True}
_GCP = {
    **{f"shieldedInstanceConfig.{name}": _FLAG for name in _SHIELDED},
    "shieldedInstanceConfig": (ABSENT,),
    "metadata": ({"enable-legacy-endpoints": "true"}, {"enable-legacy-endpoints": True}),
}
_UEFI = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}


def _azure(profile: str) -> dict[str, tuple[object, ...]]:
    return {
        f"{profile}.securityType": ("Standard", ABSENT),
        f"{profile}.uefiSettings.secureBootEnabled": _FLAG,
        f"{profile}.uefiSettings.vTpmEnabled": _FLAG,
        profile: (ABSENT,),
    }


CASES = (
    Case("aws:ec2/instance:Instance", {"ami": "ami-0123456789abcdef0", "metadataOptions": _OPTIONS}, _AWS),
    Case("aws:ec2/launchTemplate:LaunchTemplate", {"metadataOptions": _OPTIONS}, _AWS),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}},
        {"metadataOptions.httpTokens": ("optional",)},
    ),
    Case(
        "aws:ec2/launchConfiguration:LaunchConfiguration",
        {"imageId": "i", "instanceType": "m6i.large", "metadataOptions": {"httpTokens": "required"}},
        {"metadataOptions.httpTokens": ("optional", ABSENT)},
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "securityProfile": _UEFI},
        _azure("securityProfile"),
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "virtualMachineProfile": {"securityProfile": {**_UEFI, "securityType": "ConfidentialVM"}},
        },
        _azure("virtualMachineProfile.securityProfile"),
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-4",
            "bootDisk": {},
            "networkInterfaces": [{"network": "n"}],
            "shieldedInstanceConfig": _SHIELDED,
            "metadata": {"enable-oslogin": "TRUE"},
        },
        _GCP,
    ),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {
            "machineType": "n2-standard-4",
            "disks": [{}],
            "shieldedInstanceConfig": _SHIELDED,
            "metadata": {"enable-legacy-endpoints": "false"},
        },
        _GCP,
    ),
    Case(
        "gcp:container/nodePool:NodePool",
        {
            "cluster": "c",
            "nodeConfig": {
                "shieldedInstanceConfig": {"enableSecureBoot": True},
                "workloadMetadataConfig": {"mode": "GKE_METADATA"},
            },
        },
        {
            "nodeConfig.shieldedInstanceConfig.enableSecureBoot": _FLAG,
            "nodeConfig.workloadMetadataConfig.mode": ("GCE_METADATA", ABSENT),
        },
    ),
)
