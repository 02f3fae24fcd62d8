"""Where this region's CloudWatch alarms go: one topic, which sends mail.

Owns topic, its policy and subscriptions. Alarms are made where what they watch is made.

Dangerous edges:
- AWS sends mail only to recipients who have confirmed: until then an alarm reaches nobody, and nothing says so.
- A subscription that was never confirmed cannot be deleted: it vanishes by itself after three days.

Source: CloudWatch guide, "Notifying users on alarm changes"; SNS guide, "Server-side encryption".
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.clouds.contract import AlertsArgs, Site, type_token
from components.clouds.specs import alerts_spec


class Alerts(pulumi.ComponentResource):
    """A topic and whom it tells."""

    channels: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = alerts_spec(args)
        super().__init__(type_token("Alerts"), name, spec, opts)
        called = args.site.names.thing("alerts")
        topic = aws.sns.Topic(
            name,
            name=called,
            kms_master_key_id=args.key.id,
            tags={"Name": called},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.key.ready)),
        )
        child = pulumi.ResourceOptions(parent=self)
        policy = aws.sns.TopicPolicy(
            name, arn=topic.arn, policy=topic.arn.apply(lambda arn: _policy(arn, args.site)), opts=child
        )
        for recipient in args.site.stack.platform.recipients:
            aws.sns.TopicSubscription(
                f"{name}-{recipient}", topic=topic.arn, protocol="email", endpoint=recipient, opts=child
            )
        # Named only once alarms may use it.
        self.channels = [pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))]
        self.register_outputs({"spec": spec, "channels": self.channels})


def _policy(arn: str, site: Site) -> str:
    alarms = f"arn:{site.account.tenant}:cloudwatch:{site.stack.region.name}:{site.account.id}:alarm:*"
    publish = {
        "Sid": "AlarmsTell",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": alarms}, "StringEquals": {"aws:SourceAccount": site.account.id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [publish]})
