from policies.values import ABSENT
from tests.policies.case import Case

_FORWARD = {"loadBalancerArn": "lb", "defaultActions": [{"type": "forward"}]}
_TLS = ("protocol", "sslPolicy", "certificateArn", "port", "defaultActions[].type")


def _but(*paths: str) -> tuple[str, ...]:
    return tuple(path for path in _TLS if path not in paths)


CASES = (
    *(
        Case(
            "aws:lb/listener:Listener",
            {**_FORWARD, "protocol": protocol, "port": 443, "sslPolicy": policy, "certificateArn": "arn"},
            {
                "sslPolicy": ("ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-1-2017-01", ABSENT),
                "certificateArn": (ABSENT,),
                "protocol": ("HTTP",),
            },
            indifferent=_but("protocol"),
        )
        for protocol, policy in (
            ("HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
            ("TLS", "ELBSecurityPolicy-FS-1-2-Res-2020-10"),
            ("TLS", "ELBSecurityPolicy-TLS13-1-3-2021-06"),
        )
    ),
    Case(
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "lb", "protocol": "HTTP", "port": 80, "defaultActions": [{"type": "redirect"}]},
        {"defaultActions[0].type": ("forward",), "protocol": ("TCP",)},
        indifferent=_but("protocol", "defaultActions[].type"),
    ),
    Case(
        "aws:lb/listener:Listener",
        {**_FORWARD, "protocol": "TCP", "port": 8200},
        {"port": (80, 443, ABSENT)},
        indifferent=_but("protocol", "port"),
    ),
    Case(
        "aws:lb/listener:Listener",
        {**_FORWARD, "protocol": "TCP_UDP", "port": 8301},
        {"port": (80,)},
        indifferent=_but("protocol", "port"),
    ),
    Case(
        "azure-native:network:ApplicationGateway",
        {
            "resourceGroupName": "rg",
            "sslPolicy": {"minProtocolVersion": "TLSv1_2"},
            "httpListeners": [{"protocol": "Https"}],
        },
        {
            "sslPolicy.minProtocolVersion": ("TLSv1_1", ABSENT),
            "httpListeners[0].protocol": ("Http", ABSENT),
            "sslPolicy": (ABSENT,),
        },
    ),
    Case(
        "azure-native:network:ApplicationGateway",
        {"resourceGroupName": "rg", "sslPolicy": {"minProtocolVersion": "TLSv1_3"}},
    ),
    Case(
        "azure-native:network:ApplicationGateway",
        {"resourceGroupName": "rg", "sslPolicy": {"policyName": "AppGwSslPolicy20220101S"}},
        {"sslPolicy.policyName": ("AppGwSslPolicy20150501", ABSENT)},
    ),
    *(
        Case(
            f"gcp:compute/{kind}",
            {"minTlsVersion": version, "profile": profile},
            {"minTlsVersion": ("TLS_1_0", "TLS_1_1", ABSENT), "profile": ("COMPATIBLE", ABSENT)},
        )
        for kind, version, profile in (
            ("sSLPolicy:SSLPolicy", "TLS_1_2", "MODERN"),
            ("regionSslPolicy:RegionSslPolicy", "TLS_1_3", "RESTRICTED"),
        )
    ),
    Case(
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
        {"urlMap": "m", "sslPolicy": "p"},
        {"sslPolicy": ("", ABSENT)},
        indifferent=("sslPolicy",),
    ),
    Case(
        "gcp:compute/targetSSLProxy:TargetSSLProxy",
        {"backendService": "b", "sslPolicy": "p"},
        {"sslPolicy": (ABSENT,)},
        indifferent=("sslPolicy",),
    ),
    Case("gcp:compute/targetHttpProxy:TargetHttpProxy", {"urlMap": "redirect-to-https"}, {"urlMap": ("application",)}),
)
