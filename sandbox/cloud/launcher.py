"""The small program that the engine starts in place of a provider plugin.

The engine expects a plugin to print a port and to live until it is killed. This one is a POSIX shell script that prints
the port of the running simulated cloud, because starting a Python for each of a dozen providers costs seconds. It lives
as long as its standard input, which the engine holds, so that no launcher outlives an engine that died.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

DOWN: Final = "simulated cloud is not running: start it with `make up` (or `make cloud`)"
_SCRIPT: Final = """#!/bin/sh
# Stands in for a provider plugin: prints the port of the running simulated cloud, then waits for the engine to end.
if read -r port pid _ 2>/dev/null < {port_file} && kill -0 "$pid" 2>/dev/null; then
    echo "$port"
    exec cat > /dev/null
fi
echo {down} >&2
exit 1
"""


def launcher_script(port_file: Path) -> str:
    """Text of a launcher that finds the simulated cloud by `port_file` ("port pid start", written by the daemon)."""
    return _SCRIPT.format(port_file=shlex.quote(str(port_file)), down=shlex.quote(DOWN))
