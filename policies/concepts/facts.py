"""What a stack and its peers say of themselves, and what it means that one has said nothing yet.

Dangerous edge: nothing keeps a null on its way to the pack, so a peer that was never updated may also be an empty map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policies.resource import FACTS_OUTPUT, Node, World
from policies.rule import Finding, advice
from policies.values import ABSENT, as_bool

FACTS = "hashicorp:compliance:Facts"
PEERS = f"{FACTS_OUTPUT}.peers"
_NOTHING = Node(PEERS, ABSENT)


def peers(world: World) -> Mapping[str, Node]:
    """Facts by peer; `ABSENT` for one that has said nothing yet.

    Raises:
        Undecided: they are not known yet.
    """
    world.facts.get("peers")
    return {cloud: Node(said.path, ABSENT if said.value == {} else said.value) for cloud, said in world.peers()}


def silent(world: World, cloud: str, so: str) -> Finding:
    """That a cloud's facts are missing: a violation once every stack must have spoken."""
    text = f"holds no facts of {cloud} yet, so {so}"
    required = as_bool(world.facts.at("peersRequired").value) is True
    return Finding(PEERS, text) if required else advice(PEERS, text)


def unheard(world: World, clouds: Iterable[str], so: str) -> Iterator[Finding]:
    """What is to be said of those clouds whose facts are missing; each once.

    Raises:
        Undecided: the peers are not known yet.
    """
    said = peers(world)
    for cloud in dict.fromkeys(clouds):
        if said.get(cloud, _NOTHING).absent:
            yield silent(world, cloud, so)


def productive(environment: object) -> bool:
    """Whether an environment is production, as is one that nobody has named."""
    return not isinstance(environment, str) or environment == "" or environment.lower().startswith("prod")


def in_production(world: World) -> bool:
    """Whether a stack is production's, by what its `Facts` say."""
    said = [spec.at("environment").value for _, spec in world.specs(FACTS)]
    return not said or any(productive(environment) for environment in said)
