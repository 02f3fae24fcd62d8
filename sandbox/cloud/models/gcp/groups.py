"""Google Cloud groups of machines: unmanaged ones, managed ones, their templates and autoscalers.

Source: Compute Engine API reference, instanceGroups, regionInstanceGroupManagers, regionAutoscalers; "Set up a
proactive rolling update", "Limitations of regional MIGs".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.compute import INSTANCE, MEMBERSHIP
from sandbox.cloud.models.gcp.identity import ACCOUNT
from sandbox.cloud.models.gcp.interfaces import SUBNETWORK
from sandbox.cloud.models.gcp.keys import KEY
from sandbox.cloud.models.gcp.names import COMPUTE, elsewhere, given, last, region_of, zone_missing
from sandbox.cloud.models.gcp.network import NETWORK
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value

GROUP: Final = "gcp:compute/instanceGroup:InstanceGroup"
TEMPLATE: Final = "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"
MANAGER: Final = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
HEALTH_CHECKS: Final = ("gcp:compute/healthCheck:HealthCheck", "gcp:compute/regionHealthCheck:RegionHealthCheck")
_PREFIX_LIMIT: Final = 37

group = model(
    GROUP,
    id="projects/{project}/zones/{zone}/instanceGroups/{name}",
    name=COMPUTE,
    references=(Ref("network", (NETWORK,)), Ref("instances[*]", (INSTANCE,), holds=False)),
    immutable=("description", "network", "zone"),
    outputs={"size": 0},
)
membership = model(
    MEMBERSHIP,
    id=lambda draft: (
        f"projects/{draft.scope('project')}/zones/{draft.scope('zone')}/instanceGroups/"
        f"{last(draft.get('instanceGroup'))}/{last(draft.get('instance'))}"
    ),
    references=(Ref("instanceGroup", (GROUP,), same=("zone",)), Ref("instance", (INSTANCE,), holds=False)),
    immutable=("instance", "instanceGroup", "zone"),
    exists="memberAlreadyExists",
)
template = model(
    TEMPLATE,
    id="projects/{project}/regions/{region}/instanceTemplates/{name}",
    name=COMPUTE,
    references=(
        Ref("networkInterfaces[*].subnetwork", (SUBNETWORK,)),
        Ref("disks[*].diskEncryptionKey.kmsKeySelfLink", (KEY,)),
        Ref("serviceAccount.email", (ACCOUNT,), external=r"\d+-compute@developer\.gserviceaccount\.com", holds=False),
    ),
    immutable=(
        "namePrefix", "canIpForward", "confidentialInstanceConfig", "description", "disks", "guestAccelerators",
        "instanceDescription", "labels", "machineType", "metadata", "metadataStartupScript", "minCpuPlatform",
        "networkInterfaces", "reservationAffinity", "resourcePolicies", "scheduling", "serviceAccount",
        "shieldedInstanceConfig", "tags",
    ),
    outputs={"numericId": "{digits19}"},
)  # fmt: skip
manager = model(
    MANAGER,
    id="projects/{project}/regions/{region}/instanceGroupManagers/{name}",
    name=COMPUTE,
    references=(
        Ref("versions[*].instanceTemplate", (TEMPLATE,)),
        Ref("autoHealingPolicies.healthCheck", HEALTH_CHECKS),
    ),
    immutable=("baseInstanceName", "description", "distributionPolicyZones"),
    outputs={
        "instanceGroup": "https://www.googleapis.com/compute/v1/projects/{project}/regions/{region}/instanceGroups/{name}",
        "targetSize": 0,
        "instanceGroupManagerId": 0,
    },
    handles=("selfLink", "name", "instanceGroup"),
)
autoscaler = model(
    "gcp:compute/regionAutoscaler:RegionAutoscaler",
    name=COMPUTE,
    references=(Ref("target", (MANAGER,)),),
    unique=(("target",),),
    immutable=("region",),
)


@group.check
def _zone(draft: Draft) -> Iterator[Failure]:
    if wrong := zone_missing(draft):
        yield draft.fail("zone", wrong)
    for path, part in draft.each("namedPorts[*].port"):
        if isinstance(part, (int, float)) and not 1 <= part <= 65535:
            yield draft.fail(path, f"expected a value in the range 1 to 65535, got {part:.0f}")


@membership.check
def _by_name(draft: Draft) -> Iterator[Failure]:
    """The provider puts it into the address of its call as it is."""
    name = draft.known("instanceGroup")
    if isinstance(name, str) and "/" in name:
        yield draft.fail("instanceGroup", f"'{name}' must be the name of the group, not its path")


@membership.admit
def _together(draft: Draft) -> None:
    machine, joined = draft.find(INSTANCE, draft.get("instance")), draft.find(GROUP, draft.get("instanceGroup"))
    if machine is None or joined is None:
        return
    if last(machine["zone"]) != last(joined["zone"]):
        raise draft.refuse("invalid", f"The machine '{machine.id}' does not lie in the zone of '{joined.id}'.")
    own = draft.find(NETWORK, joined["network"])
    stands = [draft.find(NETWORK, part.get("network")) for part in machine["networkInterfaces"]]
    if own and own not in stands:
        raise draft.refuse("invalid", f"The machine '{machine.id}' does not stand in the network of '{joined.id}'.")


@template.check
def _prefixed(draft: Draft) -> Iterator[Failure]:
    prefix = draft.known("namePrefix")
    if isinstance(prefix, str) and len(prefix) > 54:
        yield draft.fail("namePrefix", f"'{prefix}' has {len(prefix)} characters; at most 54 are allowed")
    if prefix and given(draft, "name"):
        yield draft.fail("namePrefix", "cannot be given together with name")


@template.admit
def _placed(draft: Draft) -> None:
    for path, value in draft.each("networkInterfaces[*].subnetwork"):
        found = draft.find(SUBNETWORK, value)
        if elsewhere(draft, found, "region"):
            raise draft.refuse("invalid", f"Invalid value for field 'resource.{path}': it lies in another region.")


@template.compute
def _made_name(draft: Draft) -> dict[str, Value]:
    """The provider's own form: prefix, time, counter."""
    prefix = draft.get("namePrefix")
    if draft.old is not None or not prefix:
        return {}
    long = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")[:18] + str(draft.fill("{digits8}"))
    made = prefix + (long if len(prefix) <= _PREFIX_LIMIT else str(draft.fill("{hex9}")))
    return {"name": made, "id": draft.fill(f"projects/{{project}}/regions/{{region}}/instanceTemplates/{made}")}


@manager.check
def _rolling(draft: Draft) -> Iterator[Failure]:
    zones = draft.known("distributionPolicyZones") or []
    for path, zone in draft.each("distributionPolicyZones[*]"):
        if isinstance(zone, str) and region_of(zone) != last(draft.scope("region")):
            yield draft.fail(path, f"'{zone}' does not lie in {draft.scope('region')}")
    policy = draft.known("updatePolicy") or {}
    surge, unavailable = policy.get("maxSurgeFixed"), policy.get("maxUnavailableFixed")
    for name, value in (("maxSurgeFixed", surge), ("maxUnavailableFixed", unavailable)):
        if isinstance(value, (int, float)) and 0 < value < len(zones):
            yield draft.fail(f"updatePolicy.{name}", f"must be 0 or at least the number of zones ({len(zones)})")
    if surge == 0 and unavailable == 0:
        yield draft.fail("updatePolicy", "maxSurge and maxUnavailable cannot both be 0")
    if policy.get("replacementMethod") == "RECREATE" and surge:
        yield draft.fail("updatePolicy.maxSurgeFixed", "must be 0 with the replacement method RECREATE")
    base = draft.known("baseInstanceName")
    if isinstance(base, str) and len(base) > 58:
        yield draft.fail("baseInstanceName", "at most 58 characters, so that a suffix fits")


@autoscaler.check
def _bounds(draft: Draft) -> Iterator[Failure]:
    low, high = draft.known("autoscalingPolicy.minReplicas"), draft.known("autoscalingPolicy.maxReplicas")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        yield draft.fail("autoscalingPolicy.maxReplicas", f"{high:.0f} is less than minReplicas, {low:.0f}")
    target = draft.known("autoscalingPolicy.cpuUtilization.target")
    if isinstance(target, (int, float)) and not 0 < target <= 1:
        yield draft.fail("autoscalingPolicy.cpuUtilization.target", f"expected more than 0 and at most 1, got {target}")
