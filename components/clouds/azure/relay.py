"""Balancer ports that Azure cannot map, and the relay on the server that answers them.

Azure refuses two rules that lead to one port of one address (`RulesUseSameBackendPortProtocolAndIPConfig`) unless
the balancer leaves the destination alone, and then the ports must be equal. A second pool does not help: the rule
counts addresses, not pools. So a front port beside a product's own arrives at the server under its own number, where
systemd hands the connection on to the port that the product listens on. TLS stays end to end.

Owns which listeners these are, for balancer, firewall and machine alike.

Dangerous edge: the product sees relayed connections come from the machine itself; its limits by client address count
them together. The relayed port is an alias for people, no client of the platform uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.plan.flows import BALANCERS, Balanced, Listener, Port
from components.plan.server import File, ServerSpec

TEMPLATES = Path(__file__).parent / "templates"
_UNITS = Environment(  # noqa: S701 - systemd units, no markup
    loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
)


def relayed(balanced: Balanced) -> tuple[Listener, ...]:
    """Listeners whose server port another listener of the balancer has already."""
    taken: set[Port] = set()
    aliases: list[Listener] = []
    for listener in balanced.listeners:
        if listener.back in taken:
            aliases.append(listener)
        taken.add(listener.back)
    return tuple(aliases)


def server_port(balanced: Balanced, listener: Listener) -> Port:
    """The port of the server that the balancer's rule leads to."""
    return listener.front if listener in relayed(balanced) else listener.back


def aliases_of(port: Port) -> Iterator[Port]:
    """Ports that are relayed to `port`: whoever may reach it may reach them."""
    for balanced in BALANCERS.values():
        yield from (listener.front for listener in relayed(balanced) if listener.back == port)


def with_relays(server: ServerSpec) -> ServerSpec:
    """The server with a relay for each port that its balancer cannot map."""
    balanced = BALANCERS.get(server.product)
    aliases = relayed(balanced) if balanced and server.address else ()
    files: list[File] = []
    units: list[str] = []
    for listener in aliases:
        unit = f"{server.product}-relay-{listener.front}"
        for kind in ("socket", "service"):
            text = _UNITS.get_template(f"relay.{kind}.j2").render(address=server.address, listener=listener)
            files.append(File(f"/etc/systemd/system/{unit}.{kind}", text))
        units.append(f"{unit}.socket")
    return replace(server, files=(*server.files, *files), units=(*server.units, *units))
