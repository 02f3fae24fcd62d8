"""What a BGP daemon is told: its configuration, as BIRD reads it. Pure.

Owns what every speaker does alike, whoever asks for one: a gateway advertises its region's range to other regions, and
hands on what it learns there to the region's network; the network tells every gateway of the region what the others
know. Where the addresses come from, and what carries them, is the caller's.

Source: BIRD's user guide, "BGP" and "Kernel".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.templating import templates

MAIN_TABLE = 254
"""The kernel's own number of the table that holds where nothing else is said."""

_TEMPLATES = templates(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Uplink:
    """A session inside the region: this speaker's address and the other's.

    Attributes:
        name: of the session; it stays the same when others come and go.
    """

    name: str
    own: str
    other: str


@dataclass(frozen=True)
class Session:
    """A session with another region, through a tunnel's interface.

    Attributes:
        asn: as this side calls itself; `peer_asn` as it expects the other.
    """

    name: str
    interface: str
    own: str
    other: str
    asn: int
    peer_asn: int


@dataclass(frozen=True)
class Speech:
    """All that one daemon does.

    Attributes:
        asn: the region's.
        prefix: the region's range, which a gateway advertises; empty for the region's network.
        hold: seconds that its sessions with other regions offer.
        passive: whether it waits for peers to open sessions.
        transit: whether it tells one peer what it learned from another.
        table: the kernel's, where routes go that it learns.
        log: a file.
    """

    name: str
    asn: int
    prefix: str
    uplinks: tuple[Uplink, ...]
    sessions: tuple[Session, ...]
    hold: int
    passive: bool
    transit: bool
    log: Path
    router_id: str
    table: int = MAIN_TABLE


def configuration(speech: Speech) -> str:
    """The text of its file."""
    return _TEMPLATES.get_template("bird.conf.j2").render(speech=speech, main_table=MAIN_TABLE)
