"""Times how long traffic between regions stands still after a failure, with the timers that the gateways have.

Each case is a mesh of its own, and all cases run at once: they mostly wait. Twice each, since nobody outside a cloud
knows whether its gateway ends a BGP session when it declares a peer dead: once it does, once only the hold time ends it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from components.plan.mesh import DPD_SECONDS, HOLD_SECONDS, pairs
from sandbox.errors import SandboxError
from sandbox.mesh.layout import Failure, failures, layout
from sandbox.mesh.liveness import DeadPeerDetection
from sandbox.mesh.network import MeshNetwork
from sandbox.mesh.traffic import Traffic

if TYPE_CHECKING:
    from components.plan.spec import Platform

_FLOWS = 24
_START_SECONDS = 60.0
_SLACK_SECONDS = 20.0


@dataclass(frozen=True)
class Measured:
    """What one failure did to one pair."""

    failure: str
    pair: str
    detected: bool
    """Whether dead-peer detection took tunnels down."""
    bound: int
    """The timer that ends it at the latest, in seconds."""
    seconds: float


def measure(platform: Platform) -> list[Measured]:
    """One silent tunnel in every pair, and one dead instance, each with dead-peer detection and without."""
    plan = layout(platform)
    tunnels = Failure("one tunnel silent", tuple(pair.tunnels[0] for pair in pairs(platform)))
    instances = [failure for failure in failures(plan) if failure.instance]
    cases = [(failure, detected) for failure in (tunnels, *instances[:1]) for detected in (True, False)]
    with ThreadPoolExecutor(len(cases)) as threads:
        found = list(threads.map(lambda case: _case(platform, *case), cases))
    return [measured for case in found for measured in case]


def _case(platform: Platform, failure: Failure, detected: bool) -> list[Measured]:  # noqa: FBT001 - one of a case's two facts
    bounds = {
        pair.name: min(pair.hold_seconds(), DPD_SECONDS) if detected else pair.hold_seconds()
        for pair in pairs(platform)
        if pair.name in failure.pairs
    }
    with MeshNetwork(platform, HOLD_SECONDS) as network:
        network.await_established(_START_SECONDS)
        watch = DeadPeerDetection(network, DPD_SECONDS) if detected else nullcontext()
        with watch, Traffic(network, _FLOWS) as traffic:
            if not traffic.await_flowing(_START_SECONDS):
                raise SandboxError("No traffic passes the mesh.", "`make test ARGS=tests/mesh` says why.")
            began = time.monotonic()
            network.cut(failure)
            time.sleep(1)
            if not traffic.await_flowing(max(bounds.values()) + _SLACK_SECONDS):
                raise SandboxError(f"{failure.name}: traffic never came back.", "`make test ARGS=tests/mesh` says why.")
            return [
                Measured(
                    failure.name,
                    pair.name,
                    detected,
                    bounds[pair.name],
                    traffic.outage(began, (pair.a, pair.b)).seconds,
                )
                for pair in pairs(platform)
                if pair.name in bounds
            ]


def table(platform: Platform) -> Table:
    """The measurements, as docs/mesh.md shows them."""
    table = Table(title="seconds until traffic between two regions flows again", title_justify="left")
    for heading in ("failure", "pair", "noticed by", "at most", "measured"):
        table.add_column(heading, justify="right" if heading in {"at most", "measured"} else "left")
    for row in measure(platform):
        by = "dead-peer detection or BGP" if row.detected else "BGP alone"
        table.add_row(row.failure, row.pair, by, str(row.bound), f"{row.seconds:.1f}")
    return table
