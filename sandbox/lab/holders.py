"""The people who hold the shares of a lab's recovery keys: age identities, made once for each lab.

Owns their files. In a real platform each is somebody's own, on a device of theirs; here all lie side by side, because
nothing that a lab's Vault keeps is worth more than the lab.

Source: age's specification, "X25519 recipient stanza".
"""

from __future__ import annotations

from pathlib import Path

import pyrage

HOLDERS = 5
"""As many as `runbook bootstrap` makes shares."""


def keys(folder: Path) -> list[Path]:
    """A file for each holder, with the public key in it; made if need be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: list[Path] = []
    for number in range(1, HOLDERS + 1):
        public, private = folder / f"holder-{number}.pub", folder / f"holder-{number}.age"
        if not public.exists():
            identity = pyrage.x25519.Identity.generate()
            private.touch(0o600)
            private.write_text(f"{identity}\n", encoding="ascii")
            public.write_text(f"{identity.to_public()}\n", encoding="ascii")
        found.append(public)
    return found
