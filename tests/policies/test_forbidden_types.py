"""Types that no stack may hold, whatever their properties."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rule import Rule
from policies.rules.identity import iam_no_static_keys
from policies.rules.network import vpn_bgp_dynamic, vpn_crypto_strong
from tests.policies.case import Case


@pytest.mark.parametrize(
    ("rule", "token", "props"),
    [
        (
            vpn_bgp_dynamic.RULE,
            "aws:ec2/vpnConnectionRoute:VpnConnectionRoute",
            {"destinationCidrBlock": "10.2.0.0/16", "vpnConnectionId": "vpn"},
        ),
        (iam_no_static_keys.RULE, "aws:iam/accessKey:AccessKey", {"user": "operator"}),
        (iam_no_static_keys.RULE, "gcp:serviceaccount/key:Key", {"serviceAccountId": "vault"}),
        (iam_no_static_keys.RULE, "gcp:storage/hmacKey:HmacKey", {"serviceAccountEmail": "vault@example.com"}),
        (vpn_crypto_strong.RULE, "gcp:compute/vPNGateway:VPNGateway", {"network": "n"}),
    ],
)
def test_a_forbidden_type_is_a_violation(rule: Rule, token: str, props: dict[str, Any]) -> None:
    case = Case(token, props)
    (found,) = rule.judge(case.resource(), case.context)
    assert (found.kind, found.path) == ("violation", "")
    assert "the rule failed" not in found.problem
