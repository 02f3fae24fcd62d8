"""What a lab's simulated cloud says of keys and tunnels, read for those who break them.

Owns the looking up by the words that a person uses. Reads the cloud's own records, so that it works while nobody
follows the cloud.

Dangerous edge: the ends of tunnels hold their pre-shared keys. They are handed to who cuts and shown to nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

from components.plan.spec import CLOUDS, Cloud
from sandbox.cloud.index import entry
from sandbox.cloud.store import Store
from sandbox.errors import SandboxError
from sandbox.lab.links.ends import links
from sandbox.lab.links.reading import ends
from sandbox.lab.services.feed import resources
from sandbox.stores import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sandbox.lab.links.ends import Link
    from sandbox.stores.declared import Resource
    from sandbox.stores.ground import Key

Pair = tuple[Cloud, Cloud]
"""Two clouds in alphabetical order."""


def records(folder: Path) -> list[Resource]:
    """All that a simulated cloud has on record.

    Args:
        folder: its state.

    Raises:
        SandboxError: there is no such cloud.
    """
    if not folder.is_dir():
        raise SandboxError(
            f"The lab has no simulated cloud in {folder}: its keys and tunnels are unknown.",
            "Make the lab: `make lab`.",
        )
    with closing(Store(folder, entry)) as store:
        return resources(store.everything())


def between(found: Sequence[Resource], pairs: Iterable[Pair]) -> list[Link]:
    """The tunnels between clouds, whether or not they are up."""
    wanted = set(pairs)
    return [link for link in _whole(found) if _pair_of(link) in wanted]


def pairs_of(found: Sequence[Resource], cloud: Cloud) -> set[Pair]:
    """Every pair of a cloud with one that it has a tunnel to."""
    return {each for each in map(_pair_of, _whole(found)) if cloud in each}


def pair(one: Cloud, other: Cloud) -> Pair:
    """Two clouds as a pair.

    Raises:
        SandboxError: they are one.
    """
    if one == other:
        raise SandboxError(f"No tunnel leads from {one} to itself.", "Name two regions.")
    return (one, other) if one < other else (other, one)


def region(word: str) -> Cloud:
    """A region by its cloud's name.

    Raises:
        SandboxError: there is none of that name.
    """
    for cloud in CLOUDS:
        if cloud == word:
            return cloud
    raise SandboxError(f"There is no region {word!r}.", f"One of {', '.join(CLOUDS)}.")


def keys(found: Sequence[Resource], word: str) -> list[Key]:
    """The keys that `REGION/KEY` names.

    Args:
        found: what the cloud has on record.
        word: KEY is an id, and means this one alone; or its last part, an alias, or a name in a vault, and means the key
            with the copies of it that lie elsewhere in its cloud.

    Raises:
        SandboxError: it names none, or several that are not one.
    """
    where, _, name = word.partition("/")
    cloud = region(where)
    own = [key for key in declared.ground(found).keys if key.cloud == cloud]
    if exact := [key for key in own if key.id == name]:
        return exact
    said = {key.material for key in own if name and name in _called(key)}
    if not said:
        known = sorted(set(names(own).values()))
        raise SandboxError(
            f"{word!r} names no key of {cloud}.", f"One of {', '.join(known) or '(none: the stack made no key)'}."
        )
    meant = [key for key in own if key.material in said]
    if len(said) > 1:
        raise SandboxError(
            f"{word!r} names several keys: {', '.join(sorted(key.id for key in meant))}.", "Name one by its id."
        )
    return meant


def names(known: Iterable[Key]) -> dict[str, str]:
    """The shortest word that means each key, by its id; copies of one key have one word, which means them all."""
    copies: defaultdict[str, list[Key]] = defaultdict(list)
    for key in known:
        copies[key.material].append(key)
    # Only the original has an alias.
    short = {each: _called(max(keys, key=lambda key: len(key.names)))[0] for each, keys in copies.items()}
    times = Counter((keys[0].cloud, short[each]) for each, keys in copies.items())
    return {
        key.id: f"{key.cloud}/{short[each] if times[key.cloud, short[each]] == 1 else key.id}"
        for each, keys in copies.items()
        for key in keys
    }


def _called(key: Key) -> list[str]:
    """All that a key is called beside its id, the best first: an alias says more than the end of an id."""
    bare = key.id.rpartition("/")[2]
    return [*(name.removeprefix("alias/") for name in key.names if name != bare), bare, *key.names]


def _whole(found: Sequence[Resource]) -> list[Link]:
    """Tunnels that both sides declare: who faces nobody has nothing to be cut."""
    return [link for link in links(ends(found)) if len(link.ends) == 2]


def _pair_of(link: Link) -> Pair:
    one, other = link.ends
    return pair(one.cloud, other.cloud)
