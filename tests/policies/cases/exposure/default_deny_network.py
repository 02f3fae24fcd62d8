from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, independent, joined, without

_VPC, _GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_RULE = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]
_NAMESPACE, _POLICY = "kubernetes:core/v1:Namespace", "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def _policy(name: str, namespace: Any, **depends: list[str]) -> Held:  # noqa: ANN401
    return Held(
        _POLICY,
        name,
        {
            "metadata": {"namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 53}]}]},
        },
        depends,
    )


def _workload(name: str, namespace: Any, kind: str = _DEPLOYMENT, **depends: list[str]) -> Held:  # noqa: ANN401
    metadata = {} if namespace is ABSENT else {"namespace": namespace}
    return Held(kind, name, {"metadata": metadata}, depends)


_LAYER = (
    Held(_NAMESPACE, "monitoring", {"metadata": {"name": "monitoring"}}),
    Held(_NAMESPACE, "logging", {"metadata": {"name": UNKNOWN}}),
    _policy("deny-monitoring", UNKNOWN, metadata=["monitoring"]),
    _policy("deny-logging", UNKNOWN, metadata=["logging"]),
    _policy("deny-backup", "backup"),
    _workload("prometheus", "monitoring"),
    _workload("grafana", UNKNOWN, "kubernetes:apps/v1beta1:StatefulSet", metadata=["monitoring"]),
    _workload("shipper", UNKNOWN, "kubernetes:apps/v1:DaemonSet", metadata=["logging"]),
    _workload("velero", "backup", "kubernetes:batch/v1:CronJob"),
    _workload("driver", "kube-system"),
    Held("kubernetes:helm.sh/v3:Release", "elastic", {"namespace": UNKNOWN}, {"namespace": ["logging"]}),
    Held("kubernetes:core/v1:PodList", "pods", {"items": [{"metadata": {"namespace": "backup"}}]}),
    Held(
        "kubernetes:core/v1:PodList",
        "more-pods",
        {"items": [{"metadata": {"namespace": UNKNOWN}}]},
        {"items": ["logging"]},
    ),
)

CASES = (
    Case(_GROUP, {"vpcId": "vpc-1"}, {"ingress": (_RULE,), "egress": (_RULE,)}),
    Case(_GROUP, {"vpcId": "vpc-1", "ingress": [], "egress": []}, {"ingress": (_RULE,), "egress": (_RULE,)}),
    Case(
        "gcp:compute/network:Network",
        {"name": "platform", "autoCreateSubnetworks": False},
        {"autoCreateSubnetworks": (True, ABSENT)},
    ),
    StackCase(
        ("aws",),
        (
            Held(_VPC, "network"),
            Held(_VPC, "other"),
            Held(_GROUP, "unused", {"vpcId": UNKNOWN}, {"vpcId": ["network"]}),
            Held(_GROUP, "other-unused", {"vpcId": UNKNOWN}, {"vpcId": ["other"]}),
        ),
        {"no group": without("other-unused"), "a group of another network": independent("unused", "vpcId")},
    ),
    StackCase(
        ("kubernetes",),
        _LAYER,
        {
            "no policy": without("deny-monitoring"),
            "no policy of a namespace whose name is not known": without("deny-logging"),
            "no policy of a namespace of elsewhere": without("deny-backup"),
            "a policy of some pods": changed("deny-monitoring", "spec.podSelector", {"matchLabels": {"app": "a"}}),
            "a policy of what comes in": changed("deny-monitoring", "spec.policyTypes", ["Ingress"]),
            "a policy of what goes out": changed("deny-monitoring", "spec.policyTypes", ["Egress"]),
            "a policy that lets in": changed("deny-monitoring", "spec.ingress", [{}]),
            "a policy of another namespace": changed("deny-backup", "metadata.namespace", "other"),
            "pods in the namespace of those without one": joined(_workload("pod", ABSENT, "kubernetes:core/v1:Pod")),
            "a release": joined(Held("kubernetes:helm.sh/v3:Release", "r", {"namespace": "apps"})),
            "pods after some of which the namespace is not known": joined(
                _workload("unknown", UNKNOWN), _workload("pod", "apps")
            ),
            "a list": changed("pods", "items[0].metadata.namespace", "apps"),
        },
        defers={
            "a namespace of which nothing is known": joined(_workload("pod", UNKNOWN)),
            "a policy's namespace of which nothing is known": joined(_policy("deny", UNKNOWN)),
        },
    ),
    StackCase(
        ("kubernetes",),
        (_workload("pod", ABSENT), _policy("deny", "default")),
        {"no policy": without("deny"), "a policy of another": changed("deny", "metadata.namespace", "other")},
    ),
)
