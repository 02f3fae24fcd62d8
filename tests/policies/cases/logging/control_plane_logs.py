from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, independent, joined, without

_SETTING = "azure-native:monitor:DiagnosticSetting"
_FIREWALL = "gcp:compute/firewall:Firewall"
_BACKUPS = ("hashicorp:clouds:BackupBucket",)
_FLAGS = (False, ABSENT, UNKNOWN)
_TUNNEL = {"customerGatewayId": "cgw-1", "type": "ipsec.1"}
_CATEGORIES = {
    "cluster": ("kube-apiserver", "kube-audit"),
    "vault": ("AuditEvent",),
    "blobs": ("StorageRead", "StorageWrite", "StorageDelete"),
    "gateway": ("GatewayDiagnosticLog", "TunnelDiagnosticLog", "RouteDiagnosticLog", "IKEDiagnosticLog"),
}
_MESH = ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")
_AZURE: dict[str, Held] = {
    token: Held(token, "resource", {"resourceGroupName": "rg"})
    for token in (
        "azure-native:containerservice:ManagedCluster",
        "azure-native:keyvault:Vault",
        "azure-native:storage:StorageAccount",
        "azure-native:network:VirtualNetworkGateway",
    )
}


def _logged() -> dict[str, object]:
    return {"cloudwatchLogOptions": {"logEnabled": True, "bgpLogEnabled": True, "logGroupArn": "arn:aws:logs:x"}}


def _setting(**said: object) -> dict[str, object]:
    return {"resourceUri": "/subscriptions/0/resourceGroups/rg", "storageAccountId": "audit", **said}


def _firewall(**said: object) -> dict[str, object]:
    return {"network": "platform", "allows": [{"protocol": "tcp", "ports": ["8200"]}], **said}


CASES = (
    Case(
        "aws:eks/cluster:Cluster",
        {
            "roleArn": "arn:aws:iam::111122223333:role/eks",
            "vpcConfig": {"subnetIds": ["a", "b"]},
            "enabledClusterLogTypes": ["api", "audit", "authenticator"],
        },
        {
            **{f"enabledClusterLogTypes[{index}]": ("scheduler", UNKNOWN) for index in range(3)},
            "enabledClusterLogTypes": ([], ABSENT, UNKNOWN),
        },
    ),
    Case(
        "aws:ec2/vpnConnection:VpnConnection",
        {**_TUNNEL, "tunnel1LogOptions": _logged(), "tunnel2LogOptions": _logged()},
        {
            f"tunnel{number}LogOptions.cloudwatchLogOptions.{flag}": _FLAGS
            for number in (1, 2)
            for flag in ("logEnabled", "bgpLogEnabled")
        },
    ),
    Case(
        "aws:rds/instance:Instance",
        {"instanceClass": "db.m7g.large", "enabledCloudwatchLogsExports": ["postgresql", "upgrade"]},
        {"enabledCloudwatchLogsExports": (["upgrade"], ABSENT, UNKNOWN)},
        indifferent=(),
    ),
    Case(
        "aws:rds/cluster:Cluster",
        {"engine": "aurora-postgresql", "enabledCloudwatchLogsExports": ["postgresql"]},
        {"enabledCloudwatchLogsExports": (["upgrade"], ABSENT, UNKNOWN)},
    ),
    Case(
        "aws:lb/loadBalancer:LoadBalancer",
        {"internal": True, "accessLogs": {"bucket": "audit", "enabled": True}},
        advises={"accessLogs.enabled": (False, ABSENT), "accessLogs": (ABSENT,)},
    ),
    Case(
        "aws:s3/bucketLogging:BucketLogging",
        {"bucket": "backups", "targetBucket": "audit", "targetPrefix": "s3/"},
        {"targetBucket": ("",)},
        indifferent=("targetBucket",),
    ),
    *(
        Case(
            _SETTING,
            _setting(logs=[{"categoryGroup": group, "enabled": True}]),
            {
                "logs[0].categoryGroup": ("all", ABSENT, UNKNOWN),
                "logs[0].enabled": _FLAGS,
                "logs": (ABSENT, [], UNKNOWN),
                "storageAccountId": ("", ABSENT),
            },
            indifferent=("storageAccountId",),
        )
        for group in ("audit", "allLogs")
    ),
    *(
        Case(
            _SETTING,
            {**_setting(logs=[{"category": category, "enabled": True} for category in categories]), "workspaceId": "w"},
            {
                **{f"logs[{index}].enabled": _FLAGS for index in range(len(categories))},
                **{f"logs[{index}].category": ("AllMetrics", UNKNOWN) for index in range(len(categories))},
            },
            indifferent=("storageAccountId", "workspaceId"),
        )
        for categories in _CATEGORIES.values()
    ),
    *(
        Case(
            _SETTING,
            {"resourceUri": "/subscriptions/0", prop: "there", "logs": [{"categoryGroup": "audit", "enabled": True}]},
            {prop: (ABSENT,)},
            indifferent=(prop,),
        )
        for prop in ("workspaceId", "eventHubAuthorizationRuleId")
    ),
    Case(
        "gcp:container/cluster:Cluster",
        {"location": "us-west1", "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "APISERVER"]}},
        {
            "loggingConfig.enableComponents[0]": ("WORKLOADS", UNKNOWN),
            "loggingConfig.enableComponents[1]": ("WORKLOADS", UNKNOWN),
            "loggingConfig": (ABSENT, UNKNOWN),
        },
    ),
    Case(
        _FIREWALL,
        _firewall(direction="INGRESS", sourceRanges=["0.0.0.0/0"], logConfig={"metadata": "INCLUDE_ALL_METADATA"}),
        {"logConfig": (ABSENT, UNKNOWN), "logConfig.metadata": ("", UNKNOWN)},
        indifferent=("sourceRanges[]",),
    ),
    Case(
        _FIREWALL,
        _firewall(sourceRanges=list(_MESH)),
        {
            "sourceRanges[2]": ("10.4.0.0/16", "35.191.0.0/16", "0.0.0.0/0", UNKNOWN),
            "sourceRanges": (ABSENT, [], UNKNOWN),
        },
    ),
    Case(
        _FIREWALL,
        _firewall(sourceRanges=["10.9.0.0/16"]),
        {"sourceRanges[0]": ("10.1.0.0/16",)},
        settings=Settings(mesh_cidrs=("10.9.0.0/16",)),
    ),
    *(
        Case(_FIREWALL, _firewall(**{prop: ["servers"]}), {prop: (ABSENT,)}, indifferent=(f"{prop}[]",))
        for prop in ("sourceTags", "sourceServiceAccounts")
    ),
    Case(
        _FIREWALL,
        _firewall(direction="EGRESS", destinationRanges=["0.0.0.0/0"]),
        {"direction": ("INGRESS", ABSENT, UNKNOWN)},
    ),
    *(
        StackCase(
            ("azure",),
            (thing, Held(_SETTING, "setting", {"resourceUri": UNKNOWN}, {"resourceUri": ["resource"]})),
            breaks={
                "no setting": without("setting"),
                "a setting of something else": independent("setting", "resourceUri"),
            },
        )
        for thing in _AZURE.values()
    ),
    *(
        StackCase(
            ("azure",),
            (
                _AZURE["azure-native:storage:StorageAccount"],
                Held(token, "logs", {"storageAccountId": UNKNOWN}, {"storageAccountId": ["resource"]}),
            ),
            breaks={
                "an account in which no logs lie": independent("logs", "storageAccountId"),
                "a gateway that logs nothing": joined(
                    Held("azure-native:network:VirtualNetworkGateway", "gateway", {"resourceGroupName": "rg"})
                ),
            },
        )
        for token in (_SETTING, "azure-native:monitor:SubscriptionDiagnosticSetting")
    ),
    *(
        StackCase(
            ("aws",),
            (
                Held("aws:s3/bucket:Bucket", "backups", {"bucket": "backups"}, above=_BACKUPS),
                Held("aws:s3/bucket:Bucket", "others", {"bucket": "others"}),
                Held(token, "log", {prop: UNKNOWN}, {prop: ["backups"]}),
            ),
            advises={"no log": without("log"), "a log of something else": independent("log", prop)},
        )
        for token, prop in (
            ("aws:s3/bucketLogging:BucketLogging", "bucket"),
            ("aws:cloudtrail/trail:Trail", "eventSelectors"),
            ("aws:cloudtrail/trail:Trail", "advancedEventSelectors"),
        )
    ),
)
