"""Some ports are open to other regions alone: who sits in the servers' own region is not to take them for closed."""

from __future__ import annotations

from components.plan.flows import CONSUL_HTTPS, CONSUL_RPC, NOMAD_HTTP, NOMAD_RPC
from runbook.credentials import Tokens
from runbook.health.checks import Scope
from runbook.health.machines import reachable_ports
from runbook.health.survey import targets
from tests.runbook.regions import facts, region


def test_at_home_only_what_every_region_may_reach_is_dialled() -> None:
    assert CONSUL_RPC in reachable_ports("consul", at_home=False)
    assert reachable_ports("consul", at_home=True) == (CONSUL_HTTPS,)
    assert NOMAD_RPC in reachable_ports("nomad", at_home=False)
    assert reachable_ports("nomad", at_home=True) == (NOMAD_HTTP,)


def test_home_is_the_region_whose_network_the_packets_leave_from() -> None:
    scope = Scope(frozenset({"aws"}), frozenset({"consul"}), links=False)
    for cidr, wanted in (("127.0.0.0/8", (CONSUL_HTTPS,)), ("10.1.0.0/16", reachable_ports("consul", at_home=False))):
        made = region("aws", [facts("consul", "aws", ["127.0.0.1", "127.0.0.2"])])
        manifest = made.model_copy(update={"network": made.network.model_copy(update={"cidr": cidr})})
        found = [target.ports for target in targets({"aws": manifest}, scope, Tokens({})) if target.ports]
        assert set(found) == {wanted}
