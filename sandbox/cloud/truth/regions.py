"""Which regions and zones exist.

AWS's regions are botocore's. No package lists the zones: the tables hold the regions whose zones differ from the usual
a, b, c (sources: AWS "Regions and Zones", Google "Regions and zones").
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

import botocore

_AWS_ZONES: Final = {"us-east-1": "abcdef", "us-west-1": "ab", "us-west-2": "abcd", "ap-northeast-1": "acd"}
_GCP_ZONES: Final = {"us-central1": "abcf", "us-east1": "bcd", "europe-west1": "bcd"}


@cache
def aws_regions() -> frozenset[str]:
    """All regions of AWS's commercial partition."""
    endpoints = json.loads((Path(botocore.__file__).parent / "data" / "endpoints.json").read_text())
    commercial = next(part for part in endpoints["partitions"] if part["partition"] == "aws")
    return frozenset(commercial["regions"])


def aws_zones(region: str) -> list[str]:
    """Availability zones of a region, such as `us-west-2a`."""
    return [region + letter for letter in _AWS_ZONES.get(region, "abc")]


def gcp_zones(region: str) -> list[str]:
    """Zones of a region, such as `us-west1-a`."""
    return [f"{region}-{letter}" for letter in _GCP_ZONES.get(region, "abc")]
