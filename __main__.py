"""The program of every stack: read the configuration, read the peers, build one region, export its manifest."""

import gc
from collections.abc import Mapping
from typing import Any

import pulumi

import config
from components.peers import read
from components.plan.manifest import fingerprint
from components.platform import build

# Imports leave a million long-lived objects that the collector would walk again and again while resources
# are registered: a third of the program's time.
gc.collect()
gc.freeze()


async def main() -> Mapping[str, pulumi.Input[Any]]:
    """One region."""
    stack = config.load()
    return build(stack, await read(stack, fingerprint(stack.platform)))


pulumi.run(main)
