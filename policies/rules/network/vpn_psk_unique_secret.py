"""Every tunnel has its own pre-shared key, generated and long."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from policies.concepts import tunnels
from policies.concepts.apart import apart
from policies.concepts.facts import peers, unheard
from policies.concepts.tunnels import AWS_CONNECTION, AZURE_CONNECTION, GCP_TUNNEL, PAIR
from policies.conditions import LITERAL, at_least, matching, optional
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, deferred, need, on
from policies.values import ABSENT

_SHORTEST = 32
_LONG = matching(lambda key: len(key) >= _SHORTEST, f"must be set and have at least {_SHORTEST} characters")
_KEYS = ("tunnel1PresharedKey", "tunnel2PresharedKey")
_SECRETS = ("sharedSecret", "sharedSecretWo")
_WORDS = ("psk", "preshared", "pre-shared", "tunnel", "vpn", "mesh")


def _given(connection: Resource) -> bool:
    """Whether keys must be given: AWS makes those that it keeps in its secret store, unless it is told them."""
    return connection.get("presharedKeyStorage") != "SecretsManager"


def _own_keys(connection: Resource, _: Context) -> Iterator[Finding]:
    first, second = (connection.get(path) for path in _KEYS)
    if first == second and first is not ABSENT:
        yield Finding(_KEYS[1], "must differ from the first tunnel's key")


def _one_secret(tunnel: Resource, _: Context) -> Iterator[Finding]:
    given = [node for path in _SECRETS if not (node := tunnel.at(path)).absent]
    for node in given:
        if node.unknown:
            yield deferred(node.path)
        elif not _LONG.holds(node.value):
            yield Finding(node.path, _LONG.says)
    if not given:
        yield Finding(_SECRETS[0], _LONG.says)


def _for_a_tunnel(password: Resource) -> bool:
    """Whether a password is made for a tunnel, by its name or by what renews it."""
    said = [password.name, *(str(node.known()) for node in password.at("keepers").texts())]
    return any(word in text.lower() for text in said for word in _WORDS)


def _references(pair: Resource, _: Context) -> Iterator[Finding]:
    seen: set[object] = set()
    for node in pair.each("tunnels[].pskRef"):
        reference = node.known()
        if reference in (ABSENT, ""):
            yield Finding(node.path, "must name the key")
        elif reference in seen:
            yield Finding(node.path, "names the key of another tunnel of the pair")
        seen.add(reference)


def _apart(world: World, _: Context) -> Iterator[Finding]:
    """No key serves two pairs, and both ends of a tunnel name the same one."""
    yield from unheard(world, peers(world), "the keys of its tunnels cannot be compared")
    ours, theirs = list(tunnels.own(world)), list(tunnels.foreign(world))
    for said in ours:
        for other in (*ours, *theirs):
            where = f"{other.pair} of {other.cloud}" if other.cloud else other.pair
            if other.pair != said.pair and set(said.keys) & set(other.keys) and said.component:
                yield about(said.component, Finding("spec.tunnels", f"names a key of the pair {where}"))
            if other.pair == said.pair and other.keys != said.keys and said.component:
                yield about(said.component, Finding("spec.tunnels", f"names other keys than {where}"))


def _values(world: World, _: Context) -> Iterator[Finding]:
    owners: dict[bytes, str] = {}
    for connection in world.of(AWS_CONNECTION):
        yield from apart(connection, _taken(connection, owners))


def _taken(connection: Resource, owners: dict[bytes, str]) -> Iterator[Finding]:
    """Keys of other connections; `owners` learns those of this one. By digest, so that no key outlives the reading."""
    for path in _KEYS:
        key = connection.at(path)
        if key.unknown:
            if _given(connection):
                yield deferred(path)
        elif key.value not in (ABSENT, ""):
            digest = hashlib.sha256(str(key.value).encode()).digest()
            if owners.setdefault(digest, connection.urn) != connection.urn:
                yield Finding(path, "is the key of another connection's tunnel")


RULE = Rule(
    "vpn-psk-unique-secret",
    (
        on(AWS_CONNECTION, *(need(path, optional(_LONG)) for path in _KEYS)),
        on(AWS_CONNECTION, *(need(path, LITERAL) for path in _KEYS), when=_given, reads=("presharedKeyStorage",)),
        Check((AWS_CONNECTION,), _own_keys, _KEYS),
        on(AZURE_CONNECTION, need("sharedKey", _LONG)),
        Check((GCP_TUNNEL,), _one_secret, _SECRETS),
        on(
            "random:index/randomPassword:RandomPassword",
            need("length", at_least(_SHORTEST)),
            when=_for_a_tunnel,
            reads=("keepers",),
        ),
        on(PAIR, need("tunnels", LITERAL)),
        Check((PAIR,), _references, ("tunnels[].pskRef",), "fail"),
        across(_apart, (PAIR, tunnels.SPEC)),
        across(_values, (AWS_CONNECTION, ("presharedKeyStorage", *_KEYS))),
    ),
)
