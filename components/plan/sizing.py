"""How large machines and disks are, by role and profile, in each cloud's terms.

Figures are those of the vendors' reference architectures (cloud-reference, "Sizing"): never burstable, never
spot for a server. How many machines a profile has by itself stands here too; how many a platform has is its own
(`spec.Platform`). Does not say where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .spec import Clients, Cloud, Product, Profile, Role


@dataclass(frozen=True)
class DiskSize:
    """A disk's size and bought performance. GCP earns performance by size, so its sizes may be larger."""

    gib: int
    iops: int
    mbps: int


@dataclass(frozen=True)
class MachineSize:
    """A machine of one role."""

    instance_type: str
    root_gib: int
    data: DiskSize | None
    audit: DiskSize | None


SERVERS: Mapping[Profile, Mapping[Product, int]] = {
    "small": {"consul": 3, "vault": 3, "nomad": 3, "boundary": 2},
    "production": {"consul": 5, "vault": 3, "nomad": 5, "boundary": 3},
}
"""Servers of each product in each region, where the configuration does not say otherwise."""
LEAST_SERVERS: Mapping[Profile, Mapping[Product, int]] = {
    "small": {"consul": 1, "vault": 1, "nomad": 1, "boundary": 1},
    "production": {"consul": 3, "vault": 3, "nomad": 3, "boundary": 2},
}
"""The fewest that a profile accepts: production survives the loss of any one machine."""
CLIENTS: Mapping[Profile, Clients] = {"small": Clients(2, 6), "production": Clients(3, 12)}
"""Nomad clients of each region, where the configuration does not say otherwise."""


@dataclass(frozen=True)
class DatabaseSize:
    """Boundary's database, on the primary's cloud."""

    instance_class: str
    gib: int
    most_gib: int
    """Storage grows by itself up to here: a full disk stops every session."""


DATABASE: Mapping[Profile, DatabaseSize] = {
    "small": DatabaseSize("db.m7g.large", 100, 500),
    "production": DatabaseSize("db.m7g.xlarge", 100, 500),
}

_CLASSES: Mapping[str, Mapping[Cloud, str]] = {
    "2": {"aws": "m7i.large", "azure": "Standard_D2s_v5", "gcp": "n2-standard-2"},
    "4": {"aws": "m7i.xlarge", "azure": "Standard_D4s_v5", "gcp": "n2-standard-4"},
    "8": {"aws": "m7i.2xlarge", "azure": "Standard_D8s_v5", "gcp": "n2-standard-8"},
    "16": {"aws": "m7i.4xlarge", "azure": "Standard_D16s_v5", "gcp": "n2-standard-16"},
}


@dataclass(frozen=True)
class _Row:
    cores: str
    root_gib: int
    data: DiskSize | None = None
    audit: DiskSize | None = None


_ROOT = 50
_TABLE: Mapping[Profile, Mapping[Role, _Row]] = {
    "small": {
        "consul-server": _Row("2", _ROOT, DiskSize(100, 3000, 125)),
        "vault-server": _Row("2", _ROOT, DiskSize(100, 3000, 125), DiskSize(50, 3000, 125)),
        "nomad-server": _Row("2", _ROOT, DiskSize(100, 3000, 125)),
        "nomad-client": _Row("4", 100),
        "boundary-worker": _Row("2", 50),
    },
    "production": {
        "consul-server": _Row("8", _ROOT, DiskSize(200, 10000, 250)),
        "vault-server": _Row("8", _ROOT, DiskSize(200, 10000, 250), DiskSize(100, 3000, 125)),
        "nomad-server": _Row("8", _ROOT, DiskSize(100, 6000, 250)),
        "nomad-client": _Row("16", 300),
        "boundary-worker": _Row("8", 100),
    },
}

_GCP_IOPS_PER_GIB = 30
"""pd-ssd earns 30 IOPS a GB, whatever is asked for."""


def _on(cloud: Cloud, size: DiskSize | None) -> DiskSize | None:
    if size is None or cloud != "gcp":
        return size
    return DiskSize(max(size.gib, -(-size.iops // _GCP_IOPS_PER_GIB)), size.iops, size.mbps)


def machine(profile: Profile, cloud: Cloud, role: Role) -> MachineSize:
    """The machine for a role."""
    row = _TABLE[profile][role]
    return MachineSize(
        instance_type=_CLASSES[row.cores][cloud],
        root_gib=row.root_gib,
        data=_on(cloud, row.data),
        audit=_on(cloud, row.audit),
    )
