"""Runs the snapshot agent as the secret store keeps it.

    backup.py PACKED [OPTION ...]

PACKED is base64 of the gzip of a zip of Python modules, of which `agent` is the program and gets the options; see
`--help`. Runs on the machine, with nothing but Python's standard library.
"""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import base64
import gzip
import os
import runpy
import sys
import tempfile
from pathlib import Path

with tempfile.NamedTemporaryFile(dir=os.environ.get("RUNTIME_DIRECTORY"), suffix=".zip") as archive:
    archive.write(gzip.decompress(base64.b64decode(Path(sys.argv.pop(1)).read_bytes())))
    archive.flush()
    sys.path.insert(0, archive.name)
    runpy.run_module("agent", run_name="__main__")
