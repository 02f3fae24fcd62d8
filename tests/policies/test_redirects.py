"""A balancer that only redirects may listen in clear text, and its name says so while its map is not known."""

from __future__ import annotations

import pytest

from policies.rules.transport import lb_tls_min
from policies.values import UNKNOWN
from tests.policies.case import Case


@pytest.mark.parametrize(("name", "passes"), [("redirect-to-https", True), ("application", False)])
def test_a_proxy_of_a_map_that_is_not_known_is_judged_by_its_name(name: str, *, passes: bool) -> None:
    case = Case("gcp:compute/targetHttpProxy:TargetHttpProxy", {"urlMap": UNKNOWN}, name=name)
    assert (not lb_tls_min.RULE.judge(case.resource(), case.context)) is passes


def test_the_map_that_is_known_decides_and_not_the_name() -> None:
    case = Case("gcp:compute/targetHttpProxy:TargetHttpProxy", {"urlMap": "application"}, name="redirect-to-https")
    assert lb_tls_min.RULE.judge(case.resource(), case.context)
