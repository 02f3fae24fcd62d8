from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined, without

_TRAIL = "aws:cloudtrail/trail:Trail"
_ACTIVITY = "azure-native:monitor:SubscriptionDiagnosticSetting"
_AUDITED = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
_SINK = "gcp:logging/projectSink:ProjectSink"
_ACCOUNT = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/audit"
_TYPES = [{"logType": "ADMIN_READ"}, {"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]
_FLAGS = (False, "false", UNKNOWN)
_FILTER = 'logName:"cloudaudit.googleapis.com" OR log_id("compute.googleapis.com/vpc_flows")'


def _audited(service: str) -> dict[str, object]:
    return {"project": "platform", "service": service, "auditLogConfigs": _TYPES}


def _root(cloud: str) -> Held:
    return Held("pulumi:pulumi:Stack", "stack", {"complianceFacts": {"cloud": cloud}})


_GCP = (
    Held("gcp:compute/network:Network", "network", {}),
    Held(_AUDITED, "calls", _audited("allServices")),
    Held(_SINK, "sink", {"destination": "storage.googleapis.com/audit", "filter": _FILTER}),
)

CASES = (
    Case(
        _TRAIL,
        {
            "s3BucketName": "audit",
            "isMultiRegionTrail": True,
            "enableLogFileValidation": True,
            "enableLogging": True,
            "includeGlobalServiceEvents": True,
            "kmsKeyId": "arn:aws:kms:us-west-2:111122223333:key/1",
        },
        {
            "isMultiRegionTrail": (*_FLAGS, ABSENT),
            "enableLogFileValidation": (*_FLAGS, ABSENT),
            "enableLogging": _FLAGS,
            "includeGlobalServiceEvents": _FLAGS,
            "kmsKeyId": ("", ABSENT),
        },
        indifferent=("kmsKeyId",),
    ),
    Case(
        _TRAIL,
        {"s3BucketName": "audit", "isMultiRegionTrail": True, "enableLogFileValidation": True, "kmsKeyId": "k"},
        indifferent=("kmsKeyId",),
    ),
    Case(
        _ACTIVITY,
        {
            "storageAccountId": _ACCOUNT,
            "logs": [
                {"category": category, "enabled": True}
                for category in ("Administrative", "Security", "Policy", "Alert")
            ],
        },
        {
            **{f"logs[{index}].enabled": _FLAGS for index in range(4)},
            **{f"logs[{index}].category": ("Autoscale", ABSENT, UNKNOWN) for index in range(4)},
            "storageAccountId": ("", ABSENT),
            "logs": (ABSENT, UNKNOWN),
        },
        indifferent=("storageAccountId",),
    ),
    *(
        Case(
            _ACTIVITY,
            {prop: "somewhere", "logs": [{"categoryGroup": "allLogs", "enabled": True}]},
            {"logs[0].categoryGroup": ("audit", UNKNOWN), "logs[0].enabled": (False,), prop: (ABSENT,)},
            indifferent=(prop,),
        )
        for prop in ("workspaceId", "eventHubAuthorizationRuleId")
    ),
    *(
        Case(
            _AUDITED,
            _audited(service),
            {
                "auditLogConfigs[1].logType": ("ADMIN_READ", UNKNOWN),
                "auditLogConfigs[2].logType": ("ADMIN_READ", UNKNOWN),
                "auditLogConfigs[0].exemptedMembers": (["user:somebody@example.com"], UNKNOWN),
                "service": (UNKNOWN,),
            },
        )
        for service in ("allServices", "cloudkms.googleapis.com", "storage.googleapis.com")
    ),
    Case(
        _AUDITED,
        {
            "project": "platform",
            "service": "compute.googleapis.com",
            "auditLogConfigs": [{"logType": "ADMIN_READ", "exemptedMembers": []}],
        },
        {"auditLogConfigs[0].exemptedMembers[0]": ("user:somebody@example.com", UNKNOWN), "service": ("allServices",)},
    ),
    Case(
        _SINK,
        {
            "destination": "storage.googleapis.com/audit",
            "filter": _FILTER,
            "disabled": False,
            "exclusions": [
                {"name": "probes", "filter": 'log_id("requests")', "disabled": False},
                {"name": "old", "filter": 'logName:"cloudaudit.googleapis.com"', "disabled": True},
            ],
        },
        {
            "disabled": (True, UNKNOWN),
            "filter": (
                'log_id("compute.googleapis.com/vpc_flows")',
                'NOT logName:"cloudaudit.googleapis.com"',
                'severity>=ERROR AND NOT (log_id("cloudaudit.googleapis.com/activity"))',
                '-logName:"cloudaudit.googleapis.com"',
                'NOT LOG_ID("cloudaudit.googleapis.com/activity")',
                'logName!="projects/p/logs/cloudaudit.googleapis.com%2Factivity"',
                7,
                UNKNOWN,
            ),
            "exclusions[0].filter": ('log_id("cloudaudit.googleapis.com/data_access")', UNKNOWN),
            "exclusions[1].disabled": (False, ABSENT),
        },
    ),
    *(
        Case(_SINK, {"destination": "storage.googleapis.com/audit", **filtered}, {"disabled": (True,)})
        for filtered in ({}, {"filter": ""})
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:ec2/vpc:Vpc", "network", {"cidrBlock": "10.1.0.0/16"}),
            Held(_TRAIL, "trail", {"s3BucketName": "audit", "isMultiRegionTrail": True}),
        ),
        breaks={
            "no trail": without("trail"),
            "a trail of one region": changed("trail", "isMultiRegionTrail", value=False),
        },
        defers={"a trail of who knows which regions": changed("trail", "isMultiRegionTrail", UNKNOWN)},
    ),
    StackCase(("aws",), (Held("aws:ec2/vpc:Vpc", "network"),), settings=Settings(organisation_trail=True)),
    StackCase(
        ("aws",),
        (_root("aws"), Held(_TRAIL, "trail", {"isMultiRegionTrail": True})),
        breaks={"no trail": without("trail")},
    ),
    StackCase(
        ("azure",),
        (
            Held(
                "azure-native:network:VirtualNetwork",
                "network",
                {"resourceGroupName": "rg", "addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}},
            ),
            Held(_ACTIVITY, "activity", {"storageAccountId": _ACCOUNT}),
        ),
        breaks={"no setting": without("activity")},
    ),
    StackCase(("azure",), (_root("azure"), Held(_ACTIVITY, "activity")), breaks={"no setting": without("activity")}),
    StackCase(
        ("gcp",),
        _GCP,
        breaks={
            "nothing recorded": without("calls"),
            "one service recorded": changed("calls", "service", "storage.googleapis.com"),
            "no sink": without("sink"),
            "a sink of something else": changed("sink", "filter", 'log_id("compute.googleapis.com/firewall")'),
            "a sink that is off": changed("sink", "disabled", value=True),
        },
        defers={
            "an unknown filter": changed("sink", "filter", UNKNOWN),
            "an unknown service": changed("calls", "service", UNKNOWN),
        },
    ),
    StackCase(
        ("gcp",),
        (
            _root("gcp"),
            Held(_AUDITED, "keys", _audited("cloudkms.googleapis.com")),
            Held(_AUDITED, "buckets", _audited("storage.googleapis.com")),
            Held(_SINK, "sink", {"destination": "storage.googleapis.com/audit"}),
        ),
        breaks={
            "keys not recorded": without("keys"),
            "buckets not recorded": without("buckets"),
            "no sink": without("sink"),
        },
    ),
    StackCase(
        ("aws", "azure", "gcp"),
        (Held("random:index/randomPet:RandomPet", "pet"),),
        breaks={"a network of AWS": joined(Held("aws:ec2/vpc:Vpc", "network"))},
    ),
)
