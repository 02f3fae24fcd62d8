"""Writes to a platform all the time, as its users do, and knows what was acknowledged: a process at the operator's desk.

Owns what is written and when it counts: numbered values in Consul's store, Nomad's variables and Vault; acknowledged is
what a server said it had committed. A write without an answer is neither: nobody may count on it, so it is not looked for.

Vault keeps nothing for anybody after its bootstrap, whose root token is gone. So the holders of the recovery keys make
one, as they would; it makes a place and a token that may write there, and is revoked.

Dangerous edge: tokens and shares come by the standard input and stay in memory. What this says holds keys and counts alone.

Run: `python -m tests.lab.proofs.writer`, fed with an `Order` as one line of JSON; then a line for each reading back.
"""

from __future__ import annotations

import base64
import itertools
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import httpx

from runbook.connections import trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kept = Literal["consul", "nomad", "vault"]
KEPT: tuple[Kept, ...] = get_args(Kept)
FOLDER = "proof"
_ANSWER_SECONDS = 15.0
_PACE_SECONDS = 0.5
_PATIENCE = 120.0
"""For what needs a leader: an election on a busy machine, far beyond what it takes."""
_NO_ANSWER = httpx.Response(599)
_NOTHING = 404


@dataclass(frozen=True)
class Order:
    """What a writer is given.

    Attributes:
        authority: certificate, PEM, that every server's must be signed by.
        servers: addresses with scheme and port, by product.
        tokens: of Consul and Nomad.
        shares: enough of Vault's recovery key, in clear.
    """

    authority: str
    servers: dict[Kept, list[str]]
    tokens: dict[Kept, str] = field(repr=False)
    shares: list[str] = field(repr=False)

    def line(self) -> str:
        """As it goes through the pipe."""
        return f"{json.dumps(asdict(self))}\n"


class Cluster:
    """A product's servers, of which any may be asked: one that does not answer is left for the next."""

    def __init__(self, order: Order, product: Kept) -> None:
        self._turns = itertools.cycle(order.servers[product])
        self._server = next(self._turns)
        self._count = len(order.servers[product])
        self._client = httpx.Client(verify=trust("aws", order.authority), timeout=_ANSWER_SECONDS, trust_env=False)

    def ask(self, method: str, path: str, token: str = "", body: object = None, **text: str) -> httpx.Response:
        """The first answer that is no server's failure; the last one if there is no better."""
        headers = {name: token for name in ("X-Consul-Token", "X-Nomad-Token", "X-Vault-Token") if token}
        said = _NO_ANSWER
        for _ in range(self._count):
            try:
                said = self._client.request(
                    method, self._server + path, headers=headers, content=text.get("text"), json=body
                )
            except httpx.HTTPError:
                said = _NO_ANSWER
            if said.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                break
            self._server = next(self._turns)
        return said

    def must(self, method: str, path: str, token: str = "", body: object = None) -> dict[str, Any]:
        """What a server answers for certain, once there is a leader.

        Raises:
            RuntimeError: it refuses, or nobody can answer.
        """
        end = time.monotonic() + _PATIENCE
        while (said := self.ask(method, path, token, body)).is_server_error and time.monotonic() < end:
            time.sleep(_PACE_SECONDS)
        if said.is_error:
            # Of an answer only its errors: the rest may hold a token.
            what = said.json().get("errors") if said.content else ""
            message = f"{method} {path} is answered with {said.status_code} {what}"
            raise RuntimeError(message)
        return said.json() if said.content else {}


class Store:
    """Where a product keeps what it is given.

    Args:
        token: that may write below `FOLDER` and read it.
    """

    def __init__(self, product: Kept, cluster: Cluster, token: str) -> None:
        self.product: Kept = product
        self._cluster = cluster
        self._token = token
        self._write, self._read = _WAYS[product]

    def write(self, key: str, value: str) -> bool:
        """Writes a value; says whether that was acknowledged."""
        return self._write(self._cluster, self._token, f"{FOLDER}/{key}", value)

    def read(self, key: str) -> str | None:
        """The value as the leader has it; None if it has none.

        Raises:
            RuntimeError: there is no leader, or it refuses.
        """
        end = time.monotonic() + _PATIENCE
        while (said := self._read(self._cluster, self._token, f"{FOLDER}/{key}")).is_server_error:
            if time.monotonic() > end:
                message = f"{self.product} has nobody to answer what {key} is"
                raise RuntimeError(message)
            time.sleep(_PACE_SECONDS)
        if said.status_code == _NOTHING:
            return None
        if said.is_error:
            message = f"{self.product} answers with {said.status_code} what {key} is"
            raise RuntimeError(message)
        return _VALUES[self.product](said)


def _write_consul(cluster: Cluster, token: str, path: str, value: str) -> bool:
    said = cluster.ask("PUT", f"/v1/kv/{path}", token, text=value)
    return said.is_success and said.text.strip() == "true"


def _write_nomad(cluster: Cluster, token: str, path: str, value: str) -> bool:
    return cluster.ask("PUT", f"/v1/var/{path}", token, {"Path": path, "Items": {"value": value}}).is_success


def _write_vault(cluster: Cluster, token: str, path: str, value: str) -> bool:
    return cluster.ask("PUT", f"/v1/{path}", token, {"value": value}).is_success


_WAYS: dict[Kept, tuple[Callable[[Cluster, str, str, str], bool], Callable[[Cluster, str, str], httpx.Response]]] = {
    "consul": (_write_consul, lambda cluster, token, path: cluster.ask("GET", f"/v1/kv/{path}?raw&consistent", token)),
    "nomad": (_write_nomad, lambda cluster, token, path: cluster.ask("GET", f"/v1/var/{path}", token)),
    "vault": (_write_vault, lambda cluster, token, path: cluster.ask("GET", f"/v1/{path}", token)),
}
_VALUES: dict[Kept, Callable[[httpx.Response], str]] = {
    "consul": lambda said: said.text,
    "nomad": lambda said: said.json()["Items"]["value"],
    "vault": lambda said: said.json()["data"]["value"],
}


def root_of_vault(cluster: Cluster, shares: Sequence[str]) -> str:
    """A root token, made by the holders' hands. Whoever has it revokes it.

    Source: developer.hashicorp.com/vault/api-docs/system/generate-root
    """
    begun = cluster.must("PUT", "/v1/sys/generate-root/attempt", body={})
    said: dict[str, Any] = {}
    for share in shares[: begun["required"]]:
        said = cluster.must("PUT", "/v1/sys/generate-root/update", body={"key": share, "nonce": begun["nonce"]})
    encoded = base64.b64decode(said["encoded_token"] + "==")
    return bytes(a ^ b for a, b in zip(encoded, begun["otp"].encode(), strict=True)).decode()


def place_in_vault(cluster: Cluster, shares: Sequence[str]) -> str:
    """Makes a place in Vault; returns a token for that place alone."""
    root = root_of_vault(cluster, shares)
    if f"{FOLDER}/" not in cluster.must("GET", "/v1/sys/mounts", root):
        cluster.must("POST", f"/v1/sys/mounts/{FOLDER}", root, {"type": "kv", "options": {"version": "1"}})
    rules = f'path "{FOLDER}/*" {{ capabilities = ["create", "update", "read"] }}'
    cluster.must("PUT", f"/v1/sys/policies/acl/{FOLDER}", root, {"policy": rules})
    made = cluster.must("POST", "/v1/auth/token/create-orphan", root, {"policies": [FOLDER], "no_default_policy": True})
    cluster.must("POST", "/v1/auth/token/revoke-self", root)
    return made["auth"]["client_token"]


def value_of(product: Kept, key: str) -> str:
    """What is written under a key: no other key's value, so that a mix-up is seen."""
    return f"{product} {key}"


def _go_on(store: Store, say: Callable[..., None]) -> None:
    for number in itertools.count(1):
        key = f"{number:06d}"
        if store.write(key, value_of(store.product, key)):
            say(product=store.product, key=key)
        time.sleep(_PACE_SECONDS)


def main() -> None:
    """Writes until the standard input ends."""
    order = Order(**json.loads(sys.stdin.readline()))
    lock = threading.Lock()

    def say(**words: object) -> None:
        with lock:
            sys.stdout.write(f"{json.dumps(words)}\n")
            sys.stdout.flush()

    tokens = {**order.tokens, "vault": place_in_vault(Cluster(order, "vault"), order.shares)}
    for product in KEPT:
        # Each has its own connections: one that waits keeps nobody waiting.
        store = Store(product, Cluster(order, product), tokens[product])
        threading.Thread(target=_go_on, args=(store, say), daemon=True).start()
    readers = {product: Store(product, Cluster(order, product), tokens[product]) for product in KEPT}
    for line in sys.stdin:
        asked = cast("dict[Kept, list[str]]", json.loads(line))
        lost = [
            f"{product} {key}"
            for product, keys in asked.items()
            for key in keys
            if readers[product].read(key) != value_of(product, key)
        ]
        say(lost=lost)


if __name__ == "__main__":
    main()
