"""What must hold of the tunnels in every region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.plan import addressing
from components.plan.mesh import CIPHER_BITS, DH_GROUP, DPD_SECONDS, HASH_BITS, IKE_VERSION, TUNNELS, pairs_of
from components.plan.spec import Stack
from tests.contract.differences import differences, listed
from tests.contract.posture import Posture

_SUITE = frozenset(
    {f"ikev{IKE_VERSION}"}
    | {
        f"{phase} {word}"
        for phase in ("phase1", "phase2")
        for word in (f"aes{CIPHER_BITS}", f"sha{HASH_BITS}", f"dh{DH_GROUP}")
    }
)


def tunnels_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Four tunnels a pair, each with the plan's addresses, autonomous systems and key, to as many gateways as planned."""
    planned = {
        (pair.name, tunnel.index): (
            tunnel.end(plan.cloud).address,
            tunnel.far(plan.cloud).address,
            pair.asns[plan.cloud],
            pair.asns[pair.peer(plan.cloud)],
            tunnel.key,
        )
        for pair in pairs_of(plan.platform, plan.cloud)
        for tunnel in pair.tunnels
    }
    found = {
        (tunnel.pair, tunnel.index): (tunnel.own, tunnel.far, tunnel.own_asn, tunnel.far_asn, tunnel.key)
        for tunnel in posture.tunnels
    }
    yield from differences("tunnels", found.items(), planned.items())
    if len(found) != len(posture.tunnels):
        yield f"{len(posture.tunnels)} tunnels have {len(found)} names"
    for pair in pairs_of(plan.platform, plan.cloud):
        far = pair.peer(plan.cloud)
        gateways = {
            tunnel.end(far).gateway: {
                made.far_gateway for made in posture.tunnels if (made.pair, made.index) == (pair.name, tunnel.index)
            }
            for tunnel in pair.tunnels
        }
        if len(set().union(*gateways.values())) != pair.addresses(far):
            yield f"{pair.name} ends at the gateways {listed(set().union(*gateways.values()))} of {far}"


def tunnels_are_strong(posture: Posture, _: Stack) -> Iterator[str]:
    """Nothing but the one transform set is accepted, a dead peer is noticed, and routes are learned by BGP alone."""
    for tunnel in posture.tunnels:
        name = f"{tunnel.pair} {tunnel.index}"
        yield from differences(f"{name} accepts", tunnel.suite, _SUITE)
        if tunnel.dpd_seconds not in (None, DPD_SECONDS):
            yield f"{name} takes {tunnel.dpd_seconds} s to notice a dead peer"
        if not tunnel.dynamic:
            yield f"{name} has static routes"


def tunnels_are_watched(posture: Posture, plan: Stack) -> Iterator[str]:
    """An alarm of the cloud covers every tunnel."""
    watched = Counter((alarm.pair, index) for alarm in posture.alarms for index in alarm.tunnels)
    wanted = {(pair.name, index) for pair in pairs_of(plan.platform, plan.cloud) for index in range(TUNNELS)}
    yield from differences("alarms", watched, wanted)


def routes_only_where_needed(posture: Posture, plan: Stack) -> Iterator[str]:
    """Subnets of machines learn the peers' ranges; no other does."""
    zones = range(addressing.ZONES)
    machines = {
        subnet(plan.region, zone) for subnet in (addressing.server_subnet, addressing.client_subnet) for zone in zones
    }
    yield from differences("subnets that learn the peers' ranges", posture.learning, machines)
