"""Ways in which a region on Google Cloud gets worse."""

from __future__ import annotations

from tests.contract import rules
from tests.contract.worse.mutation import GONE, Mutation

_ANYWHERE = "0.0.0.0/0"
_MACHINE = "Instance vault-gcp-1"
_TEMPLATE = "RegionInstanceTemplate nomad-clients"
_AGENT = "SecretIamMember secrets-consul-gossip-vault-server"
_TUNNEL, _SESSION = "VPNTunnel tunnels-aws-gcp-1", "RouterPeer tunnels-aws-gcp-1"
_ALERT, _WATCH = "AlertPolicy tunnels-azure-gcp", "conditions.0.conditionThreshold"
_BACKUPS, _AUDIT = "Bucket backup", "Bucket audit"
_WRITER, _FOREIGN = "BucketIAMMember backup-vault-server", "BucketIAMMember backup-aws-vault-server"
_EVERY_NAME = 'resource.name.startsWith("projects/_/buckets/")'

MUTATIONS = tuple(
    Mutation("gcp", *row)
    for row in (
        (rules.no_way_in_but_the_flows, "Firewall firewall-vault-cluster", "allows.0.ports", ["8201-8203"]),
        (rules.no_way_in_but_the_flows, "Firewall firewall-vault-cluster", "targetServiceAccounts", GONE),
        (rules.no_way_in_but_the_flows, "Firewall firewall-vault-cluster", "disabled", True),
        (rules.nothing_is_open_to_the_world, "Firewall firewall-node-exporter", "sourceRanges", [_ANYWHERE]),
        (rules.nothing_is_open_to_the_world, _MACHINE, "networkInterfaces.0.accessConfigs", [{}]),
        (rules.nothing_is_open_to_the_world, _TEMPLATE, "networkInterfaces.0.accessConfigs", [{}]),
        (rules.nothing_is_open_to_the_world, "Address vault-gcp-balancer", "addressType", "EXTERNAL"),
        (rules.no_ssh, "Firewall firewall-node-exporter", "allows.0.ports", GONE),
        (rules.ways_out_as_planned, "Firewall firewall-deny-out", "", None),
        (rules.ways_out_as_planned, "Firewall firewall-deny-out", "priority", 900),
        (rules.machines_as_planned, _MACHINE, "networkInterfaces.0.networkIp", "10.3.1.99"),
        (rules.machines_as_planned, _MACHINE, "machineType", "e2-micro"),
        (rules.no_zone_holds_a_quorum, _MACHINE, "zone", "us-west1-b"),
        (rules.clients_as_planned, "RegionInstanceGroupManager nomad-clients", "distributionPolicyZones", ["us-west1-a"]),
        (rules.clients_as_planned, "RegionAutoscaler nomad-clients", "autoscalingPolicy.maxReplicas", 99),
        (rules.subnets_as_planned, "Subnetwork network-server-us-west1-a", "ipCidrRange", "10.3.99.0/24"),
        (rules.disks_are_encrypted, "Disk vault-gcp-1-data", "diskEncryptionKey", {}),
        (rules.disks_are_encrypted, _MACHINE, "bootDisk.kmsKeySelfLink", GONE),
        (rules.disks_are_encrypted, _TEMPLATE, "disks.0.diskEncryptionKey", {}),
        (rules.disks_as_planned, "Disk vault-gcp-1-data", "!protect", False),
        (rules.disks_as_planned, _MACHINE, "attachedDisks", []),
        (rules.machines_are_hardened, _MACHINE, "shieldedInstanceConfig.enableSecureBoot", False),
        (rules.machines_are_hardened, _TEMPLATE, "metadata.enable-oslogin", "FALSE"),
        (rules.machines_are_hardened, _MACHINE, "deletionProtection", False),
        (rules.voters_are_left_alone, _MACHINE, "!ignoreChanges", ["metadata"]),
        (rules.keys_only_for_their_users, "CryptoKeyIAMMember vault-seal-us-vault-server-use", "", None),
        (rules.keys_only_for_their_users, "CryptoKeyIAMMember vault-seal-us-vault-server-use", "member", "allUsers"),
        (rules.keys_rotate_and_last, "CryptoKey vault-seal-us", "rotationPeriod", GONE),
        (rules.keys_rotate_and_last, "CryptoKey vault-seal-us", "destroyScheduledDuration", "86400s"),
        (rules.secrets_only_for_their_readers, _AGENT, "", None),
        (rules.secrets_only_for_their_readers, _AGENT, "member", "allAuthenticatedUsers"),
        (rules.secrets_only_for_their_readers, "Secret secrets-ca-key", "deletionProtection", False),
        (rules.secrets_only_for_their_readers, "Secret secrets-ca-key", "replication", {"auto": {}}),
        (rules.no_other_grants, _AGENT, "role", "roles/secretmanager.admin"),
        (rules.balancers_as_planned, "RegionHealthCheck consul-gcp-balancer", "httpsHealthCheck.response", GONE),
        (rules.balancers_as_planned, "RegionHealthCheck vault-gcp-balancer", "httpsHealthCheck.requestPath", "/"),
        (rules.balancers_as_planned, "ForwardingRule consul-gcp-balancer-8500", "", None),
        (rules.balancers_as_planned, "InstanceGroupMembership vault-gcp-1", "", None),
        (rules.names_resolve_as_planned, "RecordSet zone-vault", "rrdatas", ["10.9.9.9"]),
        (rules.names_resolve_as_planned, "ManagedZone zone", "visibility", "public"),
        (rules.tunnels_as_planned, _TUNNEL, "", None),
        (rules.tunnels_as_planned, _TUNNEL, "sharedSecret", "known-to-everybody"),
        (rules.tunnels_as_planned, _TUNNEL, "peerExternalGatewayInterface", 0),
        (rules.tunnels_as_planned, _SESSION, "peerAsn", 64620),
        (rules.tunnels_as_planned, _SESSION, "peerIpAddress", "169.254.10.1"),
        (rules.tunnels_as_planned, _SESSION, "enable", False),
        (rules.tunnels_as_planned, "RouterInterface tunnels-aws-gcp-1", "ipRange", "169.254.10.2/30"),
        (rules.tunnels_as_planned, "Router gateway", "bgp.asn", 64512),
        (rules.tunnels_are_strong, _TUNNEL, "cipherSuite", GONE),
        (rules.tunnels_are_strong, _TUNNEL, "cipherSuite.phase1.dhs", ["Group-14", "Group-2"]),
        (rules.tunnels_are_strong, _TUNNEL, "cipherSuite.phase2.pfs", GONE),
        (rules.tunnels_are_strong, _TUNNEL, "ikeVersion", 1),
        (rules.tunnels_are_strong, _TUNNEL, "remoteTrafficSelectors", [_ANYWHERE]),
        (rules.tunnels_are_watched, _ALERT, "", None),
        (rules.tunnels_are_watched, _ALERT, "enabled", False),
        (rules.tunnels_are_watched, _ALERT, f"{_WATCH}.comparison", "COMPARISON_GT"),
        (rules.tunnels_are_watched, _ALERT, f"{_WATCH}.evaluationMissingData", "EVALUATION_MISSING_DATA_INACTIVE"),
        (rules.tunnels_are_watched, _ALERT, "conditions.1.conditionThreshold.filter", 'metric.type = "other"'),
        (rules.routes_only_where_needed, "Router gateway", "network", "another"),
        (rules.routes_only_where_needed, "Subnetwork network-client-us-west1-b", "network", "another"),
        (rules.routes_only_where_needed, "Subnetwork network-proxy", "purpose", "PRIVATE"),
        (rules.backups_as_planned, _BACKUPS, "versioning.enabled", False),
        (rules.backups_as_planned, _BACKUPS, "retentionPolicy.retentionPeriod", "86400"),
        (rules.backups_as_planned, _BACKUPS, "retentionPolicy.isLocked", False),
        (rules.backups_as_planned, _BACKUPS, "lifecycleRules.1.condition.age", 30),
        (rules.backups_as_planned, _BACKUPS, "lifecycleRules", []),
        (rules.backups_as_planned, _BACKUPS, "publicAccessPrevention", "inherited"),
        (rules.backups_as_planned, _BACKUPS, "uniformBucketLevelAccess", False),
        (rules.backups_as_planned, _BACKUPS, "encryption", GONE),
        (rules.backups_as_planned, _BACKUPS, "customPlacementConfig", GONE),
        (rules.backups_as_planned, _BACKUPS, "customPlacementConfig.dataLocations", ["US-WEST1", "US-EAST1"]),
        (rules.backups_as_planned, _BACKUPS, "forceDestroy", True),
        (rules.backups_as_planned, _BACKUPS, "!protect", False),
        (rules.backups_only_for_their_writers, _WRITER, "", None),
        (rules.backups_only_for_their_writers, _WRITER, "condition", GONE),
        (rules.backups_only_for_their_writers, _WRITER, "condition.expression", _EVERY_NAME),
        (rules.backups_only_for_their_writers, _WRITER, "role", "roles/storage.objectAdmin"),
        (rules.backups_only_for_their_writers, _WRITER, "member", "allAuthenticatedUsers"),
        (rules.backups_only_for_their_writers, "BucketIAMMember backup-restorer", "role", "roles/storage.objectUser"),
        (rules.backups_only_for_their_writers, _FOREIGN, "", None),
        (rules.backups_only_for_their_writers, _FOREIGN, "condition", GONE),
        (rules.backups_only_for_their_writers, "WorkloadIdentityPoolProvider backup-aws", "attributeCondition", GONE),
        (rules.audit_trail_complete, "IAMAuditConfig audit", "", None),
        (rules.audit_trail_complete, "IAMAuditConfig audit", "auditLogConfigs.1.exemptedMembers", ["user:me@example.com"]),
        (rules.audit_trail_complete, "ProjectSink audit", "disabled", True),
        (rules.audit_trail_complete, "ProjectSink audit", "filter", 'logName:"cloudaudit.googleapis.com"'),
        (rules.audit_trail_complete, "BucketIAMMember audit", "", None),
        (rules.audit_trail_complete, "Subnetwork network-server-us-west1-a", "logConfig.flowSampling", 0.5),
        (rules.audit_trail_complete, _AUDIT, "retentionPolicy.retentionPeriod", "86400"),
        (rules.audit_trail_complete, _AUDIT, "retentionPolicy.isLocked", False),
        (rules.audit_trail_complete, _AUDIT, "encryption", GONE),
        (rules.audit_trail_complete, _AUDIT, "publicAccessPrevention", "inherited"),
    )
)  # fmt: skip
