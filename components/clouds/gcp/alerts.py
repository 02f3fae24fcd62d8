"""Where this region's alert policies go: one channel for each recipient, which sends mail.

Owns the channels. Policies are made where what they watch is made.

Source: Cloud Monitoring, "Create and manage notification channels".
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import AlertsArgs, type_token
from components.clouds.specs import alerts_spec


class Alerts(pulumi.ComponentResource):
    """Channels, one a recipient."""

    channels: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = alerts_spec(args)
        super().__init__(type_token("Alerts"), name, spec, opts)
        self.channels = [
            gcp.monitoring.NotificationChannel(
                f"{name}-{recipient}",
                display_name=f"{args.site.names.thing('alerts')}: {recipient}",
                type="email",
                labels={"email_address": recipient},
                enabled=True,
                opts=pulumi.ResourceOptions(parent=self),
            ).id
            for recipient in args.site.stack.platform.recipients
        ]
        self.register_outputs({"spec": spec, "channels": self.channels})
