"""Ways in which a region on Google Cloud gets worse."""

from __future__ import annotations

from tests.contract import rules
from tests.contract.worse.mutation import GONE, Mutation

_ANYWHERE = "0.0.0.0/0"
_MACHINE = "Instance vault-gcp-1"
_TEMPLATE = "RegionInstanceTemplate nomad-clients"
_AGENT = "SecretIamMember secrets-consul-gossip-vault-server"

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
    )
)  # fmt: skip
