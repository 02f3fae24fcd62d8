"""Balancers at work: listens at their fronts and hands connections on to servers that can serve, in turn.

Connections come to the server from the balancer's own address. Clouds that pass packets on would show the client's;
firewalls of the platform let the whole mesh reach what is balanced, so the difference opens and closes nothing.

Dangerous edge: bytes are copied as they are, secrets included. Nothing of them is kept or told.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress

from sandbox.lab.balancing.health import Health, ask
from sandbox.lab.world import Balancer, Check, Listener

Tell = Callable[[str, str, int, Health], None]
"""Called when a server comes in or goes out: balancer, server's address, checked port, what is known."""

_PIECE = 64 * 1024
_CONNECT_SECONDS = 5


class Proxy:
    """One balancer."""

    def __init__(self, balancer: Balancer, tell: Tell) -> None:
        self._balancer = balancer
        self._tell = tell
        self._health: dict[tuple[str, Check], Health] = {}
        self._turn = itertools.count()
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serves until it is cancelled, which closes every connection."""
        checks = {(target, each.check) for each in self._balancer.listeners for target in each.targets}
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            for listener in self._balancer.listeners:
                for address in self._balancer.addresses:
                    server = await asyncio.start_server(self._taking(listener, address), address, listener.front)
                    await stack.enter_async_context(server)
            async with asyncio.TaskGroup() as group:
                for target, check in checks:
                    group.create_task(self._watch(target, check))

    async def _close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _watch(self, target: str, check: Check) -> None:
        known = Health()
        while True:
            before = known.serving
            known = known.after(await ask(target, check, self._balancer.addresses[0]), check)
            self._health[target, check] = known
            if known.serving is not before:
                self._tell(self._balancer.name, target, check.port, known)
            await asyncio.sleep(check.interval)

    def _chosen(self, listener: Listener) -> Iterable[str]:
        """Servers in the order in which a connection tries them; the turn goes round."""
        fit = [each for each in listener.targets if self._health.get((each, listener.check), Health()).serving]
        if not fit and self._balancer.last_resort:
            fit = list(listener.targets)
        first = next(self._turn) % len(fit) if fit else 0
        return (*fit[first:], *fit[:first])

    def _taking(
        self, listener: Listener, front: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], asyncio.Task[None]]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
            task = asyncio.ensure_future(self._carry(listener, front, reader, writer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
            return task

        return take

    async def _carry(
        self, listener: Listener, front: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            for target in self._chosen(listener):
                with suppress(OSError, TimeoutError):
                    connecting = asyncio.open_connection(target, listener.port, local_addr=(front, 0))
                    theirs, ours = await asyncio.wait_for(connecting, _CONNECT_SECONDS)
                    await _joined(reader, writer, theirs, ours)
                    return
        finally:
            # Nobody to hand it to: the client sees a closed connection, as behind the real ones.
            writer.close()


async def _joined(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    theirs: asyncio.StreamReader,
    ours: asyncio.StreamWriter,
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copied(reader, ours))
            group.create_task(_copied(theirs, writer))
    finally:
        ours.close()


async def _copied(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            to.write(piece)
            await to.drain()
        if to.can_write_eof():
            to.write_eof()
