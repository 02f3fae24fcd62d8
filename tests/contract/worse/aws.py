"""Ways in which a region on AWS gets worse."""

from __future__ import annotations

from tests.contract import rules
from tests.contract.worse.mutation import GONE, Mutation

_ANYWHERE = "0.0.0.0/0"
_RULE = "SecurityGroupIngressRule firewall-machines-node-exporter-tcp-in-10.2.0.0-16"
_OUT = "SecurityGroupEgressRule firewall-machines-https-tcp-out-0.0.0.0-0"
_TARGET = "TargetGroup vault-aws-balancer-8200"
_CONNECTION, _PEER, _ALARM = (
    "VpnConnection tunnels-aws-gcp-0",
    "CustomerGateway tunnels-aws-gcp-0",
    "MetricAlarm tunnels-aws-gcp-1",
)
_WRITER, _FOREIGN, _RESTORER = (
    "RolePolicy backup-vault-server",
    "RolePolicy backup-azure-vault-server",
    "RolePolicy backup-restorer",
)
_TRAIL, _FLOWS = "Trail audit", "FlowLog audit-flows"
_NOTHING = '{"Statement": []}'


def _setting(kind: str, name: str) -> str:
    return f"Bucket{kind} {name}"


def _allowed(action: str, resource: str = "*") -> str:
    return f'{{"Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}]}}'


def _trusting(kind: str, who: str) -> str:
    return f'{{"Statement": [{{"Effect": "Allow", "Principal": {{"{kind}": "{who}"}}, "Action": "sts:AssumeRole"}}]}}'


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
        (rules.tunnels_as_planned, _CONNECTION, "", None),
        (rules.tunnels_as_planned, _CONNECTION, "tunnel1PresharedKey", "known.to.everybody"),
        (rules.tunnels_as_planned, _CONNECTION, "tunnel2InsideCidr", "169.254.99.0/30"),

        (rules.tunnels_as_planned, _PEER, "bgpAsn", "64620"),
        (rules.tunnels_as_planned, "TransitGateway gateway", "amazonSideAsn", 64512),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel1IkeVersions", ["ikev1", "ikev2"]),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel1Phase1EncryptionAlgorithms", GONE),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel2Phase2EncryptionAlgorithms", ["AES256", "AES128"]),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel1Phase1IntegrityAlgorithms", ["SHA1"]),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel2Phase2DhGroupNumbers", [2]),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel1DpdTimeoutAction", "clear"),
        (rules.tunnels_are_strong, _CONNECTION, "tunnel2DpdTimeoutSeconds", 300),
        (rules.tunnels_are_strong, _CONNECTION, "staticRoutesOnly", True),
        (rules.tunnels_are_watched, _ALARM, "", None),
        (rules.tunnels_are_watched, _ALARM, "dimensions.TunnelIpAddress", "203.0.113.99"),
        (rules.tunnels_are_watched, _ALARM, "treatMissingData", "notBreaching"),
        (rules.tunnels_are_watched, _ALARM, "metricName", "TunnelDataIn"),
        (rules.tunnels_are_watched, _ALARM, "actionsEnabled", False),
        (rules.routes_only_where_needed, "Route gateway-us-west-2b-gcp", "", None),
        (rules.routes_only_where_needed, "RouteTableAssociation network-client-us-west-2a", "", None),
        (rules.routes_only_where_needed, "Route gateway-us-west-2c-azure", "destinationCidrBlock", "10.99.0.0/16"),
        (rules.routes_only_where_needed, "DefaultRouteTablePropagation gateway-tunnels", "", None),
        (rules.routes_only_where_needed, "RouteTableAssociation gateway-network", "transitGatewayRouteTableId", "tgw-rtb-0"),
        (rules.routes_only_where_needed, "VpcAttachment gateway", "subnetIds", []),
        (rules.backups_as_planned, "Bucket backup", "!protect", False),
        (rules.backups_as_planned, "Bucket backup", "objectLockEnabled", False),
        (rules.backups_as_planned, "Bucket backup", "forceDestroy", True),
        (rules.backups_as_planned, "Bucket backup-replica", "region", "us-east-1"),
        (rules.backups_as_planned, _setting("Versioning", "backup"), "versioningConfiguration.status", "Suspended"),
        (rules.backups_as_planned, _setting("Versioning", "backup-replica"), "", None),
        (rules.backups_as_planned, _setting("ObjectLockConfiguration", "backup"), "", None),
        (rules.backups_as_planned, _setting("ObjectLockConfiguration", "backup"), "rule.defaultRetention.mode", "GOVERNANCE"),
        (rules.backups_as_planned, _setting("ObjectLockConfiguration", "backup-replica"), "rule.defaultRetention.days", 1),
        (rules.backups_as_planned, _setting("ObjectLockConfiguration", "backup"), "!protect", False),
        (rules.backups_as_planned, _setting("LifecycleConfiguration", "backup"), "rules.0.expiration.days", 7),
        (rules.backups_as_planned, _setting("LifecycleConfiguration", "backup"), "rules.0.noncurrentVersionExpiration.noncurrentDays", 7),
        (rules.backups_as_planned, _setting("ServerSideEncryptionConfiguration", "backup"), "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256"),
        (rules.backups_as_planned, _setting("ServerSideEncryptionConfiguration", "backup-replica"), "", None),
        (rules.backups_as_planned, _setting("PublicAccessBlock", "backup"), "restrictPublicBuckets", False),
        (rules.backups_as_planned, _setting("PublicAccessBlock", "backup-replica"), "", None),
        (rules.backups_as_planned, _setting("OwnershipControls", "backup"), "rule.objectOwnership", "ObjectWriter"),
        (rules.backups_as_planned, _setting("Policy", "backup-replica"), "policy", _NOTHING),
        (rules.backups_as_planned, "BucketReplicationConfig backup-replication", "", None),
        (rules.backups_as_planned, "BucketReplicationConfig backup-replication", "rules.0.status", "Disabled"),
        (rules.backups_as_planned, "BucketReplicationConfig backup-replication", "rules.0.filter.prefix", "vault/"),
        (rules.backups_as_planned, "RolePolicy backup-replication", "", None),
        (rules.backups_only_for_their_writers, _WRITER, "", None),
        (rules.backups_only_for_their_writers, _WRITER, "role", "hashicorp-nomad-client-us-west-2"),
        (rules.backups_only_for_their_writers, _WRITER, "policy", _allowed("s3:*")),
        (rules.backups_only_for_their_writers, _FOREIGN, "", None),
        (rules.backups_only_for_their_writers, _FOREIGN, "policy", _allowed("s3:DeleteObject")),
        (rules.backups_only_for_their_writers, "Role backup-azure-vault-server", "assumeRolePolicy", _trusting("AWS", "*")),
        (rules.backups_only_for_their_writers, _RESTORER, "", None),
        (rules.backups_only_for_their_writers, _RESTORER, "policy", _allowed("s3:PutObject")),
        (rules.backups_only_for_their_writers, "Role backup-restorer", "assumeRolePolicy", _trusting("AWS", "*")),
        (rules.backups_only_for_their_writers, _setting("Policy", "backup"), "policy", _NOTHING),
        (rules.audit_trail_complete, _TRAIL, "", None),
        (rules.audit_trail_complete, _TRAIL, "enableLogging", False),
        (rules.audit_trail_complete, _TRAIL, "isMultiRegionTrail", False),
        (rules.audit_trail_complete, _TRAIL, "enableLogFileValidation", False),
        (rules.audit_trail_complete, _TRAIL, "eventSelectors.0.readWriteType", "WriteOnly"),
        (rules.audit_trail_complete, _TRAIL, "eventSelectors.0.includeManagementEvents", False),
        (rules.audit_trail_complete, _TRAIL, "eventSelectors.0.dataResources", []),
        (rules.audit_trail_complete, _TRAIL, "kmsKeyId", GONE),
        (rules.audit_trail_complete, _FLOWS, "", None),
        (rules.audit_trail_complete, _FLOWS, "trafficType", "REJECT"),
        (rules.audit_trail_complete, _FLOWS, "maxAggregationInterval", 600),
        (rules.audit_trail_complete, "Bucket audit", "!protect", False),
        (rules.audit_trail_complete, _setting("ObjectLockConfiguration", "audit"), "rule.defaultRetention.days", 30),
        (rules.audit_trail_complete, _setting("ObjectLockConfiguration", "audit"), "rule.defaultRetention.mode", "GOVERNANCE"),
        (rules.audit_trail_complete, _setting("PublicAccessBlock", "audit"), "blockPublicPolicy", False),
        (rules.audit_trail_complete, _setting("Policy", "audit"), "policy", _NOTHING),
        (rules.audit_trail_complete, _setting("ServerSideEncryptionConfiguration", "audit"), "", None),
        (rules.audit_trail_complete, _WRITER, "policy", _allowed("s3:PutObjectRetention")),
    )
)  # fmt: skip
