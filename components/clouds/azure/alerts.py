"""Where this region's metric alerts go: one action group, which sends mail.

Owns the group. Alerts are made where what they watch is made.

Source: Azure Monitor, "Action groups".
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import monitor

from components.clouds.contract import AlertsArgs
from components.clouds.specs import alerts_spec

from .component import Component
from .place import Place, own

_SHORT = 12
"""Characters of the name that messages carry."""


class Alerts(Component):
    """An action group and whom it tells."""

    channels: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = alerts_spec(args)
        super().__init__("Alerts", name, spec, opts)
        group = monitor.ActionGroup(
            name,
            resource_group_name=place.group,
            action_group_name=place.names.thing("alerts"),
            group_short_name=place.stack.platform.name[:_SHORT],
            location="global",
            enabled=True,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name=recipient, email_address=recipient, use_common_alert_schema=True
                )
                for recipient in place.stack.platform.recipients
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.channels = [group.id]
        self.register_outputs({"spec": spec, "channels": self.channels})
