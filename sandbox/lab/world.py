"""What shall exist in the lab, as plain data: the meeting point of those who read the cloud and those who build.

Owns the types. Nothing here knows a cloud's resources, and nothing here acts.

Dangerous edge: user data and names come from a program that runs unchanged on real clouds. Nothing may be added to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from components.plan.spec import Cloud

Protocol = Literal["tcp", "udp", "icmp", "any"]


@dataclass(frozen=True)
class Disk:
    """A data disk, which outlives the machines that it is attached to.

    Attributes:
        id: the cloud's; the same disk has the same content whatever machine holds it.
        paths: where its cloud shows it inside a machine, the stable path first.
    """

    id: str
    gigabytes: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """An instance.

    Attributes:
        id: the cloud's; another id under the same name is a replacement.
        name: as the machine calls itself; unique in a lab.
        address: planned, IPv4.
        subnet: the subnet's range in CIDR notation; the first address is the router's.
        user_data: as the program gave it, byte for byte.
        identity: role ARN, client id, or account's address; empty where it has none.
    """

    id: str
    name: str
    cloud: Cloud
    region: str
    zone: str
    address: str
    subnet: str
    user_data: bytes
    identity: str = ""
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One line of a machine's firewall, or of a balancer's or database's front. The first that fits decides; what fits none is dropped.

    Attributes:
        machine: by its name; a balancer or database by its id.
        towards: `in` to the machine, `out` from it; others have only the former.
        peers: ranges in CIDR notation.
        ports: first and last, None for all.
    """

    machine: str
    towards: Literal["in", "out"]
    allows: bool
    protocol: Protocol
    peers: tuple[str, ...]
    ports: tuple[int, int] | None = None


@dataclass(frozen=True)
class Check:
    """How a balancer asks a server whether it can serve: HTTPS without looking at the certificate, as the clouds do.

    Attributes:
        interval: seconds between two questions; `timeout` in seconds too.
        healthy: good answers in a row that bring a server in; `unhealthy` bad ones take it out.
        body: text with which a good answer begins; empty where only the status counts, which must be 200.
    """

    port: int
    path: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int
    body: str = ""


@dataclass(frozen=True)
class Listener:
    """A port of a balancer's front, and the servers behind it.

    Attributes:
        targets: addresses.
        port: the servers'.
    """

    front: int
    targets: tuple[str, ...]
    port: int
    check: Check


@dataclass(frozen=True)
class Balancer:
    """An internal balancer of connections.

    Attributes:
        last_resort: whether it tries all servers where none is healthy, instead of refusing.
    """

    id: str
    name: str
    cloud: Cloud
    addresses: tuple[str, ...]
    listeners: tuple[Listener, ...]
    last_resort: bool


@dataclass(frozen=True)
class Database:
    """A managed database: PostgreSQL, which clients reach by TLS and a password.

    Attributes:
        host: the name that the cloud gives it, which its certificate shows.
        name: of the database; `user` owns it.
    """

    id: str
    cloud: Cloud
    host: str
    address: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Network:
    """A region's network.

    Attributes:
        prefix: its whole range in CIDR notation, which no other region's overlaps.
    """

    cloud: Cloud
    prefix: str


@dataclass(frozen=True)
class World:
    """Everything that shall exist, of all regions together, at one moment.

    Attributes:
        rules: of all machines, balancers and databases; those of one in the order in which they decide.
        networks: one a region. What goes from one to another goes through tunnels, whatever rules say.
        desk: where the operator sits: no instance of a cloud, but a place among a region's machines, with its own
            rules. None where there are no machines.
    """

    machines: tuple[Machine, ...] = ()
    rules: tuple[Rule, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    networks: tuple[Network, ...] = ()
    databases: tuple[Database, ...] = ()
    desk: Machine | None = None
