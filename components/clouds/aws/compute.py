"""Servers: instances with fixed names, addresses and disks of their own.

Owns what an instance is made of; what runs on it comes with its `ServerSpec`. Disks are resources of their own
and survive the machine.

Dangerous edges:
- A server outside `replaceable` ignores every change that would stop or replace it: image, size, user data. All
  voters of a cluster would otherwise restart in one update.
- A replacement is deleted first: its address, its disks and its name are fixed.
- A disk appears only after the machine has begun to boot; the guest waits for it by its identity, because
  the kernel's names (and `/dev/sdf`) say nothing on these machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from components.clouds.aws.firewall import Firewall
from components.clouds.contract import MachineArgs, ServerGroupArgs, type_token
from components.clouds.specs import server_group_spec, standing
from components.plan.server import Disk, ServerSpec
from components.plan.spec import Role
from components.plan.userdata import encoded, render

CANONICAL = "099720109477"
"""Owner of Ubuntu's images."""

METADATA: Any = {
    "http_endpoint": "enabled",
    "http_tokens": "required",
    "http_put_response_hop_limit": 1,
    "http_protocol_ipv6": "disabled",
    "instance_metadata_tags": "enabled",
}
"""Session-bound requests that die at the first hop: a container or a proxy cannot borrow the machine's identity."""

ROOT_IOPS, ROOT_MBPS = 3000, 125
_REPLACES = ["ami", "instance_type", "user_data_base64"]
_DEVICES = ("/dev/sdf", "/dev/sdg", "/dev/sdh", "/dev/sdi")


def image(machine: MachineArgs, parent: pulumi.Resource) -> pulumi.Output[aws.ec2.GetAmiResult]:
    """The image by its exact name: one, or an error."""
    return aws.ec2.get_ami_output(
        owners=[CANONICAL],
        filters=[{"name": "name", "values": [machine.site.stack.image]}],
        opts=pulumi.InvokeOptions(parent=parent),
    )


def security_groups(machine: MachineArgs, role: Role) -> list[pulumi.Output[str]]:
    """What a machine of a role is put into."""
    # Parts of one cloud only ever meet each other; the group of all machines is this cloud's own.
    firewall = cast("Firewall", machine.firewall)
    return [firewall.machines, firewall.groups[role]]


def user_data(
    server: ServerSpec, facts: Mapping[str, pulumi.Output[str]], volumes: Mapping[str, pulumi.Output[str]]
) -> pulumi.Output[str]:
    """The machine's user data; volume ids become the paths under which the guest finds its disks."""

    def compose(known: dict[str, Any]) -> str:
        devices = {
            purpose: f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
            for purpose, volume in known["volumes"].items()
        }
        return encoded("aws", render(server, known["facts"], devices))

    late = {file.fact: facts[file.fact] for file in server.late}
    return pulumi.Output.all(facts=late, volumes=dict(volumes)).apply(compose)


class ServerGroup(pulumi.ComponentResource):
    """Instances, their disks, and their places behind the balancer."""

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ServerGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = server_group_spec(args)
        super().__init__(type_token("ServerGroup"), name, spec, opts)
        self._args, self._site = args, args.machine.site
        self._ami = image(args.machine, self).id
        self.ids = {server.name: self._server(server) for server in args.servers}
        self.register_outputs({"spec": spec, "ids": self.ids})

    def _server(self, server: ServerSpec) -> pulumi.Output[str]:
        zone, _ = standing(server)
        volumes = {disk.purpose: self._volume(server, disk, zone) for disk in server.disks}
        instance = self._instance(server, zone, volumes)
        for device, (purpose, volume) in zip(_DEVICES, volumes.items(), strict=False):
            aws.ec2.VolumeAttachment(
                f"{server.name}-{purpose}",
                instance_id=instance.id,
                volume_id=volume,
                device_name=device,
                stop_instance_before_detaching=True,
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
        for index, pool in enumerate(self._args.balancer.pools if self._args.balancer else ()):
            aws.lb.TargetGroupAttachment(
                f"{server.name}-{index}",
                target_group_arn=pool,
                target_id=instance.id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return instance.id

    def _volume(self, server: ServerSpec, disk: Disk, zone: int) -> pulumi.Output[str]:
        return aws.ebs.Volume(
            f"{server.name}-{disk.purpose}",
            availability_zone=self._site.stack.region.zones[zone],
            type="gp3",
            size=disk.size.gib,
            iops=disk.size.iops,
            throughput=disk.size.mbps,
            encrypted=True,
            kms_key_id=self._args.machine.disk_key.id,
            tags={"Name": self._site.names.thing(f"{server.name}-{disk.purpose}")},
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        ).id

    def _instance(self, server: ServerSpec, zone: int, volumes: Mapping[str, pulumi.Output[str]]) -> aws.ec2.Instance:
        machine, planned = self._args.machine, self._site.names.thing(server.name)
        return aws.ec2.Instance(
            server.name,
            ami=self._ami,
            instance_type=server.size.instance_type,
            subnet_id=machine.network.server_subnets[zone],
            private_ip=server.address,
            associate_public_ip_address=False,
            source_dest_check=True,
            vpc_security_group_ids=security_groups(machine, server.role),
            iam_instance_profile=machine.identities.attached[server.role],
            metadata_options=METADATA,
            root_block_device={
                "volume_type": "gp3",
                "volume_size": server.size.root_gib,
                "iops": ROOT_IOPS,
                "throughput": ROOT_MBPS,
                "encrypted": True,
                "kms_key_id": machine.disk_key.id,
                "delete_on_termination": True,
                "tags": {"Name": planned},
            },
            user_data_base64=user_data(server, machine.facts, volumes),
            user_data_replace_on_change=False,
            ebs_optimized=True,
            monitoring=True,
            maintenance_options={"auto_recovery": "default"},
            instance_initiated_shutdown_behavior="stop",
            # A person cannot terminate a voter by mistake; a rollout, which names it, can.
            disable_api_termination=True,
            force_destroy=True,
            tags={"Name": planned},
            opts=self._lifecycle(server),
        )

    def _lifecycle(self, server: ServerSpec) -> pulumi.ResourceOptions:
        named = server.name in self._args.replaceable
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(self._args.machine.after),
            delete_before_replace=True,
            ignore_changes=None if named else _REPLACES,
            replace_on_changes=_REPLACES if named else None,
        )
