"""From what the simulated cloud has on record to what shall exist in the lab; pure, one module a cloud.

Owns the joining of the clouds, and where the operator sits among them. Each cloud's module reads its own resources, in the vendor's own words.

Dangerous edge: what a module does not understand it refuses (`NotReadError`). A firewall rule that is left out would
make the lab safer than the cloud, and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.world import Network, World

from . import aws, azure, gcp
from .placing import desk, desk_rule
from .registered import NotReadError, Registered, Resource

_READ: Mapping[Cloud, Callable[[Registered], World]] = {"aws": aws.world, "azure": azure.world, "gcp": gcp.world}


def world(resources: Iterable[Resource]) -> World:
    """What all resources together ask for.

    Raises:
        NotReadError: something means what the lab cannot build.
    """
    registered = Registered(tuple(resources))
    found = [_READ[cloud](registered) for cloud in CLOUDS]
    machines = tuple(machine for each in found for machine in each.machines)
    return World(
        machines,
        (*(rule for each in found for rule in each.rules), desk_rule()),
        tuple(balancer for each in found for balancer in each.balancers),
        tuple(network for each in found for network in _one(each.networks)),
        tuple(database for each in found for database in each.databases),
        desk(machines),
    )


def _one(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """A region's network; records of the same range twice, as while it is built anew, are one."""
    distinct = tuple(dict.fromkeys(networks))
    if len(distinct) > 1:
        ranges = ", ".join(network.prefix for network in distinct)
        raise NotReadError(f"{distinct[0].cloud} has several ranges: {ranges}; its gateways would tell only one")
    return distinct
