"""Network, machines and network security groups of Azure.

A packet passes two lists: the subnet's and the interface's. Each is ordered by priority, and the first rule that fits
decides; below them lie the cloud's own defaults, which the platform's last rules leave nothing to.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.lab.world import Balancer, Check, Disk, Listener, Machine, Network, Protocol, Rule, World

from .fronts import passed_on
from .placing import placed
from .ranges import EVERYWHERE, both
from .registered import NotReadError, Registered, Row

_MACHINE, _INTERFACE = "azure-native:compute:VirtualMachine", "azure-native:network:NetworkInterface"
_SET, _NETWORK = "azure-native:compute:VirtualMachineScaleSet", "azure-native:network:VirtualNetwork"
_DISK, _GROUP = "azure-native:compute:Disk", "azure-native:network:NetworkSecurityGroup"
_IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
_BALANCER = "azure-native:network:LoadBalancer"
_TAGS = {"*": EVERYWHERE, "Internet": EVERYWHERE, "AzureLoadBalancer": "168.63.129.16/32"}
"""Service tags that rules use, as ranges. The balancer's is the address that its probes come from."""
_PROTOCOLS: Mapping[str, Protocol] = {"Tcp": "tcp", "Udp": "udp", "Icmp": "icmp", "*": "any"}
_KERNEL_NAMES = ("/dev/sdc", "/dev/sdd", "/dev/sde")


@dataclass(frozen=True)
class _Found:
    machine: Machine
    asgs: frozenset[str]
    lists: tuple[str, ...]
    """Security groups, the subnet's first."""


def world(registered: Registered) -> World:
    """Azure's part.

    Raises:
        NotReadError: a rule names a service tag or protocol that the lab does not know.
    """
    subnets = {subnet["id"]: subnet for network in registered.of(_NETWORK) for subnet in network["subnets"]}
    identities = registered.by(_IDENTITY, "id")
    found = [*_machines(registered, subnets, identities), *_scaled(registered, subnets, identities)]
    members: dict[str, list[str]] = {}
    for each in found:
        for asg in each.asgs:
            members.setdefault(asg, []).append(f"{each.machine.address}/32")
    groups = registered.by(_GROUP, "id")
    rules = [rule for each in found for rule in _rules(each, groups, members)]
    balancers = tuple(_balancers(registered))
    names = {each.machine.address: each.machine.name for each in found}
    rules += [rule for balancer in balancers for rule in passed_on(balancer, rules, names)]
    networks = (
        Network("azure", prefix) for row in registered.of(_NETWORK) for prefix in row["addressSpace"]["addressPrefixes"]
    )
    return World(tuple(each.machine for each in found), tuple(rules), balancers, tuple(networks))


def _machines(registered: Registered, subnets: Mapping[str, Row], identities: Mapping[str, Row]) -> Iterator[_Found]:
    interfaces, disks = registered.by(_INTERFACE, "id"), registered.by(_DISK, "id")
    for row in registered.of(_MACHINE):
        interface = interfaces[row["networkProfile"]["networkInterfaces"][0]["id"]]
        (settings,) = interface["ipConfigurations"]
        attached = sorted(row["storageProfile"].get("dataDisks", ()), key=lambda disk: int(disk["lun"]))
        yield _Found(
            Machine(
                id=row["id"],
                name=row["osProfile"]["computerName"],
                cloud="azure",
                region=row["location"],
                zone=row["zones"][0],
                address=settings["privateIPAddress"],
                subnet=subnets[settings["subnet"]["id"]]["addressPrefix"],
                user_data=base64.b64decode(row["osProfile"]["customData"]),
                identity=_client(row, identities),
                disks=tuple(
                    _disk(disks[disk["managedDisk"]["id"]], int(disk["lun"]), kernel)
                    for disk, kernel in zip(attached, _KERNEL_NAMES, strict=False)
                ),
            ),
            _asgs(settings),
            (subnets[settings["subnet"]["id"]]["networkSecurityGroup"]["id"], interface["networkSecurityGroup"]["id"]),
        )


def _scaled(registered: Registered, subnets: Mapping[str, Row], identities: Mapping[str, Row]) -> Iterator[_Found]:
    for row in registered.of(_SET):
        profile = row["virtualMachineProfile"]
        (interface,) = profile["networkProfile"]["networkInterfaceConfigurations"]
        (settings,) = interface["ipConfigurations"]
        subnet = subnets[settings["subnet"]["id"]]
        name = row.get("vmScaleSetName") or row["name"]
        zones = row.get("zones") or [""]
        for number, (_, address) in enumerate(placed([subnet["addressPrefix"]], int(row["sku"]["capacity"])), start=1):
            yield _Found(
                Machine(
                    id=f"{row['id']}/virtualMachines/{number}",
                    name=f"{name}-azure-{number}",
                    cloud="azure",
                    region=row["location"],
                    zone=zones[(number - 1) % len(zones)],
                    address=address,
                    subnet=subnet["addressPrefix"],
                    user_data=base64.b64decode(profile["osProfile"]["customData"]),
                    identity=_client(row, identities),
                ),
                _asgs(settings),
                (subnet["networkSecurityGroup"]["id"], interface["networkSecurityGroup"]["id"]),
            )


def _client(row: Row, identities: Mapping[str, Row]) -> str:
    """Client id of the one identity that a machine has."""
    (identity,) = row["identity"]["userAssignedIdentities"]
    return identities[identity]["clientId"]


def _disk(disk: Row, lun: int, kernel: str) -> Disk:
    return Disk(disk["id"], int(disk["diskSizeGB"]), (f"/dev/disk/azure/scsi1/lun{lun}", kernel))


def _asgs(settings: Row) -> frozenset[str]:
    return frozenset(asg["id"] for asg in settings.get("applicationSecurityGroups", ()))


def _rules(found: _Found, groups: Mapping[str, Row], members: Mapping[str, list[str]]) -> Iterator[Rule]:
    directions: tuple[tuple[Literal["in", "out"], str], ...] = (("in", "Inbound"), ("out", "Outbound"))
    for towards, direction in directions:
        subnet, interface = (
            [rule for row in _ordered(groups[each], direction) for rule in _rule(found, towards, row, members)]
            for each in found.lists
        )
        # A list without a word about a direction leaves it to the cloud's defaults: the network and the internet, outward.
        yield from both(subnet, interface) if subnet else interface


def _ordered(group: Row, direction: str) -> Iterable[Row]:
    rows = [row for row in group["securityRules"] if row["direction"] == direction]
    return sorted(rows, key=lambda row: int(row["priority"]))


def _rule(found: _Found, towards: Literal["in", "out"], row: Row, members: Mapping[str, list[str]]) -> Iterator[Rule]:
    mine, theirs = ("destination", "source") if towards == "in" else ("source", "destination")
    named = {asg["id"] for asg in row.get(f"{mine}ApplicationSecurityGroups", ())}
    if named and not named & found.asgs:
        return
    if not named and set(_ranges(row, mine, members)) != {EVERYWHERE}:
        raise NotReadError(f"rule {row['name']}: its own side is a range")
    if row["protocol"] not in _PROTOCOLS:
        raise NotReadError(f"rule {row['name']}: protocol {row['protocol']}")
    peers = tuple(_ranges(row, theirs, members))
    ports = row.get("destinationPortRanges") or [row["destinationPortRange"]]
    for port in ports:
        yield Rule(
            found.machine.name, towards, row["access"] == "Allow", _PROTOCOLS[row["protocol"]], peers, _ports(port)
        )


def _ranges(row: Row, side: str, members: Mapping[str, list[str]]) -> Iterator[str]:
    for asg in row.get(f"{side}ApplicationSecurityGroups", ()):
        yield from members.get(asg["id"], ())
    texts: list[Any] = [*row.get(f"{side}AddressPrefixes", ())]
    if row.get(f"{side}AddressPrefix"):
        texts.append(row[f"{side}AddressPrefix"])
    for text in texts:
        if "/" in text:
            yield text
        elif text in _TAGS:
            yield _TAGS[text]
        else:
            raise NotReadError(f"rule {row['name']}: service tag {text}")


def _ports(text: str) -> tuple[int, int] | None:
    if text == "*":
        return None
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _balancers(registered: Registered) -> Iterator[Balancer]:
    members: dict[str, list[str]] = {}
    for interface in registered.of(_INTERFACE):
        for settings in interface["ipConfigurations"]:
            for pool in settings.get("loadBalancerBackendAddressPools", ()):
                members.setdefault(pool["id"], []).append(settings["privateIPAddress"])
    for row in registered.of(_BALANCER):
        probes = {probe["id"]: probe for probe in row["probes"]}
        yield Balancer(
            row["id"],
            row["loadBalancerName"],
            "azure",
            tuple(front["privateIPAddress"] for front in row["frontendIPConfigurations"]),
            tuple(_listener(rule, probes, members) for rule in row["loadBalancingRules"]),
            last_resort=any(probe.get("noHealthyBackendsBehavior") == "AllProbedUp" for probe in row["probes"]),
        )


def _listener(rule: Row, probes: Mapping[str, Row], members: Mapping[str, list[str]]) -> Listener:
    probe = probes[rule["probe"]["id"]]
    if probe["protocol"] != "Https":
        raise NotReadError(f"{probe['id']}: a probe other than HTTPS")
    number = int(probe.get("probeThreshold") or 1)
    interval = int(probe["intervalInSeconds"])
    # The cloud waits for an answer as long as it waits for the next question, and counts both ways alike.
    check = Check(int(probe["port"]), probe["requestPath"], interval, interval, number, number)
    targets = tuple(sorted(members.get(rule["backendAddressPool"]["id"], ())))
    return Listener(int(rule["frontendPort"]), targets, int(rule["backendPort"]), check)
