"""Dead-peer detection, as a gateway does it: a tunnel whose far end is silent for too long is taken down.

Owns the one effect that matters to routing: the tunnel's interface goes down, so its BGP session ends at once instead
of after its hold time. IKE itself is not spoken; heartbeats run through the tunnel every second, where a gateway also
counts any encrypted packet as a sign of life.

Dangerous edge: a tunnel that was declared dead stays down. A gateway would negotiate it anew; a measurement ends here.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.plan.mesh import End, Tunnel
    from components.plan.spec import Cloud
    from sandbox.mesh.network import MeshNetwork

_HEARTBEAT_SECONDS = 1.0
_PORT = 500


class DeadPeerDetection:
    """Watches every tunnel from both ends until it is closed; starts when the tunnels are up."""

    def __init__(self, network: MeshNetwork, seconds: float) -> None:
        self._network = network
        self._seconds = seconds
        self._sockets = ExitStack()
        self._lines: dict[tuple[Tunnel, Cloud], socket.socket] = {}
        for gateway in network.plan.gateways:
            for tunnel, own, far in gateway.sessions:
                line = network.namespaces.inside(gateway.name, lambda own=own, far=far: _between(own, far))
                self._lines[tunnel, gateway.cloud] = self._sockets.enter_context(line)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> DeadPeerDetection:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._sockets.close()

    def _watch(self) -> None:
        heard = dict.fromkeys(self._lines, time.monotonic())
        due = time.monotonic()
        with selectors.DefaultSelector() as waiting:
            for side, line in self._lines.items():
                waiting.register(line, selectors.EVENT_READ, side)
            while not self._stopped.is_set():
                for key, _ in waiting.select(0.1):
                    with suppress(OSError):
                        self._lines[key.data].recv(16)
                        heard[key.data] = time.monotonic()
                if time.monotonic() < due:
                    continue
                due += _HEARTBEAT_SECONDS
                for side in list(heard):
                    with suppress(OSError):
                        self._lines[side].send(b"alive")
                    if time.monotonic() - heard[side] > self._seconds:
                        del heard[side]
                        waiting.unregister(self._lines[side])
                        self._network.interface(*side, up=False)


def _between(own: End, far: End) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(0)
    line.bind((own.address, _PORT))
    line.connect((far.address, _PORT))
    return line
