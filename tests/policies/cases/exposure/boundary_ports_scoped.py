from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined, without
from tests.policies.cases.exposure import doors

_CLUSTER = "hashicorp:products:BoundaryCluster"
_LISTENERS = [
    {"purpose": "proxy", "public": False},
    {"purpose": "ops", "public": False},
    {"purpose": "cluster", "public": False},
]
_PRIVATE = {"listeners": _LISTENERS, "workers": {"publicProxy": False, "from": ["10.0.0.0/8", "198.51.100.0/24"]}}
_PUBLIC = {
    "listeners": [{**_LISTENERS[0], "public": True}, *_LISTENERS[1:]],
    "workers": {"publicProxy": True, "from": ["0.0.0.0/0"]},
}
_FOREIGN = ("10.0.0.0/8", "0.0.0.0/0", "*", "VirtualNetwork")
_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_OPEN = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 9202, "toPort": 9202, "cidrIpv4": "0.0.0.0/0"}


def _rule(name: str, above: str = _CLUSTER) -> Held:
    return Held(_RULE, name, _OPEN, above=(above,))


_DECLARED = (Held(_CLUSTER, "boundary", {"spec": _PUBLIC}), _rule("proxy"))

CASES = (
    Case(
        _CLUSTER,
        _PRIVATE,
        {
            "listeners[0].public": (True, "true", "yes"),
            "listeners[1].public": (True,),
            "listeners[2].public": (True,),
            "workers.from[1]": ("0.0.0.0/0", "198.51.0.0/23", UNKNOWN),
        },
    ),
    Case(
        _CLUSTER,
        _PUBLIC,
        {
            "workers.publicProxy": (False, ABSENT, "no"),
            "workers": (ABSENT,),
            "listeners[0].purpose": ("ops", "cluster", "api", ABSENT),
            "listeners[1].public": (True,),
        },
    ),
    Case(_CLUSTER, {"workers": {"from": ["198.51.100.0/22"]}}, settings=Settings(admin_cidrs=("198.51.100.0/22",))),
    *doors.cases(9201, "10.2.1.40/32", _FOREIGN, world_only=False),
    *doors.cases(9203, "10.2.0.0/16", _FOREIGN, world_only=False),
    Case(
        _RULE,
        {**_OPEN, "fromPort": 9201, "toPort": 9201, "cidrIpv4": "10.2.0.0/17"},
        advises={"cidrIpv4": ("10.2.0.0/16", "10.2.0.0/15")},
        indifferent=("ipProtocol", "fromPort", "toPort"),
    ),
    Case(
        _RULE,
        {**_OPEN, "cidrIpv4": "10.0.0.0/8"},
        {"cidrIpv4": ("0.0.0.0/0", "::/0")},
    ),
    Case(
        _RULE,
        _OPEN,
        {"fromPort": (9201,), "toPort": (9203,)},
        indifferent=("cidrIpv4?",),
        above=(_CLUSTER,),
    ),
    StackCase(
        ("aws",),
        _DECLARED,
        {
            "workers that are not declared": changed("boundary", "spec.workers.publicProxy", value=False),
            "workers of which it is not known": changed("boundary", "spec.workers.publicProxy", value=UNKNOWN),
            "no cluster": without("boundary"),
        },
    ),
    StackCase(
        ("aws",),
        (Held(_CLUSTER, "boundary", {"spec": _PRIVATE}),),
        {"an open proxy": joined(_rule("proxy"))},
        defers={
            "a source of which nothing is known": joined(
                Held(_RULE, "proxy", {**_OPEN, "cidrIpv4": UNKNOWN}, above=(_CLUSTER,))
            ),
            "a rule that may let out": joined(
                Held(
                    "aws:ec2/securityGroupRule:SecurityGroupRule",
                    "proxy",
                    {"type": UNKNOWN, "protocol": "tcp", "fromPort": 9202, "toPort": 9202, "cidrBlocks": ["0.0.0.0/0"]},
                    above=(_CLUSTER,),
                )
            ),
        },
    ),
)
