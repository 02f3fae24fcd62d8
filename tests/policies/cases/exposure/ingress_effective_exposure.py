from typing import Any

from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Change, Held, Stack, StackCase, changed, joined

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
_NSG, _NSG_RULE = "azure-native:network:NetworkSecurityGroup", "azure-native:network:SecurityRule"
_FIREWALL = "gcp:compute/firewall:Firewall"
_CLUSTER = "hashicorp:products:BoundaryCluster"
_HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
_OFFICES = [f"198.51.{third}.0/24" for third in range(96, 112)]
"""Sixteen of them are as many addresses as there may be."""
_MANY = [*_OFFICES, "198.51.112.1/32"]


def _inline(sources: Any, port: int = 8200, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": sources, **more}


def _rule(name: str, source: Any, group: str = "servers", *, port: int = 8200, **more: Any) -> Held:  # noqa: ANN401
    props = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": source, **more}
    return Held(_RULE, name, {"securityGroupId": UNKNOWN, **props}, {"securityGroupId": [group]})


def _group(name: str, *rules: dict[str, Any]) -> Held:
    return Held(_GROUP, name, {"id": f"sg-{name}", "vpcId": "vpc-1", "ingress": list(rules)})


_AWS: Stack = (
    _group("servers", _inline(["10.0.0.0/8", *_OFFICES])),
    _group("clients", _inline(["198.51.112.0/24"])),
    _rule("mesh", "10.2.0.0/16"),
    # Ports that nobody guards, and one of a protocol without any.
    _rule("web", "0.0.0.0/0", port=443),
    Held(_RULE, "echo", {"ipProtocol": "icmp", "fromPort": 8, "toPort": 0, "cidrIpv4": "0.0.0.0/0"}),
)


def _by_list(*, known: bool, **list_props: Any) -> Change:  # noqa: ANN401
    """A rule of a list, which both are known or are joined by dependency alone."""
    name = "pl-1" if known else UNKNOWN
    made = Held(_LIST, "list", {"maxEntries": 5, "entries": [], **({"id": name} if known else {}), **list_props})
    rule = Held(
        _RULE,
        "by-list",
        {"securityGroupId": "sg-servers", "ipProtocol": "-1", "prefixListId": name},
        {} if known else {"prefixListId": ["list"]},
    )
    return joined(made, rule)


def _nsg_rule(
    source: Any,  # noqa: ANN401
    priority: int,
    access: str = "Allow",
    ports: str = "8200",
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    return {
        "name": f"rule-{priority}",
        "direction": "Inbound",
        "protocol": "Tcp",
        "priority": priority,
        "access": access,
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": ports,
        **more,
    }


_AZURE: Stack = (
    Held(
        _NSG,
        "servers",
        {
            "id": "/nsg/servers",
            "securityRules": [
                _nsg_rule("128.0.0.0/1", 100, "Deny", ports="8000-9000"),
                _nsg_rule("0.0.0.0/1", 110, "Deny", ports="*"),
                _nsg_rule("0.0.0.0/0", 120),
                _nsg_rule("*", 130, "Deny"),
            ],
        },
    ),
)


def _firewall(name: str, sources: Any, ports: str = "8200", **more: Any) -> Held:  # noqa: ANN401
    return Held(
        _FIREWALL,
        name,
        {
            "network": "projects/p/global/networks/platform",
            "direction": "INGRESS",
            "priority": 1000,
            "sourceRanges": sources,
            "allows": [{"protocol": "tcp", "ports": [ports]}],
            **more,
        },
    )


_GCP: Stack = (
    Held("gcp:compute/network:Network", "platform", {"autoCreateSubnetworks": False}),
    _firewall("low", ["0.0.0.0/1"], targetTags=["consul"], priority=2000),
    _firewall("high", ["128.0.0.0/1"], targetTags=["consul"], priority=2000),
    _firewall(
        "refusal", ["0.0.0.0/0"], allows=[], denies=[{"protocol": "tcp", "ports": ["8000-9000"]}], targetTags=["consul"]
    ),
    _firewall("probes", ["35.191.0.0/16", "130.211.0.0/22"], "8501"),
    _firewall("a", _OFFICES[:8], targetTags=["vault"], targetServiceAccounts=["nomad"]),
    _firewall("b", _OFFICES[8:], targetTags=["nomad"]),
    _firewall("c", ["198.51.112.0/24"], targetServiceAccounts=["boundary"]),
)

CASES = (
    StackCase(
        ("aws",),
        _AWS,
        breaks={
            "halves in one rule": changed("servers", "ingress[0].cidrBlocks", _HALVES),
            "one address more than there may be": changed("servers", "ingress[0].cidrBlocks", _MANY),
            "halves in two rules": changed("servers", "ingress", [_inline([half]) for half in _HALVES]),
            "halves in an inline and a standalone rule": joined(_rule("more", "198.51.112.1/32")),
            "a standalone rule of a group by id": joined(
                Held(
                    _OLD_RULE,
                    "more",
                    {"type": "ingress", "securityGroupId": "sg-servers", **_inline(["198.51.112.1/32"])},
                )
            ),
            "ports that overlap": joined(_rule("more", "198.51.112.1/32", port=8199, toPort=8300)),
            "a port of administration": joined(_rule("ssh", "0.0.0.0/0", port=22)),
            "IPv6": changed("servers", "ingress[0].ipv6CidrBlocks", ["2000::/4", "3000::/4"]),
            "many small ones of IPv6": changed(
                "servers", "ingress[0].ipv6CidrBlocks", ["2001:db8::/45", "2001:db8:8::/45", "2001:db8:10::/128"]
            ),
            "a group that the stack does not make": joined(
                *(
                    Held(_OLD_RULE, f"half-{n}", {"type": "ingress", "securityGroupId": "sg-9", **_inline([half])})
                    for n, half in enumerate(_HALVES)
                )
            ),
            "the default group": joined(
                Held("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", {"ingress": [_inline(_HALVES)]})
            ),
            "a prefix list": _by_list(known=True, entries=[{"cidr": half} for half in _HALVES]),
            "a prefix list by dependency": _by_list(known=False, entries=[{"cidr": half} for half in _HALVES]),
            "an entry of a prefix list": lambda stack: [
                *_by_list(known=False)(stack),
                Held(_ENTRY, "entry", {"cidr": "0.0.0.0/0", "prefixListId": UNKNOWN}, {"prefixListId": ["list"]}),
            ],
            "a prefix list in an inline rule": lambda stack: [
                *changed("servers", "ingress[0].prefixListIds", ["pl-1"])(stack),
                Held(_LIST, "list", {"id": "pl-1", "entries": [{"cidr": "0.0.0.0/0"}]}),
                Held(_LIST, "other", {"id": "pl-2", "entries": []}),
            ],
            "a proxy that no cluster declares": joined(
                Held(_RULE, "proxy", {**_inline(ABSENT, 9202), "cidrIpv4": "0.0.0.0/0"}, above=(_CLUSTER,))
            ),
        },
        advises={"a prefix list of elsewhere": joined(_rule("more", ABSENT, prefixListId="pl-9"))},
        defers={
            "an unknown source": joined(_rule("more", UNKNOWN)),
            "an unknown port": joined(_rule("more", "198.51.112.1/32", toPort=UNKNOWN)),
            "an unknown source and port": joined(_rule("more", UNKNOWN, toPort=UNKNOWN)),
            "an unknown direction": joined(
                Held(_OLD_RULE, "more", {"type": UNKNOWN, "securityGroupId": "sg-servers", **_inline(["0.0.0.0/0"])})
            ),
            "unknown rules": changed("clients", "ingress", UNKNOWN),
            "an unknown entry": _by_list(known=False, entries=[{"cidr": UNKNOWN}]),
            "unknown entries": _by_list(known=True, entries=UNKNOWN),
        },
    ),
    StackCase(
        ("aws",),
        (
            Held(_CLUSTER, "boundary", {"spec": {"workers": {"publicProxy": True}}}),
            Held(_GROUP, "workers", {"ingress": [_inline(_HALVES, 9202)]}, above=(_CLUSTER,)),
        ),
        breaks={
            "workers that are not declared": changed("boundary", "spec.workers.publicProxy", value=False),
            "another port": changed("workers", "ingress[0].toPort", 9203),
            "others": joined(_group("servers", _inline(_HALVES, 9202))),
        },
    ),
    StackCase(
        ("aws",),
        (_group("servers", _inline(_HALVES)),),
        breaks={"more than is approved": changed("servers", "ingress[0].cidrBlocks", ["0.0.0.0/0", "::/0"])},
        settings=Settings(admin_cidrs=("0.0.0.0/0",)),
    ),
    StackCase(
        ("azure",),
        _AZURE,
        breaks={
            "a denial that comes later": changed("servers", "securityRules[0].priority", 125),
            "a denial of other ports": changed("servers", "securityRules[0].destinationPortRange", "8000-8199"),
            "a denial of some destinations": changed(
                "servers", "securityRules[0].destinationAddressPrefix", "10.1.0.0/16"
            ),
            "a denial of some machines": changed(
                "servers", "securityRules[0].destinationApplicationSecurityGroups", [{"id": "asg"}]
            ),
            "a denial of some ports of the sender": changed("servers", "securityRules[0].sourcePortRange", "1024"),
            "a denial of a service": changed("servers", "securityRules[0].sourceAddressPrefix", "Storage"),
            "a denial of some": changed("servers", "securityRules[0].sourceAddressPrefix", "192.0.0.0/2"),
            "a standalone rule": joined(
                Held(
                    _NSG_RULE,
                    "half",
                    _nsg_rule("*", 90, ports="4646"),
                    {"networkSecurityGroupName": ["servers"]},
                )
            ),
            "halves in standalone rules": joined(
                Held(_NSG_RULE, "low", _nsg_rule(_OFFICES[0], 90), {"networkSecurityGroupName": ["servers"]}),
                Held(
                    _NSG_RULE,
                    "high",
                    {
                        **_nsg_rule(ABSENT, 91),
                        "id": "/nsg/servers/securityRules/high",
                        "sourceAddressPrefixes": _MANY[1:],
                    },
                ),
            ),
        },
        defers={
            "an unknown source": changed("servers", "securityRules[2].sourceAddressPrefix", UNKNOWN),
            "an unknown access": changed("servers", "securityRules[2].access", UNKNOWN),
        },
    ),
    StackCase(
        ("azure",),
        (Held(_NSG, "servers", {"securityRules": [_nsg_rule("Internet", 100, "Deny"), _nsg_rule("*", 110)]}),),
        breaks={
            "a denial of a range": changed("servers", "securityRules[0].sourceAddressPrefix", "0.0.0.0/0"),
            "a denial of a service": changed("servers", "securityRules[0].sourceAddressPrefix", "AzureCloud"),
        },
    ),
    StackCase(
        ("gcp",),
        _GCP,
        breaks={
            "no refusal": changed("refusal", "denies[0].ports", ["8201"]),
            "a refusal for other targets": changed("refusal", "targetTags", ["nomad"]),
            "a refusal that comes later": changed("refusal", "priority", 3000),
            "a refusal of some destinations": changed("refusal", "destinationRanges", ["10.3.0.0/16"]),
            "halves for a target in a tag and an account": joined(
                _firewall("d", ["198.51.112.1/32"], targetTags=["nomad"], targetServiceAccounts=["vault"]),
                _firewall("e", _OFFICES[:8], targetTags=["nomad"]),
            ),
            "what reaches every target": joined(
                _firewall("all", ["198.51.112.1/32"]),
                _firewall("e", _OFFICES[:8], targetTags=["nomad"]),
            ),
            "what reaches every target alone": lambda stack: [*stack[:1], _firewall("all", ["0.0.0.0/0"])],
            "probes of other ranges": changed("probes", "sourceRanges", ["35.190.0.0/15"]),
        },
        defers={
            "unknown targets": joined(_firewall("d", _MANY[8:], targetTags=[UNKNOWN])),
            "unknown targets of a refusal too": joined(
                _firewall("d", _MANY[8:], targetTags=[UNKNOWN]),
                _firewall("e", _MANY, allows=[], denies=[{"protocol": "all"}], priority=1, targetTags=[UNKNOWN]),
            ),
            "an unknown source": changed("c", "sourceRanges", [UNKNOWN]),
        },
    ),
    StackCase(
        ("gcp",),
        (
            Held("gcp:compute/network:Network", "one", {}),
            Held("gcp:compute/network:Network", "two", {}),
            Held(_FIREWALL, "low", {**_firewall("", _OFFICES).props, "network": UNKNOWN}, {"network": ["one"]}),
            Held(_FIREWALL, "high", {**_firewall("", _OFFICES).props, "network": UNKNOWN}, {"network": ["two"]}),
        ),
        breaks={
            "one more in the same network": joined(
                Held(
                    _FIREWALL,
                    "more",
                    {**_firewall("", ["198.51.112.1/32"]).props, "network": UNKNOWN},
                    {"network": ["one"]},
                )
            )
        },
    ),
    StackCase(
        ("gcp",),
        (
            Held(_FIREWALL, "low", {**_firewall("", _OFFICES).props, "network": UNKNOWN}),
            Held(_FIREWALL, "high", {**_firewall("", ["198.51.112.1/32"]).props, "network": UNKNOWN}),
        ),
    ),
    StackCase(
        ("gcp",),
        (
            _firewall("some", _OFFICES[:8], targetTags=["vault"]),
            _firewall("others", _OFFICES[8:], targetTags=[UNKNOWN]),
        ),
        defers={"one more than there may be": changed("others", "sourceRanges", _MANY[8:])},
    ),
)
