"""Google Cloud firewall rules.

Source: Compute Engine API reference, firewalls; VPC, "Per network limits" and "Filtering by service account".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.identity import ACCOUNT
from sandbox.cloud.models.gcp.names import COMPUTE, given
from sandbox.cloud.models.gcp.network import NETWORK
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value, is_known

_MOST_ACCOUNTS: Final = 10
_WITH_PORTS: Final = ("tcp", "udp", "sctp")
_PROTOCOLS: Final = ("all", "icmp", "esp", "ah", "ipip", *_WITH_PORTS)
_SOURCES: Final = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
# Default accounts of services and accounts of other projects; those of this project must exist.
_FOREIGN: Final = r".+@(developer|appspot|cloudservices)\.gserviceaccount\.com"

firewall = model(
    "gcp:compute/firewall:Firewall",
    name=COMPUTE,
    references=(
        Ref("network", (NETWORK,)),
        Ref("sourceServiceAccounts[*]", (ACCOUNT,), external=_FOREIGN, holds=False),
        Ref("targetServiceAccounts[*]", (ACCOUNT,), external=_FOREIGN, holds=False),
    ),
    immutable=("network", "direction"),
    outputs={"direction": "INGRESS", "priority": 1000},
)


@firewall.check
def _either_way(draft: Draft) -> Iterator[Failure]:
    either = given(draft, "allows", "denies")
    if len(either) != 1:
        yield draft.fail("", f"exactly one of allows and denies must be given, got {either or 'none'}")
    direction = draft.known("direction") or "INGRESS"
    sources = given(draft, *_SOURCES)
    if direction == "EGRESS":
        for path in sources:
            yield draft.fail(path, "is not supported with the direction EGRESS")
    elif not sources:
        yield draft.fail("", f"one of {', '.join(_SOURCES)} must be given with the direction INGRESS")
    tags = given(draft, "sourceTags", "targetTags")
    accounts = given(draft, "sourceServiceAccounts", "targetServiceAccounts")
    if tags and accounts:
        yield draft.fail(accounts[0], f"cannot be used together with {tags[0]}")


@firewall.check
def _limits(draft: Draft) -> Iterator[Failure]:
    for path in ("sourceServiceAccounts", "targetServiceAccounts"):
        accounts = draft.known(path)
        if isinstance(accounts, list) and len(accounts) > _MOST_ACCOUNTS:
            yield draft.fail(path, f"{len(accounts)} service accounts; at most {_MOST_ACCOUNTS} a rule")
    priority = draft.known("priority")
    if isinstance(priority, (int, float)) and not 0 <= priority <= 65535:
        yield draft.fail("priority", f"expected a value in the range 0 to 65535, got {priority:.0f}")
    for name in ("sourceRanges", "destinationRanges"):
        for path, value in draft.each(f"{name}[*]"):
            if isinstance(value, str) and not _is_range(value):
                yield draft.fail(path, f"'{value}' is not a valid CIDR range")


def _is_range(value: str) -> bool:
    try:
        ip_network(value)
    except ValueError:
        return False
    return True


@firewall.check
def _what(draft: Draft) -> Iterator[Failure]:
    for kind in ("allows", "denies"):
        for path, part in draft.each(f"{kind}[*]"):
            if is_known(part):
                yield from _spelled(draft, path, part.get("protocol"), part.get("ports"))


def _spelled(draft: Draft, path: str, protocol: Value, ports: Value) -> Iterator[Failure]:
    if not is_known(protocol) or not isinstance(protocol, str):
        return
    if protocol not in _PROTOCOLS and not (protocol.isdigit() and int(protocol) < 256):
        yield draft.fail(f"{path}.protocol", f"'{protocol}' is none of {', '.join(_PROTOCOLS)} nor a protocol number")
    if ports and protocol not in _WITH_PORTS:
        yield draft.fail(f"{path}.ports", f"ports are only supported with {', '.join(_WITH_PORTS)}")
    for port in ports if isinstance(ports, list) else ():
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", port) if isinstance(port, str) else None
        if is_known(port) and not (found and int(found[1]) <= int(found[2] or found[1]) <= 65535):
            yield draft.fail(f"{path}.ports", f"'{port}' is not a port or a range of ports")
