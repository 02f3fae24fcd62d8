"""Run inside a machine: listens where nobody does, and hears every marked datagram that comes in by its cable.

Told on its input, one line of JSON: `address`, `ports` (TCP), `mark`. Says `ready` when it listens everywhere. At the
end of its input it says, as JSON, the datagrams it heard, each as [its text after the mark, port].

A datagram is taken from the cable, whatever program has the port: what a gossip protocol cannot decrypt, it never
answers. A port that is taken has a listener already, which is the one to be reached.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import sys
import threading
from contextlib import suppress

ETH_P_IP, UDP = 0x0800, 17
ETHERNET = 14


def listen(address: str, port: int) -> None:
    """Takes connections, and ends each at once."""
    try:
        server = socket.create_server((address, port), backlog=128)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return

    def serve() -> None:
        while True:
            with suppress(OSError):
                server.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()


def hear(cable: socket.socket, address: str, mark: bytes, heard: set[tuple[str, int]]) -> None:
    """Notes every marked datagram to this machine."""
    while True:
        frame = cable.recv(65536)
        header = frame[ETHERNET : ETHERNET + 20]
        if len(header) < 20 or header[9] != UDP or socket.inet_ntoa(header[16:20]) != address:
            continue
        datagram = frame[ETHERNET + (header[0] & 15) * 4 :]
        _, port, length = struct.unpack("!HHH", datagram[:6])
        text = datagram[8:length]
        if text.startswith(mark):
            heard.add((text[len(mark) :].decode(), port))


def main() -> None:
    told = json.loads(sys.stdin.readline())
    heard: set[tuple[str, int]] = set()
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
    cable.bind(("eth0", ETH_P_IP))
    arguments = (cable, told["address"], told["mark"].encode(), heard)
    threading.Thread(target=hear, args=arguments, daemon=True).start()
    for port in told["ports"]:
        listen(told["address"], port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    json.dump(sorted(heard), sys.stdout)


main()
