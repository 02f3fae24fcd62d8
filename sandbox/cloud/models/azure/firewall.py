"""Azure network security groups and the application groups that their rules name.

Source: Microsoft Learn, "Network security groups", "Application security groups", "Azure networking limits".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import UNKNOWN, Value

SECURITY_GROUP: Final = "azure-native:network:NetworkSecurityGroup"
APPLICATION_GROUP: Final = "azure-native:network:ApplicationSecurityGroup"
_MOST_RULES: Final = 1000
_MOST_GROUPS: Final = 10
_SIDES: Final = ("source", "destination")

application_group = model(
    APPLICATION_GROUP,
    name=Name("applicationSecurityGroupName", max=80, separator=""),
    references=(IN_GROUP,),
    in_use="InUseApplicationSecurityGroupCannotBeDeleted",
)
security_group = model(
    SECURITY_GROUP,
    name=Name("networkSecurityGroupName", max=80, separator=""),
    references=(
        IN_GROUP,
        Ref("securityRules[*].sourceApplicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
        Ref("securityRules[*].destinationApplicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
    ),
    in_use="InUseNetworkSecurityGroupCannotBeDeleted",
)
rule = model(
    "azure-native:network:SecurityRule",
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network"
    "/networkSecurityGroups/{networkSecurityGroupName}/securityRules/{securityRuleName}",
    name=Name("securityRuleName", max=80, separator=""),
    unique=(("resourceGroupName", "networkSecurityGroupName", "direction", "priority"),),
    references=(
        IN_GROUP,
        Ref("networkSecurityGroupName", (SECURITY_GROUP,), same=("resourceGroupName",)),
        Ref("sourceApplicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
        Ref("destinationApplicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
    ),
    immutable=("networkSecurityGroupName", "securityRuleName"),
    exists="SecurityRuleConflict",
    handles=(),
)


@security_group.check
def _rules(draft: Draft) -> Iterator[Failure]:
    names, priorities = set[str](), dict[tuple[Value, Value], Value]()
    rules = [(path, item) for path, item in draft.each("securityRules[*]") if isinstance(item, dict)]
    if len(rules) > _MOST_RULES:
        yield draft.fail("securityRules", f"a group holds at most {_MOST_RULES} rules, got {len(rules)}")
    for path, item in rules:
        name, slot = str(item.get("name")), (item.get("direction"), item.get("priority"))
        if not item.get("name"):
            yield draft.fail(f"{path}.name", "a rule inside a group needs a name")
        if name.lower() in names:
            yield draft.fail(f"{path}.name", f"another rule of the group is called '{name}'")
        if slot in priorities:
            yield draft.fail(
                f"{path}.priority",
                f"SecurityRuleConflict: rule {name} has the priority and direction of rule {priorities[slot]}",
            )
        names.add(name.lower())
        priorities[slot] = name
        yield from _rule(draft, path, item)


@rule.check
def _standalone(draft: Draft) -> Iterator[Failure]:
    yield from _rule(draft, "", draft.inputs)


def _rule(draft: Draft, path: str, item: Mapping[str, Value]) -> Iterator[Failure]:
    """What a rule must look like wherever it is declared."""
    priority = item.get("priority")
    if isinstance(priority, int) and not 100 <= priority <= 4096:
        yield draft.fail(_in(path, "priority"), f"expected a priority between 100 and 4096, got {priority}")
    for side in _SIDES:
        yield from _side(draft, path, item, side)
        ports = _several(item, f"{side}PortRange")
        for port in ports:
            if not _is_ports(port):
                yield draft.fail(_in(path, f"{side}PortRange"), f"'{port}' is no port, range of ports or '*'")
    description = item.get("description")
    if isinstance(description, str) and len(description) > 140:
        yield draft.fail(_in(path, "description"), "a description has at most 140 characters")


def _side(draft: Draft, path: str, item: Mapping[str, Value], side: str) -> Iterator[Failure]:
    ways = (f"{side}AddressPrefix", f"{side}AddressPrefixes", f"{side}ApplicationSecurityGroups")
    given = [way for way in ways if item.get(way)]
    if len(given) != 1:
        yield draft.fail(
            _in(path, given[-1] if given else ways[0]),
            f"SecurityRuleInvalidAddressPrefix: a rule names its {side} in exactly one way of {', '.join(ways)}; "
            f"got {given or 'none'}",
        )
    ports = (f"{side}PortRange", f"{side}PortRanges")
    if len([way for way in ports if item.get(way)]) != 1:
        yield draft.fail(_in(path, ports[0]), f"exactly one of {' and '.join(ports)} must be given")
    several = item.get(f"{side}AddressPrefixes")
    if isinstance(several, list) and "*" in several:
        yield draft.fail(_in(path, f"{side}AddressPrefixes"), "'*' stands alone, in the singular property")
    groups = item.get(f"{side}ApplicationSecurityGroups")
    if isinstance(groups, list) and len(groups) > _MOST_GROUPS:
        yield draft.fail(
            _in(path, f"{side}ApplicationSecurityGroups"), f"a rule names at most {_MOST_GROUPS} application groups"
        )


def _several(item: Mapping[str, Value], name: str) -> list[Value]:
    many = item.get(f"{name}s")
    return [value for value in (item.get(name), *(many if isinstance(many, list) else ())) if value is not None]


def _is_ports(value: Value) -> bool:
    if value is UNKNOWN or value == "*":
        return True
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value))
    return bool(found) and 0 <= int(found[1]) <= int(found[2] or found[1]) <= 65535


def _in(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
