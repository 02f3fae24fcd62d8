"""Network, machines and firewall rules of Google Cloud.

Rules belong to the network and name machines by their service accounts. The lowest priority number decides; of the
same priority, what denies comes first. Below them lie the network's own: nothing in, everything out.

A network has no range of its own. The region's is what its router advertises to other regions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.lab.world import Balancer, Check, Disk, Listener, Machine, Network, Protocol, Rule, World

from .fronts import open_to_all, passed_on
from .placing import placed
from .ranges import EVERYWHERE
from .registered import NotReadError, Registered, Row

_INSTANCE, _DISK = "gcp:compute/instance:Instance", "gcp:compute/disk:Disk"
_SUBNET, _FIREWALL = "gcp:compute/subnetwork:Subnetwork", "gcp:compute/firewall:Firewall"
_TEMPLATE = "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"
_MANAGER = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
_SCALER = "gcp:compute/regionAutoscaler:RegionAutoscaler"
_FRONT, _PROXY = "gcp:compute/forwardingRule:ForwardingRule", "gcp:compute/regionTargetTcpProxy:RegionTargetTcpProxy"
_BACKEND, _CHECK = (
    "gcp:compute/regionBackendService:RegionBackendService",
    "gcp:compute/regionHealthCheck:RegionHealthCheck",
)
_ROUTER = "gcp:compute/router:Router"
_MEMBER = "gcp:compute/instanceGroupMembership:InstanceGroupMembership"
_PROTOCOLS: Mapping[str, Protocol] = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "all": "any"}
_KERNEL_NAMES = ("/dev/sdb", "/dev/sdc", "/dev/sdd")


@dataclass(frozen=True)
class _Found:
    machine: Machine
    network: str


def world(registered: Registered) -> World:
    """Google Cloud's part.

    Raises:
        NotReadError: a rule names machines by tags, or a protocol that the lab does not know.
    """
    found = [*_instances(registered), *_scaled(registered)]
    rows = sorted(registered.of(_FIREWALL), key=lambda row: (int(row["priority"]), not row.get("denies")))
    rules = [rule for each in found for row in rows for rule in _rules(each, row, found)]
    # Everything that no rule before denies may go out.
    rules += [Rule(each.machine.name, "out", True, "any", (EVERYWHERE,)) for each in found]  # noqa: FBT003
    addresses = {each.machine.name: each.machine.address for each in found}
    balancers = tuple(_balancers(registered, addresses))
    names = {each.machine.address: each.machine.name for each in found}
    for balancer in balancers:
        # A proxy is no part of the network, and its firewall does not guard it.
        proxy = not balancer.last_resort
        rules += [open_to_all(balancer.id)] if proxy else [*passed_on(balancer, rules, names)]
    networks = (
        Network("gcp", advertised["range"])
        for row in registered.of(_ROUTER)
        for advertised in row.get("bgp", {}).get("advertisedIpRanges", ())
    )
    return World(tuple(each.machine for each in found), tuple(rules), balancers, tuple(networks))


def _instances(registered: Registered) -> Iterator[_Found]:
    subnets, disks = registered.by(_SUBNET, "id"), registered.by(_DISK, "id")
    for row in registered.of(_INSTANCE):
        (interface,) = row["networkInterfaces"]
        subnet = subnets[interface["subnetwork"]]
        attached = zip(row.get("attachedDisks", ()), _KERNEL_NAMES, strict=False)
        yield _Found(
            Machine(
                id=row.get("instanceId") or row["id"],
                name=row["name"],
                cloud="gcp",
                region=subnet["region"],
                zone=row["zone"],
                address=interface["networkIp"],
                subnet=subnet["ipCidrRange"],
                user_data=row["metadata"]["user-data"].encode(),
                identity=row["serviceAccount"]["email"],
                disks=tuple(_disk(disks[disk["source"]], disk["deviceName"], kernel) for disk, kernel in attached),
            ),
            interface["network"],
        )


def _scaled(registered: Registered) -> Iterator[_Found]:
    subnets, templates = registered.by(_SUBNET, "id"), registered.by(_TEMPLATE, "selfLink")
    managers = registered.by(_MANAGER, "id")
    for scaler in registered.of(_SCALER):
        manager = managers[scaler["target"]]
        template = templates[manager["versions"][0]["instanceTemplate"]]
        (interface,) = template["networkInterfaces"]
        subnet = subnets[interface["subnetwork"]]
        zones = manager["distributionPolicyZones"]
        number = int(scaler["autoscalingPolicy"]["minReplicas"])
        for count, (_, address) in enumerate(placed([subnet["ipCidrRange"]], number), start=1):
            name = f"{manager['baseInstanceName']}-gcp-{count}"
            yield _Found(
                Machine(
                    # Another template is another machine, as after a rolling replacement.
                    id=f"{name}-{template['name']}",
                    name=name,
                    cloud="gcp",
                    region=subnet["region"],
                    zone=zones[(count - 1) % len(zones)],
                    address=address,
                    subnet=subnet["ipCidrRange"],
                    user_data=template["metadata"]["user-data"].encode(),
                    identity=template["serviceAccount"]["email"],
                ),
                subnet["network"],
            )


def _disk(disk: Row, name: str, kernel: str) -> Disk:
    return Disk(disk["id"], int(disk["size"]), (f"/dev/disk/by-id/google-{name}", kernel))


def _rules(found: _Found, row: Row, everybody: list[_Found]) -> Iterator[Rule]:
    if row.get("disabled") or row["network"] != found.network:
        return
    if row.get("targetTags") or row.get("sourceTags"):
        raise NotReadError(f"{row['id']}: names machines by tags")
    targets = row.get("targetServiceAccounts")
    if targets and found.machine.identity not in targets:
        return
    towards: Literal["in", "out"] = "in" if row["direction"] == "INGRESS" else "out"
    if towards == "in":
        senders = set(row.get("sourceServiceAccounts") or ())
        members = (f"{each.machine.address}/32" for each in everybody if each.machine.identity in senders)
        peers = (*(row.get("sourceRanges") or ()), *members)
    else:
        peers = tuple(row.get("destinationRanges") or (EVERYWHERE,))
    for allows, listed in ((True, row.get("allows")), (False, row.get("denies"))):
        for each in listed or ():
            if each["protocol"] not in _PROTOCOLS:
                raise NotReadError(f"{row['id']}: protocol {each['protocol']}")
            for ports in map(_ports, each.get("ports") or ("",)):
                yield Rule(found.machine.name, towards, allows, _PROTOCOLS[each["protocol"]], peers, ports)


def _ports(text: str) -> tuple[int, int] | None:
    first, _, last = text.partition("-")
    return (int(first), int(last or first)) if text else None


def _balancers(registered: Registered, addresses: Mapping[str, str]) -> Iterator[Balancer]:
    services, proxies = registered.by(_BACKEND, "id"), registered.by(_PROXY, "id")
    checks = registered.by(_CHECK, "id")
    members: dict[str, list[str]] = {}
    for row in registered.of(_MEMBER):
        group = f"/zones/{row['zone']}/instanceGroups/{row['instanceGroup']}"
        members.setdefault(group, []).append(addresses[row["instance"].rpartition("/")[2]])
    for row in registered.of(_FRONT):
        service = services[row.get("backendService") or proxies[row["target"]]["backendService"]]
        targets = [
            address
            for backend in service["backends"]
            for group, found in members.items()
            if backend["group"].endswith(group)
            for address in found
        ]
        check = _check(checks[service["healthChecks"]])
        ports = row.get("ports") or [row["portRange"]]
        # A balancer that passes connections on leaves the port as it is; a proxy speaks to the one that is checked.
        back = check.port if row.get("target") else None
        yield Balancer(
            row["id"],
            row["name"],
            "gcp",
            (row["ipAddress"],),
            tuple(Listener(int(port), tuple(sorted(targets)), back or int(port), check) for port in ports),
            last_resort=not row.get("target"),
        )


def _check(row: Row) -> Check:
    asked = row.get("httpsHealthCheck")
    if not asked:
        raise NotReadError(f"{row['id']}: a check other than HTTPS")
    return Check(
        int(asked["port"]),
        asked["requestPath"],
        int(row["checkIntervalSec"]),
        int(row["timeoutSec"]),
        int(row["healthyThreshold"]),
        int(row["unhealthyThreshold"]),
        asked.get("response") or "",
    )
