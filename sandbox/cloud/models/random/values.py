"""pulumi-random 4.21: real random values, made once; every change of an input makes a new one.

Outputs and their names are the real provider's. Ids follow it where programs use them (the value itself for string,
pet, uuid; base64 for id); passwords, bytes and integers get a neutral id, because the real one ("none", the number)
tells nothing apart.
"""

from __future__ import annotations

import base64
import random
import secrets
import string
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import bcrypt

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Model, model
from sandbox.cloud.wire import Secret, Value

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_BCRYPT_BYTES: Final = 72  # bcrypt reads no further; newer libraries refuse longer input
_CLASSES: Final = (
    ("lower", "minLower", string.ascii_lowercase),
    ("upper", "minUpper", string.ascii_uppercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", _SPECIAL),
)
_ADVERBS: Final = [
    "boldly",
    "briefly",
    "calmly",
    "duly",
    "early",
    "easily",
    "fairly",
    "firmly",
    "freely",
    "fully",
    "gently",
    "gladly",
    "jointly",
    "kindly",
]
_ADJECTIVES: Final = [
    "able",
    "amber",
    "brave",
    "calm",
    "clever",
    "eager",
    "fair",
    "fond",
    "glad",
    "keen",
    "kind",
    "light",
    "merry",
    "noble",
    "proud",
    "quick",
]
_ANIMALS: Final = [
    "badger",
    "bat",
    "crane",
    "dove",
    "eagle",
    "elk",
    "finch",
    "fox",
    "gecko",
    "heron",
    "ibex",
    "jay",
    "koala",
    "lark",
    "lynx",
    "mole",
    "newt",
    "otter",
]
_RANDOM: Final = random.SystemRandom()


def characters(draft: Draft) -> str:
    """A text of the length and the kinds of characters that a password or string asks for."""
    wanted = {name: draft.get(name, default=True) for name, _, _ in _CLASSES}
    if draft.get("number") is not None:  # the old name of `numeric`
        wanted["numeric"] = draft.get("number")
    alphabets = {name: alphabet for name, _, alphabet in _CLASSES}
    alphabets["special"] = draft.get("overrideSpecial") or _SPECIAL
    chosen = [
        secrets.choice(alphabets[name]) for name, least, _ in _CLASSES for _ in range(draft.get(least, default=0))
    ]
    pool = "".join(alphabets[name] for name in alphabets if wanted[name])
    chosen += [secrets.choice(pool) for _ in range(draft.get("length") - len(chosen))]
    _RANDOM.shuffle(chosen)
    return "".join(chosen)


def _fresh(draft: Draft, make: Callable[[], str]) -> str:
    """A value that nothing of the type has as id yet."""
    while True:
        value = make()
        if draft.find(draft.type, value) is None:
            return value


def _value(name: str, inputs: tuple[str, ...], **data: Any) -> Model:  # noqa: ANN401  # the model's own fields
    """A model whose outputs are made at creation only."""
    return model(f"random:index/{name[0].lower()}{name[1:]}:{name}", immutable=("keepers", *inputs), **data)


_TEXT_INPUTS: Final = (
    "length", "lower", "upper", "number", "numeric", "special", "overrideSpecial",
    "minLower", "minUpper", "minNumeric", "minSpecial",
)  # fmt: skip
_TEXT_OUTPUTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("lower", "upper", "number", "numeric", "special"), True),
    **dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), 0),
}
password = _value("RandomPassword", _TEXT_INPUTS, id="{hex16}", outputs=_TEXT_OUTPUTS, slow=True)
text = _value("RandomString", _TEXT_INPUTS, outputs=_TEXT_OUTPUTS)
octets = _value("RandomBytes", ("length",), id="{hex16}")
identifier = _value("RandomId", ("byteLength", "prefix"))
integer = _value("RandomInteger", ("min", "max", "seed"), id="{hex16}")
pet = _value("RandomPet", ("length", "prefix", "separator"), outputs={"length": 2, "separator": "-"})
shuffle = _value("RandomShuffle", ("inputs", "resultCount", "seed"), id="{hex16}")
uuids = [_value(name, ()) for name in ("RandomUuid", "RandomUuid4", "RandomUuid7")]


@password.check
@text.check
def _can_be_met(draft: Draft) -> Iterator[Failure]:
    length = draft.known("length")
    if not isinstance(length, int):
        return
    least = sum(draft.known(name) or 0 for _, name, _ in _CLASSES)
    if length < 1:
        yield draft.fail("length", f"value must be at least 1, got {length}")
    if least > length:
        yield draft.fail("length", f"the minimums of the kinds of characters add up to {least}, more than {length}")
    if not any(draft.get(name, default=True) for name, _, _ in _CLASSES if draft.known(name) is not None or
               draft.get(name) is None):  # fmt: skip
        yield draft.fail("", "at least one of lower, upper, numeric, special must be true")


@octets.check
@identifier.check
def _has_length(draft: Draft) -> Iterator[Failure]:
    name = "byteLength" if draft.model is identifier else "length"
    value = draft.known(name)
    if isinstance(value, int) and value < 1:
        yield draft.fail(name, f"value must be at least 1, got {value}")


@integer.check
def _is_a_range(draft: Draft) -> Iterator[Failure]:
    low, high = draft.known("min"), draft.known("max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield draft.fail("min", "the minimum value needs to be smaller than or equal to the maximum value")


@password.compute
def _password(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    found = characters(draft)
    digest = bcrypt.hashpw(found.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(10)).decode()
    return {"result": Secret(found), "bcryptHash": Secret(digest)}


@text.compute
def _string(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    found = _fresh(draft, lambda: characters(draft))
    return {"id": found, "result": found}


@octets.compute
def _bytes(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    found = secrets.token_bytes(draft.get("length"))
    return {"base64": Secret(base64.b64encode(found).decode()), "hex": Secret(found.hex())}


@identifier.compute
def _id(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    size, prefix = draft.get("byteLength"), draft.get("prefix", "")
    raw = base64.urlsafe_b64decode(
        _fresh(draft, lambda: base64.urlsafe_b64encode(secrets.token_bytes(size)).decode().rstrip("=")) + "=="
    )
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {
        "id": url,
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "hex": prefix + raw.hex(),
        "dec": prefix + str(int.from_bytes(raw, "big")),
    }


@integer.compute
def _integer(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    source = random.Random(draft.get("seed")) if draft.get("seed") else _RANDOM  # noqa: S311  # seeded on purpose
    return {"result": source.randint(draft.get("min"), draft.get("max"))}


@pet.compute
def _pet(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    length, separator, prefix = draft.get("length", 2), draft.get("separator", "-"), draft.get("prefix")

    def make() -> str:
        words = [secrets.choice(_ADVERBS) for _ in range(length - 2)]
        words += [secrets.choice(_ADJECTIVES)] if length > 1 else []
        return separator.join([*([prefix] if prefix else []), *words, secrets.choice(_ANIMALS)])

    return {"id": _fresh(draft, make)}


@shuffle.compute
def _shuffled(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    items = list(draft.get("inputs"))
    source = random.Random(draft.get("seed")) if draft.get("seed") else _RANDOM  # noqa: S311  # seeded on purpose
    source.shuffle(items)
    count = draft.get("resultCount", len(items))
    return {"results": [items[index % len(items)] for index in range(count)] if items else []}


def _uuid7() -> uuid.UUID:
    """Version 7 by RFC 9562: milliseconds, then random bits."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62)


def _uuid(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    found = str(_uuid7() if draft.type.endswith("Uuid7") else uuid.uuid4())
    return {"id": found, "result": found}


for _each in uuids:
    _each.compute(_uuid)
