"""Outputs that stand for more, or for less, than a resource's answer.

Owns how a preview shows what another region has not made so far, and how a value is kept while everything that it
speaks of goes. Both are ordinary Outputs to the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import pulumi


def pending() -> pulumi.Output[Any]:
    """A secret, unknown Output. Must be called while the program's event loop runs.

    Never reaches an update: `peers` refuses one that would need it.
    """

    def settled(*, value: bool) -> asyncio.Future[bool]:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    nothing: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    return pulumi.Output(set(), nothing, is_known=settled(value=False), is_secret=settled(value=True))


def detached(output: pulumi.Output[str]) -> pulumi.Output[str]:
    """The same value without the resources that it came from.

    A protected resource keeps whatever it depends on from being destroyed. What is only a record of others must outlive
    them, so it must not depend on them.
    """
    return pulumi.Output(set(), cast("Awaitable[str]", output.future()), output.is_known(), output.is_secret())
