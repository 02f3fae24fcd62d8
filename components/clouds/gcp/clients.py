"""The autoscaled group of Nomad clients: equal machines from one template, spread evenly over the zones.

Owns the group and how it rolls: a change of the template is rolled through by adding a machine a zone before any
goes. No quorum depends on these machines; Nomad drains a client that is told to stop.

A template names one subnet and subnets of GCP span zones, so all clients live in the first zone's client subnet.

Dangerous edges:
- A template is never changed, only replaced: everything in it, labels included, rolls the whole group.
- There is no healing by health check: Google's probes are admitted to servers behind balancers only, and a check
  that cannot reach its target would replace every machine. A machine that stops is repaired without one.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import ClientGroupArgs, MachineArgs, type_token
from components.clouds.specs import client_group_spec
from components.plan.server import ServerSpec
from components.plan.spec import Region

from .compute import ROOT_DISK, SCOPES, before_boot, image_path, metadata

_WARM_UP_SECONDS = 300
"""A machine installs and registers before its load says anything."""
_TARGET_CPU = 0.7
_SCALE_IN_WINDOW_SECONDS = 600


class ClientGroup(pulumi.ComponentResource):
    """Template, managed group, autoscaler."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ClientGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.machine.site
        region, bounds = site.stack.region, args.bounds
        spec = client_group_spec(args)
        super().__init__(type_token("ClientGroup"), name, spec, opts)
        self._name, self._thing = name, site.names.thing(args.template.role)
        self._child = pulumi.ResourceOptions(parent=self)
        group = self._group(region, self._template(args.template, args.machine))
        gcp.compute.RegionAutoscaler(
            name,
            name=self._thing,
            region=region.name,
            target=group.id,
            autoscaling_policy=gcp.compute.RegionAutoscalerAutoscalingPolicyArgs(
                mode="ON",
                min_replicas=bounds.minimum,
                max_replicas=bounds.maximum,
                cooldown_period=_WARM_UP_SECONDS,
                cpu_utilization=gcp.compute.RegionAutoscalerAutoscalingPolicyCpuUtilizationArgs(
                    target=_TARGET_CPU, predictive_method="NONE"
                ),
                scale_in_control=gcp.compute.RegionAutoscalerAutoscalingPolicyScaleInControlArgs(
                    max_scaled_in_replicas=gcp.compute.RegionAutoscalerAutoscalingPolicyScaleInControlMaxScaledInReplicasArgs(
                        fixed=1
                    ),
                    time_window_sec=_SCALE_IN_WINDOW_SECONDS,
                ),
            ),
            opts=self._child,
        )
        self.id = group.id
        self.register_outputs({"spec": spec, "id": self.id})

    def _template(self, client: ServerSpec, machine: MachineArgs) -> gcp.compute.RegionInstanceTemplate:
        stack = machine.site.stack
        return gcp.compute.RegionInstanceTemplate(
            self._name,
            # The old template is in use until the group has taken the new one, so each has a name of its own.
            name_prefix=f"{self._thing}-",
            description=f"{client.role} of {stack.platform.name}",
            instance_description=f"{client.role} of {stack.platform.name}",
            region=stack.region.name,
            machine_type=client.size.instance_type,
            can_ip_forward=False,
            disks=[
                gcp.compute.RegionInstanceTemplateDiskArgs(
                    boot=True,
                    auto_delete=True,
                    device_name="boot",
                    mode="READ_WRITE",
                    type="PERSISTENT",
                    source_image=image_path(stack.image),
                    disk_type=ROOT_DISK,
                    disk_size_gb=client.size.root_gib,
                    disk_encryption_key=gcp.compute.RegionInstanceTemplateDiskDiskEncryptionKeyArgs(
                        kms_key_self_link=machine.disk_key.id
                    ),
                )
            ],
            network_interfaces=[
                gcp.compute.RegionInstanceTemplateNetworkInterfaceArgs(
                    subnetwork=machine.network.client_subnets[0], stack_type="IPV4_ONLY"
                )
            ],
            service_account=gcp.compute.RegionInstanceTemplateServiceAccountArgs(
                email=machine.identities.attached[client.role], scopes=list(SCOPES)
            ),
            shielded_instance_config=gcp.compute.RegionInstanceTemplateShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
            ),
            scheduling=gcp.compute.RegionInstanceTemplateSchedulingArgs(
                automatic_restart=True,
                on_host_maintenance="MIGRATE",
                preemptible=False,
                provisioning_model="STANDARD",
            ),
            metadata=metadata(client, machine),
            opts=pulumi.ResourceOptions(parent=self, depends_on=before_boot(machine)),
        )

    def _group(
        self, region: Region, template: gcp.compute.RegionInstanceTemplate
    ) -> gcp.compute.RegionInstanceGroupManager:
        return gcp.compute.RegionInstanceGroupManager(
            self._name,
            name=self._thing,
            description="Nomad clients",
            region=region.name,
            base_instance_name=self._thing,
            distribution_policy_zones=list(region.zones),
            distribution_policy_target_shape="EVEN",
            versions=[
                gcp.compute.RegionInstanceGroupManagerVersionArgs(name="current", instance_template=template.self_link)
            ],
            update_policy=gcp.compute.RegionInstanceGroupManagerUpdatePolicyArgs(
                type="PROACTIVE",
                minimal_action="REPLACE",
                most_disruptive_allowed_action="REPLACE",
                replacement_method="SUBSTITUTE",
                instance_redistribution_type="PROACTIVE",
                max_surge_fixed=len(region.zones),
                max_unavailable_fixed=0,
            ),
            instance_lifecycle_policy=gcp.compute.RegionInstanceGroupManagerInstanceLifecyclePolicyArgs(
                default_action_on_failure="REPAIR", force_update_on_repair="YES"
            ),
            wait_for_instances=False,
            # The size is the autoscaler's.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["targetSize"]),
        )
