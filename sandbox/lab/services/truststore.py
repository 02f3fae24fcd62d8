"""Where Amazon publishes the authorities of its databases: here the lab's own, which signs their certificates.

Source: RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance".
"""

from __future__ import annotations

from urllib.parse import urlsplit

from components.plan.database import authorities_url
from sandbox.stores.exchange import Answer, Request

HOST = urlsplit(authorities_url("")).hostname or ""


class Truststore:
    """The host that serves a bundle for each region.

    Args:
        authority: certificate, PEM.
    """

    def __init__(self, authority: bytes) -> None:
        self._authority = authority.decode()

    def serves(self, host: str) -> bool:
        return host == HOST

    def handle(self, request: Request) -> Answer:
        """The bundle, for whatever region."""
        region = request.path.split("/")[1]
        if request.method != "GET" or request.path != urlsplit(authorities_url(region)).path:
            return Answer(404)
        return Answer(200, self._authority, {"Content-Type": "application/x-pem-file"})
