from collections.abc import Mapping

from policies.resource import Options
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Change, Held, StackCase, changed, joined

_ABOVE = ("hashicorp:products:ConsulCluster", "hashicorp:clouds:ServerGroup")
_CLIENTS = ("hashicorp:products:NomadCluster", "hashicorp:clouds:ClientGroup")
_RAFT = {"replacement": {"strategy": "serial", "maxUnavailable": 1, "healthGate": "autopilot", "rollout": ["a"]}}
_RAFT_BREAKS = {
    "replacement.strategy": ("parallel", ABSENT, UNKNOWN),
    "replacement.maxUnavailable": (0, 2, "one", ABSENT, UNKNOWN),
    "replacement.healthGate": ("none", ABSENT, UNKNOWN),
    "replacement.rollout": (["a", "b"], UNKNOWN),
}
_POD = {
    "containers": [{"name": "a", "image": "hashicorp/vault", "command": ["vault"], "args": ["server"]}],
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
        }
    },
}
_STATEFUL = {
    "selector": {},
    "serviceName": "s",
    "updateStrategy": {"type": "OnDelete"},
    "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"},
    "template": {"spec": _POD},
}
_ANTI = "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey"
_AWS, _GOOGLE = "aws:ec2/instance:Instance", "gcp:compute/instance:Instance"
_ASG = "aws:autoscaling/group:Group"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_REGIONAL = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
_ZONAL = "gcp:compute/instanceGroupManager:InstanceGroupManager"
_MANAGED = {"baseInstanceName": "b", "versions": [{"instanceTemplate": "t"}]}
_GROUP = {
    "maxSize": 5,
    "minSize": 5,
    "instanceRefresh": {"strategy": "Rolling", "preferences": {"minHealthyPercentage": 80}},
    "healthCheckGracePeriod": 300,
    "initialLifecycleHooks": [{"name": "h", "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}],
}
_SET = {"resourceGroupName": "rg", "overprovision": False}
_CONSUL = Held("hashicorp:products:ConsulCluster", "consul", {"spec": {"replacement": {"rollout": []}}})


def _machine(type_: str, props: Mapping[str, object], *ignored: str) -> tuple[Held, ...]:
    return (_CONSUL, Held(type_, "consul-1", props, above=_ABOVE, options=Options(ignore_changes=ignored)))


def _watching(*ignored: str) -> Change:
    return lambda stack: [
        Held(h.type, h.name, h.props, above=h.above, options=Options(ignore_changes=ignored)) for h in stack
    ]


_JOB = "nomad:index/job:Job"


def _job(parallel: str, kind: str = "volume", outer: str = "") -> str:
    inner = f"update {{ max_parallel = {parallel} }}" if parallel else ""
    return f"""
job "a" {{
  {outer}
  group "g" {{
    {kind} "data" {{
      type = "csi"
    }}
    {inner}
  }}
}}
"""


def _json(parallel: int) -> str:
    group = f'{{"Volumes": {{"data": {{"Type": "csi"}}}}, "Update": {{"MaxParallel": {parallel}}}}}'
    return f'{{"Job": {{"TaskGroups": [{group}]}}}}'


def _deployed(image: str, *args: str) -> dict[str, object]:
    containers = [{"name": "a", "image": image, "command": ["entrypoint.sh"], "args": list(args)}]
    return {"spec": {"selector": {}, "template": {"spec": {"containers": containers}}}}


def _chosen(kind: str) -> dict[str, object]:
    return {**_STATEFUL, "updateStrategy": {"type": kind}}


def _serving(image: str, *args: str) -> dict[str, object]:
    pod = {**_POD, "containers": [{"name": "a", "image": image, "command": ["entrypoint.sh"], "args": list(args)}]}
    return {**_chosen("RollingUpdate"), "template": {"spec": pod}}


CASES = (
    Case(
        _JOB,
        {"jobspec": _job("1")},
        advises={
            "jobspec": (
                _job("2"),
                _job(""),
                _job("2", outer="update { max_parallel = 1 }"),
                _job("", outer="update { max_parallel = 2 }"),
            )
        },
    ),
    Case(_JOB, {"jobspec": _job("", outer="update { max_parallel = 1 }")}),
    Case(_JOB, {"jobspec": _job("1", outer="update { max_parallel = 2 }")}),
    Case(_JOB, {"jobspec": _job("2", "network")}, advises={"jobspec": (_job("2"),)}),
    Case(_JOB, {"jobspec": _json(1), "json": True}, advises={"jobspec": (_json(2),)}),
    Case(_JOB, {"jobspec": "{}", "json": True}),
    *(Case(f"hashicorp:products:{product}Cluster", _RAFT, _RAFT_BREAKS) for product in ("Consul", "Vault", "Nomad")),
    Case(
        "hashicorp:products:VaultCluster",
        {"replacement": {"strategy": "serial", "maxUnavailable": 1, "healthGate": "raft-peers"}},
    ),
    Case(
        _AWS,
        {"ami": "ami-0123456789abcdef0", "userDataReplaceOnChange": False},
        {"userDataReplaceOnChange": (True,)},
        above=_ABOVE,
    ),
    Case(
        _AWS,
        {"ami": "ami-0123456789abcdef0", "userDataReplaceOnChange": True},
        above=_CLIENTS,
        indifferent=("userDataReplaceOnChange",),
    ),
    Case(
        _ASG,
        _GROUP,
        {
            "instanceRefresh.preferences.minHealthyPercentage": (60, 0, UNKNOWN),
            "instanceRefresh.preferences.maxHealthyPercentage": (140, 200, UNKNOWN),
            "healthCheckGracePeriod": (299, "long", UNKNOWN),
            "initialLifecycleHooks[0].lifecycleTransition": ("autoscaling:EC2_INSTANCE_TERMINATING", UNKNOWN),
            "initialLifecycleHooks": (ABSENT, []),
            "maxSize": (10, UNKNOWN),
        },
        above=_ABOVE,
    ),
    *(
        Case(
            _ASG,
            {
                **_GROUP,
                "maxSize": size,
                "minSize": size,
                "instanceRefresh": {"strategy": "Rolling", "preferences": {"minHealthyPercentage": least, **most}},
            },
            {"instanceRefresh.preferences.minHealthyPercentage": (33,), "maxSize": (100,)},
            above=_ABOVE,
        )
        for size, least, most in (
            (3, 66, {}),
            (3, 34, {}),
            (5, 61, {}),
            (5, 80, {"maxHealthyPercentage": 139}),
            (3, 100, {"maxHealthyPercentage": 110}),
        )
    ),
    # So many that a hundredth of them is more than one.
    Case(
        _ASG,
        {
            **_GROUP,
            "maxSize": 200,
            "instanceRefresh": {"strategy": "Rolling", "preferences": {"minHealthyPercentage": 100}},
        },
        {"instanceRefresh.preferences.minHealthyPercentage": (99,)},
        above=_ABOVE,
    ),
    Case(
        _ASG,
        {**_GROUP, "instanceRefresh": {"strategy": "Rolling"}},
        {"maxSize": (20,), "instanceRefresh.preferences": ({"minHealthyPercentage": 10},)},
        above=_ABOVE,
    ),
    *(
        Case(
            _ASG,
            {key: value for key, value in _GROUP.items() if key not in ("instanceRefresh", *without)},
            {"initialLifecycleHooks": (ABSENT,)},
            above=_ABOVE,
            indifferent=("maxSize",),
        )
        for without in ((), ("healthCheckGracePeriod",))
    ),
    Case(
        _ASG,
        {"maxSize": 12, "minSize": 3, "healthCheckGracePeriod": 60},
        above=_CLIENTS,
        indifferent=("maxSize", "healthCheckGracePeriod"),
    ),
    Case(
        _SCALE_SET,
        {**_SET, "upgradePolicy": {"mode": "Manual"}},
        {
            "upgradePolicy.mode": ("Automatic", ABSENT, UNKNOWN),
            "upgradePolicy": ({"mode": "Rolling"},),
            "overprovision": (True, ABSENT, UNKNOWN),
        },
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {
            **_SET,
            "sku": {"capacity": 5},
            "upgradePolicy": {"mode": "Rolling", "rollingUpgradePolicy": {"maxBatchInstancePercent": 20}},
        },
        {
            "upgradePolicy.rollingUpgradePolicy.maxBatchInstancePercent": (21, 100, UNKNOWN),
            "sku.capacity": (6, ABSENT, UNKNOWN),
        },
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {
            **_SET,
            "sku": {"capacity": 100},
            "upgradePolicy": {"mode": "Rolling", "rollingUpgradePolicy": {"maxBatchInstancePercent": 1}},
        },
        {"sku.capacity": (101,)},
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {**_SET, "sku": {"capacity": 5}, "upgradePolicy": {"mode": "Rolling"}},
        {"sku.capacity": (6, ABSENT)},
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {"resourceGroupName": "rg", "orchestrationMode": "Flexible", "upgradePolicy": {"mode": "Manual"}},
        {"orchestrationMode": ("Uniform", ABSENT, UNKNOWN), "overprovision": (True, UNKNOWN)},
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {"resourceGroupName": "rg", "upgradePolicy": {"mode": "Automatic"}},
        above=_CLIENTS,
        indifferent=("upgradePolicy.mode",),
    ),
    *(
        Case(
            manager,
            {**_MANAGED, "updatePolicy": {"type": "OPPORTUNISTIC", "minimalAction": "REPLACE"}},
            {"updatePolicy.type": ("PROACTIVE", "ANY", ABSENT, UNKNOWN)},
            above=_ABOVE,
        )
        for manager in (_REGIONAL, _ZONAL)
    ),
    Case(
        _ZONAL,
        {
            **_MANAGED,
            "updatePolicy": {
                "type": "PROACTIVE",
                "minimalAction": "REPLACE",
                "maxUnavailableFixed": 1,
                "maxSurgeFixed": 0,
            },
        },
        {
            "updatePolicy.maxUnavailableFixed": (0, 2, ABSENT, UNKNOWN),
            "updatePolicy.maxSurgeFixed": (1, ABSENT, UNKNOWN),
        },
        above=_ABOVE,
    ),
    *(
        Case(
            manager,
            {**_MANAGED, "updatePolicy": {"type": "PROACTIVE", "minimalAction": "REPLACE", "maxSurgeFixed": 3}},
            above=_CLIENTS,
            indifferent=("updatePolicy.type", "updatePolicy.maxSurgeFixed"),
        )
        for manager in (_REGIONAL, _ZONAL)
    ),
    *(
        Case(
            "kubernetes:apps/v1:Deployment",
            _deployed(image, *args),
            {"spec.template.spec.containers[0].args": (list(server), UNKNOWN)},
        )
        for image, args, server in (
            ("hashicorp/vault:1.21", ("vault", "agent"), ("vault", "server")),
            ("openbao/openbao", ("proxy", "-config=/etc/proxy.hcl"), ("server",)),
            ("hashicorp/consul", ("agent", "-retry-join=consul"), ("agent", "-server")),
            ("hashicorp/consul-enterprise", ("connect", "envoy", "-sidecar-for=web"), ("agent", "-dev")),
            ("hashicorp/nomad", ("agent", "-server=false", "-config=/etc/nomad.d"), ("agent", "-config=/etc/nomad.d")),
            ("hashicorp/consul", ("agent", "-retry-join=consul"), ("agent", "--bootstrap-expect=3")),
        )
    ),
    Case(
        "kubernetes:apps/v1:Deployment",
        {
            "spec": {
                "selector": {},
                "template": {"spec": {"containers": [{"name": "a", "image": "hashicorp/vault-k8s:1.7"}]}},
            }
        },
        {"spec.template.spec.containers[0].image": ("hashicorp/vault:1.21", "vault-enterprise", "bao", UNKNOWN)},
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        {"spec": _STATEFUL},
        {
            "spec.updateStrategy.type": ("RollingUpdate", ABSENT, UNKNOWN),
            "spec.volumeClaimTemplates": ([], ABSENT),
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": ("Delete", UNKNOWN),
            "spec.template.spec.affinity": (ABSENT,),
            _ANTI: ("topology.kubernetes.io/zone", UNKNOWN),
        },
        indifferent=("spec.volumeClaimTemplates[]",),
    ),
    *(
        Case(
            "kubernetes:apps/v1:StatefulSet",
            {"spec": _serving(image, *args)},
            {"spec.updateStrategy.type": ("OnDelete",)},
            indifferent=("spec.volumeClaimTemplates[]",),
        )
        for image, args in (("hashicorp/consul", ("agent", "-server")), ("hashicorp/nomad", ("agent", "-config=/c")))
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        {
            "spec": {
                key: value for key, value in _serving("consul", "agent", "-server").items() if key != "updateStrategy"
            }
        },
        {"spec.updateStrategy": ({"type": "OnDelete"},)},
        indifferent=("spec.volumeClaimTemplates[]",),
    ),
    *(
        Case(
            "kubernetes:helm.sh/v3:Release",
            {
                "chart": chart,
                "values": {"server": {"updateStrategyType": "OnDelete", "ha": {"raft": {"enabled": True}}}},
            },
            {
                "values.server.updateStrategyType": ("RollingUpdate", ABSENT, UNKNOWN),
                "values.server.ha.raft.enabled": (False, ABSENT, UNKNOWN),
                "values": (ABSENT,),
                "chart": (UNKNOWN,),
            },
        )
        for chart in ("vault", "hashicorp/vault", "oci://registry.example.com/charts/Vault/")
    ),
    Case("kubernetes:helm.sh/v3:Release", {"chart": "vault-secrets-operator", "values": {}}, {"chart": ("vault",)}),
    *(
        StackCase(
            (place,),
            _machine(type_, props, *ignored),
            breaks={f"{path} is watched": _watching(*(each for each in ignored if each != path)) for path in ignored},
        )
        for place, type_, props, ignored in (
            ("aws", _AWS, {"ami": UNKNOWN, "userDataBase64": UNKNOWN}, ("ami", "userDataBase64")),
            ("aws", _AWS, {"ami": "a", "userData": "x"}, ("ami", "userData")),
            # The provider fills in both; the program sets and ignores one.
            ("aws", _AWS, {"ami": "a", "userData": "x", "userDataBase64": "x"}, ("ami", "userDataBase64")),
            (
                "azure",
                "azure-native:compute:VirtualMachine",
                {"storageProfile": {"imageReference": {"id": "i"}}, "osProfile": {"customData": "x"}, "userData": "x"},
                ("storageProfile.imageReference", "osProfile.customData", "userData"),
            ),
            (
                "gcp",
                _GOOGLE,
                {
                    "bootDisk": {"initializeParams": {"image": "i"}},
                    "metadata": {"user-data": "x"},
                    "metadataStartupScript": "x",
                },
                ("bootDisk", "metadata", "metadataStartupScript"),
            ),
            (
                "gcp",
                _GOOGLE,
                {"bootDisk": {"initializeParams": {"image": "i"}}, "metadata": {"user-data": "x"}},
                ("bootDisk.initializeParams.image", "metadata"),
            ),
        )
    ),
    StackCase(
        ("aws",),
        _machine(_AWS, {"ami": "a"}, "ami"),
        breaks={"one with a longer name": _watching("amiId"), "what lies below": _watching("ami.id")},
    ),
    StackCase(
        ("aws",),
        (
            Held("hashicorp:products:ConsulCluster", "consul", {"spec": {"replacement": {"rollout": ["consul-1"]}}}),
            *_machine(_AWS, {"ami": "a"})[1:],
        ),
        breaks={
            "another server is rolled": changed("consul", "spec.replacement.rollout", ["consul-2"]),
            "no server is rolled": changed("consul", "spec.replacement", ABSENT),
            "who knows which is rolled": changed("consul", "spec.replacement.rollout[0]", UNKNOWN),
        },
    ),
    StackCase(
        (),
        tuple(
            Held(_AWS, f"machine-{number}", {"ami": "a"}, above=above)
            for number, above in enumerate((_CLIENTS, ("hashicorp:products:BoundaryCluster",), ()))
        ),
        breaks={"a server beside them": joined(Held(_AWS, "server", {"ami": "a"}, above=_ABOVE))},
    ),
)
