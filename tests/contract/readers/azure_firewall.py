"""What Azure's security groups let through to a machine: that of its interface, within that of its subnet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.contract.posture import BASTION, EVERY_PORT, PROBES, WORLD, Way
from tests.contract.readers.words import Words, ways
from tests.contract.state import State

NSG = "azure-native:network:NetworkSecurityGroup"
_SERVICE_TAGS = {"*": WORLD, "Internet": WORLD, "0.0.0.0/0": WORLD, "AzureLoadBalancer": PROBES}
_Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Firewall:
    """The groups of a region; `members` are the roles in each application group, by its id in lower case."""

    state: State
    words: Words
    subnets: Mapping[str, _Raw]
    members: Mapping[str, set[str]]

    def ways_in(self, interface: _Raw, configuration: _Raw) -> frozenset[Way]:
        """What both groups let in."""
        allowed = self._allowed("Inbound", interface.get("networkSecurityGroup"), groups_of(configuration))
        guard = self.subnets[configuration["subnet"]["id"].lower()].get("networkSecurityGroup")
        let_through = self._allowed("Inbound", guard, set())
        return frozenset(way for way in allowed if any(self._covers(wider, way) for wider in let_through))

    def ways_out(self, interface: _Raw, configuration: _Raw) -> frozenset[Way]:
        """What the interface's group lets out; the subnet's is asked about nothing but arrivals."""
        return self._allowed("Outbound", interface.get("networkSecurityGroup"), groups_of(configuration))

    def _covers(self, wider: Way, way: Way) -> bool:
        inside = wider.place == way.place or (wider.place == self.words.plan.cloud and way.place == BASTION)
        ports = wider.first <= way.first and way.last <= wider.last
        return inside and ports and wider.protocol in ("any", way.protocol)

    def _allowed(self, direction: str, group: _Raw | None, own: set[str]) -> frozenset[Way]:
        """What a security group allows to a machine that is in these application groups."""
        if group is None:
            return ways("any", *EVERY_PORT, [WORLD, PROBES, *self._everyone()])
        far = "source" if direction == "Inbound" else "destination"
        rules = [rule for rule in self.state.named(NSG, group["id"])["securityRules"] if rule["direction"] == direction]
        found: set[Way] = set()
        for rule in sorted(rules, key=lambda rule: rule["priority"]):
            aimed = {target["id"].lower() for target in rule.get("destinationApplicationSecurityGroups") or []}
            if rule["access"] == "Allow" and (direction == "Outbound" or not aimed or aimed & own):
                found |= self._way(rule, far)
            elif _denies_the_rest(rule):
                return frozenset(found)
        # Azure's own last rules let the whole network in, and everything out.
        beyond = [WORLD] if direction == "Outbound" else []
        return frozenset(found) | ways("any", *EVERY_PORT, [*self._everyone(), *beyond])

    def _everyone(self) -> Iterator[str]:
        for cloud in self.words.plan.platform.clouds:
            yield from self.words.places(cloud)

    def _way(self, rule: _Raw, far: str) -> frozenset[Way]:
        prefixes = [*(rule.get(f"{far}AddressPrefixes") or []), rule.get(f"{far}AddressPrefix")]
        places = {inner for prefix in prefixes if prefix for inner in self._meant(prefix)}
        for group in rule.get(f"{far}ApplicationSecurityGroups") or []:
            places |= self.members.get(group["id"].lower(), {group["id"]})
        protocol = rule["protocol"].lower().replace("*", "any")
        ports = [*(rule.get("destinationPortRanges") or []), rule.get("destinationPortRange")]
        ranges = {_range(port) for port in ports if port} if protocol != "icmp" else {(0, 0)}
        return frozenset(way for first, last in ranges for way in ways(protocol, first, last, places))

    def _meant(self, prefix: str) -> Iterator[str]:
        yield from [_SERVICE_TAGS[prefix]] if prefix in _SERVICE_TAGS else self.words.places(self.words.place(prefix))


def groups_of(configuration: _Raw) -> set[str]:
    """Application groups that an address belongs to, in lower case: Azure's ids mean the same in any."""
    return {group["id"].lower() for group in configuration.get("applicationSecurityGroups") or []}


def _denies_the_rest(rule: _Raw) -> bool:
    whole = ("protocol", "sourceAddressPrefix", "destinationAddressPrefix", "destinationPortRange")
    return rule["access"] == "Deny" and all(rule.get(part) == "*" for part in whole)


def _range(port: str) -> tuple[int, int]:
    if port == "*":
        return EVERY_PORT
    first, _, last = port.partition("-")
    return int(first), int(last or first)
