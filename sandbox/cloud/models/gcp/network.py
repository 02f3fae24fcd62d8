"""Google Cloud networks: network, subnetworks, routers, NAT, addresses.

Source: Compute Engine API reference (networks, subnetworks, routers, addresses); Cloud NAT, "Ports".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.addresses import misread, network, overlapping
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.interfaces import ADDRESS, SUBNETWORK, place, public
from sandbox.cloud.models.gcp.names import COMPUTE, elsewhere, given
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value

NETWORK: Final = "gcp:compute/network:Network"
ROUTER: Final = "gcp:compute/router:Router"
PROXY: Final = "REGIONAL_MANAGED_PROXY"
_LARGEST, _SMALLEST, _SMALLEST_PROXY = 8, 29, 26

vpc = model(
    NETWORK,
    name=COMPUTE,
    immutable=("autoCreateSubnetworks", "description", "mtu", "internalIpv6Range", "networkProfile"),
    outputs={
        "autoCreateSubnetworks": True,
        "mtu": 1460,
        "routingMode": "REGIONAL",
        "networkId": "{digits19}",
        "numericId": "{digits19}",
        "gatewayIpv4": "",
        "bgpBestPathSelectionMode": "LEGACY",
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    },
)
subnetwork = model(
    SUBNETWORK,
    name=COMPUTE,
    references=(Ref("network", (NETWORK,)),),
    immutable=("network", "purpose", "reservedInternalRange"),
    outputs={"purpose": "PRIVATE", "stackType": "IPV4_ONLY", "subnetworkId": 0, "fingerprint": "{hex8}="},
)
router = model(
    ROUTER,
    name=COMPUTE,
    references=(Ref("network", (NETWORK,)),),
    immutable=("network", "description", "encryptedInterconnectRouter"),
)
nat = model(
    "gcp:compute/routerNat:RouterNat",
    name=COMPUTE,
    references=(
        Ref("router", (ROUTER,), same=("region",)),
        Ref("subnetworks[*].name", (SUBNETWORK,)),
        Ref("natIps[*]", (ADDRESS,)),
    ),
    immutable=("router", "type"),
)
reserved_address = model(
    ADDRESS,
    name=COMPUTE,
    references=(Ref("subnetwork", (SUBNETWORK,)), Ref("network", (NETWORK,))),
    immutable=(
        "address", "addressType", "description", "ipVersion", "network", "networkTier", "prefixLength", "purpose",
        "subnetwork",
    ),
    outputs={"addressType": "EXTERNAL", "addressId": "{digits19}", "users": []},
    handles=("selfLink", "name", "address"),
)  # fmt: skip


@vpc.check
def _mtu(draft: Draft) -> Iterator[Failure]:
    mtu = draft.known("mtu")
    if isinstance(mtu, (int, float)) and not 1300 <= mtu <= 8896:
        yield draft.fail("mtu", f"expected a value in the range 1300 to 8896, got {mtu:.0f}")


@subnetwork.check
def _range(draft: Draft) -> Iterator[Failure]:
    value = draft.get("ipCidrRange")
    wrong, found = misread(value), network(value)
    purpose = draft.known("purpose")
    if wrong:
        yield draft.fail("ipCidrRange", wrong)
    elif found and not _LARGEST <= found.prefixlen <= (_SMALLEST_PROXY if purpose == PROXY else _SMALLEST):
        yield draft.fail("ipCidrRange", f"'{value}' is not between the largest and the smallest range of its purpose")
    elif found and not found.is_private:
        yield draft.fail("ipCidrRange", f"'{value}' is not a valid range of internal addresses")
    if purpose == PROXY:
        for path in given(draft, "logConfig", "privateIpGoogleAccess", "secondaryIpRanges"):
            yield draft.fail(path, f"is not supported with the purpose {PROXY}")
    elif draft.get("role") is not None:
        yield draft.fail("role", f"is only supported with the purpose {PROXY}")


@subnetwork.admit
def _fits(draft: Draft) -> None:
    own = draft.find(NETWORK, draft.get("network"))
    siblings = [record for record in draft.others(SUBNETWORK) if draft.find(NETWORK, record["network"]) == own]
    wanted = network(draft.get("ipCidrRange"))
    if wanted and (other := overlapping(wanted, (network(record["ipCidrRange"]) for record in siblings))):
        message = f"Invalid IPCidrRange: {wanted} conflicts with existing subnetwork with range {other}."
        raise draft.refuse("invalid", message)
    if draft.get("purpose") == PROXY and draft.get("role") == "ACTIVE":
        same = (record for record in siblings if record["purpose"] == PROXY and record["role"] == "ACTIVE")
        if any(not elsewhere(draft, record, "region") for record in same):
            raise draft.refuse(
                "invalid", f"The network has an ACTIVE subnetwork with the purpose {PROXY} in the region"
            )


@subnetwork.compute
def _gateway(draft: Draft) -> dict[str, Value]:
    found = network(draft.get("ipCidrRange"))
    return {"gatewayAddress": str(found[1]) if found else ""}


@subnetwork.renew
def _shrunk(draft: Draft) -> Iterator[str]:
    """A range may grow in place, nothing else."""
    old, new = network(draft.kept("ipCidrRange")), network(draft.get("ipCidrRange"))
    if old and new and not old.subnet_of(new):
        yield "ipCidrRange"


@router.check
def _asn(draft: Draft) -> Iterator[Failure]:
    asn = draft.known("bgp.asn")
    if isinstance(asn, (int, float)) and not (64512 <= asn <= 65534 or 4200000000 <= asn <= 4294967294 or asn == 16550):
        yield draft.fail("bgp.asn", f"{asn:.0f} is not a private ASN (RFC 6996)")
    alive = draft.known("bgp.keepaliveInterval")
    if isinstance(alive, (int, float)) and not 20 <= alive <= 60:
        yield draft.fail("bgp.keepaliveInterval", f"expected a value in the range 20 to 60, got {alive:.0f}")
    if draft.known("bgp.advertiseMode") in (None, "DEFAULT"):
        for path in given(draft, "bgp.advertisedIpRanges", "bgp.advertisedGroups"):
            yield draft.fail(path, "is only supported with the advertise mode CUSTOM")
    for path, value in draft.each("bgp.advertisedIpRanges[*].range"):
        if wrong := misread(value):
            yield draft.fail(path, wrong)


@nat.check
def _ports(draft: Draft) -> Iterator[Failure]:
    dynamic = draft.known("enableDynamicPortAllocation")
    if dynamic and draft.known("enableEndpointIndependentMapping"):
        yield draft.fail("enableEndpointIndependentMapping", "cannot be true with enableDynamicPortAllocation")
    for path in ("minPortsPerVm", "maxPortsPerVm"):
        ports = draft.known(path)
        if dynamic and isinstance(ports, (int, float)) and (ports < 32 or int(ports) & (int(ports) - 1)):
            yield draft.fail(path, f"must be a power of two of at least 32 with dynamic allocation, got {ports:.0f}")
    if draft.known("maxPortsPerVm") and dynamic is False:
        yield draft.fail("maxPortsPerVm", "is only supported with enableDynamicPortAllocation")
    option = draft.known("natIpAllocateOption")
    if option is not None and (option == "MANUAL_ONLY") != bool(given(draft, "natIps")):
        yield draft.fail("natIps", "must be given with MANUAL_ONLY, and only then")


@nat.admit
def _only_one(draft: Draft) -> None:
    if draft.get("sourceSubnetworkIpRangesToNat") == "LIST_OF_SUBNETWORKS":
        return
    own = draft.find(ROUTER, draft.get("router"))
    for other in draft.others(draft.type):
        theirs = draft.find(ROUTER, other["router"])
        if own and theirs and own["network"] == theirs["network"] and own["region"] == theirs["region"]:
            message = "The network has a NAT of all subnetworks in the region: only one can serve them."
            raise draft.refuse("invalid", message)


@reserved_address.check
def _purpose(draft: Draft) -> Iterator[Failure]:
    internal = draft.known("addressType") == "INTERNAL"
    if draft.known("purpose") and not internal and draft.get("addressType") is not None:
        yield draft.fail("purpose", "is only supported with the address type INTERNAL")
    if internal and draft.get("subnetwork") is None and draft.get("network") is None:
        yield draft.fail("subnetwork", "an internal address needs its subnetwork")


@reserved_address.compute
def _reserve(draft: Draft) -> dict[str, Value]:
    record = draft.find(SUBNETWORK, draft.get("subnetwork"))
    if record is None:
        return {"address": draft.kept("address") or draft.get("address") or public(draft, 1)[0]}
    if elsewhere(draft, record, "region"):
        raise draft.refuse("invalid", f"The subnetwork '{record.id}' lies in another region")
    return {"address": draft.kept("address") or place(draft, record, draft.get("address"))}
