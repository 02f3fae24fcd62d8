"""Which versions run, which of them fit together, and where their archives lie.

Owns the supported lines and the skew rules between products. Which exact version runs is configuration.
A snapshot restores only to the version line that took it, so a version here is part of every recovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .spec import PRODUCTS, Artifacts, Edition

EXPORTER = "node_exporter"
POSTGRESQL = "postgresql"
"""Its client programs, on the machines that dump Boundary's database; the database's own major version is the same."""
ARTIFACTS: tuple[str, ...] = (*PRODUCTS, EXPORTER, POSTGRESQL)
"""Everything a machine installs."""

Version = tuple[int, int, int]


def parse(text: str) -> Version:
    """`1.21.0` as numbers.

    Raises:
        ValueError: not exactly three numbers; ranges, prefixes and `latest` are no versions.
    """
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not an exact version like 1.21.0")
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch


_WHOLE = 999
"""No minor release is later: a line that ends with it holds a whole major version."""


@dataclass(frozen=True)
class Line:
    """The minor releases of an artefact that the templates are written for."""

    first: tuple[int, int]
    last: tuple[int, int]

    def holds(self, version: Version) -> bool:
        """Whether a version belongs to the supported lines."""
        return self.first <= version[:2] <= self.last

    def __str__(self) -> str:
        if self.last == (self.first[0], _WHOLE):
            return f"of {self.first[0]}"
        first, last = (".".join(map(str, end)) for end in (self.first, self.last))
        return f"from {first} to {last}"


SUPPORTED: Mapping[str, Line] = {
    "consul": Line((1, 20), (1, 21)),
    "vault": Line((1, 20), (1, 21)),
    "nomad": Line((1, 10), (1, 11)),
    "boundary": Line((0, 19), (0, 21)),
    EXPORTER: Line((1, 8), (1, 10)),
    # A dump is read by programs of the same major version and any minor one.
    POSTGRESQL: Line((16, 0), (16, _WHOLE)),
}


@dataclass(frozen=True)
class Skew:
    """A pair that must not drift apart: `product` from `since` on needs `needs` of at least `least`."""

    product: str
    since: tuple[int, int]
    needs: str
    least: tuple[int, int]
    why: str


_TESTED = "only these lines are proven together by the platform's tests"
SKEWS: tuple[Skew, ...] = (
    Skew("nomad", (1, 11), "consul", (1, 21), f"workload identities log in by JWT, and {_TESTED}"),
    Skew("nomad", (1, 11), "vault", (1, 21), f"workload identities log in by JWT, and {_TESTED}"),
    Skew("vault", (1, 21), "consul", (1, 21), f"Vault registers itself through the agent beside it, and {_TESTED}"),
)


def unsupported(versions: Mapping[str, str]) -> Iterator[tuple[str, str, Line]]:
    """(artefact, version, supported line) of each version outside its line; artefacts that are not named pass."""
    for artefact, version in versions.items():
        line = SUPPORTED[artefact]
        if not line.holds(parse(version)):
            yield artefact, version, line


def skewed(versions: Mapping[str, str]) -> Iterator[Skew]:
    """Each rule that the combination breaks; a rule needs both of its products named."""
    for skew in SKEWS:
        if skew.product not in versions or skew.needs not in versions:
            continue
        if parse(versions[skew.product])[:2] >= skew.since and parse(versions[skew.needs])[:2] < skew.least:
            yield skew


EDITION_SUFFIX: Mapping[Edition, str] = {"community": "", "enterprise": "+ent"}
"""What a product's release is called beyond its version."""


@dataclass(frozen=True)
class Archive:
    """A release archive and the list of sums published beside it."""

    file: str
    url: str
    sums_url: str


def archive(artefact: str, versions: Mapping[str, str], artifacts: Artifacts, edition_suffix: str = "") -> Archive:
    """Where a machine fetches an artefact; `edition_suffix` (`EDITION_SUFFIX`) is the products' alone."""
    version = versions[artefact]
    if artefact == EXPORTER:
        folder = f"{artifacts.exporter_url}/v{version}"
        file = f"{EXPORTER}-{version}.linux-amd64.tar.gz"
        return Archive(file, f"{folder}/{file}", f"{folder}/sha256sums.txt")
    if artefact == POSTGRESQL:
        file = f"{POSTGRESQL}-{version}-x86_64-unknown-linux-gnu.tar.gz"
        url = f"{artifacts.postgresql_url}/{version}/{file}"
        return Archive(file, url, f"{url}.sha256")
    release = f"{version}{edition_suffix}"
    folder = f"{artifacts.base_url}/{artefact}/{release}"
    file = f"{artefact}_{release}_linux_amd64.zip"
    return Archive(file, f"{folder}/{file}", f"{folder}/{artefact}_{release}_SHA256SUMS")
