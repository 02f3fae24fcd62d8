"""What the daemons of a gateway and of a region's network are told; pure.

Owns the texts: strongSwan's settings, tunnels and keys, and what BIRD speaks. Each end is written as its own side
declares it, whatever the other side says: it is for IKE or BGP to fail where they do not fit.

Dangerous edges:
- `tunnels` holds keys. It goes into a file that nobody else reads, and nowhere else.
- A key may hold any character. It is written in base64, so none of them means anything to the parser.

Source: swanctl.conf(5), strongswan.conf(5).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from components.plan.mesh import TCP_MSS
from components.plan.spec import Cloud
from sandbox.mesh import speech
from sandbox.mesh.layout import PASSIVE, TRANSIT
from sandbox.mesh.speech import Session, Speech, Uplink
from sandbox.templating import templates

from .ends import End
from .layout import Gateway, Layout, Region, device, initiates, session, vtep

MTU = TCP_MSS + 40
"""Of a tunnel's interface: a segment with the headers of IP and TCP."""
_ROOM = Path("/run")
"""What a daemon sees as its own folder."""
_TIMEOUT, _TRIES, _BASE = 1.0, 2, 1.2
GIVE_UP_SECONDS = sum(_TIMEOUT * _BASE**number for number in range(_TRIES + 1))
"""Until charon ends a peer that answers nothing; with more, a peer's restart would be noticed only much later."""

_TEMPLATES = templates(Path(__file__).parent / "templates")


def daemon() -> str:
    """Settings of every charon."""
    return _TEMPLATES.get_template("strongswan.conf.j2").render(
        timeout=_TIMEOUT, tries=_TRIES, base=_BASE, give_up=round(GIVE_UP_SECONDS, 1)
    )


def tunnels(gateway: Gateway) -> str:
    """A gateway's tunnels and their keys, for swanctl."""
    return _TEMPLATES.get_template("swanctl.conf.j2").render(
        gateway=gateway, tunnels=[tunnel(end) for end in gateway.ends]
    )


def gateway_speech(gateway: Gateway, hold: Mapping[Cloud, int]) -> str:
    """BIRD's configuration of a gateway."""
    cloud = gateway.region.cloud
    return speech.configuration(
        Speech(
            name=gateway.name,
            asn=gateway.asn,
            prefix=gateway.region.prefix,
            uplinks=(Uplink("inside", gateway.own_side, gateway.router_side),),
            sessions=tuple(_session(end) for end in gateway.ends),
            hold=hold[cloud],
            passive=PASSIVE[cloud],
            transit=TRANSIT[cloud],
            log=_ROOM / "bird.log",
            router_id=gateway.own_side,
        )
    )


def router_speech(plan: Layout, region: Region, hold: Mapping[Cloud, int]) -> str:
    """BIRD's configuration of a region's router; empty while the region has no gateway."""
    gateways = plan.of(region)
    if not gateways:
        return ""
    return speech.configuration(
        Speech(
            name=f"network of {region.cloud}",
            asn=gateways[0].asn,
            prefix="",
            uplinks=tuple(
                Uplink(gateway.name.replace("-", "_"), gateway.router_side, gateway.own_side) for gateway in gateways
            ),
            sessions=(),
            hold=hold[region.cloud],
            passive=False,
            transit=False,
            log=_ROOM / "bird.log",
            router_id=region.prefix.partition("/")[0],
            table=region.table,
        )
    )


def tunnel(end: End) -> dict[str, object]:
    """Everything that charon is told of a tunnel, the key included."""
    return {
        "name": session(end),
        "peer": end.peer_outside,
        "ike": sorted(end.ike),
        "esp": sorted(end.esp),
        "dpd_delay": dpd_delay(end),
        # By it the packets that leave find their way; charon may give one number to two tunnels that come up together.
        "reqid": int(IPv4Address(end.peer_outside)),
        "own_vtep": vtep(end.outside),
        "peer_vtep": vtep(end.peer_outside),
        "device": device(end),
        "initiates": initiates(end),
        "secret": spellings(end.key)[1],
    }


def spellings(key: str) -> tuple[str, ...]:
    """A key as it is, and as the file has it."""
    return key, f"0s{base64.b64encode(key.encode()).decode()}"


def dpd_delay(end: End) -> int:
    """Seconds of silence until charon asks whether the peer lives, so that a dead one is ended when the end says."""
    return max(1, round(end.dead_after - GIVE_UP_SECONDS))


def _session(end: End) -> Session:
    return Session(session(end), device(end), end.inside, end.peer_inside, end.asn, end.peer_asn)
