"""Nomad clients: equal machines over all zones, as many as their load asks for.

Owns the scale set and its autoscaling. Machines are named by Azure and have no address in the plan.

Health is whether the agent's port answers, and nothing more: `/v1/agent/health` of a client also fails when it sees
no server, so an outage of the servers would make the scale set replace every client.

Dangerous edges:
- A changed image or user data reaches new machines; those that run keep theirs until they are replaced, one drained
  machine at a time.
- The number of machines is the autoscaler's. The program sets it once and ignores it ever after.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import compute, monitor

from components.clouds.contract import ClientGroupArgs
from components.clouds.specs import client_group_spec
from components.plan.flows import NOMAD_HTTP

from . import machine
from .access import USER
from .component import Component
from .firewall import Firewall
from .network import Network
from .place import Place, own

_HEALTH = "health"
_REPAIR_AFTER = "PT30M"
"""Longer than the slowest first boot, so that a machine which still installs is not taken for a broken one."""
_BUSY_PERCENT, _IDLE_PERCENT = 70, 30
"""Far enough apart that adding a machine never makes the group look idle."""


class ClientGroup(Component):
    """One scale set in flexible orchestration."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ClientGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.machine.site)
        spec = client_group_spec(args)
        super().__init__("ClientGroup", name, spec, opts)
        self._place, self._stem, self._args = place, name, args
        made = self._scale_set()
        self._autoscaling(made)
        self.id = made.id
        self.register_outputs({"spec": spec, "id": self.id})

    def _scale_set(self) -> compute.VirtualMachineScaleSet:
        place, args = self._place, self._args
        return compute.VirtualMachineScaleSet(
            self._stem,
            resource_group_name=place.group,
            vm_scale_set_name=place.names.thing(args.template.role),
            location=place.location,
            orchestration_mode="Flexible",
            platform_fault_domain_count=1,
            single_placement_group=False,
            zones=place.zones,
            zone_balance=True,
            sku=compute.SkuArgs(name=args.template.size.instance_type, tier="Standard", capacity=args.bounds.minimum),
            identity=compute.VirtualMachineScaleSetIdentityArgs(
                type=compute.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[args.machine.identities.attached[args.template.role]],
            ),
            upgrade_policy=compute.UpgradePolicyArgs(mode=compute.UpgradeMode.MANUAL),
            automatic_repairs_policy=compute.AutomaticRepairsPolicyArgs(
                enabled=True, grace_period=_REPAIR_AFTER, repair_action="Replace"
            ),
            scale_in_policy=compute.ScaleInPolicyArgs(rules=["Default"], force_deletion=False),
            virtual_machine_profile=self._profile(),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.machine.after, *own(Network, args.machine.network).ready],
                ignore_changes=["sku.capacity"],
            ),
        )

    def _profile(self) -> compute.VirtualMachineScaleSetVMProfileArgs:
        place, args = self._place, self._args
        template = args.template
        return compute.VirtualMachineScaleSetVMProfileArgs(
            priority="Regular",
            security_profile=machine.security(),
            diagnostics_profile=machine.diagnostics(),
            os_profile=compute.VirtualMachineScaleSetOSProfileArgs(
                computer_name_prefix=f"{template.name}-",
                admin_username=USER,
                custom_data=machine.user_data(args.machine, template),
                linux_configuration=machine.linux(args.machine),
            ),
            storage_profile=compute.VirtualMachineScaleSetStorageProfileArgs(
                disk_controller_type="SCSI",
                image_reference=machine.image(place.stack),
                os_disk=compute.VirtualMachineScaleSetOSDiskArgs(
                    os_type=compute.OperatingSystemTypes.LINUX,
                    create_option="FromImage",
                    caching=compute.CachingTypes.READ_WRITE,
                    delete_option="Delete",
                    disk_size_gb=template.size.root_gib,
                    managed_disk=compute.VirtualMachineScaleSetManagedDiskParametersArgs(
                        storage_account_type=machine.OS_DISK,
                        disk_encryption_set=compute.DiskEncryptionSetParametersArgs(id=args.machine.disk_key.id),
                    ),
                ),
            ),
            network_profile=self._interface(),
            extension_profile=compute.VirtualMachineScaleSetExtensionProfileArgs(
                extensions=[
                    compute.VirtualMachineScaleSetExtensionArgs(
                        name=_HEALTH,
                        publisher="Microsoft.ManagedServices",
                        type="ApplicationHealthLinux",
                        type_handler_version="1.0",
                        auto_upgrade_minor_version=True,
                        settings={"protocol": "tcp", "port": NOMAD_HTTP.first},
                    )
                ]
            ),
        )

    def _interface(self) -> compute.VirtualMachineScaleSetNetworkProfileArgs:
        args = self._args
        firewall = own(Firewall, args.machine.firewall)
        return compute.VirtualMachineScaleSetNetworkProfileArgs(
            # The oldest version that flexible orchestration takes, and the one that its documents name.
            network_api_version="2020-11-01",
            network_interface_configurations=[
                compute.VirtualMachineScaleSetNetworkConfigurationArgs(
                    name="primary",
                    primary=True,
                    delete_option="Delete",
                    enable_accelerated_networking=True,
                    enable_ip_forwarding=False,
                    network_security_group=compute.SubResourceArgs(id=firewall.rules),
                    ip_configurations=[
                        compute.VirtualMachineScaleSetIPConfigurationArgs(
                            name="primary",
                            primary=True,
                            private_ip_address_version="IPv4",
                            subnet=compute.ApiEntityReferenceArgs(id=args.machine.network.client_subnets[0]),
                            application_security_groups=[
                                compute.SubResourceArgs(id=firewall.groups[args.template.role])
                            ],
                        )
                    ],
                )
            ],
        )

    def _autoscaling(self, made: compute.VirtualMachineScaleSet) -> None:
        place, bounds = self._place, self._args.bounds
        monitor.AutoscaleSetting(
            self._stem,
            resource_group_name=place.group,
            autoscale_setting_name=made.name,
            name=made.name,
            location=place.location,
            enabled=True,
            target_resource_uri=made.id,
            target_resource_location=place.location,
            profiles=[
                monitor.AutoscaleProfileArgs(
                    name="load",
                    capacity=monitor.ScaleCapacityArgs(
                        minimum=str(bounds.minimum), maximum=str(bounds.maximum), default=str(bounds.minimum)
                    ),
                    rules=[
                        _rule(
                            made.id,
                            monitor.ComparisonOperationType.GREATER_THAN,
                            _BUSY_PERCENT,
                            monitor.ScaleDirection.INCREASE,
                        ),
                        _rule(
                            made.id,
                            monitor.ComparisonOperationType.LESS_THAN,
                            _IDLE_PERCENT,
                            monitor.ScaleDirection.DECREASE,
                        ),
                    ],
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _rule(
    target: pulumi.Output[str],
    operator: monitor.ComparisonOperationType,
    percent: int,
    direction: monitor.ScaleDirection,
) -> monitor.ScaleRuleArgs:
    return monitor.ScaleRuleArgs(
        metric_trigger=monitor.MetricTriggerArgs(
            metric_name="Percentage CPU",
            metric_resource_uri=target,
            time_grain="PT1M",
            statistic=monitor.MetricStatisticType.AVERAGE,
            time_window="PT10M",
            time_aggregation=monitor.TimeAggregationType.AVERAGE,
            operator=operator,
            threshold=percent,
        ),
        scale_action=monitor.ScaleActionArgs(
            direction=direction, type=monitor.ScaleType.CHANGE_COUNT, value="1", cooldown="PT10M"
        ),
    )
