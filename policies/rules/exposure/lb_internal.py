"""Balancers of the platform are internal."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.facing import closed
from policies.concepts.services import INGRESS, SERVICE, balanced, internal_ingress, internal_service, of_kind
from policies.conditions import PRESENT, TRUE, UNSET, one_of, optional
from policies.context import Context
from policies.resource import PRODUCT, Node, Resource
from policies.rule import Finding, Rule, need, on
from policies.values import ABSENT

_INTERNAL = one_of("INTERNAL", "INTERNAL_MANAGED")


def _service(service: Node, resource: Resource, _: Context) -> Iterator[Finding]:
    if balanced(service) and not internal_service(service, resource.stack):
        yield Finding(
            _path(service, "metadata.annotations"), "must make the balancer internal, in the cloud's own word"
        )


def _ingress(ingress: Node, resource: Resource, _: Context) -> Iterator[Finding]:
    if not internal_ingress(ingress, resource.stack):
        yield Finding(_path(ingress, "metadata.annotations"), "must name an internal class, in the cloud's own word")
    if not _encrypted(ingress):
        yield Finding(_path(ingress, "spec.tls"), "must hold every host of the rules")


def _encrypted(ingress: Node) -> bool:
    """Whether TLS serves every host that is asked for: all of them in a rule, or in an entry of TLS, that names none."""
    entries = [[host.known() for host in entry.each("hosts[]")] for entry in ingress.each("spec.tls[]")]
    asked = [rule.get("host") for rule in ingress.each("spec.rules[]")] or [ABSENT]
    return any(not hosts for hosts in entries) or {*asked} <= {host for hosts in entries for host in hosts}


def _path(node: Node, below: str) -> str:
    return f"{node.path}.{below}" if node.path else below


RULE = Rule(
    "lb-internal",
    (
        *closed(
            on(
                ("aws:lb/loadBalancer:LoadBalancer", "aws:elb/loadBalancer:LoadBalancer"),
                need("internal", TRUE),
                unknown="fail",
                when=lambda balancer: balancer.below(PRODUCT) is not None,
            ),
            on(
                "azure-native:network:LoadBalancer",
                need("frontendIPConfigurations[].publicIPAddress", UNSET),
                need("frontendIPConfigurations[].publicIPPrefix", UNSET),
                need("frontendIPConfigurations[].subnet.id", PRESENT),
                unknown="fail",
            ),
            on(
                "azure-native:network:ApplicationGateway",
                need("frontendIPConfigurations[].publicIPAddress", UNSET),
                unknown="fail",
            ),
            on("gcp:compute/forwardingRule:ForwardingRule", need("loadBalancingScheme", _INTERNAL), unknown="fail"),
            # Without a word it is internal.
            on(
                "gcp:compute/regionBackendService:RegionBackendService",
                need("loadBalancingScheme", optional(_INTERNAL)),
                unknown="fail",
            ),
            on(
                "gcp:compute/globalForwardingRule:GlobalForwardingRule",
                need("loadBalancingScheme", one_of("INTERNAL_MANAGED")),
                unknown="fail",
            ),
        ),
        *of_kind(SERVICE, _service, ("spec.type", "metadata.annotations"), "fail"),
        *of_kind(
            INGRESS,
            _ingress,
            ("metadata.annotations", "spec.ingressClassName", "spec.tls[].hosts[]", "spec.rules[].host"),
            "fail",
        ),
    ),
)
