"""Boundary's database: how it is called, which version it runs, whom its clients trust.

Owns what the database and those who dump it must agree on. How large it is stands in `sizing`, how far back it can be
restored in `objectives`, where it lies in `addressing`; making it is the cloud's (`clouds.aws.database`).

Dangerous edge: server and dump programs share one version on purpose. A dump program refuses a server of a newer major
version, so neither may move alone.

Source: RDS user guide, "Release calendars for RDS for PostgreSQL", "Using SSL/TLS to encrypt a connection".
"""

from __future__ import annotations

from .spec import Platform
from .versions import POSTGRESQL, parse

NAME = "boundary"
"""Of the database inside the server."""
USER = "boundary"
"""Owns it: Boundary's controllers make and migrate their tables themselves."""


def engine_version(platform: Platform) -> str:
    """The server's exact version, which PostgreSQL spells with two numbers: `16.9` for `16.9.0`."""
    major, minor, _ = parse(platform.versions[POSTGRESQL])
    return f"{major}.{minor}"


def family(platform: Platform) -> str:
    """Amazon's word for what parameters a major version has."""
    return f"postgres{parse(platform.versions[POSTGRESQL])[0]}"


def authorities_url(region: str) -> str:
    """Where Amazon publishes the authorities that sign its databases' certificates in a region."""
    return f"https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"
