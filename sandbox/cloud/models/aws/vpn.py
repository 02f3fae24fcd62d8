"""AWS site-to-site VPN: customer gateways and connections.

Source: EC2 API reference, CreateCustomerGateway, CreateVpnConnection, ModifyVpnConnection; Site-to-Site VPN guide, "Tunnel
options".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from sandbox.cloud.addresses import address, lowest_free, misread, network
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import TRANSIT
from sandbox.cloud.models.aws.records import LOG_GROUP
from sandbox.cloud.models.aws.transit import CONNECTION
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value

CUSTOMER: Final = "aws:ec2/customerGateway:CustomerGateway"
_VPN_GATEWAY: Final = "aws:ec2/vpnGateway:VpnGateway"
_ARN: Final = "arn:aws:ec2:{region}:{account}:"
_PUBLIC: Final = IPv4Network("198.19.0.0/16")  # for benchmarks (RFC 2544); elastic IPs come from the lower half
_INSIDE: Final = IPv4Network("169.254.0.0/16")
_TAKEN: Final = tuple(
    IPv4Network(f"169.254.{last}/30") for last in ("0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "169.252")
)
_GROUPS: Final = {2, *range(14, 25)}
_CIPHERS: Final = {"AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"}
_HASHES: Final = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512"}
_CHOICES: Final = {
    "IkeVersions": {"ikev1", "ikev2"},
    "Phase1EncryptionAlgorithms": _CIPHERS, "Phase2EncryptionAlgorithms": _CIPHERS,
    "Phase1IntegrityAlgorithms": _HASHES, "Phase2IntegrityAlgorithms": _HASHES,
    "Phase1DhGroupNumbers": _GROUPS, "Phase2DhGroupNumbers": _GROUPS | {5},
}  # fmt: skip
_ONE_OF: Final = {"DpdTimeoutAction": {"clear", "none", "restart"}, "StartupAction": {"add", "start"}}
_LIMITS: Final = {
    "Phase1LifetimeSeconds": (900, 28_800), "Phase2LifetimeSeconds": (900, 3_600), "DpdTimeoutSeconds": (30, None),
    "RekeyFuzzPercentage": (0, 100), "ReplayWindowSize": (64, 2048),
}  # fmt: skip
_TUNNELS: Final = ("tunnel1", "tunnel2")

customer = model(
    CUSTOMER,
    id="cgw-{hex17}",
    immutable=("type", "ipAddress", "bgpAsn", "bgpAsnExtended", "certificateArn", "deviceName"),
    outputs={"arn": _ARN + "customer-gateway/{id}"},
    in_use="IncorrectState",
)
connection = model(
    CONNECTION,
    id="vpn-{hex17}",
    references=(
        Ref("customerGatewayId", (CUSTOMER,), missing="InvalidCustomerGatewayID.NotFound"),
        Ref("transitGatewayId", (TRANSIT,), missing="InvalidTransitGatewayID.NotFound"),
        Ref("vpnGatewayId", (_VPN_GATEWAY,), missing="InvalidVpnGatewayID.NotFound"),
        *(
            Ref(f"{tunnel}LogOptions.cloudwatchLogOptions.{log}", (LOG_GROUP,), missing="InvalidParameterValue")
            for tunnel in _TUNNELS
            for log in ("logGroupArn", "bgpLogGroupArn")
        ),
    ),
    immutable=("type", "staticRoutesOnly", "enableAcceleration", "outsideIpAddressType", "tunnelInsideIpVersion",
               *(f"{tunnel}InsideCidr" for tunnel in _TUNNELS)),
    outputs={
        "arn": _ARN + "vpn-connection/{id}",
        "transitGatewayAttachmentId": "tgw-attach-{hex17}",
        "vgwTelemetries": [],
        "routes": [],
    },
    handles=("arn", "transitGatewayAttachmentId"),
)  # fmt: skip


@customer.check
def _peer(draft: Draft) -> Iterator[Failure]:
    kind, asn, where = draft.known("type"), draft.known("bgpAsn"), draft.known("ipAddress")
    if kind not in (None, "ipsec.1"):
        yield draft.fail("type", f'expected type to be one of ["ipsec.1"], got {kind}')
    if isinstance(asn, str) and not (asn.isdigit() and 1 <= int(asn) <= 2_147_483_647):
        yield draft.fail("bgpAsn", f"expected a number from 1 to 2147483647, got {asn}")
    if isinstance(where, str) and address(where) is None:
        yield draft.fail("ipAddress", f"expected ip_address to contain a valid IPv4 address, got: {where}")
    if draft.get("ipAddress") is None and draft.get("certificateArn") is None:
        yield draft.fail("ipAddress", "one of ipAddress and certificateArn must be given")


@customer.admit
def _not_twice(draft: Draft) -> None:
    """AWS would answer with the one that is there, and two resources would stand for it."""
    same = {name: draft.get(name) for name in ("type", "ipAddress", "bgpAsn", "bgpAsnExtended")}
    for other in draft.others(CUSTOMER, **same):
        if other["deviceName"] == draft.get("deviceName") and other["region"] == draft.scope("region"):
            raise draft.refuse(
                "InvalidCustomerGateway.Duplicate", f"{other.id} has this address, number and device.", 409
            )


@connection.check
def _one_end(draft: Draft) -> Iterator[Failure]:
    given = [name for name in ("transitGatewayId", "vpnGatewayId", "vpnConcentratorId") if draft.get(name) is not None]
    if len(given) > 1:
        yield draft.fail("transitGatewayId", f"only one of {', '.join(given)} can be specified")
    if draft.known("type") not in (None, "ipsec.1"):
        yield draft.fail("type", f'expected type to be one of ["ipsec.1"], got {draft.get("type")}')


@connection.check
def _tunnel_options(draft: Draft) -> Iterator[Failure]:
    for tunnel in _TUNNELS:
        yield from _inside(draft, f"{tunnel}InsideCidr")
        yield from _key(draft, f"{tunnel}PresharedKey")
        for name, allowed in _CHOICES.items():
            for path, value in draft.each(f"{tunnel}{name}[*]"):
                if isinstance(value, (str, int, float)) and value not in allowed:
                    yield draft.fail(path, f"expected one of {sorted(allowed, key=str)}, got {value}")
        for name, allowed in _ONE_OF.items():
            value = draft.known(f"{tunnel}{name}")
            if value is not None and value not in allowed:
                yield draft.fail(f"{tunnel}{name}", f"expected one of {sorted(allowed)}, got {value}")
        for name, (low, high) in _LIMITS.items():
            value = draft.known(f"{tunnel}{name}")
            if isinstance(value, (int, float)) and (value < low or (high is not None and value > high)):
                yield draft.fail(
                    f"{tunnel}{name}", f"expected to be in the range ({low} - {high or 'any'}), got {value}"
                )


def _inside(draft: Draft, path: str) -> Iterator[Failure]:
    value = draft.known(path)
    wrong, found = misread(value), network(value)
    if wrong:
        yield draft.fail(path, wrong)
    elif found and (found.prefixlen != 30 or not found.subnet_of(_INSIDE)):
        yield draft.fail(path, f"must be a /30 CIDR block from the range {_INSIDE}, got {value}")
    elif found in _TAKEN:
        yield draft.fail(path, f"{value} is reserved by AWS")


def _key(draft: Draft, path: str) -> Iterator[Failure]:
    value = draft.known(path)
    # Never with the value: it is a secret.
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9._]{8,64}", value):
        yield draft.fail(path, "a key has 8 to 64 letters, digits, periods and underscores")
    if isinstance(value, str) and value.startswith("0"):
        yield draft.fail(path, "a key cannot begin with zero")


@connection.admit
def _inside_is_the_gateways_own(draft: Draft) -> None:
    """Inside ranges are unique among all connections of a gateway."""
    end = {"transitGatewayId": draft.get("transitGatewayId")}
    taken = [
        (other.id, network(other[f"{tunnel}InsideCidr"]))
        for other in draft.others(CONNECTION, **end)
        for tunnel in _TUNNELS
    ]
    for tunnel in _TUNNELS:
        wanted = network(draft.get(f"{tunnel}InsideCidr"))
        if wanted is None:
            continue
        for holder, found in taken:
            if found and found.overlaps(wanted):
                raise draft.refuse("InvalidParameterValue", f"The tunnel inside CIDR {wanted} is in use by {holder}.")
        taken.append((f"this connection's {tunnel}", wanted))


@connection.admit
def _can_start(draft: Draft) -> None:
    far = draft.find(CUSTOMER, draft.get("customerGatewayId"))
    starts = [tunnel for tunnel in _TUNNELS if draft.get(f"{tunnel}StartupAction") == "start"]
    if far and starts and not far["ipAddress"]:
        raise draft.refuse(
            "InvalidParameterCombination", "AWS starts IKE only towards a customer gateway's IP address."
        )


@connection.compute
def _ends(draft: Draft) -> dict[str, Value]:
    """Addresses outside are made once; inside, AWS takes the first host and the peer the second."""
    taken = {
        address(other[f"{tunnel}Address"]) for other in draft.others(CONNECTION) for tunnel in _TUNNELS
    }  # fmt: skip
    own, far = draft.find(TRANSIT, draft.get("transitGatewayId")), draft.find(CUSTOMER, draft.get("customerGatewayId"))
    found: dict[str, Value] = {}
    for tunnel in _TUNNELS:
        outside = draft.kept(f"{tunnel}Address") or str(lowest_free(_PUBLIC, taken))
        taken.add(address(outside))
        block = network(draft.get(f"{tunnel}InsideCidr"))
        found |= {
            f"{tunnel}Address": outside,
            f"{tunnel}VgwInsideAddress": str(block[1]) if block else "",
            f"{tunnel}CgwInsideAddress": str(block[2]) if block else "",
            f"{tunnel}BgpAsn": str(own["amazonSideAsn"]) if own else "",
            f"{tunnel}BgpHoldtime": 30,
        }
    keys = "".join(f"<pre_shared_key>{draft.get(f'{tunnel}PresharedKey')}</pre_shared_key>" for tunnel in _TUNNELS)
    gateway = far["ipAddress"] if far else ""
    found["customerGatewayConfiguration"] = f"<vpn_connection><ip>{gateway}</ip>{keys}</vpn_connection>"
    return found
