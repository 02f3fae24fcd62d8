"""Connections to the platform's servers: whom they trust, and what a failed one is called.

Owns trust and the words for silence. Asks nothing.

Dangerous edge: a token may go only to a server that has shown a certificate of the manifest's own authority, so nothing
but this trust may be given to a client that carries one.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from itertools import chain

from components.plan.spec import Cloud
from runbook.errors import RunbookError
from runbook.health.replies import Unanswered


def trust(cloud: Cloud, authority: str) -> ssl.SSLContext:
    """A context that trusts a manifest's authority and nobody else.

    Raises:
        RunbookError: the manifest holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise RunbookError(
            f"The manifest of {cloud} holds no certificate of an authority, so no server can be told from an impostor.",
            "Take the manifest from the stack's outputs again.",
        ) from None
    return context


def silence(error: BaseException) -> Unanswered:
    """What a failed request is called. Of the error only OpenSSL's own words are kept."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unanswered("untrusted", cause.verify_message)
    if has(error, ConnectionRefusedError):
        return Unanswered("refused")
    numbers = {cause.errno for cause in _causes(error) if isinstance(cause, OSError)}
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT}:
        return Unanswered("timed out", "no way there")
    return Unanswered("garbled", type(error).__name__)


def has(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error of this kind led to it."""
    return any(isinstance(cause, kind) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error with all that led to it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += chain((cause.__cause__, cause.__context__), getattr(cause, "exceptions", ()))
