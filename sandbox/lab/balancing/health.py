"""Whether a server can serve: counting answers (pure), and asking.

Answers in a row bring a server in or take it out, as the balancer's check declares. A server that was never asked is
out. The server's certificate is not looked at: no cloud's checks do.

Source: cloud-reference, "Balancers"; the clouds' documents on health checks.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, replace

from sandbox.lab.world import Check

_MOST = 64 * 1024
_OK = 200


@dataclass(frozen=True)
class Health:
    """What is known of one server.

    Attributes:
        row: how many answers in a row said the opposite of what it is taken for.
        why: the last bad answer, in words; empty after a good one.
    """

    serving: bool = False
    row: int = 0
    why: str = "not asked yet"

    def after(self, why: str, check: Check) -> Health:
        """What is known after one more answer; an empty `why` is a good one."""
        good = not why
        if good is self.serving:
            return replace(self, row=0, why=why)
        row = self.row + 1
        enough = check.healthy if good else check.unhealthy
        return Health(good, 0, why) if row >= enough else replace(self, row=row, why=why)


async def ask(address: str, check: Check, source: str) -> str:
    """Asks one server once; why it cannot serve, or an empty text.

    Args:
        source: the address to ask from.
    """
    try:
        return await asyncio.wait_for(_answer(address, check, source), check.timeout)
    except TimeoutError:
        return f"no answer in {check.timeout} s"
    except (OSError, EOFError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


async def _answer(address: str, check: Check, source: str) -> str:
    reader, writer = await asyncio.open_connection(address, check.port, ssl=_context(), local_addr=(source, 0))
    try:
        # HTTP/1.0, so that the body comes as it is and not in chunks.
        request = f"GET {check.path} HTTP/1.0\r\nHost: {address}:{check.port}\r\n\r\n"
        writer.write(request.encode())
        status = (await reader.readline()).split()
        if len(status) < 2:
            return "no HTTP"
        if int(status[1]) != _OK:
            return f"status {int(status[1])}"
        if not check.body:
            return ""
        _, _, body = (await reader.read(_MOST)).partition(b"\r\n\r\n")
        return "" if body.startswith(check.body.encode()) else "another body"
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
