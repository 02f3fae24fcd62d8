"""Versions: exact, inside the supported lines, fitting together, and where their archives lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan.spec import PRODUCTS
from components.plan.versions import (
    ARTIFACTS,
    EDITION_SUFFIX,
    EXPORTER,
    POSTGRESQL,
    SKEWS,
    SUPPORTED,
    Skew,
    archive,
    parse,
    skewed,
    unsupported,
)
from tests.plan.platforms import ARTIFACTS as SOURCES
from tests.plan.platforms import VERSIONS

numbers = st.tuples(*[st.integers(0, 999)] * 3)


@given(numbers)
def test_an_exact_version_reads_as_its_numbers(version: tuple[int, int, int]) -> None:
    assert parse(".".join(map(str, version))) == version


@pytest.mark.parametrize(
    "text", ["", "latest", "1.21", "1.21.0.0", "v1.21.0", "1.21.x", "1.21.0+ent", "1.21.0-rc1", "1.-1.0", "1.²1.0"]
)
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="not an exact version"):
        parse(text)


@pytest.mark.parametrize("artefact", ARTIFACTS)
def test_a_supported_line_begins_and_ends_where_it_says(artefact: str) -> None:
    line = SUPPORTED[artefact]
    (major, first), (_, last) = line.first, line.last
    before = f"{major}.{first - 1}.9" if first else f"{major - 1}.99.9"
    for version, fits in (
        (before, False),
        (f"{major}.{first}.9", True),
        (f"{major}.{last}.9", True),
        (f"{major}.{last + 1}.9", False),
    ):
        found = list(unsupported({artefact: version}))
        assert found == ([] if fits else [(artefact, version, line)])


def test_a_line_says_what_it_holds() -> None:
    assert str(SUPPORTED["consul"]) == "from 1.20 to 1.21"
    assert str(SUPPORTED[POSTGRESQL]) == "of 16"


@pytest.mark.parametrize("skew", SKEWS, ids=lambda skew: f"{skew.product}-{skew.needs}")
def test_a_skew_holds_from_its_line_on(skew: Skew) -> None:
    since = f"{skew.since[0]}.{skew.since[1]}.0"
    before = f"{skew.since[0]}.{skew.since[1] - 1}.99"
    least = f"{skew.least[0]}.{skew.least[1]}.0"
    older = f"{skew.least[0]}.{skew.least[1] - 1}.99"
    assert list(skewed({skew.product: since, skew.needs: older})) == [skew]
    assert list(skewed({skew.product: since, skew.needs: least})) == []
    assert list(skewed({skew.product: before, skew.needs: older})) == []
    assert list(skewed({skew.product: since})) == []


def test_both_ends_of_a_skew_are_inside_the_supported_lines() -> None:
    for skew in SKEWS:
        assert SUPPORTED[skew.product].holds((*skew.since, 0))
        assert SUPPORTED[skew.needs].holds((*skew.least, 0))


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_archive_lies_where_the_vendor_publishes_it(product: str) -> None:
    version = VERSIONS[product]
    found = archive(product, VERSIONS, SOURCES, EDITION_SUFFIX["enterprise"])
    folder = f"https://releases.example.com/{product}/{version}+ent"
    assert found.url == f"{folder}/{product}_{version}+ent_linux_amd64.zip"
    assert found.sums_url == f"{folder}/{product}_{version}+ent_SHA256SUMS"
    assert found.url.endswith(f"/{found.file}")
    community = archive(product, VERSIONS, SOURCES, EDITION_SUFFIX["community"])
    assert "+" not in community.url


def test_the_exporter_has_no_editions() -> None:
    found = archive(EXPORTER, VERSIONS, SOURCES, EDITION_SUFFIX["enterprise"])
    folder = "https://exporter.example.com/v1.9.1"
    assert found.url == f"{folder}/node_exporter-1.9.1.linux-amd64.tar.gz"
    assert found.sums_url == f"{folder}/sha256sums.txt"


def test_postgresqls_programs_have_no_editions_and_a_sum_beside_each_archive() -> None:
    found = archive(POSTGRESQL, VERSIONS, SOURCES, EDITION_SUFFIX["enterprise"])
    assert found.url == f"https://postgresql.example.com/16.9.0/{found.file}"
    assert found.file == "postgresql-16.9.0-x86_64-unknown-linux-gnu.tar.gz"
    assert found.sums_url == f"{found.url}.sha256"
