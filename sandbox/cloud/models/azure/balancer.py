"""Azure load balancers and network interfaces, which refer to each other's parts.

Source: Microsoft Learn, "Azure Load Balancer components", "Multiple frontends for Azure Load Balancer" (reuse of a
backend port), "Azure Load Balancer health probes".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.firewall import APPLICATION_GROUP, SECURITY_GROUP
from sandbox.cloud.models.azure.network import PUBLIC_ADDRESS
from sandbox.cloud.models.azure.parts import (
    BALANCER,
    INTERFACE,
    VIRTUAL_NETWORK,
    Subnet,
    in_pool,
    named,
    part,
    place,
    require_subnet,
    split,
)
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

# Property of a rule, and the kind of part of the same balancer that it names.
_INNER: Final = (
    ("frontendIPConfiguration", "frontendIPConfigurations"),
    ("backendAddressPool", "backendAddressPools"),
    ("probe", "probes"),
)
_PARTS: Final = ("frontendIPConfigurations", "backendAddressPools", "probes", "loadBalancingRules")

balancer = model(
    BALANCER,
    name=Name("loadBalancerName", max=80, separator=""),
    references=(IN_GROUP, Ref("frontendIPConfigurations[*].publicIPAddress.id", (PUBLIC_ADDRESS,))),
    immutable=("sku.name", "sku.tier"),
)
interface = model(
    INTERFACE,
    name=Name("networkInterfaceName", max=80, separator=""),
    references=(
        IN_GROUP,
        Ref("networkSecurityGroup.id", (SECURITY_GROUP,)),
        Ref("ipConfigurations[*].applicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
        Ref("ipConfigurations[*].publicIPAddress.id", (PUBLIC_ADDRESS,)),
    ),
    outputs={"macAddress": "00-0D-3A-{hex2}-{hex2}-{hex2}"},
    in_use="NicInUse",
)


@balancer.check
def _front_ends(draft: Draft) -> Iterator[Failure]:
    for path, item in draft.each("frontendIPConfigurations[*]"):
        if bool(item.get("subnet")) == bool(item.get("publicIPAddress")):
            yield draft.fail(path, "a front end has a subnet or a public address, and not both")
        yield from _static(draft, path, item)


@balancer.check
def _probes(draft: Draft) -> Iterator[Failure]:
    for path, item in draft.each("probes[*]"):
        if item.get("protocol") in ("Http", "Https") and not item.get("requestPath"):
            yield draft.fail(f"{path}.requestPath", f"a probe by {item.get('protocol')} needs a path")
        if item.get("protocol") == "Tcp" and item.get("requestPath"):
            yield draft.fail(f"{path}.requestPath", "a probe by Tcp takes no path")
        seconds = item.get("intervalInSeconds")
        if isinstance(seconds, int) and seconds < 5:
            yield draft.fail(f"{path}.intervalInSeconds", f"expected at least 5 seconds, got {seconds}")


@balancer.check
def _rules_share_nothing(draft: Draft) -> Iterator[Failure]:
    fronts, backs = dict[tuple[Value, ...], Value](), dict[tuple[Value, ...], Value]()
    for path, item in draft.each("loadBalancingRules[*]"):
        name, protocol = item.get("name"), item.get("protocol")
        ends = {key: (item.get(key) or {}).get("id") for key, _ in _INNER}
        front = (ends["frontendIPConfiguration"], item.get("frontendPort"), protocol)
        back = (ends["backendAddressPool"], item.get("backendPort"), protocol)
        if front in fronts:
            yield draft.fail(path, f"RulesUseSameFrontendPortProtocolAndIPConfig: rules {fronts[front]} and {name}")
        if back in backs and not item.get("enableFloatingIP"):
            yield draft.fail(
                path,
                f"RulesUseSameBackendPortProtocolAndPool: Load balancing rules {backs[back]} and {name} with floating "
                f"IP disabled use the same backend port {item.get('backendPort')} and protocol {protocol}, and must "
                "not be used with the same backend address pool.",
            )
        if item.get("enableFloatingIP") and item.get("frontendPort") != item.get("backendPort"):
            yield draft.fail(path, "a rule with floating IP keeps the port: frontendPort and backendPort must be equal")
        fronts[front], backs[back] = name, name


@balancer.admit
def _inner_parts_exist(draft: Draft) -> None:
    for path, item in draft.each("loadBalancingRules[*]"):
        for key, kind in _INNER:
            id_ = (item.get(key) or {}).get("id")
            owner, found_kind, name = split(id_)
            wrong = owner.lower() != draft.id.lower() or found_kind.lower() != kind.lower()
            if id_ and (wrong or named(draft.get(kind), name) is None):
                raise draft.provider.package.missing(draft, f"{path}.{key}.id", str(id_), "")


@balancer.admit
def _used_pools_stay(draft: Draft) -> None:
    for before in draft.old["backendAddressPools"] or () if draft.old else ():
        if named(draft.get("backendAddressPools"), before["name"]) is None:
            _pool_is_empty(draft, before["name"])


@balancer.guard
def _pools_are_empty(draft: Draft) -> None:
    for item in draft.get("backendAddressPools") or ():
        _pool_is_empty(draft, item["name"])


def _pool_is_empty(draft: Draft, name: str) -> None:
    for user in in_pool(draft, f"{draft.id}/backendAddressPools/{name}"):
        raise draft.refuse(
            "InUseBackendAddressPoolCannotBeDeleted",
            f"Backend address pool {name} of {draft.id} is in use by {user.id} and cannot be deleted.",
        )


@balancer.compute
def _parts_have_ids(draft: Draft) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for kind in _PARTS:
        items = [{**item, "id": f"{draft.id}/{kind}/{item.get('name')}"} for item in draft.get(kind) or ()]
        if kind == "frontendIPConfigurations":
            items = [_addressed(draft, f"{kind}[{index}]", item) for index, item in enumerate(items)]
        if items:
            made[kind] = items
    return made


@interface.check
def _static_has_address(draft: Draft) -> Iterator[Failure]:
    for path, item in draft.each("ipConfigurations[*]"):
        yield from _static(draft, path, item)
    if not draft.get("ipConfigurations"):
        yield draft.fail("ipConfigurations", "a network interface needs an IP configuration")


def _static(draft: Draft, path: str, item: dict[str, Value]) -> Iterator[Failure]:
    static = item.get("privateIPAllocationMethod") == "Static"
    if static and item.get("privateIPAddress") is None:
        yield draft.fail(
            f"{path}.privateIPAddress", "StaticPrivateIPAddressRequired: Static allocation needs an address"
        )
    if item.get("privateIPAllocationMethod") == "Dynamic" and item.get("privateIPAddress") is not None:
        yield draft.fail(f"{path}.privateIPAddress", "an address is given only with Static allocation")


@interface.admit
def _pools_exist(draft: Draft) -> None:
    for path, id_ in draft.each("ipConfigurations[*].loadBalancerBackendAddressPools[*].id"):
        if part(draft, BALANCER, id_) is None:
            raise draft.provider.package.missing(draft, path, str(id_), "")


@interface.admit
def _one_network_a_group(draft: Draft) -> None:
    """All interfaces of an application group are in the network of its first."""
    for path, item in draft.each("ipConfigurations[*]"):
        here = _network_of(require_subnet(draft, f"{path}.subnet.id", _subnet_id(item)))
        groups = {group["id"] for group in item.get("applicationSecurityGroups") or ()}
        for other in draft.others(INTERFACE):
            for theirs in other["ipConfigurations"] or ():
                shared = groups & {group["id"] for group in theirs.get("applicationSecurityGroups") or ()}
                if shared and split(_subnet_id(theirs))[0].lower() != here.lower():
                    raise draft.refuse(
                        "ApplicationSecurityGroupsNotInSameVnet",
                        f"{min(shared)} holds interfaces of another virtual network than {here}.",
                    )


@interface.compute
def _interface_addresses(draft: Draft) -> dict[str, Value]:
    items = [
        {
            **_addressed(draft, f"ipConfigurations[{index}]", item),
            "id": f"{draft.id}/ipConfigurations/{item.get('name')}",
        }
        for index, item in enumerate(draft.get("ipConfigurations") or ())
    ]
    return {"ipConfigurations": items}


def _addressed(draft: Draft, path: str, item: dict[str, Value]) -> dict[str, Value]:
    """The configuration with the address that it gets in its subnet."""
    if not item.get("subnet"):
        return item
    where = require_subnet(draft, f"{path}.subnet.id", _subnet_id(item))
    kept = named(draft.kept(path.partition("[")[0]), item.get("name")) or {}
    same = str(_subnet_id(kept)).lower() == where.id.lower()
    wanted = item.get("privateIPAddress") or (kept.get("privateIPAddress") if same else None)
    return {**item, "privateIPAddress": place(draft, where, wanted)}


def _subnet_id(item: Value) -> Value:
    return (item.get("subnet") or {}).get("id")


def _network_of(where: Subnet) -> str:
    return where.owner.id if where.owner.type == VIRTUAL_NETWORK else split(where.id)[0]
