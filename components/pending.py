"""An Output that nobody can know yet.

Owns one thing: how a preview shows what another region has not made so far. The engine treats it like any
value that only an update will tell. Never reaches an update: `peers` refuses one that would need it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi


def pending() -> pulumi.Output[Any]:
    """A secret, unknown Output. Must be called while the program's event loop runs."""

    def settled(*, value: bool) -> asyncio.Future[bool]:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    nothing: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    return pulumi.Output(set(), nothing, is_known=settled(value=False), is_secret=settled(value=True))
