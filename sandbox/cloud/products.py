"""The products that really run: who they are, and what becomes of their errors.

Owns what a provider's configuration must be for its resources to be made on a product, and the words in which a client
library's exception reaches the engine: what happened, at which address, what helps, and no secret.
How a socket is opened is `reaching.py`'s, what a type does `acting.py`'s, the libraries are `models/*/api.py`'s.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import requests

from sandbox.cloud import wire
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Provider
from sandbox.cloud.errors import PartialFailureError, Refusal
from sandbox.cloud.reaching import Access, Reach
from sandbox.cloud.registry import product_of
from sandbox.cloud.schema import package_of
from sandbox.cloud.wire import Value

_TELLING: Final = 6  # shorter ones would blot out harmless words; no token is as short
_BETWEEN_WORDS: Final = re.compile(r"""[\s"'`,;:(){}\[\]]+""")
_REMEDIES: Final = {
    0: "It has to run, and to be reachable from the simulated cloud: correct the provider's `address`; for a product "
    "inside a lab, see that the lab stands and has written `inside` into the simulated cloud's folder",
    429: "It is not ready to answer: wait until it is active, then run again",
    503: "It is sealed or has no leader: see to its health, then run again",
}


@dataclass(frozen=True)
class Answer:
    """What came back instead of success. `status` is HTTP's; 0 if no answer came. `remedy` where it is known better."""

    status: int
    text: str
    remedy: str = ""


class Product(ABC):
    """The API of one product, as its provider's configuration describes the way to it.

    Attributes:
        title: its name.
        token: the setting that holds the token.
        authority: the setting that names the CA's file.
        honoured: settings that are obeyed here.
        idle: settings that make no difference here. Any other is refused: it would be meant and not done.
    """

    title: ClassVar[str]
    token: ClassVar[str]
    authority: ClassVar[str]
    honoured: ClassVar[frozenset[str]]
    idle: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def access(self, config: Mapping[str, Value]) -> Access:
        """Where it is, by a configuration that has an address and is known."""

    @abstractmethod
    def connect(self, access: Access, session: requests.Session, config: Mapping[str, Value]) -> Any:  # noqa: ANN401  # the client library's object
        """The client that actors are given."""

    @abstractmethod
    def answer(self, error: Exception) -> Answer | None:
        """What a client's exception says; None if it is none of the client's."""


def led(reach: Reach, package: str, config: Mapping[str, Value]) -> dict[str, Value]:
    """A provider's configuration as it counts here: where nothing leads to products, an address leads nowhere."""
    nowhere = product_of(package) is not None and not reach.leads
    return {name: value for name, value in config.items() if not (nowhere and name == "address")}


def acts(provider: Provider, type_: str) -> bool:
    """Whether what goes through this provider happens in a product; so it does too if the address is not known yet."""
    return bool(product_of(package_of(type_))) and provider.config.get("address") not in (None, "")


def misconfigured(package: str, config: Mapping[str, Value]) -> Iterator[Failure]:
    """What is wrong with the configuration of a provider that shall act."""
    product, address = product_of(package), config.get("address")
    if product is None or address in (None, ""):
        return
    for name, value in config.items():
        if name not in product.honoured | product.idle and value not in (None, "", "false", "[]", "{}") and (
            not name.startswith("__") and name != "version"
        ):  # fmt: skip
            yield Failure(
                name,
                f"the simulated provider does not obey '{name}' on a real {product.title}: leave it out, or leave out "
                "the address to have a mere record",
            )
    if not wire.is_known(dict(config)):
        return
    try:
        url = urlsplit(product.access(config).url)
        port = url.port
    except ValueError as error:
        yield Failure("address", f"'{address}' is no address: {error}")
        return
    if url.scheme not in ("http", "https") or not url.hostname or not port:
        yield Failure("address", f"'{address}' is no address: it takes the form https://host:port")
    file = config.get(product.authority)
    if file and not Path(str(file)).is_file():
        yield Failure(product.authority, f"'{file}' is no file: it has to hold the certificate of the product's CA")


@contextmanager
def client(reach: Reach, provider: Provider, package: str, *secrets: str) -> Iterator[Any]:
    """A product's client; its errors become refusals in which none of these values, nor the token, is quoted."""
    product = product_of(package)
    if product is None:
        raise ValueError(f"{package} has no product")
    access = product.access(provider.config)
    try:
        with reach.session(access) as session:
            yield product.connect(access, session, provider.config)
    except PartialFailureError:
        raise
    except Exception as error:
        answer = product.answer(error) or unanswered(error, product)
        if answer is None:
            raise
        remedy = answer.remedy or _REMEDIES.get(answer.status) or (
            f"Give the provider, as `{product.token}`, a token that lives and may do this"
            if answer.status in (401, 403)
            else "Correct what the answer names, and run again"
        )  # fmt: skip
        said = f"answered {answer.status}: {answer.text}" if answer.status else f"gave no answer: {answer.text}"
        message = _discreet(
            f"{product.title} at {access.url} {said.strip().rstrip('.')}. {remedy}", access.token, *secrets
        )
        raise Refusal(f"{product.title}Error", message, answer.status or 503) from None


def unanswered(error: Exception, product: Product) -> Answer | None:
    """What an exception of the connection says; None if it is none."""
    if isinstance(error, requests.exceptions.SSLError):
        return Answer(
            0, _reason(error), f"Name the CA that signed its certificate in the provider's `{product.authority}`"
        )
    if isinstance(error, (requests.RequestException, OSError)):
        return Answer(0, _reason(error))
    return None


def _reason(error: Exception) -> str:
    """What happened to the connection, without the layers that passed it on."""
    while True:
        within = getattr(error, "reason", None) or (error.args[-1] if error.args else None)
        if not isinstance(within, Exception):
            return str(error)
        error = within


def _discreet(message: str, *secrets: str) -> str:
    """A message without secrets, and without words of them: a parser quotes what it stumbled over."""
    words = {word for secret in secrets for word in _BETWEEN_WORDS.split(secret)}
    for hidden in sorted({*secrets, *words}, key=len, reverse=True):
        if len(hidden) >= _TELLING:
            message = message.replace(hidden, "[secret]")
    return message
