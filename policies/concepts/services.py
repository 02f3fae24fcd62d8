"""Services and Ingresses of Kubernetes: what brings traffic into a cluster from outside.

Owns how a balancer is asked to be internal, cloud by cloud, and that a list of a kind holds what the kind is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policies.resource import Node
from policies.rule import Check, ElementJudge, Unknown, each

SERVICE = "kubernetes:core/v1:Service"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"

_INTERNAL_SERVICE: Mapping[str, tuple[str, str]] = {
    "aws": ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
    "azure": ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    "gcp": ("networking.gke.io/load-balancer-type", "Internal"),
}
"""The annotation by which each cloud makes a Service's balancer internal."""
_INTERNAL_INGRESS: Mapping[str, tuple[str, str]] = {
    "aws": ("alb.ingress.kubernetes.io/scheme", "internal"),
    "azure": ("appgw.ingress.kubernetes.io/use-private-ip", "true"),
    "gcp": ("kubernetes.io/ingress.class", "gce-internal"),
}


def of_kind(kind: str, judge: ElementJudge, reads: tuple[str, ...], unknown: Unknown = "defer") -> tuple[Check, ...]:
    """Checks of a kind and of lists of it."""
    alone = Check((kind,), lambda resource, context: judge(resource.node, resource, context), reads, unknown)
    return alone, each(f"{kind}List", "items[]", judge, reads, unknown)


def balanced(service: Node) -> bool:
    """Whether a Service has a balancer of the cloud.

    Raises:
        Undecided: its type is not known yet.
    """
    return service.get("spec.type") == "LoadBalancer"


def internal_service(service: Node, stack: str = "") -> bool:
    """Whether a Service's balancer is asked to be internal.

    Args:
        service: the Service.
        stack: its stack, which bears the cloud's name; any cloud's word counts in another.

    Raises:
        Undecided: the annotations are not known yet.
    """
    return _annotated(service, _INTERNAL_SERVICE, stack)


def internal_ingress(ingress: Node, stack: str) -> bool:
    """Whether an Ingress is of an internal class.

    Raises:
        Undecided: the annotations or the class are not known yet.
    """
    named = ingress.get("spec.ingressClassName")
    return (isinstance(named, str) and "internal" in named) or _annotated(ingress, _INTERNAL_INGRESS, stack)


def _annotated(node: Node, words: Mapping[str, tuple[str, str]], stack: str) -> bool:
    chosen: Iterable[tuple[str, str]] = (words[stack],) if stack in words else words.values()
    annotations = node.at("metadata.annotations")
    given = annotations.known()
    if not isinstance(given, dict):
        return False
    # By key and not by path: the keys hold dots.
    return any(Node(annotations.path, given.get(key)).known() == value for key, value in chosen)
