"""The lab's own certificate authority: what makes it the clouds' hosts to its machines.

Owns the authority's file in the lab's folder, and the certificate that the gateway shows. That machines trust it is for
whoever makes their disks: `certificate` is what they are given.

Dangerous edge: nothing but a lab's machines may ever trust it.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sandbox.stores.certificates import Authority

from .kept import kept

_FILE = "authority.pem"
_DAYS, _SERVER_DAYS = 3650, 397


def authority(folder: Path) -> Authority:
    """The authority of the lab that has this folder."""
    return Authority.load(kept(folder / _FILE, Authority.new("cloud of the lab", _DAYS).dump))


def certificate(folder: Path) -> bytes:
    """What the lab's machines trust, PEM."""
    return authority(folder).public()


class Shown:
    """The certificate of the gateway, for a set of names that may grow while it serves."""

    def __init__(self, issuer: Authority) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._issuer = issuer
        self._names: frozenset[str] = frozenset()

    def extend(self, names: Iterable[str]) -> None:
        """Show a certificate that has these names too; connections from now on see it."""
        wanted = self._names | set(names)
        if wanted == self._names:
            return
        self._names = wanted
        key, shown = self._issuer.issue(sorted(wanted), _SERVER_DAYS)
        # The library reads files only. This one is its owner's alone, and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(key + shown)
            file.flush()
            self.context.load_cert_chain(file.name)


def server_pair(issuer: Authority, name: str) -> tuple[bytes, bytes]:
    """Key and certificate of a server with one name."""
    return issuer.issue([name], _SERVER_DAYS)
