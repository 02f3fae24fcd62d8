from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed

_VAULT, _BOUNDARY = "hashicorp:products:VaultCluster", "hashicorp:products:BoundaryCluster"
_LB = "aws:lb/loadBalancer:LoadBalancer"
_SERVICE, _INGRESS = "kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:Ingress"
_ID = {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/publicIPAddresses/a"}
_SUBNET = {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/server-1"}
_NOT_TRUE = (False, ABSENT, "yes", UNKNOWN)
_OPEN = ("EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL_SELF_MANAGED", "", UNKNOWN)
_INTERNAL = {
    "aws": ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal", "internet-facing"),
    "azure": ("service.beta.kubernetes.io/azure-load-balancer-internal", "true", "false"),
    "gcp": ("networking.gke.io/load-balancer-type", "Internal", "External"),
}
_INTERNAL_INGRESS = {
    "aws": ("alb.ingress.kubernetes.io/scheme", "internal", "internet-facing"),
    "azure": ("appgw.ingress.kubernetes.io/use-private-ip", "true", "false"),
    "gcp": ("kubernetes.io/ingress.class", "gce-internal", "gce"),
}


def _service(cloud: str) -> dict[str, Any]:
    key, value, _ = _INTERNAL[cloud]
    return {"metadata": {"annotations": {key: value}}, "spec": {"type": "LoadBalancer"}}


def _foreign(cloud: str, words: dict[str, tuple[str, str, str]]) -> list[Any]:
    """What makes nothing internal in a cloud: its own word for the opposite, and the others' words."""
    own = words[cloud]
    return [{own[0]: own[2]}, *({key: value} for other, (key, value, _) in words.items() if other != cloud), {}, ABSENT]


def _ingress(cloud: str) -> dict[str, Any]:
    key, value, _ = _INTERNAL_INGRESS[cloud]
    return {
        "metadata": {"annotations": {key: value}},
        "spec": {
            "tls": [{"hosts": ["grafana.example.com"]}, {"hosts": ["kibana.example.com"]}],
            "rules": [{"host": "grafana.example.com"}, {"host": "kibana.example.com"}],
        },
    }


_TLS_BREAKS = {
    "spec.tls": ([], ABSENT, [{"hosts": ["grafana.example.com"]}]),
    "spec.tls[1].hosts[0]": ("*.example.com",),
    "spec.rules[0].host": ("prometheus.example.com", ABSENT),
    "spec.rules": (ABSENT, []),
}

CASES = (
    *(
        Case(token, {"internal": True, "subnets": ["subnet-1"], **more}, {"internal": _NOT_TRUE}, above=(_VAULT,))
        for token, more in (
            (_LB, {}),
            ("aws:alb/loadBalancer:LoadBalancer", {}),
            ("aws:elb/loadBalancer:LoadBalancer", {"listeners": []}),
        )
    ),
    Case(_LB, {"internal": False}, indifferent=("internal",)),
    Case(_LB, {"internal": False}, indifferent=("internal",), above=(_BOUNDARY,)),
    Case(
        "azure-native:network:LoadBalancer",
        {"resourceGroupName": "rg", "frontendIPConfigurations": [{"name": "a", "subnet": _SUBNET}]},
        {
            "frontendIPConfigurations[0].publicIPAddress": (_ID, UNKNOWN),
            "frontendIPConfigurations[0].publicIPPrefix": (_ID, UNKNOWN),
            "frontendIPConfigurations[0].subnet": (ABSENT,),
            "frontendIPConfigurations[1]": ({"name": "b"},),
        },
        indifferent=("frontendIPConfigurations[].subnet.id",),
    ),
    Case(
        "azure-native:network:ApplicationGateway",
        {"resourceGroupName": "rg", "frontendIPConfigurations": [{"name": "a", "subnet": _SUBNET}]},
        {"frontendIPConfigurations[0].publicIPAddress": (_ID, UNKNOWN)},
    ),
    *(
        Case("gcp:compute/forwardingRule:ForwardingRule", {"loadBalancingScheme": scheme}, {"loadBalancingScheme": bad})
        for scheme, bad in (("INTERNAL", (*_OPEN, ABSENT)), ("INTERNAL_MANAGED", _OPEN))
    ),
    *(
        Case("gcp:compute/regionBackendService:RegionBackendService", good, {"loadBalancingScheme": _OPEN})
        for good in ({"loadBalancingScheme": "INTERNAL"}, {"loadBalancingScheme": "INTERNAL_MANAGED"}, {})
    ),
    Case(
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
        {"target": "proxy", "loadBalancingScheme": "INTERNAL_MANAGED"},
        {"loadBalancingScheme": (*_OPEN, "INTERNAL", ABSENT)},
    ),
    *(
        Case(_SERVICE, _service(cloud), {"metadata.annotations": _foreign(cloud, _INTERNAL)}, stack=cloud)
        for cloud in _INTERNAL
    ),
    *(
        Case(_SERVICE, _service(cloud), {"metadata.annotations": _foreign(cloud, _INTERNAL)[:1]}, stack="lab")
        for cloud in _INTERNAL
    ),
    Case(_SERVICE, {"spec": {"type": "ClusterIP"}}, {"spec.type": ("LoadBalancer", UNKNOWN)}),
    Case(
        f"{_SERVICE}List",
        {"items": [_service("aws"), {"spec": {"type": "ClusterIP"}}]},
        {"items[0].metadata": (ABSENT,), "items[1].spec.type": ("LoadBalancer", UNKNOWN)},
    ),
    *(
        Case(
            _INGRESS,
            _ingress(cloud),
            {"metadata.annotations": _foreign(cloud, _INTERNAL_INGRESS), **_TLS_BREAKS},
            stack=cloud,
        )
        for cloud in _INTERNAL_INGRESS
    ),
    Case(
        _INGRESS,
        {"spec": {"ingressClassName": "nginx-internal", "tls": [{"secretName": "wildcard"}], "rules": [{}]}},
        {"spec.ingressClassName": ("nginx", ABSENT, 1, UNKNOWN), "spec.tls": (ABSENT,)},
    ),
    Case(
        f"{_INGRESS}List",
        {"items": [{**_ingress("aws"), "spec": {**_ingress("aws")["spec"], "ingressClassName": "alb"}}]},
        {"items[0].metadata.annotations": ({}, UNKNOWN), "items[0].spec.tls": (ABSENT,)},
    ),
    StackCase(
        ("aws",),
        (
            Held(_BOUNDARY, "boundary", {"spec": {"workers": {"publicProxy": True}}}),
            Held(_LB, "workers", {"internal": False}, above=(_BOUNDARY,)),
        ),
        {"workers that are not declared": changed("boundary", "spec.workers.publicProxy", value=False)},
    ),
)
