"""Nomad clients: an autoscaled group of equal machines from one launch template.

Owns template, group and scaling. A change of the template rolls through the group, new machines first; the
template's version is fixed by number, so nothing rolls by itself.

Dangerous edge: the number of machines belongs to the scaling policy once the group exists, so changes of the
desired capacity are ignored.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.clouds.aws.compute import METADATA, ROOT_IOPS, ROOT_MBPS, image, security_groups, user_data
from components.clouds.contract import ClientGroupArgs, type_token
from components.clouds.specs import client_group_spec

_CPU_TARGET_PERCENT = 60.0
_WARM_UP_SECONDS = 180
_METRICS: list[pulumi.Input[aws.autoscaling.Metric]] = [
    aws.autoscaling.Metric.GROUP_DESIRED_CAPACITY,
    aws.autoscaling.Metric.GROUP_IN_SERVICE_INSTANCES,
    aws.autoscaling.Metric.GROUP_MAX_SIZE,
    aws.autoscaling.Metric.GROUP_MIN_SIZE,
    aws.autoscaling.Metric.GROUP_PENDING_INSTANCES,
    aws.autoscaling.Metric.GROUP_TERMINATING_INSTANCES,
    aws.autoscaling.Metric.GROUP_TOTAL_INSTANCES,
]


class ClientGroup(pulumi.ComponentResource):
    """Launch template, group, scaling policy."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ClientGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = client_group_spec(args)
        super().__init__(type_token("ClientGroup"), name, spec, opts)
        self._prefix, self._args = name, args
        self._planned = args.machine.site.names.thing(args.template.role)
        template = self._template()
        group = self._group(template)
        aws.autoscaling.Policy(
            name,
            name=self._planned,
            autoscaling_group_name=group.name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration={
                "predefined_metric_specification": {"predefined_metric_type": "ASGAverageCPUUtilization"},
                "target_value": _CPU_TARGET_PERCENT,
                "disable_scale_in": False,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = group.name
        self.register_outputs({"spec": spec, "id": self.id})

    def _template(self) -> aws.ec2.LaunchTemplate:
        machine, server = self._args.machine, self._args.template
        base = image(machine, self)
        return aws.ec2.LaunchTemplate(
            self._prefix,
            name=self._planned,
            description=f"Machines of the role {server.role}",
            image_id=base.id,
            instance_type=server.size.instance_type,
            iam_instance_profile={"name": machine.identities.attached[server.role]},
            vpc_security_group_ids=security_groups(machine, server.role),
            metadata_options=METADATA,
            block_device_mappings=[
                {
                    "device_name": base.root_device_name,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": server.size.root_gib,
                        "iops": ROOT_IOPS,
                        "throughput": ROOT_MBPS,
                        "encrypted": "true",
                        "kms_key_id": machine.disk_key.id,
                        "delete_on_termination": "true",
                    },
                }
            ],
            user_data=user_data(server, machine.facts, {}),
            ebs_optimized="true",
            monitoring={"enabled": True},
            maintenance_options={"auto_recovery": "default"},
            instance_initiated_shutdown_behavior="terminate",
            disable_api_termination=False,
            update_default_version=True,
            tag_specifications=[
                {"resource_type": kind, "tags": {"Name": self._planned}} for kind in ("instance", "volume")
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(machine.after)),
        )

    def _group(self, template: aws.ec2.LaunchTemplate) -> aws.autoscaling.Group:
        bounds, machine = self._args.bounds, self._args.machine
        return aws.autoscaling.Group(
            self._prefix,
            name=self._planned,
            min_size=bounds.minimum,
            max_size=bounds.maximum,
            desired_capacity=bounds.minimum,
            vpc_zone_identifiers=list(machine.network.client_subnets),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            health_check_type="EC2",
            health_check_grace_period=_WARM_UP_SECONDS,
            default_instance_warmup=_WARM_UP_SECONDS,
            instance_refresh={
                "strategy": "Rolling",
                "preferences": {
                    "min_healthy_percentage": 100,
                    "max_healthy_percentage": 110,
                    "instance_warmup": str(_WARM_UP_SECONDS),
                    "auto_rollback": True,
                },
            },
            termination_policies=["OldestLaunchTemplate", "OldestInstance"],
            enabled_metrics=_METRICS,
            metrics_granularity="1Minute",
            protect_from_scale_in=False,
            force_delete=False,
            wait_for_capacity_timeout="10m",
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["desired_capacity"]),
        )
