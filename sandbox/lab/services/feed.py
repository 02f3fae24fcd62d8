"""What the services are told: all that stands in the clouds, as one line that goes through a pipe.

Owns how the simulated cloud's records become it. It is told whole each time, so that telling it twice changes
nothing.

Dangerous edge: it holds every secret of every stack in plain. It goes through pipes and memory and never to a file,
a log or an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter, ValidationError

from components.plan.spec import Cloud
from sandbox.cloud import wire
from sandbox.cloud.store import Record
from sandbox.errors import SandboxError
from sandbox.lab.world import Database, Machine
from sandbox.stores import declared
from sandbox.stores.ground import Ground
from sandbox.stores.ground import Machine as Known

from .zones import Zone, zones


@dataclass(frozen=True)
class Feed:
    """Everything that the services answer from."""

    ground: Ground
    zones: Mapping[Cloud, Zone]
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Addresses of managed databases by name."""

    def dump(self) -> bytes:
        """As one line."""
        return _ADAPTER.dump_json(self) + b"\n"


_ADAPTER: TypeAdapter[Feed] = TypeAdapter(Feed)


def load(line: bytes) -> Feed:
    """What `dump` wrote.

    Raises:
        SandboxError: it is something else.
    """
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        # Its own words, and those of what caused it, quote what they do not like: secrets.
        where = {".".join(str(step) for step in one["loc"]) or "the line" for one in error.errors(include_input=False)}
    raise SandboxError(
        f"The clouds' services cannot read what they are told, so they go on as before: {', '.join(sorted(where))}.",
        "Let the same version of the sandbox write and read it: restart the lab.",
    )


def resources(records: Iterable[Record]) -> list[declared.Resource]:
    """Records of the simulated cloud as an export would have them, with secrets in plain."""
    return [
        {
            "type": record.type,
            "id": record.id,
            "inputs": wire.plain(record.inputs),
            "outputs": wire.plain(record.outputs),
        }
        for record in records
    ]


def feed(
    stacks: Sequence[declared.Resource],
    machines: Iterable[Machine],
    disabled: Collection[str] = frozenset(),
    databases: Iterable[Database] = (),
) -> Feed:
    """The clouds as all stacks together declare them, with the machines that ask.

    Args:
        stacks: resources of all of them.
        machines: of the lab; nobody else is answered as anybody.
        disabled: ids of keys that an operator has disabled, whatever the stacks say.
        databases: managed ones, which machines find by name.
    """
    ground = declared.ground(stacks)
    known = tuple(Known(one.name, one.cloud, one.address, one.identity, one.region) for one in machines)
    keys = tuple(replace(key, enabled=key.enabled and key.id not in disabled) for key in ground.keys)
    hosts = {database.host: database.address for database in databases}
    return Feed(replace(ground, machines=known, keys=keys), zones(stacks), hosts)
