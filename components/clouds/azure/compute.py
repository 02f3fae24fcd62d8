"""Servers: machines with fixed names, addresses and disks.

Owns one network interface, one disk a purpose and one machine for each server. Interfaces and disks are resources of
their own, so that replacing a machine keeps its address and its data.

Whether a machine may be replaced is decided outside: on every server that the update does not name, a change of
image, user data or size is ignored. Azure never reboots one to patch it either.

Dangerous edges:
- User data and keys are fixed when a machine is made; changing either is a replacement, old machine first, since
  interface and disks can belong to one only.
- Data disks are PremiumV2: zonal, without host caching. They cannot move to another zone or be boot disks.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import compute, network

from components.clouds.contract import ServerGroupArgs
from components.clouds.specs import server_group_spec, standing
from components.plan.server import Disk, ServerSpec

from . import machine
from .access import USER
from .component import Component
from .firewall import Firewall
from .network import Network
from .place import Place, own

_MADE_WITH = ["storageProfile.imageReference", "osProfile.customData"]
"""What a machine is made with. Only a rollout changes it, by making the machine anew."""
_STOPS = ["hardwareProfile.vmSize", "storageProfile.osDisk.diskSizeGB", "osProfile.linuxConfiguration.ssh"]
"""What Azure changes by stopping the machine, or not at all. Only a rollout may."""
_SECTOR_BYTES = 4096


class ServerGroup(Component):
    """The servers of one cluster."""

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ServerGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.machine.site)
        spec = server_group_spec(args)
        super().__init__("ServerGroup", name, spec, opts)
        self._place, self._args = place, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.ids = {server.name: self._server(server).id for server in args.servers}
        self.register_outputs({"spec": spec, "ids": dict(self.ids)})

    def _server(self, server: ServerSpec) -> compute.VirtualMachine:
        place, args = self._place, self._args.machine
        interface = self._interface(server)
        disks = [self._disk(server, disk) for disk in server.disks]
        return compute.VirtualMachine(
            server.name,
            resource_group_name=place.group,
            vm_name=place.names.thing(server.name),
            location=place.location,
            zones=[_zone(place, server)],
            priority="Regular",
            hardware_profile=compute.HardwareProfileArgs(vm_size=server.size.instance_type),
            identity=compute.VirtualMachineIdentityArgs(
                type=compute.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[args.identities.attached[server.role]],
            ),
            security_profile=machine.security(),
            os_profile=compute.OSProfileArgs(
                computer_name=server.name,
                admin_username=USER,
                custom_data=machine.user_data(args, server),
                linux_configuration=machine.linux(args),
            ),
            storage_profile=compute.StorageProfileArgs(
                disk_controller_type="SCSI",
                image_reference=machine.image(place.stack),
                os_disk=compute.OSDiskArgs(
                    name=place.names.thing(f"{server.name}-os"),
                    os_type=compute.OperatingSystemTypes.LINUX,
                    create_option="FromImage",
                    caching=compute.CachingTypes.READ_WRITE,
                    delete_option="Delete",
                    disk_size_gb=server.size.root_gib,
                    managed_disk=compute.ManagedDiskParametersArgs(
                        storage_account_type=machine.OS_DISK,
                        disk_encryption_set=compute.DiskEncryptionSetParametersArgs(id=args.disk_key.id),
                    ),
                ),
                data_disks=[
                    compute.DataDiskArgs(
                        lun=lun,
                        create_option="Attach",
                        delete_option="Detach",
                        caching=compute.CachingTypes.NONE,
                        managed_disk=compute.ManagedDiskParametersArgs(
                            id=disk.id,
                            disk_encryption_set=compute.DiskEncryptionSetParametersArgs(id=args.disk_key.id),
                        ),
                    )
                    for lun, disk in enumerate(disks)
                ],
            ),
            network_profile=compute.NetworkProfileArgs(
                network_interfaces=[
                    compute.NetworkInterfaceReferenceArgs(id=interface.id, primary=True, delete_option="Detach")
                ]
            ),
            diagnostics_profile=machine.diagnostics(),
            opts=self._machine_options(server),
        )

    def _machine_options(self, server: ServerSpec) -> pulumi.ResourceOptions:
        waits = [*self._args.machine.after, *own(Network, self._args.machine.network).ready]
        if server.name in self._args.replaceable:
            return pulumi.ResourceOptions(
                parent=self,
                depends_on=waits,
                delete_before_replace=True,
                replace_on_changes=_MADE_WITH,
            )
        return pulumi.ResourceOptions(
            parent=self, depends_on=waits, delete_before_replace=True, ignore_changes=[*_MADE_WITH, *_STOPS]
        )

    def _interface(self, server: ServerSpec) -> network.NetworkInterface:
        place, args = self._place, self._args.machine
        firewall = own(Firewall, args.firewall)
        pools = self._args.balancer.pools if self._args.balancer else ()
        return network.NetworkInterface(
            server.name,
            resource_group_name=place.group,
            network_interface_name=place.names.thing(server.name),
            location=place.location,
            enable_accelerated_networking=True,
            enable_ip_forwarding=False,
            network_security_group=network.NetworkSecurityGroupArgs(id=firewall.rules),
            ip_configurations=[
                network.NetworkInterfaceIPConfigurationArgs(
                    name="primary",
                    primary=True,
                    subnet=network.SubnetArgs(id=args.network.server_subnets[standing(server)[0]]),
                    private_ip_address=server.address,
                    private_ip_address_version="IPv4",
                    private_ip_allocation_method="Static",
                    application_security_groups=[network.ApplicationSecurityGroupArgs(id=firewall.groups[server.role])],
                    load_balancer_backend_address_pools=[network.BackendAddressPoolArgs(id=pool) for pool in pools],
                )
            ],
            opts=self._child,
        )

    def _disk(self, server: ServerSpec, disk: Disk) -> compute.Disk:
        place = self._place
        return compute.Disk(
            f"{server.name}-{disk.purpose}",
            resource_group_name=place.group,
            disk_name=place.names.thing(f"{server.name}-{disk.purpose}"),
            location=place.location,
            zones=[_zone(place, server)],
            sku=compute.DiskSkuArgs(name="PremiumV2_LRS"),
            disk_size_gb=disk.size.gib,
            disk_iops_read_write=disk.size.iops,
            disk_m_bps_read_write=disk.size.mbps,
            creation_data=compute.CreationDataArgs(create_option="Empty", logical_sector_size=_SECTOR_BYTES),
            encryption=compute.EncryptionArgs(
                type="EncryptionAtRestWithCustomerKey", disk_encryption_set_id=self._args.machine.disk_key.id
            ),
            network_access_policy="DenyAll",
            public_network_access="Disabled",
            # The set's own grant must stand before the service can encrypt with it.
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(self._args.machine.disk_key.ready)),
        )


def _zone(place: Place, server: ServerSpec) -> str:
    return place.zones[standing(server)[0]]
