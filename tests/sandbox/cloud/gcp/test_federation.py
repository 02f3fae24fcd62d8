"""What Google Cloud refuses of identity pools: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError

POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
AWS = {"aws": {"accountId": "123456789012"}}


def _provider(**changes: object) -> dict[str, Any]:
    return {"workloadIdentityPoolId": "machines", "workloadIdentityPoolProviderId": "amazon", **AWS, **changes}


@pytest.mark.parametrize("name", ["abc", "a" * 33, "gcp-machines", "Machines", "my_machines"])
def test_ids_have_their_form(cloud: Client, name: str) -> None:
    assert cloud.failures(POOL, {"workloadIdentityPoolId": name})
    assert cloud.failures(PROVIDER, _provider(workloadIdentityPoolProviderId=name))
    assert cloud.failures(POOL, {"workloadIdentityPoolId": "a" * 32}) == []
    assert cloud.failures(PROVIDER, _provider(workloadIdentityPoolProviderId="a" * 32)) == []


def test_a_deleted_pool_and_a_deleted_provider_keep_their_names_for_a_month(cloud: Client) -> None:
    pool = cloud.create(POOL, {"workloadIdentityPoolId": "machines"})
    provider = cloud.create(PROVIDER, _provider())
    cloud.delete(provider)
    with pytest.raises(RefusedError, match="held until"):
        cloud.create(PROVIDER, _provider(), "again")
    cloud.delete(pool)
    with pytest.raises(RefusedError, match="held until"):
        cloud.create(POOL, {"workloadIdentityPoolId": "machines"}, "again")
    other = cloud.create(POOL, {"workloadIdentityPoolId": "machines-2"}, "again")
    assert other["name"].endswith("/workloadIdentityPools/machines-2")
    # Providers of another pool are others.
    assert cloud.create(PROVIDER, _provider(workloadIdentityPoolId="machines-2"), "again").id


def test_a_provider_is_in_a_pool_that_exists(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(PROVIDER, _provider())
    cloud.create(POOL, {"workloadIdentityPoolId": "machines"})
    assert cloud.create(PROVIDER, _provider())["name"].startswith("projects/123456789012/locations/global/")


_SUBJECT = {"google.subject": "assertion.sub"}
_OIDC: dict[str, Any] = {"aws": None, "oidc": {"issuerUri": "https://issuer.example.com"}, "attributeMapping": _SUBJECT}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aws": None}, "exactly one of aws"),
        ({"oidc": {"issuerUri": "https://issuer.example.com"}}, "exactly one of aws"),
        ({"aws": {"accountId": "1234"}}, "twelve digits"),
        ({**_OIDC, "oidc": {"issuerUri": "http://issuer.example.com"}}, "not an https URL"),
        ({**_OIDC, "oidc": {"issuerUri": "https://i.example.com", "allowedAudiences": ["a"] * 11}}, "at most 10"),
        ({**_OIDC, "attributeMapping": None}, "google.subject must be mapped"),
        ({"attributeMapping": {"attribute.team": "assertion.team"}}, "google.subject must be mapped"),
        ({**_OIDC, "attributeMapping": {**_SUBJECT, "team": "assertion.team"}}, "neither google.subject"),
        ({**_OIDC, "attributeCondition": "attribute.team == 'a'"}, "'attribute.team' is not mapped"),
        ({"displayName": "d" * 33}, "at most 32"),
    ],
)
def test_a_provider_says_who_vouches_and_how_machines_are_named(
    cloud: Client, changes: dict[str, Any], said: str
) -> None:
    def failures(changes: dict[str, Any]) -> list[str]:
        return cloud.failures(
            PROVIDER, {key: value for key, value in _provider(**changes).items() if value is not None}
        )

    assert said in str(failures(changes))
    assert failures(_OIDC) == []
    # Where nothing is mapped for AWS, Google maps the role by itself.
    assert failures({"attributeCondition": "attribute.aws_role == 'arn'", "displayName": "d" * 32}) == []
