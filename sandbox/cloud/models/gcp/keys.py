"""Google Cloud key rings, keys, and who may use them.

Neither can be deleted, ever: what a delete leaves behind holds the name, and a second one is refused.

Source: Cloud KMS, "Resource life cycle", "Compatibility of CMEK locations"; API reference, cryptoKeys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.identity import ACCOUNT, AGENT
from sandbox.cloud.models.gcp.names import FOREIGN
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

KEY_RING: Final = "gcp:kms/keyRing:KeyRing"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
GRANT: Final = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_USE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_NAME: Final = Name("name", max=63, pattern=r"[a-zA-Z0-9_-]+", rule="letters, digits, underscores, hyphens", made=False)
_EVER: Final = 36500
_DAY: Final = 86400
_MULTI_REGIONS: Final = ("us", "europe", "asia", "global")

key_ring = model(
    KEY_RING,
    name=_NAME,
    unique=(("project", "location", "name"),),
    immutable=("location", "name"),
    lingers=lambda _: _EVER,
)
key = model(
    KEY,
    id="{keyRing}/cryptoKeys/{name}",
    name=_NAME,
    unique=(("keyRing", "name"),),
    references=(Ref("keyRing", (KEY_RING,)),),
    immutable=(
        "keyRing", "name", "purpose", "importOnly", "destroyScheduledDuration", "skipInitialVersionCreation",
        "versionTemplate.protectionLevel", "cryptoKeyBackend",
    ),
    outputs={"purpose": "ENCRYPT_DECRYPT", "destroyScheduledDuration": "2592000s"},
    lingers=lambda _: _EVER,
)  # fmt: skip
grant = model(
    GRANT,
    id="{cryptoKeyId}/{role}/{member}",
    references=(Ref("cryptoKeyId", (KEY,)), Ref("member", (ACCOUNT, AGENT), external=FOREIGN)),
    immutable=("cryptoKeyId", "role", "member", "condition"),
    outputs={"etag": "{hex8}="},
)


@key_ring.check
def _location(draft: Draft) -> Iterator[Failure]:
    location = draft.known("location")
    if isinstance(location, str) and location not in _MULTI_REGIONS and not re.fullmatch(r"[a-z]+-[a-z]+\d+", location):
        yield draft.fail(
            "location", f"'{location}' is no location of Cloud KMS: a region, or {', '.join(_MULTI_REGIONS)}"
        )


def _seconds(value: Value) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d{1,9})?)s", value) if isinstance(value, str) else None
    return float(found[1]) if found else None


@key.check
def _periods(draft: Draft) -> Iterator[Failure]:
    for path, least, most in (("rotationPeriod", 1, 36500), ("destroyScheduledDuration", 1, 120)):
        value = draft.known(path)
        seconds = _seconds(value)
        if value is not None and seconds is None:
            yield draft.fail(path, f"'{value}' is not a number of seconds such as 7776000s")
        elif seconds is not None and not least * _DAY <= seconds <= most * _DAY:
            yield draft.fail(path, f"expected {least * _DAY}s to {most * _DAY}s, got {value}")
    if draft.known("rotationPeriod") and draft.known("purpose") not in (None, "ENCRYPT_DECRYPT"):
        yield draft.fail("rotationPeriod", "is only supported with the purpose ENCRYPT_DECRYPT")


@key.guard
def _prevented(draft: Draft) -> None:
    if draft.inputs.get("deletionPolicy") == "PREVENT":
        message = f"cannot destroy CryptoKey {draft.id} without setting deletion_policy to DELETE or ABANDON"
        raise draft.refuse("deletionPrevented", message)


def usable(draft: Draft, path: str, key_id: Value, place: str, agent: str) -> None:
    """Whether Google's agent can encrypt with a key what lies in `place` (a region).

    Raises:
        Refusal: the key lies elsewhere, or the agent has no grant on it.
    """
    found = draft.find(KEY, key_id)
    if found is None:
        return
    location = found.id.split("/")[3]
    area = "us" if place.startswith("northamerica-") else place.partition("-")[0]
    if location not in (place, area, "global"):
        message = f"Invalid value for field 'resource.{path}': the key '{found.id}' cannot be used in {place}."
        raise draft.refuse("invalid", message)
    if not any(
        draft.find(KEY, given["cryptoKeyId"]) == found and given["role"] == _USE and agent in str(given["member"])
        for given in draft.others(GRANT)
    ):
        message = f"Cloud KMS error when using key {found.id}: Permission denied for {agent}; grant it {_USE}."
        raise draft.refuse("forbidden", message, 403)


def compute_agent(draft: Draft) -> str:
    """The agent that encrypts disks."""
    return f"service-{draft.scope('projectNumber')}@compute-system.iam.gserviceaccount.com"
