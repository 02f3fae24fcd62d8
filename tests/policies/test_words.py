"""A finding says which property, whose thing or how much it is about, so that it can be mended."""

from __future__ import annotations

from policies.rule import Finding, Rule
from policies.rules.availability import disk_performance
from policies.rules.network import network_cidr_no_overlap, vpn_psk_unique_secret
from tests.policies.case import Case, Held, StackCase, world

_PAIR = "hashicorp:mesh:VpnPair"


def _root(**peers: object) -> Held:
    return Held("pulumi:pulumi:Stack", "root", {"complianceFacts": {"peers": peers}})


def _stack(rule: Rule, *stack: Held) -> list[Finding]:
    return rule.judge_stack(world(stack), StackCase((), stack).context)


def test_a_slow_disk_is_told_how_fast_it_must_be() -> None:
    case = Case("aws:ebs/volume:Volume", {"type": "st1"}, above=("hashicorp:products:VaultCluster",))
    (found,) = disk_performance.RULE.judge(case.resource(), case.context)
    assert found.problem == "must be of a type that promises at least 3000 operations and 125 MB a second"


def test_ranges_that_overlap_are_told_by_whose_they_are() -> None:
    network = Held("hashicorp:clouds:Network", "network", {"spec": {"cidr": "10.1.0.0/16"}})
    (found,) = _stack(network_cidr_no_overlap.RULE, network, _root(azure={"networks": [{"cidr": "10.1.4.0/24"}]}))
    assert found.problem == "has networks that overlap: 10.1.0.0/16 of this stack, 10.1.4.0/24 of azure"


def test_a_key_of_two_pairs_is_told_by_the_other_pair_and_who_says_so() -> None:
    pairs = [Held(_PAIR, name, {"spec": {"pair": name, "tunnels": [{"pskRef": "key"}]}}) for name in ("a-b", "a-c")]
    said = _root(b={"vpnPairs": [{"pair": "b-c", "pskRefs": ["key"]}]})
    assert {found.problem for found in _stack(vpn_psk_unique_secret.RULE, *pairs, said)} == {
        "names a key of the pair a-b",
        "names a key of the pair a-c",
        "names a key of the pair b-c of b",
    }


def test_a_tunnel_without_a_key_is_told_where_to_set_one() -> None:
    case = Case("gcp:compute/vPNTunnel:VPNTunnel", {})
    (found,) = vpn_psk_unique_secret.RULE.judge(case.resource(), case.context)
    assert found.path == "sharedSecret"
