"""How the simulated cloud says no.

`Refusal` carries what a real cloud's API answers: a code, a message and an HTTP status. `packages.py` puts it into the
words of the provider that would have relayed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.cloud.store import Record


class Refusal(Exception):  # noqa: N818  # the domain's word: nothing is broken, the cloud says no
    """The cloud does not do what was asked.

    Attributes:
        code: the API's error code, such as `InvalidSubnet.Conflict`, `NetcfgInvalidSubnet`, `alreadyExists`.
        message: the API's sentence. Must not quote a secret.
        status: HTTP status of the answer.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class PartialFailureError(Exception):
    """The resource exists, but the operation is reported as failed; the engine keeps both facts."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(reason)
        self.record = record
        self.reason = reason
