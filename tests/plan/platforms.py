"""Any platform that the configuration would accept, for property tests."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from components.plan import resilience
from components.plan.addressing import LARGEST_PREFIX, MAX_SERVERS, SMALLEST_PREFIX
from components.plan.backup import INTERVALS
from components.plan.federation import TRUSTED
from components.plan.spec import CLOUDS, PRIMARY, PRODUCTS, Artifacts, Backup, Clients, Cloud, Platform, Region, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACES: Mapping[Cloud, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    "aws": (
        ("us-west-2", ("us-west-2a", "us-west-2b", "us-west-2c"), "us-east-2"),
        ("ap-southeast-1", ("ap-southeast-1c", "ap-southeast-1a", "ap-southeast-1b"), "ap-northeast-1"),
    ),
    "azure": (
        ("westus2", ("1", "2", "3"), "westcentralus"),
        ("germanywestcentral", ("3", "1", "2"), "germanynorth"),
    ),
    "gcp": (
        ("us-west1", ("us-west1-a", "us-west1-b", "us-west1-c"), "us-central1"),
        ("europe-west4", ("europe-west4-a", "europe-west4-b", "europe-west4-c"), "europe-north1"),
    ),
}
VERSIONS = {
    "consul": "1.21.0",
    "vault": "1.21.0",
    "nomad": "1.11.1",
    "boundary": "0.21.3",
    "node_exporter": "1.9.1",
    "postgresql": "16.9.0",
}
ARTIFACTS = Artifacts(
    "https://releases.example.com", "https://exporter.example.com", "https://postgresql.example.com", {}
)

_ASNS = st.one_of(st.integers(64512, 65534), st.integers(4_200_000_000, 4_294_967_294)).filter(
    lambda number: resilience.asn(number) is None
)


@st.composite
def ranges(draw: st.DrawFn, count: int) -> list[str]:
    """That many disjoint private ranges of the sizes that the address plan takes."""
    prefix = draw(st.integers(SMALLEST_PREFIX, LARGEST_PREFIX))
    blocks = st.integers(0, 2 ** (prefix - 8) - 1)
    chosen = draw(st.lists(blocks, min_size=count, max_size=count, unique=True))
    return [f"{IPv4Address((10 << 24) + (block << (32 - prefix)))}/{prefix}" for block in chosen]


@st.composite
def platforms(draw: st.DrawFn) -> Platform:
    """A platform with the primary and any of the other clouds."""
    clouds: list[Cloud] = [cloud for cloud in CLOUDS if cloud == PRIMARY or draw(st.booleans())]
    cidrs = draw(ranges(len(clouds)))
    voters = st.sampled_from((3, 5, 7))
    return Platform(
        name=draw(st.from_regex(r"[a-z](-?[a-z0-9]){0,13}", fullmatch=True).filter(lambda name: len(name) <= 14)),
        environment=draw(st.sampled_from(("production", "staging", "e" * 63))),
        domain=draw(st.sampled_from(("hashicorp.example.com", "a.b", f"{'d' * 48}.com"))),
        owner=draw(
            st.sampled_from(("platform-engineering", "Jo Doe <=> team@example.com".replace("<=>", "/"), "o" * 63))
        ),
        cost_center=draw(st.sampled_from(("platform", "CC 4711.2", "x"))),
        profile=draw(st.sampled_from(("production", "small"))),
        edition=draw(st.sampled_from(("community", "enterprise"))),
        seal=draw(st.sampled_from(("cloud", "shamir"))),
        regions={
            cloud: Region(cloud, name, zones, cidr, recovery)
            for cloud, cidr in zip(clouds, cidrs, strict=True)
            for name, zones, recovery in [draw(st.sampled_from(_PLACES[cloud]))]
        },
        servers={
            "consul": draw(voters),
            "vault": draw(voters),
            "nomad": draw(voters),
            "boundary": draw(st.integers(1, MAX_SERVERS)),
        },
        clients=Clients(3, 12),
        versions=VERSIONS,
        artifacts=ARTIFACTS,
        asns=dict(
            zip(clouds, draw(st.lists(_ASNS, min_size=len(clouds), max_size=len(clouds), unique=True)), strict=True)
        ),
        backup=draw(backups(clouds)),
        audit_days=draw(st.integers(365, 3650)),
        recipients=("on-call@example.com",),
    )


@st.composite
def backups(draw: st.DrawFn, clouds: list[Cloud]) -> Backup:
    """How such a platform may be backed up."""
    lock_days = draw(st.integers(1, 3650))
    copies: dict[Cloud, Cloud] = {}
    for cloud in clouds:
        targets: list[Cloud] = [other for other in clouds if (cloud, other) in TRUSTED]
        if targets:
            copies[cloud] = draw(st.sampled_from(targets))
    return Backup(
        interval_minutes={product: draw(st.sampled_from(INTERVALS)) for product in PRODUCTS},
        rpo_minutes=draw(st.integers(30, 2880)),
        lock=draw(st.sampled_from(("compliance", "governance"))),
        lock_days=lock_days,
        keep_days=draw(st.integers(lock_days, 7300)),
        copies=copies,
    )


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """One stack of any platform."""
    platform = draw(platforms())
    return Stack(platform, draw(st.sampled_from(platform.clouds)), "", "an-image", ())
