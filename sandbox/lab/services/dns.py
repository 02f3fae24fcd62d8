"""The lab's resolver: the clouds' own names for everybody, each cloud's private zone for its machines, no other name.

Owns what is answered to a question. A name that nobody registered does not exist, which is said at once: a resolver
that is silent costs a booting machine most of a minute.

Source: RFC 1035, RFC 2308, RFC 8020.
"""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from components.plan.spec import Cloud

from .feed import Feed
from .places import GATEWAY, hosts
from .zones import Addresses, Zone

_HOST_SECONDS = 5
"""Short, since a lab grows."""
_PLAIN = 512
_TIMEOUT = 5


@dataclass(frozen=True)
class Names:
    """What is known of names."""

    everywhere: Zone
    private: Mapping[Cloud, Zone]
    askers: Mapping[str, Cloud]
    """Cloud by address of a machine."""

    def find(self, name: str, asker: str) -> Addresses | None:
        """Records of a name as somebody sees it; None where it does not exist for him."""
        own: Zone = self.private[self.askers[asker]] if asker in self.askers else {}
        if found := own.get(name) or self.everywhere.get(name):
            return found
        # A name above others exists without having records.
        below = f".{name}"
        return Addresses(0, ()) if any(one.endswith(below) for zone in (own, self.everywhere) for one in zone) else None


def names(feed: Feed, archives: Iterable[str] = ()) -> Names:
    """What machines are answered from.

    Args:
        archives: hosts of release archives.
    """
    known = {**hosts(feed.ground), **feed.hosts, **dict.fromkeys(archives, GATEWAY)}
    everywhere = {host: Addresses(_HOST_SECONDS, (address,)) for host, address in known.items()}
    askers: dict[str, Cloud] = {machine.address: machine.cloud for machine in feed.ground.machines}
    return Names(everywhere, feed.zones, askers)


def answer(known: Names, asked: bytes, asker: str, room: int = 65535) -> bytes | None:
    """The answer to a message; None to what is no question.

    Args:
        known: the names.
        asked: the message.
        asker: address that it came from.
        room: the most that the answer may take, where the question does not say.
    """
    try:
        query = dns.message.from_wire(asked)
        response = dns.message.make_response(query)
    except dns.exception.DNSException:
        return None
    response.flags |= dns.flags.AA | dns.flags.RA
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        response.set_rcode(dns.rcode.NOTIMP)
        return response.to_wire()
    (question,) = query.question
    found = known.find(question.name.to_text(omit_final_dot=True).lower(), asker)
    if found is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype in (dns.rdatatype.A, dns.rdatatype.ANY) and found.addresses:
        response.answer.append(dns.rrset.from_text_list(question.name, found.seconds, "IN", "A", found.addresses))
    return response.to_wire(max_size=max(room, min(query.payload, 4096)), prefer_truncation=True)


@dataclass(frozen=True)
class _Source:
    """Where names are known at the moment of a question."""

    known: Callable[[], Names]


class _Datagram(socketserver.BaseRequestHandler):
    source: _Source

    def handle(self) -> None:
        asked, line = self.request
        if (said := answer(self.source.known(), asked, self.client_address[0], _PLAIN)) is not None:
            line.sendto(said, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    source: _Source
    timeout = _TIMEOUT

    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:
            asked = self.rfile.read(struct.unpack(">H", size)[0])
            if (said := answer(self.source.known(), asked, self.client_address[0])) is None:
                return
            self.wfile.write(struct.pack(">H", len(said)) + said)


class _Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Streams(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no event."""


def serve(address: str, port: int, known: Callable[[], Names]) -> Iterable[socketserver.BaseServer]:
    """Servers at an address. The caller runs them."""
    attributes = {"source": _Source(known)}
    yield _Datagrams((address, port), type("Datagram", (_Datagram,), attributes))
    yield _Streams((address, port), type("Stream", (_Stream,), attributes))
