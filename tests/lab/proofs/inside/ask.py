"""Run inside a machine: asks many places at once, and says which answered.

Told on its input as JSON: `seconds` to wait, `tcp` and `udp` as lists of [address, port], `echo` as a list of addresses,
and `text` for datagrams. Says as JSON: `tcp`, for each in turn, `connected`, `refused` (the packet arrived and nobody
listened) or `silent`; `echo`, routers on the way of the answer by address. What became of datagrams, only the other side
knows.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
from contextlib import suppress

TTL = 64
"""What a machine's packet begins with."""
TIMES = 3
"""A datagram may be lost without anybody's fault."""
ECHO, ANSWER = 8, 0


async def connect(address: str, port: int, seconds: float) -> str:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), seconds)
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return "connected"


async def send(places: list[tuple[str, int]], text: str, seconds: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for _ in range(TIMES if places else 0):
            for place in places:
                # What an earlier one met is told by the next.
                with suppress(OSError):
                    line.sendto(text.encode(), tuple(place))
            await asyncio.sleep(seconds / TIMES)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


async def echo(addresses: list[str], seconds: float) -> dict[str, int]:
    found: dict[str, int] = {}
    everybody = asyncio.Event()
    own = os.getpid() & 0xFFFF
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as line:
        line.settimeout(0)

        def answered() -> None:
            packet = line.recv(256)
            kind, _, _, number = struct.unpack("!BBHH", packet[20:26])
            if kind == ANSWER and number == own:
                found[socket.inet_ntoa(packet[12:16])] = TTL - packet[8]
            if found.keys() >= set(addresses):
                everybody.set()

        asyncio.get_running_loop().add_reader(line, answered)
        for turn in range(TIMES if addresses else 0):
            head = struct.pack("!BBHHH", ECHO, 0, 0, own, turn)
            packet = struct.pack("!BBHHH", ECHO, 0, checksum(head), own, turn)
            for address in addresses:
                with suppress(OSError):
                    line.sendto(packet, (address, 0))
            with suppress(TimeoutError):
                await asyncio.wait_for(everybody.wait(), seconds / TIMES)
                break
        asyncio.get_running_loop().remove_reader(line)
    return found


async def main() -> None:
    told = json.load(sys.stdin)
    seconds = told["seconds"]
    *tcp, _, echoed = await asyncio.gather(
        *(connect(address, port, seconds) for address, port in told["tcp"]),
        send(told["udp"], told["text"], seconds),
        echo(told["echo"], seconds),
    )
    json.dump({"tcp": tcp, "echo": echoed}, sys.stdout)


asyncio.run(main())
