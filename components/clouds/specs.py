"""What a cloud's component says of itself, in one form for all clouds.

Owns the props that components are given and register as `spec`, and that policies read (policy catalogue, "Component
props"). They hold what was planned: no Output, no secret, no id that only the cloud knows. What differs between
clouds (which subnets there are, how many addresses a balancer has) comes as an argument.

What has a name stands in a list, with the name as a value: keys say what a thing is, and are equal everywhere.

Dangerous edges:
- A key must not be the name of an attribute that the component's class declares: Pulumi would take it for that one.
- A policy reads keys by name: a key renamed here alone silences its rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from components.clouds.contract import (
    AlertsArgs,
    AuditArgs,
    BackupArgs,
    BalancerArgs,
    ClientGroupArgs,
    DatabaseArgs,
    FederationArgs,
    FirewallArgs,
    GatewayArgs,
    IdentitiesArgs,
    KeyArgs,
    NetworkArgs,
    SecretStoreArgs,
    ServerGroupArgs,
    TunnelsArgs,
    ZoneArgs,
)
from components.plan.backup import audit_retention, retention
from components.plan.flows import FLOWS
from components.plan.records import TTL_SECONDS
from components.plan.server import ServerSpec

Spec: TypeAlias = "dict[str, Any]"
"""Plain JSON with keys in camelCase."""


def network_spec(args: NetworkArgs, subnets: Mapping[str, str], *, flow_logs: bool) -> Spec:
    """Ranges of the region; `subnets` are CIDRs by name."""
    region = args.site.stack.region
    return {
        "cloud": region.cloud,
        "region": region.name,
        "cidr": region.cidr,
        "subnets": [{"name": name, "cidr": cidr} for name, cidr in subnets.items()],
        "flowLogs": flow_logs,
    }


def identities_spec(args: IdentitiesArgs) -> Spec:
    """Roles with an identity."""
    return {"cloud": args.site.stack.cloud, "roles": list(args.roles)}


def firewall_spec(args: FirewallArgs) -> Spec:
    """Traffic that is let in, in the flow table's words."""
    return {
        "cloud": args.site.stack.cloud,
        "flows": [
            {
                "name": flow.name,
                "protocols": list(flow.protocols),
                "port": str(flow.port),
                "targets": list(flow.targets),
                "senders": [*flow.roles, *flow.sources],
            }
            for flow in FLOWS
        ],
    }


def key_spec(args: KeyArgs) -> Spec:
    """A key by the name under which others refer to it, and where it answers."""
    region = args.site.stack.region
    return {
        "cloud": region.cloud,
        "region": region.name,
        "purpose": args.purpose,
        "keyRef": args.site.names.key_ref(args.purpose),
        "usableFrom": list(args.usable_from),
    }


def federation_spec(args: FederationArgs) -> Spec:
    """Clouds whose workloads are trusted."""
    return {"cloud": args.site.stack.cloud, "peers": sorted(args.workloads)}


def secret_store_spec(args: SecretStoreArgs) -> Spec:
    """Entries and their readers; values never."""
    return {
        "cloud": args.site.stack.cloud,
        "entries": [{"name": name, "readers": list(entry.readers)} for name, entry in sorted(args.entries.items())],
    }


def gateway_spec(args: GatewayArgs) -> Spec:
    """The pairs whose tunnels end here."""
    stack = args.site.stack
    return {
        "cloud": stack.cloud,
        "asn": stack.platform.asns[stack.cloud],
        "pairs": [pair.name for pair in args.pairs],
    }


def tunnels_spec(args: TunnelsArgs) -> Spec:
    """This side of a pair's tunnels; keys by reference."""
    cloud = args.site.stack.cloud
    return {
        "cloud": cloud,
        "pair": args.pair.name,
        "peer": args.pair.peer(cloud),
        "tunnels": [
            {"index": tunnel.index, "inside": tunnel.end(cloud).address, "pskRef": tunnel.key}
            for tunnel in args.pair.tunnels
        ],
    }


def backup_bucket_spec(args: BackupArgs, name: str) -> Spec:
    """The bucket and its lock (policy catalogue, `hashicorp:clouds:BackupBucket`)."""
    stack = args.site.stack
    kept = retention(stack.platform.backup)
    return {
        "cloud": stack.cloud,
        "name": name,
        "region": stack.region.name,
        "replicaRegion": stack.region.recovery,
        "keyRef": args.site.names.key_ref("backup"),
        "versioned": True,
        "lockMode": stack.platform.backup.lock,
        "lockDays": kept.lock_days,
        "expireDays": kept.expire_days,
    }


def audit_spec(args: AuditArgs, name: str) -> Spec:
    """The trail's bucket and its lock."""
    stack = args.site.stack
    kept = audit_retention(stack.platform.audit_days)
    return {
        "cloud": stack.cloud,
        "name": name,
        "keyRef": args.site.names.key_ref("audit"),
        "lockDays": kept.lock_days,
        "expireDays": kept.expire_days,
    }


def database_spec(args: DatabaseArgs, version: str, pitr_days: int) -> Spec:
    """Boundary's database."""
    stack = args.site.stack
    return {
        "cloud": stack.cloud,
        "product": "boundary",
        "version": version,
        "pitrDays": pitr_days,
        "copyRegion": stack.region.recovery,
        "keyRef": args.site.names.key_ref("database"),
    }


def balancer_spec(args: BalancerArgs, addresses: Sequence[str]) -> Spec:
    """A front end at `addresses`, the ports it maps, and what it asks servers."""
    check = args.balanced.check
    return {
        "cloud": args.site.stack.cloud,
        "product": args.product,
        "addresses": list(addresses),
        "listeners": [
            {"front": listener.front.first, "back": listener.back.first} for listener in args.balanced.listeners
        ],
        "check": {"port": check.port.first, "path": check.path},
    }


def standing(server: ServerSpec) -> tuple[int, str]:
    """Zone (index) and address of a server that has both.

    Raises:
        ValueError: it is the template of a group.
    """
    if server.zone is None or server.address is None:
        raise ValueError(f"{server.name} has no zone or no address, so it is a template and not a server")
    return server.zone, server.address


def alerts_spec(args: AlertsArgs) -> Spec:
    """Who is told."""
    stack = args.site.stack
    return {"cloud": stack.cloud, "recipients": list(stack.platform.recipients)}


def server_group_spec(args: ServerGroupArgs) -> Spec:
    """Machines one by one.

    Raises:
        ValueError: one of them is a template.
    """
    region = args.machine.site.stack.region

    def machine(server: ServerSpec) -> Spec:
        zone, address = standing(server)
        return {
            "name": server.name,
            "zone": region.zones[zone],
            "address": address,
            "instanceType": server.size.instance_type,
            "disks": [disk.purpose for disk in server.disks],
        }

    return {"cloud": region.cloud, "servers": [machine(server) for server in args.servers]}


def client_group_spec(args: ClientGroupArgs) -> Spec:
    """Bounds of the group, in machines, and what each machine is."""
    region = args.machine.site.stack.region
    return {
        "cloud": region.cloud,
        "role": args.template.role,
        "instanceType": args.template.size.instance_type,
        "minimum": args.bounds.minimum,
        "maximum": args.bounds.maximum,
        "zones": list(region.zones),
    }


def zone_spec(args: ZoneArgs) -> Spec:
    """The record table."""
    stack = args.site.stack
    return {
        "cloud": stack.cloud,
        "domain": stack.platform.domain,
        "ttlSeconds": TTL_SECONDS,
        "records": [{"name": record.name, "addresses": list(record.addresses)} for record in args.records],
    }
