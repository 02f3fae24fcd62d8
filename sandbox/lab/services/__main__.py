"""Serves a lab's clouds in the network that this process is in: `python -m sandbox.lab.services FOLDER`.

Each line of standard input is all that stands in the clouds from then on (`feed`). `ready` answers it, or one line that
says why not, and then everything is as it was before. Ends when its input does, so that no service outlives who started
it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.errors import SandboxError

from .feed import load
from .server import Services


def main(folder: Path) -> None:
    """Serve until the input ends."""
    services = Services(folder)
    with services.serving():
        for line in sys.stdin.buffer:
            try:
                services.tell(load(line))
                said = "ready"
            except SandboxError as error:
                said = " ".join(str(error).split())
            print(said, flush=True)  # noqa: T201 - what the teller waits for


if __name__ == "__main__":
    main(Path(sys.argv[1]))
