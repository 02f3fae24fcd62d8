"""What decides whether a check applies is among what the check says that it reads, so that the SDK is asked for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from policies.resource import World
from policies.rule import Rule
from policies.rules.availability import replacement_serial
from policies.rules.network import vpn_psk_unique_secret, vpn_tunnels_redundant
from tests.policies.case import Case, Props, patched
from tests.policies.cases import cases
from tests.policies.watching import Watch, related

_RULES = (replacement_serial.RULE, vpn_psk_unique_secret.RULE, vpn_tunnels_redundant.RULE)


def _inputs(case: Case) -> Iterator[Props]:
    yield case.good
    for path, values in (*case.breaks.items(), *case.advises.items()):
        for value in values:
            yield patched(case.good, path, value)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in _RULES])
def test_a_rule_says_what_it_reads_of_a_resource(rule: Rule) -> None:
    for check in rule.on_resources:
        watch = Watch()
        for case in cases()[rule.id]:
            if isinstance(case, Case) and check.concerns(case.resource()):
                for props in _inputs(case):
                    (watched,) = watch.world(World((case.resource(props),))).resources
                    Rule(rule.id, (check,)).judge(watched, case.context)
        assert not {read for _, read in watch.seen if not any(related(read, path) for path in check.reads)}
