"""Writes the secret part of a program's configuration.

    compose.py SOURCE TARGET [ROOT]

SOURCE is JSON in which `{"$file": PATH}` stands for the content of a file; TARGET gets the same JSON with
the contents put in, readable only by the owner of TARGET's directory. Values go from file to file: never
through arguments or output. Runs on the machine, with nothing but Python's standard library.
"""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def filled(node: Any, root: str) -> Any:  # noqa: ANN401
    """The document with every reference replaced."""
    if isinstance(node, dict):
        if set(node) == {"$file"}:
            return Path(root + node["$file"]).read_text().strip()
        return {key: filled(value, root) for key, value in node.items()}
    return node


def main(source: str, target: str, root: str = "") -> None:
    """Replace `target` as a whole, and only if it changes."""
    text = json.dumps(filled(json.loads(Path(source).read_text()), root), indent=2) + "\n"
    path = Path(target)
    if path.exists() and path.read_text() == text:
        return
    folder = path.parent.stat()
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as stream:
        stream.write(text)
    os.chown(fresh, folder.st_uid, folder.st_gid)
    fresh.replace(path)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"compose: {error.filename}: {error.strerror}")
