"""A line to a server that is cut, with the server, while an answer passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Line:
    """Where the line starts, and how many connections it still lets through."""

    port: int
    whole: int
    cut: bool = False


@contextmanager
def line(host: str, port: int, whole: int, most: int, lost: Callable[[], None]) -> Iterator[Line]:
    """Relay `whole` connections untouched; of the next, `most` bytes of the answer, then call `lost` and hang up.

    TLS passes as it is: the server proves itself to the client.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Line(listening.getsockname()[1], whole)

        def serve() -> None:
            while True:
                try:
                    near, _ = listening.accept()
                except OSError:
                    return
                made.whole -= 1
                with contextlib.suppress(OSError), near, socket.create_connection((host, port)) as far:
                    threading.Thread(target=_copy, args=(near, far), daemon=True).start()
                    passed = 0
                    while piece := far.recv(512):
                        passed += len(piece)
                        if made.whole < 0 and passed > most and not made.cut:
                            lost()
                            made.cut = True
                            near.shutdown(socket.SHUT_RDWR)
                            break
                        near.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _copy(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := near.recv(65536):
            far.sendall(piece)
