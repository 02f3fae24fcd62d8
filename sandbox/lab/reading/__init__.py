"""From what the simulated cloud has on record to what shall exist in the lab; pure, one module a cloud.

Owns the joining of the clouds. Each cloud's module reads its own resources, in the vendor's own words.

Dangerous edge: what a module does not understand it refuses (`NotReadError`). A firewall rule that is left out would
make the lab safer than the cloud, and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.world import World

from . import aws, azure, gcp
from .registered import Registered, Resource

_READ: Mapping[Cloud, Callable[[Registered], World]] = {"aws": aws.world, "azure": azure.world, "gcp": gcp.world}


def world(resources: Iterable[Resource]) -> World:
    """What all resources together ask for.

    Raises:
        NotReadError: something means what the lab cannot build.
    """
    registered = Registered(tuple(resources))
    found = [_READ[cloud](registered) for cloud in CLOUDS]
    return World(
        tuple(machine for each in found for machine in each.machines),
        tuple(rule for each in found for rule in each.rules),
        tuple(balancer for each in found for balancer in each.balancers),
    )
