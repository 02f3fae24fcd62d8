"""Google Cloud machines and disks.

Source: Compute Engine API reference, instances and disks; "Prevent accidental VM deletion", "Set VM metadata",
"Update instance properties" (which changes need a stopped machine).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.identity import ACCOUNT
from sandbox.cloud.models.gcp.interfaces import INSTANCE, SUBNETWORK, place
from sandbox.cloud.models.gcp.keys import KEY, compute_agent, usable
from sandbox.cloud.models.gcp.names import COMPUTE, elsewhere, last, region_of, zone_missing
from sandbox.cloud.models.gcp.network import NETWORK
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value, is_known

DISK: Final = "gcp:compute/disk:Disk"
MEMBERSHIP: Final = "gcp:compute/instanceGroupMembership:InstanceGroupMembership"
_DISK_KEY: Final = "diskEncryptionKey.kmsKeySelfLink"
_LARGEST_VALUE: Final = 256 * 1024
_LARGEST_METADATA: Final = 512 * 1024
_NEED_STOP: Final = ("machineType", "minCpuPlatform", "serviceAccount", "shieldedInstanceConfig", "networkInterfaces")

disk = model(
    DISK,
    name=COMPUTE,
    references=(Ref(_DISK_KEY, (KEY,)),),
    immutable=(
        "name", "zone", "type", "diskEncryptionKey", "description", "image", "snapshot", "physicalBlockSizeBytes",
        "sourceDisk", "enableConfidentialCompute", "multiWriter",
    ),
    outputs={"type": "pd-standard", "size": 10, "physicalBlockSizeBytes": 4096, "diskId": "{digits19}", "users": []},
)  # fmt: skip
instance = model(
    INSTANCE,
    name=COMPUTE,
    references=(
        Ref("networkInterfaces[*].subnetwork", (SUBNETWORK,)),
        Ref("networkInterfaces[*].network", (NETWORK,)),
        Ref("attachedDisks[*].source", (DISK,)),
        Ref("attachedDisks[*].kmsKeySelfLink", (KEY,)),
        Ref("bootDisk.kmsKeySelfLink", (KEY,)),
        Ref("serviceAccount.email", (ACCOUNT,), external=r"\d+-compute@developer\.gserviceaccount\.com", holds=False),
    ),
    immutable=(
        "name", "zone", "hostname", "bootDisk.initializeParams", "bootDisk.source", "bootDisk.kmsKeySelfLink",
        "bootDisk.deviceName", "scratchDisks", "metadataStartupScript", "confidentialInstanceConfig",
        "guestAccelerators", "canIpForward",
    ),
    outputs={"instanceId": "{digits19}", "currentStatus": "RUNNING", "cpuPlatform": "Intel Ice Lake"},
)  # fmt: skip


@disk.check
@instance.check
def _zone(draft: Draft) -> Iterator[Failure]:
    if wrong := zone_missing(draft):
        yield draft.fail("zone", wrong)


@disk.check
def _size(draft: Draft) -> Iterator[Failure]:
    size = draft.known("size")
    if isinstance(size, (int, float)) and not 10 <= size <= 65536:
        yield draft.fail("size", f"disk size must be 10 to 65536 GB, got {size:.0f}")
    block = draft.known("physicalBlockSizeBytes")
    if block is not None and block not in (4096, 16384):
        yield draft.fail("physicalBlockSizeBytes", f"must be 4096 or 16384, got {block:.0f}")


@disk.admit
def _disk_key(draft: Draft) -> None:
    usable(draft, _DISK_KEY, draft.get(_DISK_KEY), region_of(draft.scope("zone")), compute_agent(draft))


@disk.renew
def _shrunk(draft: Draft) -> Iterator[str]:
    old, new = draft.kept("size"), draft.get("size")
    if isinstance(old, (int, float)) and isinstance(new, (int, float)) and new < old:
        yield "size"


@instance.check
def _machine(draft: Draft) -> Iterator[Failure]:
    hostname = draft.known("hostname")
    label = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
    if isinstance(hostname, str) and not re.fullmatch(rf"{label}(\.{label})+", hostname):
        yield draft.fail("hostname", f"'{hostname}' is not a fully qualified domain name")
    if isinstance(hostname, str) and len(hostname) > 253:
        yield draft.fail("hostname", "holds more than 253 characters")
    names = [part.get("deviceName") for _, part in draft.each("attachedDisks[*]") if is_known(part)]
    names += [draft.get("bootDisk.deviceName")]
    given = [name for name in names if isinstance(name, str)]
    if len(set(given)) != len(given):
        yield draft.fail("attachedDisks", f"device names must differ, got {given}")
    scheduling = draft.known("scheduling") or {}
    if scheduling.get("provisioningModel") == "SPOT" and scheduling.get("onHostMaintenance") == "MIGRATE":
        yield draft.fail("scheduling.onHostMaintenance", "a spot machine cannot migrate")


@instance.check
def _metadata(draft: Draft) -> Iterator[Failure]:
    metadata = draft.known("metadata")
    if not isinstance(metadata, dict):
        return
    sizes = {key: len(value.encode()) for key, value in metadata.items() if isinstance(value, str)}
    for key, size in sizes.items():
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", key):
            yield draft.fail("metadata", f"'{key}' is not a metadata key of letters, digits, hyphens, underscores")
        if size > _LARGEST_VALUE:
            yield draft.fail("metadata", f"the value of {key} has {size} bytes; at most {_LARGEST_VALUE} are allowed")
    if sum(sizes.values()) > _LARGEST_METADATA:
        yield draft.fail("metadata", f"all values together hold more than {_LARGEST_METADATA} bytes")


@instance.admit
def _stopped_first(draft: Draft) -> None:
    changed = [name for name in _NEED_STOP if draft.old is not None and draft.changed(name)]
    if changed and not draft.get("allowStoppingForUpdate"):
        message = (
            f"Changing {', '.join(changed)} on a started instance requires stopping it. "
            "To acknowledge this, please set allow_stopping_for_update = true in your config."
        )
        raise draft.refuse("instanceRunning", message)


@instance.admit
def _disks(draft: Draft) -> None:
    others = list(draft.others(INSTANCE))
    zone = draft.scope("zone")
    usable(draft, "bootDisk", draft.get("bootDisk.kmsKeySelfLink"), region_of(zone), compute_agent(draft))
    for path, source in draft.each("attachedDisks[*].source"):
        found = draft.find(DISK, source)
        if found is None:
            continue
        if elsewhere(draft, found, "zone"):
            message = f"Disk must be in the same zone as the instance: '{found.id}' does not lie in {zone}."
            raise draft.refuse("invalid", f"Invalid value for field 'resource.{path}': {message}")
        for other in others:
            if any(draft.find(DISK, part.get("source")) == found for part in other["attachedDisks"] or ()):
                message = f"The disk resource '{found.id}' is already being used by '{other.id}'"
                raise draft.refuse("resourceInUseByAnotherResource", message)


@instance.compute
def _interfaces(draft: Draft) -> dict[str, Value]:
    """Addresses are given once; a change of the wanted one places the machine anew."""
    found: list[Value] = []
    kept = {part.get("name"): part for part in draft.kept("networkInterfaces") or ()}
    for number, (path, part) in enumerate(draft.each("networkInterfaces[*]")):
        name = f"nic{number}"
        record = draft.find(SUBNETWORK, part.get("subnetwork"))
        if record and last(record["region"]) != region_of(draft.scope("zone")):
            message = f"The subnetwork '{record.id}' does not lie in the region of {draft.scope('zone')}."
            raise draft.refuse("invalid", f"Invalid value for field 'resource.{path}': {message}")
        address = part.get("networkIp") or kept.get(name, {}).get("networkIp")
        if record:
            address = place(draft, record, address)
        found.append({**part, "name": name, "networkIp": address, "network": record and record["network"]})
    return {"networkInterfaces": found}


@instance.guard
def _protected(draft: Draft) -> None:
    if draft.inputs.get("deletionProtection"):
        message = (
            f"Cannot delete instance {draft.name}: instance Deletion Protection is enabled. Set deletion_protection "
            "to false for this resource and run `pulumi up` before attempting to delete it."
        )
        raise draft.refuse("deletionProtected", message)


@instance.guard
def _leaves_groups(draft: Draft) -> None:
    """A machine that is deleted leaves its groups; nobody is asked."""
    for record in list(draft.others(MEMBERSHIP)):
        if draft.find(INSTANCE, record["instance"]) == draft.old:
            draft.store.remove(record.key)
