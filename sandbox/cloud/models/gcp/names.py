"""How Google Cloud names things, and how one thing names another.

Source: Compute Engine, "Naming resources"; IAM, "Policy members".
"""

from __future__ import annotations

from typing import Final

from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Name
from sandbox.cloud.store import Record
from sandbox.cloud.truth.regions import gcp_zones
from sandbox.cloud.wire import UNKNOWN, Value

COMPUTE: Final = Name(
    "name",
    max=63,
    characters="a-z0-9-",
    lower=True,
    pattern=r"[a-z]([-a-z0-9]*[a-z0-9])?",
    rule="1 to 63 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen",
)

# Principals that the platform does not make: people, federated identities, and agents of Google's that exist by
# themselves. An agent of the gcp-sa- kind exists only once somebody has asked for it.
FOREIGN: Final = (
    r"(?!serviceAccount:).+"
    r"|serviceAccount:service-\d+@(?!gcp-sa-).+"
    r"|serviceAccount:\d+(@cloudservices|-compute@developer)\.gserviceaccount\.com"
)


def last(value: Value) -> str:
    """The last step of a path or self link: `us-west1` of `regions/us-west1`."""
    return value.rpartition("/")[2] if isinstance(value, str) else ""


def region_of(zone: Value) -> str:
    """`us-west1` of `us-west1-a`."""
    return last(zone).rpartition("-")[0]


def given(draft: Draft, *paths: str) -> list[str]:
    """Those of the inputs that are there and not empty; one that is not known yet counts as there."""
    return [path for path in paths if (value := draft.get(path)) is UNKNOWN or bool(value)]


def zone_missing(draft: Draft) -> str | None:
    """What is wrong with the draft's zone; None if nothing, or if it is not known."""
    zone = draft.known("zone") or draft.provider.scope("zone")
    if not isinstance(zone, str) or not zone or last(zone) in gcp_zones(region_of(zone)):
        return None
    return (
        f"zone '{zone}' does not exist; {region_of(zone) or 'its region'} has {', '.join(gcp_zones(region_of(zone)))}"
    )


def elsewhere(draft: Draft, record: Record | None, word: str) -> bool:
    """Whether a record lies in another region or zone (`word`) than the draft."""
    return record is not None and last(record[word]) != last(draft.scope(word))
