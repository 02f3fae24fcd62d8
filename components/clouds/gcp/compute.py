"""Servers with fixed names, addresses and data disks; what servers and clients have in common.

Owns machines and their disks. What is on a machine is its `ServerSpec`; who may reach it is `firewall`.

A machine can be replaced, its data disks cannot: they are resources of their own, protected, and attach to the
successor under the same device name.

Dangerous edges:
- The provider refuses to delete a machine that its *last update* guarded against deletion, so a guarded machine
  cannot be replaced by the update that lifts the guard. Replacing a server therefore takes two updates: the first,
  seeing the guard on the machine, only lifts it and says so; the second replaces.
- A stopped voter is a lost voter: a machine that may not be replaced may not be stopped for a change either.
- Google shows user data to everybody who may describe the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import MachineArgs, ServerGroupArgs, type_token
from components.clouds.specs import server_group_spec, standing
from components.plan.server import Disk, ServerSpec
from components.plan.userdata import encoded, render

from .guest import device_path

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""Access is limited by the account's grants; narrower scopes would only hide a missing one."""
ROOT_DISK = "pd-balanced"
_DATA_DISK = "pd-ssd"
_BLOCK_BYTES = 4096
_SETTLED = (
    "bootDisk.initializeParams.image",
    "bootDisk.initializeParams.size",
    "hostname",
    "machineType",
    "metadata",
)
"""Changes of these replace or stop a machine: they wait until the rollout names it."""


def image_path(image: str) -> str:
    """`project/image` as the path of one image, never of a family that moves on."""
    project, _, name = image.partition("/")
    return f"projects/{project}/global/images/{name}"


def metadata(server: ServerSpec, machine: MachineArgs) -> dict[str, pulumi.Input[str]]:
    """User data, and logins by OS Login only: no key of the project, no interactive serial console."""
    facts = {late.fact: machine.facts[late.fact] for late in server.late}
    devices = {disk.purpose: device_path(disk.purpose) for disk in server.disks}

    def user_data(known: Mapping[str, str]) -> str:
        return encoded("gcp", render(server, known, devices))

    return {
        "user-data": pulumi.Output.all(**facts).apply(user_data),
        "enable-oslogin": "TRUE",
        "block-project-ssh-keys": "TRUE",
        "serial-port-enable": "FALSE",
    }


def before_boot(machine: MachineArgs) -> list[pulumi.Resource]:
    """What must stand before a machine's first boot: grants, its way out, and its rules."""
    return [*machine.after, cast("pulumi.Resource", machine.network), cast("pulumi.Resource", machine.firewall)]


class ServerGroup(pulumi.ComponentResource):
    """Instances, data disks, memberships of the balancer's groups."""

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ServerGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._machine, self._site = args.machine, args.machine.site
        spec = server_group_spec(args)
        super().__init__(type_token("ServerGroup"), name, spec, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        ids: dict[str, pulumi.Output[str]] = {}
        for server in args.servers:
            instance = self._instance(server, replaceable=server.name in args.replaceable)
            ids[server.name] = instance.id
            if args.balancer is not None:
                self._join(server, instance, args.balancer.pools)
        self.ids = ids
        self.register_outputs({"spec": spec, "ids": self.ids})

    def _place(self, server: ServerSpec) -> tuple[str, int]:
        zone, _ = standing(server)
        return self._site.stack.region.zones[zone], zone

    def _instance(self, server: ServerSpec, *, replaceable: bool) -> gcp.compute.Instance:
        zone, index = self._place(server)
        machine, stack = self._machine, self._site.stack
        return gcp.compute.Instance(
            server.name,
            name=self._site.names.thing(server.name),
            hostname=f"{server.name}.{stack.platform.domain}",
            description=f"{server.role} of {stack.platform.name}",
            zone=zone,
            machine_type=server.size.instance_type,
            can_ip_forward=False,
            deletion_protection=stack.guarded and not replaceable,
            allow_stopping_for_update=replaceable,
            boot_disk=gcp.compute.InstanceBootDiskArgs(
                auto_delete=True,
                device_name="boot",
                mode="READ_WRITE",
                kms_key_self_link=machine.disk_key.id,
                initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(
                    image=image_path(stack.image), size=server.size.root_gib, type=ROOT_DISK
                ),
            ),
            attached_disks=[
                gcp.compute.InstanceAttachedDiskArgs(
                    source=self._disk(server, disk).id,
                    device_name=disk.purpose,
                    mode="READ_WRITE",
                    kms_key_self_link=machine.disk_key.id,
                )
                for disk in server.disks
            ],
            network_interfaces=[
                gcp.compute.InstanceNetworkInterfaceArgs(
                    subnetwork=machine.network.server_subnets[index],
                    network_ip=server.address,
                    stack_type="IPV4_ONLY",
                )
            ],
            service_account=gcp.compute.InstanceServiceAccountArgs(
                email=machine.identities.attached[server.role], scopes=list(SCOPES)
            ),
            shielded_instance_config=gcp.compute.InstanceShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
            ),
            scheduling=gcp.compute.InstanceSchedulingArgs(
                automatic_restart=True,
                on_host_maintenance="MIGRATE",
                preemptible=False,
                provisioning_model="STANDARD",
            ),
            metadata=metadata(server, machine),
            opts=self._options(server, zone, replaceable=replaceable),
        )

    def _options(self, server: ServerSpec, zone: str, *, replaceable: bool) -> pulumi.ResourceOptions:
        # Name, address and disks are the same before and after, so the old machine always goes first.
        options = pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=before_boot(self._machine))
        if replaceable and not self._guarded(server, zone):
            options.replace_on_changes = ["metadata"]
        else:
            options.ignore_changes = list(_SETTLED)
        return options

    def _guarded(self, server: ServerSpec, zone: str) -> bool:
        """Whether the machine that the rollout names exists and still carries Google's guard."""
        try:
            found = gcp.compute.get_instance(
                name=self._site.names.thing(server.name), zone=zone, opts=pulumi.InvokeOptions(parent=self)
            )
        except Exception as error:
            if "not found" in str(error).lower():
                return False
            raise
        if found.deletion_protection:
            pulumi.log.warn(
                f"{server.name} is guarded against deletion: this update only lifts the guard. "
                "Run it again to replace the machine.",
                self,
            )
        return found.deletion_protection

    def _disk(self, server: ServerSpec, disk: Disk) -> gcp.compute.Disk:
        return gcp.compute.Disk(
            f"{server.name}-{disk.purpose}",
            name=self._site.names.thing(f"{server.name}-{disk.purpose}"),
            description=f"{disk.mount} of {server.name}",
            zone=self._place(server)[0],
            type=_DATA_DISK,
            size=disk.size.gib,
            physical_block_size_bytes=_BLOCK_BYTES,
            disk_encryption_key=gcp.compute.DiskDiskEncryptionKeyArgs(kms_key_self_link=self._machine.disk_key.id),
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(self._machine.disk_key.ready)),
        )

    def _join(self, server: ServerSpec, instance: gcp.compute.Instance, pools: Sequence[pulumi.Output[str]]) -> None:
        zone, index = self._place(server)
        gcp.compute.InstanceGroupMembership(
            server.name, zone=zone, instance_group=pools[index], instance=instance.self_link, opts=self._child
        )
