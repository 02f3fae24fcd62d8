from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case
from tests.policies.cases.exposure import doors

_ADMINS = Settings(admin_cidrs=("198.51.100.0/22",))
_WORLD = ("0.0.0.0/0", "0.0.0.0/1", "198.51.0.0/23", "*", "Internet", "Any", "AzureCloud")
_SERVICE = {
    "metadata": {"name": "consul"},
    "spec": {
        "type": "LoadBalancer",
        "ports": [{"port": 443}, {"port": 8501, "protocol": "TCP"}],
        "loadBalancerSourceRanges": ["10.0.0.0/8", "198.51.100.0/24"],
    },
}
_INTERNAL = {"networking.gke.io/load-balancer-type": "Internal"}
_ACL = {
    "networkAclId": "acl-1",
    "ruleNumber": 100,
    "egress": False,
    "ruleAction": "allow",
    "protocol": "tcp",
    "fromPort": 8200,
    "toPort": 8200,
    "cidrBlock": "10.0.0.0/8",
}
_ACL_PORTS = ("fromPort", "toPort", "protocol")


def _services(prefix: str) -> tuple[Case, ...]:
    def of(service: object) -> dict[str, object]:
        return {"items": [service]} if prefix else service  # type: ignore[return-value]

    token = "kubernetes:core/v1:Service" + ("List" if prefix else "")
    at, read = (f"{prefix}[0].", f"{prefix}[].") if prefix else ("", "")
    ports = (f"{read}spec.ports[].port", f"{read}spec.ports[].protocol")
    sources = f"{at}spec.loadBalancerSourceRanges"
    return (
        Case(
            token,
            of(_SERVICE),
            {sources: (ABSENT, [], ["0.0.0.0/0"], ["10.0.0.0/8", "8.0.0.0/8"])},
            indifferent=ports,
        ),
        Case(
            token,
            of(
                {
                    "metadata": {"annotations": _INTERNAL},
                    "spec": {"type": "LoadBalancer", "ports": [{"port": 8200, "protocol": "TCP"}]},
                }
            ),
            {
                f"{at}metadata.annotations": (
                    {"networking.gke.io/load-balancer-type": "External"},
                    {},
                    "Internal",
                    ABSENT,
                )
            },
            indifferent=ports,
        ),
        Case(
            token,
            of({"spec": {"type": "LoadBalancer", "ports": [{"port": 443, "protocol": "TCP"}]}}),
            {
                f"{at}spec.ports[0].port": (8200, "8200", UNKNOWN),
                f"{at}spec.ports[0].protocol": (UNKNOWN,),
                f"{at}spec.ports[1]": ({"port": 9300},),
                f"{at}spec.ports": (ABSENT,),
            },
        ),
        Case(
            token,
            of({"spec": {"type": "ClusterIP", "ports": [{"port": 8200}]}}),
            {f"{at}spec.type": ("LoadBalancer",)},
            indifferent=ports,
        ),
    )


CASES = (
    *doors.cases(8200, "10.0.0.0/8", _WORLD, world_only=True),
    Case(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {
            "securityGroupId": "sg-1",
            "ipProtocol": "tcp",
            "fromPort": 8501,
            "toPort": 8501,
            "cidrIpv4": "198.51.100.0/23",
        },
        {"cidrIpv4": ("198.51.96.0/21", "198.51.104.0/23")},
        indifferent=("ipProtocol", "fromPort", "toPort"),
        settings=_ADMINS,
    ),
    Case(
        "gcp:compute/firewall:Firewall",
        {
            "network": "platform",
            "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"],
            "allows": [{"protocol": "tcp", "ports": ["8501"]}],
        },
        {"sourceRanges[0]": ("35.190.0.0/15",), "sourceRanges[1]": ("130.208.0.0/14",)},
        indifferent=("allows[].protocol", "allows[].ports[]"),
    ),
    Case(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {
            "type": "ingress",
            "securityGroupId": "sg-1",
            "protocol": "tcp",
            "fromPort": 9202,
            "toPort": 9202,
            "cidrBlocks": ["0.0.0.0/0"],
        },
        {"fromPort": (9201,), "toPort": (9203,)},
        indifferent=("cidrBlocks[]",),
        above=("hashicorp:products:BoundaryCluster",),
    ),
    Case(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {
            "type": "ingress",
            "securityGroupId": "sg-1",
            "protocol": "tcp",
            "fromPort": 9202,
            "toPort": 9202,
            "cidrBlocks": ["10.0.0.0/8"],
        },
        {"cidrBlocks[0]": ("0.0.0.0/0",)},
        indifferent=("protocol", "fromPort", "toPort"),
        above=("hashicorp:products:VaultCluster",),
    ),
    *_services(""),
    *_services("items"),
    Case(
        "aws:ec2/networkAclRule:NetworkAclRule",
        _ACL,
        advises={"cidrBlock": ("0.0.0.0/0",), "ipv6CidrBlock": ("::/0",)},
        indifferent=_ACL_PORTS,
    ),
    Case(
        "aws:ec2/networkAclRule:NetworkAclRule",
        {**_ACL, "cidrBlock": "0.0.0.0/0", "egress": True},
        advises={"egress": (False, ABSENT)},
        indifferent=(*_ACL_PORTS, "cidrBlock?", "ruleAction"),
    ),
    Case(
        "aws:ec2/networkAclRule:NetworkAclRule",
        {**_ACL, "cidrBlock": "0.0.0.0/0", "ruleAction": "deny"},
        advises={"ruleAction": ("allow",)},
        indifferent=(*_ACL_PORTS, "cidrBlock?"),
    ),
)
