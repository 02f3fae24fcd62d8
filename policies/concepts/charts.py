"""Helm releases: which chart one installs."""

from __future__ import annotations

from policies.resource import Resource

RELEASE = "kubernetes:helm.sh/v3:Release"


def chart(release: Resource) -> str:
    """The chart's own name, without the repository or folder that it comes from.

    Raises:
        Undecided: it is not known yet.
    """
    return str(release.get("chart")).rstrip("/").rpartition("/")[2].lower()
