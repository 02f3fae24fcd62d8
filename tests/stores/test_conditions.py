"""The evaluation of grants: what holds, what does not, and that an unknown word is never a yes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sandbox.stores import conditions, iam

ROLE, THING = "arn:aws:iam::1:role/writer", "arn:aws:s3:::b/consul/aws/x"
ALLOW = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/consul/aws/*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
ADD = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"
PATH = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path]"
BELOW = f"((!(ActionMatches{{'{ADD}'}})) OR ({PATH} StringStartsWith 'a/' OR {PATH} StringStartsWith 'b/'))"


def _document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _may(own: object, resource: str = "", thing: str = THING, **context: str) -> bool:
    context = {"aws:principalarn": ROLE, **context}
    return iam.allowed((_document(own),), resource, "s3:PutObject", thing, context, ROLE)


def test_a_policy_allows_what_it_names_and_nothing_else() -> None:
    assert _may(ALLOW)
    assert not _may(ALLOW, thing="arn:aws:s3:::b/vault/aws/x")
    assert not _may({**ALLOW, "Action": "s3:GetObject"})


def test_one_deny_outweighs_every_allow() -> None:
    assert not _may(ALLOW, _document(DENY))
    assert _may(
        ALLOW, _document({**DENY, "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/other"}}})
    )


def test_a_resource_policy_that_names_the_account_leaves_the_choice_to_it() -> None:
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:*", "Resource": "*"}
    assert not _may({**ALLOW, "Action": "s3:GetObject"}, _document(account))
    assert not _may(ALLOW, _document({**account, "Effect": "Deny"}))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Null": {"s3:if-none-match": "true"}}, False),
        ({"Null": {"s3:if-none-match": "false"}}, True),
        ({"StringEquals": {"s3:if-none-match": ["x", "*"]}}, True),
        ({"StringNotEquals": {"s3:if-none-match": "*"}}, False),
        ({"StringEquals": {"s3:absent": "*"}}, False),
        ({"StringEqualsIfExists": {"s3:absent": "*"}}, True),
        ({"StringNotEquals": {"s3:absent": "*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/w*"}}, True),
    ],
)
def test_conditions_of_aws_hold_as_documented(condition: object, holds: bool) -> None:  # noqa: FBT001 - a table
    assert _may({**ALLOW, "Condition": condition}, **{"s3:if-none-match": "*"}) is holds


@pytest.mark.parametrize(
    ("action", "path", "holds"), [(ADD, "a/x", True), (ADD, "b/x", True), (ADD, "c/a/x", False), ("read", "c", True)]
)
def test_azures_condition_bounds_the_action_that_it_names(action: str, path: str, holds: bool) -> None:  # noqa: FBT001 - a table
    assert conditions.azure(BELOW, action, {PATH: path}) is holds


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('resource.name.startsWith("p/a/") || resource.name.startsWith("p/b/")', True),
        ('resource.name.startsWith("q/") && true_word == "x"', False),
        ("!resource.name.startsWith('q/')", True),
        ("attribute.role in ['r', 's']", True),
        ("attribute.role == 'other'", False),
        ("assertion.arn.extract('assumed-role/{role}/')", "r"),
        ("assertion.arn.extract('nowhere/{role}/')", ""),
    ],
)
def test_googles_expressions_have_the_value_that_google_gives_them(expression: str, value: object) -> None:
    known = {"resource.name": "p/b/x", "attribute.role": "r", "assertion.arn": "arn:aws:sts::1:assumed-role/r/i-1"}
    assert conditions.google(expression, known) == value


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda: _may({**ALLOW, "Condition": {"NumericLessThan": {"aws:PrincipalArn": "1"}}}),
        lambda: _may({**ALLOW, "NotAction": "s3:GetObject"}),
        lambda: conditions.azure(f"{PATH} StringMatchesMagically 'a'", ADD, {PATH: "a"}),
        lambda: conditions.azure("@Request[x:y] StringEquals 'a'", ADD, {PATH: "a"}),
        lambda: conditions.google("resource.name.matches('.*')", {"resource.name": "a"}),
        lambda: conditions.google("request.time == 'now'", {}),
    ],
)
def test_what_is_not_modelled_is_an_error_and_never_a_yes(evaluate: Callable[[], object]) -> None:
    with pytest.raises(iam.NotModelledError):
        evaluate()
