"""Where an Azure region is built: its resource group and its key vault, beside what every cloud's site holds.

Owns the composition of resource ids. Azure's ids are planned like its names, so an inner part (a balancer's probe,
a subnet of a network) can be named before it exists.

Dangerous edge: a composed id carries no dependency. Where the thing must exist first, take the id from the
resource's own output and compose only what comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import pulumi
from pulumi_azure_native import keyvault

from components.clouds.contract import Site

T = TypeVar("T")


@dataclass(frozen=True)
class Place(Site):
    """The site that `connect` hands to every component of this cloud."""

    group: pulumi.Output[str]
    """Name of the resource group, known once it exists."""
    vault: keyvault.Vault
    """Holds the region's keys and secrets; older than both."""

    @property
    def location(self) -> str:
        """The region's name, as Azure spells it."""
        return self.stack.region.name

    @property
    def zones(self) -> list[str]:
        """All zones of the region."""
        return list(self.stack.region.zones)

    def id(self, kind: str, name: str) -> str:
        """Planned id of something in the resource group; `kind` like `Microsoft.Network/loadBalancers`."""
        return f"/subscriptions/{self.account.id}/resourceGroups/{self.names.resource_group()}/providers/{kind}/{name}"


def own(kind: type[T], thing: object) -> T:
    """This cloud's class behind one of the contract's Protocols.

    Raises:
        TypeError: the part was built by another cloud, or by none.
    """
    if not isinstance(thing, kind):
        raise TypeError(
            f"Azure was handed a {type(thing).__name__} where its own {kind.__name__} belongs: "
            "all parts of a region must come from one cloud's kit."
        )
    return thing
