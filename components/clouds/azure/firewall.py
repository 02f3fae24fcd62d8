"""The flow table at work: one security group on every network interface, one application group a role.

Owns both kinds of group; the rules are `rules`. Which networks may reach a subnet at all is the network's guard.

One group holds all rules, inline: they name roles by application groups, so every machine wears the same list, and the
whole list changes in one request.

Dangerous edge: a network interface without this group is stopped by the guard only, which admits all three regions.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import network

from components.clouds.contract import FirewallArgs
from components.clouds.specs import firewall_spec
from components.plan.spec import ROLES, Role

from .component import Component
from .place import Place, own
from .rules import inbound, outbound, rendered


class Firewall(Component):
    """Default deny, and the flow table."""

    groups: Mapping[Role, pulumi.Output[str]]
    balancers: pulumi.Output[str] | None
    """None: Azure's internal balancers have no firewall of their own."""
    rules: pulumi.Output[str]
    """The security group that every network interface is put under."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = firewall_spec(args)
        super().__init__("Firewall", name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.balancers = None
        self.groups = {
            role: network.ApplicationSecurityGroup(
                f"{name}-{role}",
                resource_group_name=place.group,
                application_security_group_name=place.names.thing(role),
                location=place.location,
                opts=child,
            ).id
            for role in ROLES
        }
        self.rules = network.NetworkSecurityGroup(
            name,
            resource_group_name=place.group,
            network_security_group_name=place.names.thing("firewall"),
            location=place.location,
            security_rules=rendered([*inbound(place.stack), *outbound(place.stack)], self.groups),
            opts=child,
        ).id
        self.register_outputs({"spec": spec, "groups": dict(self.groups)})
