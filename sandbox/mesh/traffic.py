"""Traffic between machines of the regions, all the time, and what became of every packet.

Owns the flows: UDP packets with a number, echoed by the other region's machine. Many flows between two regions spread
over all tunnels there and back, so that a tunnel that swallows packets is noticed whichever one it is.

Dangerous edge: a flow counts as broken when either direction is; the figures are of round trips.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.mesh.layout import machine, routes_between

if TYPE_CHECKING:
    from components.plan.spec import Cloud
    from sandbox.mesh.network import MeshNetwork

FLOWS = 32
"""Between two regions. Each takes one of four tunnels each way: all miss a given one with a chance of (3/4)^64."""
INTERVAL_SECONDS = 0.05
_ECHO_PORT = 9
_NUMBER = struct.Struct("!I")
_ROUND_TRIP_SECONDS = 0.25
"""An answer that takes longer than this, on one machine, does not come."""


@dataclass
class Flow:
    """One flow: its packets in the order they were sent."""

    regions: frozenset[Cloud]
    line: socket.socket
    sent: list[float] = field(default_factory=list[float])
    answered: bytearray = field(default_factory=bytearray)

    def lost(self, since: float, until: float) -> list[float]:
        """When the packets were sent that nobody answered."""
        return [at for at, ok in zip(self.sent, self.answered, strict=False) if not ok and since <= at <= until]


@dataclass(frozen=True)
class Outage:
    """What a failure did to the traffic between two regions, or to all of it."""

    lost: int
    seconds: float
    """From the failure until all flows are answered again; 0 if nothing was lost."""


class Traffic:
    """Flows between every two regions until it is closed."""

    def __init__(self, network: MeshNetwork, flows: int = FLOWS) -> None:
        self._flows: list[Flow] = []
        self._echoes: list[socket.socket] = []
        self._stopped = threading.Event()
        plan = network.plan
        for cloud, address in plan.machines.items():
            self._echoes.append(network.namespaces.inside(machine(cloud), lambda to=address: _udp((to, _ECHO_PORT))))
        for one, other in routes_between(plan):
            target = (plan.machines[other], _ECHO_PORT)
            for line in network.namespaces.inside(machine(one), lambda: [_udp(None) for _ in range(flows)]):
                with suppress(OSError):
                    line.connect(target)
                self._flows.append(Flow(frozenset((one, other)), line))
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._echo, self._send)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        for line in (*self._echoes, *(flow.line for flow in self._flows)):
            line.close()

    def flowing(self, seconds: float = 0.5) -> bool:
        """Whether every packet of the last moments was answered."""
        until = time.monotonic() - _ROUND_TRIP_SECONDS
        return all(
            flow.sent and flow.sent[0] < until - seconds and not flow.lost(until - seconds, until)
            for flow in self._flows
        )

    def await_flowing(self, limit: float) -> bool:
        """Waits until traffic flows; whether it does in time."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.flowing():
                return True
            time.sleep(0.02)
        return False

    def outage(self, since: float, between: tuple[Cloud, Cloud] | None = None) -> Outage:
        """What was lost since a failure."""
        until = time.monotonic() - _ROUND_TRIP_SECONDS
        lost = [
            at
            for flow in self._flows
            if between is None or flow.regions == frozenset(between)
            for at in flow.lost(since - _ROUND_TRIP_SECONDS, until)
        ]
        return Outage(len(lost), max(max(lost) + INTERVAL_SECONDS - since, 0.0) if lost else 0.0)

    def _send(self) -> None:
        due = time.monotonic()
        while not self._stopped.is_set():
            for flow in self._flows:
                flow.answered.append(0)
                flow.sent.append(time.monotonic())
                # No route at all is a lost packet like any other.
                with suppress(OSError):
                    flow.line.send(_NUMBER.pack(len(flow.sent) - 1))
            due = max(due + INTERVAL_SECONDS, time.monotonic())
            self._receive(due)

    def _receive(self, until: float) -> None:
        with selectors.DefaultSelector() as waiting:
            for flow in self._flows:
                waiting.register(flow.line, selectors.EVENT_READ, flow)
            while (left := until - time.monotonic()) > 0:
                for key, _ in waiting.select(left):
                    flow: Flow = key.data
                    with suppress(OSError):
                        (number,) = _NUMBER.unpack(flow.line.recv(64))
                        flow.answered[number] = 1

    def _echo(self) -> None:
        with selectors.DefaultSelector() as waiting:
            for line in self._echoes:
                waiting.register(line, selectors.EVENT_READ, line)
            while not self._stopped.is_set():
                for key, _ in waiting.select(0.1):
                    line: socket.socket = key.data
                    with suppress(OSError):
                        while True:
                            packet, sender = line.recvfrom(64)
                            line.sendto(packet, sender)


def _udp(address: tuple[str, int] | None) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(0)
    if address:
        line.bind(address)
    return line
