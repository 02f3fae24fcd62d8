"""The database's version is the dump programs' own, in Amazon's spelling."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from components.plan.database import authorities_url, engine_version, family
from components.plan.spec import Platform
from components.plan.versions import POSTGRESQL
from tests.plan.platforms import platforms


@given(platforms(), st.integers(13, 99), st.integers(0, 99))
def test_server_and_dump_programs_have_one_version(any_platform: Platform, major: int, minor: int) -> None:
    platform = replace(any_platform, versions={**any_platform.versions, POSTGRESQL: f"{major}.{minor}.0"})
    assert engine_version(platform) == f"{major}.{minor}"
    assert family(platform) == f"postgres{major}"


def test_authorities_are_those_of_the_databases_region_and_come_by_https() -> None:
    url = authorities_url("us-west-2")
    assert url.startswith("https://truststore.pki.rds.amazonaws.com/us-west-2/")
