from policies.values import ABSENT
from tests.policies.case import Case
from tests.policies.cases.pods import pod_cases

_FLAG = (False, ABSENT)
_CONTAINER = {
    "name": "a",
    "image": "i",
    "securityContext": {
        "runAsNonRoot": True,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"requests": {"memory": "1Gi", "cpu": "1"}, "limits": {"memory": "1Gi"}},
}
_OWN = {
    **_CONTAINER,
    "securityContext": {key: value for key, value in _CONTAINER["securityContext"].items() if key != "runAsNonRoot"},
}
_POD = {
    "automountServiceAccountToken": False,
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "containers": [_CONTAINER],
}
_SHARED = {**_POD, "securityContext": {"runAsNonRoot": True}, "containers": [_OWN]}
_IN = "spec.template.spec"
_FIRST = f"{_IN}.containers[0]"
_BREAKS = {
    f"{_FIRST}.securityContext.runAsNonRoot": _FLAG,
    f"{_FIRST}.securityContext.privileged": (True,),
    f"{_FIRST}.securityContext.allowPrivilegeEscalation": (True, ABSENT),
    f"{_FIRST}.securityContext.readOnlyRootFilesystem": _FLAG,
    f"{_FIRST}.securityContext.capabilities.drop": (["NET_RAW"], [], ABSENT),
    f"{_FIRST}.resources.limits.memory": ("2Gi", ABSENT),
    f"{_FIRST}.resources.requests.memory": ("512Mi", ABSENT),
    f"{_FIRST}.resources": (ABSENT,),
    f"{_IN}.hostNetwork": (True,),
    f"{_IN}.hostPID": (True,),
    f"{_IN}.hostIPC": (True,),
    f"{_FIRST}.securityContext": (ABSENT,),
}


def _job(driver: str, privileged: str = "false") -> str:
    return f"""
job "a" {{
  group "g" {{
    task "t" {{
      driver = "{driver}"
      config {{
        privileged = {privileged}
      }}
    }}
  }}
}}
"""


CASES = (
    *pod_cases(
        {**_POD, "initContainers": [_CONTAINER]},
        {"containers[0].securityContext": (ABSENT,), "initContainers[0].securityContext.privileged": (True,)},
    ),
    *(
        Case(
            f"kubernetes:apps/v1:{kind}",
            {"spec": {"selector": {}, "template": {"spec": _POD}, **more}},
            _BREAKS,
            advises={f"{_IN}.automountServiceAccountToken": (True, ABSENT)},
        )
        for kind, more in (("StatefulSet", {"serviceName": "s"}), ("Deployment", {}), ("DaemonSet", {}))
    ),
    Case(
        "kubernetes:apps/v1:Deployment",
        {"spec": {"selector": {}, "template": {"spec": _SHARED}}},
        {f"{_IN}.securityContext.runAsNonRoot": _FLAG, f"{_FIRST}.securityContext.runAsNonRoot": (False,)},
    ),
    *(
        Case(
            "kubernetes:core/v1:Namespace",
            {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}},
            {"metadata.labels": (ABSENT, {}, {"pod-security.kubernetes.io/enforce": "privileged"})},
        )
        for level in ("restricted", "baseline")
    ),
    Case(
        "nomad:index/job:Job",
        {"jobspec": _job("docker")},
        {"jobspec": (_job("raw_exec"), _job("docker", "true"), _job("docker", "var.open"))},
    ),
    Case(
        "nomad:index/job:Job",
        {"jobspec": "{}", "json": True},
        {
            "jobspec": (
                '{"Job": {"TaskGroups": [{"Tasks": [{"Driver": "raw_exec"}]}]}}',
                '{"Job": {"TaskGroups": [{"Tasks": [{"Driver": "docker", "Config": {"privileged": true}}]}]}}',
            )
        },
    ),
    Case("nomad:index/job:Job", {"jobspec": _job("docker").replace("privileged = false", 'image = "i"')}),
    Case("nomad:index/job:Job", {"jobspec": 'job "a" {\n  group "g" {\n    task "t" { driver = "exec" }\n  }\n}\n'}),
)
