"""`python -m sandbox.lab.balancing FILE`: the balancers of a file, until SIGTERM.

Started inside the lab's switch. Says on stdout, a JSON object a line, that it listens and whenever a server comes in or
goes out; the exit code is 0.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from pydantic import TypeAdapter

from sandbox.lab.balancing.health import Health
from sandbox.lab.balancing.proxy import Proxy
from sandbox.lab.world import Balancer


def _say(said: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _tell(balancer: str, target: str, port: int, known: Health) -> None:
    _say({"balancer": balancer, "server": target, "port": port, "serving": known.serving, "why": known.why})


async def _serve(balancers: list[Balancer]) -> None:
    running = asyncio.gather(*(Proxy(balancer, _tell).run() for balancer in balancers))
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, running.cancel)
    await asyncio.sleep(0)
    _say({"listening": sum(len(each.addresses) * len(each.listeners) for each in balancers)})
    try:
        await running
    except asyncio.CancelledError:
        return


asyncio.run(_serve(TypeAdapter(list[Balancer]).validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))))
