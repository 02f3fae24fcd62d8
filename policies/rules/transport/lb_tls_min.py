"""Balancers that end TLS use 1.2 or later, and none listens in clear text."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.ports import PRODUCT_PORTS, Span, shared
from policies.conditions import PRESENT, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import as_int

_LISTENER = "aws:lb/listener:Listener"
_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-", "ELBSecurityPolicy-FS-1-2-")
_GATEWAY = "azure-native:network:ApplicationGateway"
_TLS = ("TLSv1_2", "TLSv1_3")
_MODERN = "AppGwSslPolicy20220101"


def _ends(listener: Resource, _: Context) -> Iterator[Finding]:
    match listener.get("protocol"):
        case "HTTPS" | "TLS":
            policy = listener.at("sslPolicy")
            if not policy.unknown and not str(policy.value).startswith(_POLICIES):
                yield Finding("sslPolicy", "must be a policy of TLS 1.2 or later")
            if listener.at("certificateArn").absent:
                yield Finding("certificateArn", "must be set")
        case "HTTP":
            if {node.known() for node in listener.each("defaultActions[].type")} != {"redirect"}:
                yield Finding("protocol", "must not be HTTP, unless it only redirects")
        case "TCP" | "TCP_UDP":
            port = as_int(listener.get("port"))
            if port is None or not shared((Span(port, port, "tcp"),), PRODUCT_PORTS):
                yield Finding("port", "must be a product's, whose server ends TLS itself")


def _gateway(gateway: Resource, _: Context) -> Iterator[Finding]:
    minimum, named = gateway.get("sslPolicy.minProtocolVersion"), gateway.get("sslPolicy.policyName")
    if minimum not in _TLS and not str(named).startswith(_MODERN):
        yield Finding("sslPolicy", f"must have TLS 1.2 as its minimum, or be {_MODERN}")


def _redirects(proxy: Resource, _: Context) -> Iterator[Finding]:
    chosen = proxy.at("urlMap")
    if "redirect" not in (proxy.name if chosen.unknown else str(chosen.value)):
        yield Finding("urlMap", "must only redirect to HTTPS")


RULE = Rule(
    "lb-tls-min",
    (
        Check((_LISTENER,), _ends, ("protocol", "sslPolicy", "certificateArn", "port", "defaultActions[].type")),
        Check((_GATEWAY,), _gateway, ("sslPolicy.minProtocolVersion", "sslPolicy.policyName")),
        on(_GATEWAY, need("httpListeners[].protocol", one_of("Https"))),
        on(
            ("gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/regionSslPolicy:RegionSslPolicy"),
            need("minTlsVersion", one_of("TLS_1_2", "TLS_1_3")),
            need("profile", one_of("MODERN", "RESTRICTED")),
        ),
        on(
            ("gcp:compute/targetHttpsProxy:TargetHttpsProxy", "gcp:compute/targetSSLProxy:TargetSSLProxy"),
            need("sslPolicy", PRESENT),
        ),
        Check(("gcp:compute/targetHttpProxy:TargetHttpProxy",), _redirects, ("urlMap",)),
    ),
)
