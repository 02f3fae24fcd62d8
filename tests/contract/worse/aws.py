"""Ways in which a region on AWS gets worse."""

from __future__ import annotations

from tests.contract import rules
from tests.contract.worse.mutation import GONE, Mutation

_ANYWHERE = "0.0.0.0/0"
_RULE = "SecurityGroupIngressRule firewall-machines-node-exporter-tcp-in-10.2.0.0-16"
_OUT = "SecurityGroupEgressRule firewall-machines-https-tcp-out-0.0.0.0-0"
_TARGET = "TargetGroup vault-aws-balancer-8200"

MUTATIONS = tuple(
    Mutation("aws", *row)
    for row in (
        (rules.no_way_in_but_the_flows, "SecurityGroupIngressRule firewall-vault-server-vault-cluster-tcp-in-vault-server", "toPort", 8203),
        (rules.no_way_in_but_the_flows, "SecurityGroupIngressRule firewall-vault-server-vault-cluster-tcp-in-vault-server", "", None),
        (rules.no_way_in_but_the_flows, "SecurityGroup firewall-vault-server", "ingress", [{"cidrBlocks": [_ANYWHERE]}]),
        (rules.nothing_is_open_to_the_world, _RULE, "cidrIpv4", _ANYWHERE),
        (rules.nothing_is_open_to_the_world, "Instance vault-aws-1", "associatePublicIpAddress", True),
        (rules.nothing_is_open_to_the_world, "Subnet network-client-us-west-2a", "mapPublicIpOnLaunch", True),
        (rules.nothing_is_open_to_the_world, "LoadBalancer vault-aws-balancer", "internal", False),
        (rules.no_ssh, _RULE, "fromPort", 20),
        (rules.ways_out_as_planned, _OUT, "ipProtocol", "-1"),
        (rules.machines_as_planned, "Instance vault-aws-1", "privateIp", "10.1.1.99"),
        (rules.machines_as_planned, "Instance vault-aws-1", "instanceType", "t3.large"),
        (rules.machines_as_planned, "Instance vault-aws-1", "iamInstanceProfile", "hashicorp-consul-server-us-west-2"),
        (rules.no_zone_holds_a_quorum, "Subnet network-server-us-west-2b", "availabilityZone", "us-west-2a"),
        (rules.clients_as_planned, "Group nomad-clients", "maxSize", 99),
        (rules.subnets_as_planned, "Subnet network-server-us-west-2b", "cidrBlock", "10.1.99.0/24"),
        (rules.disks_are_encrypted, "Volume vault-aws-1-data", "encrypted", False),
        (rules.disks_are_encrypted, "Volume vault-aws-1-data", "kmsKeyId", GONE),
        (rules.disks_are_encrypted, "Instance vault-aws-1", "rootBlockDevice.encrypted", False),
        (rules.disks_are_encrypted, "LaunchTemplate nomad-clients", "blockDeviceMappings.0.ebs.kmsKeyId", GONE),
        (rules.disks_as_planned, "Volume vault-aws-1-audit", "!protect", False),
        (rules.disks_as_planned, "Volume vault-aws-1-audit", "size", 1),
        (rules.disks_as_planned, "VolumeAttachment vault-aws-1-data", "", None),
        (rules.machines_are_hardened, "Instance vault-aws-1", "metadataOptions.httpTokens", "optional"),
        (rules.machines_are_hardened, "LaunchTemplate nomad-clients", "metadataOptions.httpPutResponseHopLimit", 2),
        (rules.machines_are_hardened, "Instance vault-aws-1", "disableApiTermination", False),
        (rules.voters_are_left_alone, "Instance vault-aws-1", "!ignoreChanges", ["ami"]),
        (rules.keys_only_for_their_users, "RolePolicy vault-seal-vault-server", "", None),
        (rules.keys_only_for_their_users, "RolePolicy vault-seal-vault-server", "role", "hashicorp-nomad-client-us-west-2"),
        (rules.keys_only_for_their_users, "Key vault-seal", "policy", '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}'),
        (rules.keys_rotate_and_last, "Key vault-seal", "enableKeyRotation", False),
        (rules.keys_rotate_and_last, "Key vault-seal", "deletionWindowInDays", 7),
        (rules.keys_rotate_and_last, "Key vault-seal", "!protect", False),
        (rules.secrets_only_for_their_readers, "SecretStore/RolePolicy secrets-vault-server", "", None),
        (rules.secrets_only_for_their_readers, "SecretStore/RolePolicy secrets-vault-server", "role", "hashicorp-nomad-client-us-west-2"),
        (rules.secrets_only_for_their_readers, "Secret secrets-ca-key", "!protect", False),
        (rules.secrets_only_for_their_readers, "Secret secrets-ca-key", "kmsKeyId", "alias/aws/secretsmanager"),
        (rules.no_other_grants, "RolePolicyAttachment identities-vault-server-sessions", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
        (rules.no_other_grants, "SecretStore/RolePolicy secrets-vault-server", "policy", '{"Statement": [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}]}'),
        (rules.balancers_as_planned, _TARGET, "healthCheck.path", "/"),
        (rules.balancers_as_planned, _TARGET, "healthCheck.protocol", "TCP"),
        (rules.balancers_as_planned, "Listener consul-aws-balancer-8500", "", None),
        (rules.balancers_as_planned, "TargetGroupAttachment vault-aws-1-0", "", None),
        (rules.callers_of_balancers_as_planned, "SecurityGroupIngressRule firewall-balancers-vault-8200-tcp-in-10.2.0.0-16", "", None),
        (rules.names_resolve_as_planned, "Record zone-vault", "records", ["10.9.9.9"]),
        (rules.names_resolve_as_planned, "Zone zone", "vpcs", []),
    )
)  # fmt: skip
