"""The entries of every region's secret store, and the only roles that may read each.

Owns the names and the readers. Values come from the lineage; paths on machines from the products.

Every region holds every entry it needs to be rebuilt while the others are gone, the root key included: that
one has no reader among machines.

Tokens are chosen here before the products that honour them exist: Consul, Nomad and Vault accept a token whose secret
is given, so machines boot with the token that the bootstrap creates later and need no restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .mesh import key_entries
from .spec import RAFT_PRODUCTS, ROLES, SERVER_ROLE, Role

Origin = Literal["root", "certificate", "private-key", "gossip", "token", "tunnel-key", "password", "record"]


@dataclass(frozen=True)
class EntrySpec:
    """One entry: who reads it, and where its value comes from."""

    origin: Origin
    readers: tuple[Role, ...]
    shared: bool
    """One value for the whole platform, made by the primary; otherwise each region makes its own."""


CA_CERTIFICATE, CA_KEY = "ca-cert", "ca-key"
CONSUL_GOSSIP, NOMAD_GOSSIP = "consul-gossip", "nomad-gossip"
CONSUL_MANAGEMENT, CONSUL_REPLICATION = "consul-management-token", "consul-replication-token"
CONSUL_AGENT, CONSUL_VAULT = "consul-agent-token", "consul-vault-token"
CONSUL_NOMAD, CONSUL_BOUNDARY = "consul-nomad-token", "consul-boundary-token"
NOMAD_MANAGEMENT = "nomad-management-token"
VAULT_HEALTH = "vault-health-token"
"""With it `runbook` commands see that a Vault cluster is as it should be. One value for all clusters, though they share
nothing: it may look and change nothing."""
BOUNDARY_DATABASE = "boundary-database-password"
MANIFEST = "manifest"
"""The region's own manifest: how machines learn, after they booted, where backups go. No secret, but this is the one
channel that every machine already reads."""
BACKUP_AGENT = "backup-agent"
"""The program that takes backups, for the same reason: beside what else is on a server it is too large for the user
data of AWS, and so it can be renewed without replacing a voter."""

CERTIFIED: tuple[Role, ...] = ("consul-server", "vault-server", "nomad-server", "nomad-client")
"""Roles with a certificate of the platform's authority; Boundary workers bring their own TLS."""


def certificate_entry(role: Role) -> str:
    """Entry of a role's certificate (PEM)."""
    return f"{role}-cert"


def private_key_entry(role: Role) -> str:
    """Entry of a role's private key (PEM)."""
    return f"{role}-key"


ENTRIES: Mapping[str, EntrySpec] = {
    CA_CERTIFICATE: EntrySpec("root", ROLES, shared=True),
    CA_KEY: EntrySpec("root", (), shared=True),
    CONSUL_GOSSIP: EntrySpec("gossip", ROLES, shared=True),
    NOMAD_GOSSIP: EntrySpec("gossip", ("nomad-server",), shared=True),
    # ACLs replicate from the primary, so a token is one value everywhere.
    CONSUL_MANAGEMENT: EntrySpec("token", ("consul-server",), shared=True),
    CONSUL_REPLICATION: EntrySpec("token", ("consul-server",), shared=True),
    CONSUL_AGENT: EntrySpec("token", ROLES, shared=True),
    CONSUL_VAULT: EntrySpec("token", ("vault-server",), shared=True),
    CONSUL_NOMAD: EntrySpec("token", ("nomad-server", "nomad-client"), shared=True),
    CONSUL_BOUNDARY: EntrySpec("token", ("boundary-worker",), shared=True),
    # Nomad's bootstrap takes a given secret too; the other regions replicate ACLs with it.
    NOMAD_MANAGEMENT: EntrySpec("token", ("nomad-server",), shared=True),
    # Vault's root token may choose the id of a token; no machine uses this one.
    VAULT_HEALTH: EntrySpec("token", (), shared=True),
    # Gateways are given their keys by the stack; machines never see one.
    **{entry: EntrySpec("tunnel-key", (), shared=True) for entry in key_entries()},
    # The primary's Consul leader dumps the database; no other machine speaks to it but the controllers.
    BOUNDARY_DATABASE: EntrySpec("password", ("consul-server",), shared=True),
    **{
        entry: EntrySpec("record", tuple(SERVER_ROLE[product] for product in RAFT_PRODUCTS), shared=False)
        for entry in (MANIFEST, BACKUP_AGENT)
    },
    **{certificate_entry(role): EntrySpec("certificate", (role,), shared=False) for role in CERTIFIED},
    **{private_key_entry(role): EntrySpec("private-key", (role,), shared=False) for role in CERTIFIED},
}

GOSSIP_KEY_BYTES = 32


def shared_entries() -> tuple[str, ...]:
    """Entries that the primary makes and hands on."""
    return tuple(name for name, entry in ENTRIES.items() if entry.shared)


def readable_by(role: Role) -> tuple[str, ...]:
    """Entries that a role may read."""
    return tuple(name for name, entry in ENTRIES.items() if role in entry.readers)
