"""What must hold in every region: a posture beside its plan, difference by difference.

Each rule yields what is wrong, in words; nothing is right. Rules know no cloud. What a cloud cannot have is said by
its reader with None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from components.plan import addressing, secrets, sizing
from components.plan.flows import BALANCERS, EGRESS, FLOWS, Flow
from components.plan.records import TTL_SECONDS, records
from components.plan.spec import RAFT_PRODUCTS, ROLES, SERVER_ROLE, Product, Role, Stack, quorum
from tests.contract.crossing import (
    routes_only_where_needed,
    tunnels_are_strong,
    tunnels_are_watched,
    tunnels_as_planned,
)
from tests.contract.differences import Rule, differences, listed
from tests.contract.keeping import audit_trail_complete, backups_as_planned, backups_only_for_their_writers
from tests.contract.posture import BASTION, EVERY_PORT, PROBES, WORLD, Posture, Way

_SSH = 22
_LEAST_DELAY_DAYS = 30


def _places(flow: Flow, plan: Stack) -> set[str]:
    """Everywhere a flow may come from, whole networks with the roles in them."""
    places: set[str] = set(flow.roles)
    peers = {peer.cloud for peer in plan.platform.peers(plan.cloud)}
    if "peers" in flow.sources or "mesh" in flow.sources:
        places |= peers
    if "mesh" in flow.sources:
        places |= {plan.cloud, *ROLES}
    if "probes" in flow.sources:
        places.add(PROBES)
    return places


def _planned_ways_in(role: Role, plan: Stack) -> set[Way]:
    return {
        Way(protocol, flow.port.first, flow.port.last, place)
        for flow in FLOWS
        if role in flow.targets
        for protocol in flow.protocols
        for place in _places(flow, plan)
    }


def _planned_ways_out(plan: Stack) -> set[Way]:
    ways: set[Way] = set()
    for egress in EGRESS:
        protocol = "tcp" if egress.port else "any"
        first, last = (egress.port.first, egress.port.last) if egress.port else EVERY_PORT
        places = {WORLD} if egress.destination == "anywhere" else {*plan.platform.clouds, *ROLES}
        ways |= {Way(protocol, first, last, place) for place in places}
    return ways


def _aliases(posture: Posture, product: Product) -> Mapping[int, int]:
    """Ports of a server that only repeat a planned one, because the balancer cannot map its front port to that."""
    planned = {listener.front.first: listener.back.first for listener in BALANCERS[product].listeners}
    found = posture.balancers[product].listeners if product in posture.balancers else {}
    return {back: planned[front] for front, back in found.items() if front == back != planned.get(front, back)}


def no_way_in_but_the_flows(posture: Posture, plan: Stack) -> Iterator[str]:
    """Every machine lets in what the flow table says, from whom it says, and nothing else."""
    aliases = {SERVER_ROLE[product]: _aliases(posture, product) for product in BALANCERS}
    for machine in posture.every_machine:
        planned = _planned_ways_in(machine.role, plan)
        for alias, port in aliases.get(machine.role, {}).items():
            planned |= {Way(way.protocol, alias, alias, way.place) for way in planned if way.first == way.last == port}
        # Its own door is the cloud's business, as long as nobody but the door comes through.
        found = {way for way in machine.ways_in if (way.first, way.last, way.place) != (_SSH, _SSH, BASTION)}
        yield from differences(f"{machine.name} lets in", found, planned)


def nothing_is_open_to_the_world(posture: Posture, _: Stack) -> Iterator[str]:
    """Nobody outside the platform reaches a machine or a balancer."""
    for machine in posture.every_machine:
        if machine.public:
            yield f"{machine.name} has a public address"
        if worldly := [way for way in machine.ways_in if way.place == WORLD]:
            yield f"{machine.name} is open to the world: {listed(worldly)}"
    for balancer in posture.balancers.values():
        if not balancer.internal:
            yield f"the balancer of {balancer.product} is public"


def no_ssh(posture: Posture, _: Stack) -> Iterator[str]:
    """No machine and no network reaches a shell: at most the cloud's own door for people does."""
    for machine in posture.every_machine:
        for way in machine.ways_in:
            if way.first <= _SSH <= way.last and way.protocol in ("tcp", "any") and way.place != BASTION:
                yield f"{machine.name} lets {way.place} in by SSH"


def ways_out_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """A machine reaches cloud APIs, archives, and the platform."""
    for machine in posture.every_machine:
        yield from differences(f"{machine.name} lets out", machine.ways_out, _planned_ways_out(plan))


def machines_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Each planned server exists once, with its planned zone, address, role and size."""
    planned = {server.name: server for server in addressing.all_servers(plan.platform, plan.cloud)}
    yield from differences("servers", posture.machines, planned)
    for name in posture.machines.keys() & planned.keys():
        machine, server = posture.machines[name], planned[name]
        size = sizing.machine(plan.platform.profile, plan.cloud, machine.role)
        wanted = (server.zone, server.address, size.instance_type)
        found = (machine.zone, machine.address, machine.instance_type)
        if found != wanted:
            yield f"{name} has zone, address and size {found} where {wanted} is planned"
        if machine.role != SERVER_ROLE[server.product]:
            yield f"{name} has the identity of {machine.role}"
    template = posture.clients.template
    if template.role != "nomad-client" or template.name != "nomad-client":
        yield f"clients are called {template.name} and have the identity of {template.role}"


def no_zone_holds_a_quorum(posture: Posture, plan: Stack) -> Iterator[str]:
    """The loss of a zone leaves a majority of every cluster's voters."""
    for product in RAFT_PRODUCTS:
        zones = [machine.zone for machine in posture.machines.values() if machine.role == SERVER_ROLE[product]]
        for zone, count in Counter(zones).items():
            if len(zones) - count < quorum(len(zones)):
                yield f"without zone {zone}, {product} keeps {len(zones) - count} of {len(zones)} voters"


def clients_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """The group of clients has the planned bounds and lives in every zone."""
    bounds, group = plan.platform.clients, posture.clients
    if (group.minimum, group.maximum) != (bounds.minimum, bounds.maximum):
        yield f"clients are {group.minimum} to {group.maximum}, planned {bounds.minimum} to {bounds.maximum}"
    if group.zones != frozenset(range(addressing.ZONES)):
        yield f"clients live in the zones {listed(group.zones)} only"


def subnets_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Machines live in the subnets of servers and of clients, and nowhere else."""
    zones = range(addressing.ZONES)
    servers = {addressing.server_subnet(plan.region, zone) for zone in zones}
    clients = {addressing.client_subnet(plan.region, zone) for zone in zones}
    yield from differences("subnets", posture.subnets - clients, servers)
    if not posture.subnets & clients:
        yield "clients live in no subnet of theirs"


def disks_are_encrypted(posture: Posture, _: Stack) -> Iterator[str]:
    """Every disk by the customer's key for disks."""
    for machine in posture.every_machine:
        for disk in machine.disks:
            if disk.key != "disk":
                yield f"the {disk.purpose} disk of {machine.name} is encrypted by {disk.key or 'no key of ours'}"


def disks_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Data and audit disks have the planned size, stand in their machine's zone, outlive it and are protected."""
    for machine in posture.every_machine:
        size = sizing.machine(plan.platform.profile, plan.cloud, machine.role)
        planned = {"root": size.root_gib}
        planned |= {
            purpose: disk.gib for purpose, disk in (("data", size.data), ("audit", size.audit)) if disk is not None
        }
        found = {disk.purpose: disk.gib for disk in machine.disks}
        if found != planned:
            yield f"{machine.name} has disks {found} where {planned} is planned"
        for disk in machine.disks:
            kept = disk.purpose != "root"
            if disk.zone not in (None, machine.zone):
                yield f"the {disk.purpose} disk of {machine.name} stands in another zone"
            if (disk.outlives, disk.protected) != (kept, kept):
                yield f"the {disk.purpose} disk of {machine.name}: outlives {disk.outlives}, protected {disk.protected}"


def machines_are_hardened(posture: Posture, _: Stack) -> Iterator[str]:
    """Boot is measured, metadata guarded, passwords off; a server cannot be deleted by a slip."""
    for machine in posture.every_machine:
        yield from (f"{machine.name}: {exposure}" for exposure in machine.exposures)
        if machine.guarded is False:
            yield f"{machine.name} can be deleted by a slip"


def voters_are_left_alone(posture: Posture, _: Stack) -> Iterator[str]:
    """No plain update touches a server's image, size or user data."""
    for machine in posture.machines.values():
        if missing := {"image", "size", "user data"} - machine.kept:
            yield f"a plain update may change the {listed(missing)} of {machine.name}"


def _planned_key_users(plan: Stack) -> dict[str, set[str]]:
    users: dict[str, set[str]] = {"nomad-keyring": {"nomad-server"}, "disk": set(), "audit": set()}
    if plan.platform.seal == "cloud":
        users["vault-seal"] = {"vault-server"}
    if plan.is_primary:
        users["boundary-worker-auth"] = {"boundary-worker", "peers"}
        users["database"] = set()
    return users


def keys_only_for_their_users(posture: Posture, plan: Stack) -> Iterator[str]:
    """The key of a seal is usable by the servers that it seals, and by nobody else."""
    planned = _planned_key_users(plan)
    # Who may encrypt backups is a question of the bucket: see `backups_only_for_their_writers`.
    yield from differences("keys", posture.keys, {*planned, "secrets", "backup"})
    for purpose in posture.keys.keys() & planned.keys():
        yield from differences(f"users of {purpose}", posture.keys[purpose].users, planned[purpose])
    if "secrets" in posture.keys:
        # Some clouds let the reader decrypt, others do it for him: at most the readers.
        yield from differences("users of secrets", posture.keys["secrets"].users - set(ROLES), ())


def keys_rotate_and_last(posture: Posture, _: Stack) -> Iterator[str]:
    """Keys rotate, are protected, and take a month to die."""
    for key in posture.keys.values():
        if not key.rotates:
            yield f"the key {key.purpose} never rotates"
        if not key.protected or key.delay_days < _LEAST_DELAY_DAYS:
            yield f"the key {key.purpose} can be lost: protected {key.protected}, {key.delay_days} days"


def secrets_only_for_their_readers(posture: Posture, plan: Stack) -> Iterator[str]:
    """Every entry exists, is read by its readers alone, encrypted, protected and recoverable."""
    # A store may hold more, such as an operators' way in, as long as no machine reads it.
    entries = {name: entry for name, entry in posture.secrets.items() if name in secrets.ENTRIES or entry.readers}
    yield from differences("entries", entries, secrets.ENTRIES)
    for name in entries.keys() & secrets.ENTRIES.keys():
        yield from differences(f"readers of {name}", entries[name].readers, secrets.ENTRIES[name].readers)
    for entry in posture.secrets.values():
        if entry.key not in ("secrets", "service"):
            yield f"{entry.name} is encrypted by {entry.key or 'no key of ours'}"
        if not entry.protected or entry.delay_days < _LEAST_DELAY_DAYS:
            yield f"{entry.name} can be lost: protected {entry.protected}, {entry.delay_days} days"


def no_other_grants(posture: Posture, _: Stack) -> Iterator[str]:
    """Machines have no grant beyond keys, entries, their backups and the operators' sessions."""
    yield from posture.strays


def balancers_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Each balanced product: planned address, listeners, health check, and all its servers behind."""
    yield from differences("balancers", posture.balancers, BALANCERS)
    for product in posture.balancers.keys() & BALANCERS.keys():
        balancer, planned = posture.balancers[product], BALANCERS[product]
        addresses = addressing.front_ends(plan.region, product)
        if balancer.addresses not in (addresses, addresses[:1]):
            yield f"{product} is balanced at {balancer.addresses}, planned {addresses}"
        fronts = {listener.front.first: listener.back.first for listener in planned.listeners}
        aliases = _aliases(posture, product)
        found = {front: aliases.get(back, back) for front, back in balancer.listeners.items()}
        if found != fronts:
            yield f"{product} has the listeners {balancer.listeners}, planned {fronts}"
        check = planned.check
        wanted = ("https", check.port.first, check.path, check.interval, check.unhealthy)
        for asked in balancer.checks:
            if (asked.protocol, asked.port, asked.path, asked.interval, asked.unhealthy) != wanted:
                yield f"{product} is asked by {asked}, planned {wanted}"
            if asked.reads_body not in (None, check.body_is_address):
                yield f"{product}: the answer's body is read: {asked.reads_body}, planned {check.body_is_address}"
        if len(balancer.checks) != 1:
            yield f"{product} has {len(balancer.checks)} health checks"
        servers = {server.name for server in addressing.servers(plan.platform, plan.cloud, product)}
        yield from differences(f"servers behind {product}", balancer.members, servers)


def callers_of_balancers_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Where a balancer has a firewall, it lets in whom the servers behind it would."""
    for product in posture.balancers.keys() & BALANCERS.keys():
        balancer = posture.balancers[product]
        if balancer.ways_in is None:
            continue
        servers = _planned_ways_in(SERVER_ROLE[product], plan)
        planned = {
            Way(way.protocol, listener.front.first, listener.front.last, way.place)
            for listener in BALANCERS[product].listeners
            for way in servers
            if way.first == way.last == listener.back.first and way.place != PROBES
        }
        yield from differences(f"the balancer of {product} lets in", balancer.ways_in, planned)


def names_resolve_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """The private zone holds the record table, visible in this network only."""
    planned = {record.name: (record.addresses, TTL_SECONDS) for record in records(plan.platform)}
    if posture.zone.domain != plan.platform.domain or not posture.zone.private:
        yield f"the zone is {posture.zone.domain}, private {posture.zone.private}"
    yield from differences("names", posture.zone.records.items(), planned.items())


RULES: tuple[Rule, ...] = (
    no_way_in_but_the_flows,
    nothing_is_open_to_the_world,
    no_ssh,
    ways_out_as_planned,
    machines_as_planned,
    no_zone_holds_a_quorum,
    clients_as_planned,
    subnets_as_planned,
    disks_are_encrypted,
    disks_as_planned,
    machines_are_hardened,
    voters_are_left_alone,
    keys_only_for_their_users,
    keys_rotate_and_last,
    secrets_only_for_their_readers,
    no_other_grants,
    balancers_as_planned,
    callers_of_balancers_as_planned,
    names_resolve_as_planned,
    tunnels_as_planned,
    tunnels_are_strong,
    tunnels_are_watched,
    routes_only_where_needed,
    backups_as_planned,
    backups_only_for_their_writers,
    audit_trail_complete,
)
