"""Run inside a machine: asks many places at once, and says which answered.

Told on its input as JSON: `open`, `closed` and `udp` as lists of [address, port], `echo` as a list of addresses, `text`
for datagrams, `patience` and `longer` in seconds. All are asked in the same moment. What should be open is waited for
until it answers, or patience ends; what should be closed for as long, and a while longer.

Says as JSON: `open` and `closed`, for each in turn, `connected`, `refused` (the packet arrived and nobody listened) or
`silent`; `echo`, routers on the way of the answer by address. What became of datagrams, only the other side knows.
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
AGAIN_SECONDS = 1.0
"""Datagrams and echoes may be lost without anybody's fault: they are sent again and again."""
ECHO, ANSWER = 8, 0
CONNECTED, REFUSED, SILENT = "connected", "refused", "silent"


async def connect(address: str, port: int) -> str:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return REFUSED
    except OSError:
        return SILENT
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return CONNECTED


async def send(places: list[tuple[str, int]], text: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        while True:
            for address, port in places:
                # What an earlier one met is told by the next.
                with suppress(OSError):
                    line.sendto(text.encode(), (address, port))
            await asyncio.sleep(AGAIN_SECONDS)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


async def echo(addresses: list[str], found: dict[str, int]) -> None:
    """Until all have answered."""
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
        try:
            while addresses and not everybody.is_set():
                head = struct.pack("!BBHHH", ECHO, 0, 0, own, 0)
                packet = struct.pack("!BBHHH", ECHO, 0, checksum(head), own, 0)
                for address in addresses:
                    with suppress(OSError):
                        line.sendto(packet, (address, 0))
                with suppress(TimeoutError):
                    await asyncio.wait_for(everybody.wait(), AGAIN_SECONDS)
        finally:
            asyncio.get_running_loop().remove_reader(line)


async def main() -> None:
    told = json.load(sys.stdin)
    routers: dict[str, int] = {}
    asked = {
        kind: [asyncio.create_task(connect(address, port)) for address, port in told[kind]]
        for kind in ("open", "closed")
    }
    sending = asyncio.create_task(send(told["udp"], told["text"]))
    echoing = asyncio.create_task(echo(told["echo"], routers))
    await asyncio.wait([*asked["open"], echoing], timeout=told["patience"])
    await asyncio.sleep(told["longer"])
    said = {kind: [task.result() if task.done() else SILENT for task in tasks] for kind, tasks in asked.items()}
    json.dump({**said, "echo": routers}, sys.stdout)
    for task in (*asked["open"], *asked["closed"], sending, echoing):
        task.cancel()


asyncio.run(main())
