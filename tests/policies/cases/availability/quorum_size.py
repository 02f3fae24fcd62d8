from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, Stack, StackCase, changed, joined, without

_CONSUL, _VAULT, _NOMAD = (f"hashicorp:products:{name}Cluster" for name in ("Consul", "Vault", "Nomad"))
_BOUNDARY = "hashicorp:products:BoundaryCluster"
_CLIENTS = (_NOMAD, "hashicorp:clouds:ClientGroup")
_WORKERS = (_BOUNDARY, "hashicorp:clouds:ServerGroup")
_GROUP = "aws:autoscaling/group:Group"
_MANAGER = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_AUTOPILOT = "vault:index/raftAutopilot:RaftAutopilot"
_STATEFUL = "kubernetes:apps/v1:StatefulSet"
_MANAGED = {"baseInstanceName": "b", "versions": [{"instanceTemplate": "t"}]}


def _zones(*voters: int) -> list[dict[str, object]]:
    return [{"name": f"z{index}", "voters": number} for index, number in enumerate(voters)]


def _pods(replicas: int, image: str, *args: str) -> dict[str, object]:
    container = {"name": "a", "image": image, "command": ["docker-entrypoint.sh"], "args": list(args)}
    template = {"spec": {"containers": [container]}}
    return {"spec": {"selector": {}, "serviceName": "s", "replicas": replicas, "template": template}}


def _sizes(number: object) -> dict[str, object]:
    return {"minSize": number, "maxSize": number, "desiredCapacity": number}


def _cluster(token: str, nodes: int, runs_on: str = "vm") -> Held:
    return Held(token, "cluster", {"spec": {"nodes": nodes, "runsOn": runs_on}})


def _groups(token: str, *props: dict[str, object]) -> Stack:
    above = (_CONSUL, "hashicorp:clouds:ServerGroup")
    return tuple(Held(token, f"group-{number}", each, above=above) for number, each in enumerate(props))


CASES = (
    Case(
        _CONSUL,
        {"nodes": 5, "zones": _zones(2, 2, 1), "autopilot": {"minQuorum": 3}, "runsOn": "vm"},
        {
            "nodes": (3, 4, 6, 7, 5.5, "five", ABSENT, UNKNOWN),
            "zones[0].voters": (1, 3, "two", ABSENT, UNKNOWN),
            "autopilot.minQuorum": (2, 6, "three", ABSENT, UNKNOWN),
        },
        advises={"autopilot.minQuorum": (5,)},
    ),
    *(
        Case(
            _CONSUL,
            {"nodes": nodes, "zones": _zones(nodes), "autopilot": {"minQuorum": least}, "runsOn": "process"},
            {"runsOn": ("vm", "kubernetes", ABSENT), "nodes": (2, 0), "zones": (_zones(4), ABSENT)},
        )
        for nodes, least in ((1, 1), (3, 2))
    ),
    Case(
        _CONSUL,
        {"nodes": 5, "zones": _zones(5), "autopilot": {"minQuorum": 4}, "runsOn": "process"},
        {"nodes": (4,)},
    ),
    Case(
        _CONSUL,
        {
            "nodes": 3,
            "zones": _zones(1, 1, 1),
            "autopilot": {"minQuorum": 2},
            "runsOn": "vm",
            "environment": "dev",
        },
        {"environment": ("production", "staging", "", ABSENT, UNKNOWN), "nodes": (2,), "autopilot.minQuorum": (1,)},
    ),
    Case(
        _BOUNDARY,
        {"nodes": 1, "workers": {"nodes": 2}, "runsOn": "vm", "environment": "local"},
        {"environment": ("production", ABSENT), "workers.nodes": (0,)},
    ),
    Case(
        _NOMAD,
        {"nodes": 5, "zones": _zones(2, 2, 1), "runsOn": "vm"},
        {"nodes": (3, 4), "zones": (ABSENT, _zones(1, 1, 1), UNKNOWN)},
    ),
    Case(_NOMAD, {"nodes": 5, "zones": _zones(3, 2, 0), "runsOn": "vm"}, {"zones[2].voters": (1,)}),
    Case(
        _VAULT,
        {"nodes": 3, "zones": _zones(1, 1, 1), "runsOn": "vm"},
        {"nodes": (1, 2, 4), "zones[2]": (ABSENT,), "runsOn": (UNKNOWN,)},
    ),
    Case(
        _BOUNDARY,
        {"nodes": 2, "workers": {"nodes": 3}, "runsOn": "vm"},
        {"nodes": (1, "two", UNKNOWN), "workers.nodes": (2, "three", ABSENT, UNKNOWN)},
        advises={"nodes": (0, ABSENT)},
    ),
    Case(
        _BOUNDARY,
        {"nodes": 1, "workers": {"nodes": 1}, "runsOn": "process"},
        {"runsOn": ("vm",), "workers.nodes": (0, ABSENT)},
        advises={"nodes": (0, ABSENT)},
    ),
    *(
        Case(
            _GROUP,
            _sizes(number),
            {"minSize": (4, UNKNOWN), "maxSize": (6,), "desiredCapacity": (2, ABSENT)},
            above=(_CONSUL,),
        )
        for number in (1, 5)
    ),
    Case(_GROUP, _sizes(5), {"maxSize": (3,)}, above=(_NOMAD,)),
    *(
        Case(_GROUP, {"minSize": 4, "maxSize": 12}, above=above, indifferent=("minSize", "maxSize"))
        for above in (_CLIENTS, _WORKERS, ())
    ),
    Case(_MANAGER, {**_MANAGED, "targetSize": 5}, {"targetSize": (0, 3, 4, ABSENT, UNKNOWN)}, above=(_CONSUL,)),
    Case(_MANAGER, {**_MANAGED, "targetSize": 4}, above=_CLIENTS, indifferent=("targetSize",)),
    Case(
        _SCALE_SET,
        {"resourceGroupName": "rg", "sku": {"capacity": 3}},
        {"sku.capacity": (2, 4, ABSENT, UNKNOWN)},
        above=(_VAULT,),
    ),
    *(
        Case(
            _STATEFUL,
            _pods(least, image, *args),
            {"spec.replicas": (least - 2, least + 1, ABSENT)},
        )
        for least, image, args in (
            (3, "hashicorp/vault:1.21", ("server",)),
            (3, "registry.example.com:5000/openbao@sha256:00", ("bao", "server")),
            (5, "hashicorp/consul:1.21", ("agent", "-server")),
            (5, "hashicorp/nomad", ("agent", "-config=/etc/nomad.d")),
        )
    ),
    Case(
        _STATEFUL,
        _pods(2, "hashicorp/consul", "agent", "-retry-join=consul"),
        {"spec.template.spec.containers[0].args[1]": ("-server", UNKNOWN)},
    ),
    Case(
        _AUTOPILOT,
        {"cleanupDeadServers": True, "minQuorum": 3, "deadServerLastContactThreshold": "10m"},
        {"minQuorum": (2, "three", ABSENT)},
        advises={"deadServerLastContactThreshold": (ABSENT,)},
    ),
    Case(_AUTOPILOT, {"cleanupDeadServers": False, "minQuorum": 1}, {"cleanupDeadServers": (True,)}),
    Case(
        "consul:index/autopilotConfig:AutopilotConfig", {"cleanupDeadServers": True}, {"cleanupDeadServers": (False,)}
    ),
    *(
        StackCase(
            (place,),
            (_cluster(_CONSUL, 5), *_groups(token, make(5))),
            breaks={
                "another size": lambda stack, make=make, token=token: [stack[0], *_groups(token, make(7))],
                "one of five": lambda stack, make=make, token=token: [stack[0], *_groups(token, make(1))],
                "six in two groups": lambda stack, make=make, token=token: [*stack, *_groups(token, make(1))],
                "a size that is not known": lambda stack, make=make, token=token: [
                    stack[0],
                    *_groups(token, make(UNKNOWN)),
                ],
            },
        )
        for place, token, make in (
            ("aws", _GROUP, _sizes),
            ("azure", _SCALE_SET, lambda number: {"resourceGroupName": "rg", "sku": {"capacity": number}}),
            ("gcp", _MANAGER, lambda number: {**_MANAGED, "targetSize": number}),
        )
    ),
    StackCase(
        ("aws",),
        (
            _cluster(_CONSUL, 5),
            *_groups(_GROUP, *(_sizes(1) for _ in range(5))),
            Held(_GROUP, "clients", {"minSize": 3, "maxSize": 12}, above=_CLIENTS),
        ),
        breaks={
            "a server short": without("group-4"),
            "groups of three and one": lambda stack: [stack[0], *_groups(_GROUP, _sizes(3), _sizes(1), _sizes(1))],
            "sizes that differ": changed("group-0", "maxSize", 2),
            "nodes that are not known": changed("cluster", "spec.nodes", UNKNOWN),
        },
    ),
    StackCase(("aws",), (_cluster(_CONSUL, 5), _cluster(_VAULT, 3))),
    # How many there must be is judged by itself.
    StackCase(("aws",), (_cluster(_CONSUL, 0), *_groups(_GROUP, _sizes(0)))),
    StackCase(("vault",), (_cluster(_VAULT, 0), Held(_AUTOPILOT, "autopilot", {"cleanupDeadServers": True}))),
    StackCase(
        ("kubernetes",),
        (
            _cluster(_VAULT, 5, "kubernetes"),
            Held(_STATEFUL, "vault", _pods(5, "hashicorp/vault", "server")),
            Held(_STATEFUL, "others", _pods(2, "hashicorp/consul", "agent", "-server")),
        ),
        breaks={"fewer pods": changed("vault", "spec.replicas", 3)},
    ),
    StackCase(
        (),
        (_cluster(_VAULT, 5), Held(_STATEFUL, "vault", _pods(3, "hashicorp/vault", "server"))),
        breaks={"one cluster on both": changed("cluster", "spec.runsOn", "kubernetes")},
    ),
    StackCase(
        ("vault",),
        (_cluster(_VAULT, 3), Held(_AUTOPILOT, "autopilot", {"cleanupDeadServers": True, "minQuorum": 3})),
        breaks={
            "more than nodes": changed("autopilot", "minQuorum", 4),
            "more than no nodes": lambda stack: changed("cluster", "spec.nodes", ABSENT)(
                changed("autopilot", "minQuorum", 1)(stack)
            ),
            "fewer nodes": joined(Held(_VAULT, "small", {"spec": {"nodes": 1, "runsOn": "process"}})),
            "not known": changed("autopilot", "minQuorum", UNKNOWN),
        },
    ),
    StackCase(
        ("vault",),
        (_cluster(_VAULT, 3), Held(_AUTOPILOT, "autopilot", {"cleanupDeadServers": False, "minQuorum": 5})),
        breaks={"dead servers removed": changed("autopilot", "cleanupDeadServers", value=True)},
    ),
)
