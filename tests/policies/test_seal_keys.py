"""What is said of a cluster without its seal keys, and what an exemption covers: a Vault that people unseal."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules.encryption.seal_key_present import RULE
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, patched
from tests.policies.cases.encryption.seal_key_present import CASES

_VAULT = next(case for case in CASES if case.type.endswith("VaultCluster"))
_BOUNDARY = next(case for case in CASES if case.type.endswith("BoundaryCluster"))


def _exemptible(case: Case, path: str, value: Any) -> set[bool]:  # noqa: ANN401
    found = RULE.judge(case.resource(patched(case.good, path, value)), case.context)
    return {finding.exemptible for finding in found if finding.kind == "violation"}


def test_people_who_unseal_may_be_exempted() -> None:
    assert _exemptible(_VAULT, "seal", {"type": "shamir"}) == {True}
    assert _exemptible(_VAULT, "seal", {"type": "shamir", "keyRef": "left from before"}) == {True}


@pytest.mark.parametrize(
    ("case", "path", "value"),
    [
        pytest.param(case, path, value, id=f"{number}-{path}-{value!r:.30}")
        for number, case in enumerate(CASES)
        for path, values in case.breaks.items()
        for value in (*values, UNKNOWN)
        # Which chart it is decides whether the rule has anything to say.
        if value != "shamir" and (path, value) != ("chart", UNKNOWN)
    ],
)
def test_nothing_else_may_be(case: Case, path: str, value: Any) -> None:  # noqa: ANN401
    assert _exemptible(case, path, value) <= {False}


def test_a_vault_that_says_nothing_of_its_seal_is_not_exempted() -> None:
    assert _exemptible(_VAULT, "seal", ABSENT) == {False}


@pytest.mark.parametrize(
    ("purpose", "kind"), [("root", "violation"), ("worker-auth", "violation"), ("recovery", "advice")]
)
def test_a_message_names_the_purpose_without_a_key(purpose: str, kind: str) -> None:
    keys = [key for key in _BOUNDARY.good["kms"] if key["purpose"] != purpose]
    (found,) = RULE.judge(_BOUNDARY.resource(patched(_BOUNDARY.good, "kms", keys)), _BOUNDARY.context)
    assert (found.kind, found.problem) == (kind, f"must name a key for {purpose}")
