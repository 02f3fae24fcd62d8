"""Thresholds that the pack's configuration may set, with their defaults.

Owns which settings there are; nothing here reads a file. A policy judges by its own figures and never by those of the
program it judges, so that a change of the program cannot loosen a rule. Ports are the exception: the flow table knows
them all, and a port that it gains is guarded at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel, to_snake


@dataclass(frozen=True)
class Settings:
    """Thresholds; every rule takes the ones it needs."""

    mesh_cidrs: tuple[str, ...] = ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")
    """Networks of the platform, from which gossip and RPC may come."""
    admin_cidrs: tuple[str, ...] = ()
    """Public networks of administrators, which do not count as the world."""
    approved_regions: tuple[str, ...] = (
        "us-west-2", "us-east-2", "westus2", "westcentralus", "us-west1", "us-central1",
    )  # fmt: skip
    """Regions, with those that hold copies."""
    approved_registries: tuple[str, ...] = ("docker.io/hashicorp", "registry.k8s.io", "quay.io", "ghcr.io")
    """Container registries, with the part of the path that is trusted."""
    floors: Mapping[str, str] = field(
        default_factory=lambda: {"consul": "1.18.0", "vault": "1.16.0", "nomad": "1.9.0", "boundary": "0.17.0"}
    )
    """Oldest version of each product. Nomad before 1.9 leaves its keyring out of snapshots."""
    kubernetes_floor: str = "1.31"
    """Oldest version of managed Kubernetes."""
    anonymous_policies: tuple[str, ...] = ()
    """Consul policies that the anonymous token may have."""
    break_glass: tuple[str, ...] = ("break-glass",)
    """Users and groups for the day on which every other way in is gone."""
    organisation_trail: bool = False
    """Whether an organisation's trail covers the AWS account."""


_ADAPTER = TypeAdapter(Settings)
NAMES: Mapping[str, str] = {to_camel(each.name): each.name for each in fields(Settings)}
"""Settings by their names in configuration."""


def read(configured: Mapping[str, Any]) -> Settings:
    """Settings from the pack's configuration; names in camel case.

    Raises:
        ValueError: a name or a value does not fit; says which, and not what it was.
    """
    unknown = sorted(set(configured) - set(NAMES))
    if unknown:
        raise ValueError(f"there is no setting {', '.join(unknown)}; there are {', '.join(NAMES)}")
    try:
        return _ADAPTER.validate_python({to_snake(name): value for name, value in configured.items()})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ValueError(f"settings of the pack do not fit: {wrong}") from None
