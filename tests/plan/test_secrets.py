"""The secret store's entries: each readable by the roles that need it and no other."""

from __future__ import annotations

import pytest

from components.plan import secrets
from components.plan.backup import WRITERS
from components.plan.mesh import TUNNELS, pairs
from components.plan.secrets import CERTIFIED, ENTRIES, readable_by, shared_entries
from components.plan.spec import ROLES, Role
from config import parse
from tests.config.files import merged

SERVERS_ONLY: dict[str, tuple[Role, ...]] = {
    secrets.CONSUL_MANAGEMENT: ("consul-server",),
    secrets.CONSUL_REPLICATION: ("consul-server",),
    secrets.NOMAD_GOSSIP: ("nomad-server",),
    secrets.CONSUL_VAULT: ("vault-server",),
    secrets.CONSUL_NOMAD: ("nomad-server", "nomad-client"),
    secrets.CONSUL_BOUNDARY: ("boundary-worker",),
}


def test_no_machine_reads_the_roots_key() -> None:
    assert ENTRIES[secrets.CA_KEY].readers == ()
    assert not any(secrets.CA_KEY in readable_by(role) for role in ROLES)


@pytest.mark.parametrize("role", CERTIFIED)
def test_a_private_key_is_read_by_its_own_role_alone(role: Role) -> None:
    assert ENTRIES[secrets.private_key_entry(role)].readers == (role,)
    assert ENTRIES[secrets.certificate_entry(role)].readers == (role,)


@pytest.mark.parametrize("entry", SERVERS_ONLY)
def test_powerful_values_are_read_only_where_they_act(entry: str) -> None:
    assert ENTRIES[entry].readers == SERVERS_ONLY[entry]


def test_every_machine_reads_what_its_agent_needs_and_only_that_is_everybodys() -> None:
    everybodys = {entry for entry in ENTRIES if all(entry in readable_by(role) for role in ROLES)}
    assert everybodys == {secrets.CA_CERTIFICATE, secrets.CONSUL_GOSSIP, secrets.CONSUL_AGENT}


def test_whatever_all_regions_must_agree_on_is_made_once() -> None:
    own = set(ENTRIES) - set(shared_entries())
    certificates = {make(role) for role in CERTIFIED for make in (secrets.certificate_entry, secrets.private_key_entry)}
    assert own == {*certificates, secrets.MANIFEST, secrets.BACKUP_AGENT}


def test_no_machine_reads_a_tunnels_key_and_every_tunnel_has_one_of_its_own() -> None:
    keys = [entry for entry, spec in ENTRIES.items() if spec.origin == "tunnel-key"]
    assert len(keys) == len(set(keys)) == 3 * TUNNELS
    assert all(ENTRIES[entry].readers == () for entry in keys)
    platform = parse(merged("aws")).platform
    assert {tunnel.key for pair in pairs(platform) for tunnel in pair.tunnels} == set(keys)


def test_whoever_saves_a_set_reads_where_to_and_whoever_dumps_the_database_its_password() -> None:
    for saved, role in WRITERS.items():
        assert role in ENTRIES[secrets.MANIFEST].readers, saved
    assert ENTRIES[secrets.BOUNDARY_DATABASE].readers == (WRITERS["boundary"],)


def test_origins_say_what_an_entry_holds() -> None:
    for entry, spec in ENTRIES.items():
        assert (spec.origin == "token") == entry.endswith("-token")
        assert (spec.origin == "gossip") == entry.endswith("-gossip")
        assert (spec.origin == "private-key") == (entry.endswith("-key") and entry != secrets.CA_KEY)
        assert (spec.origin == "tunnel-key") == entry.startswith("mesh-")
        assert (spec.origin == "password") == entry.endswith("-password")
        assert len(set(spec.readers)) == len(spec.readers)
