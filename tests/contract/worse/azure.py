"""Ways in which a region on Azure gets worse."""

from __future__ import annotations

from tests.contract import rules
from tests.contract.worse.mutation import GONE, Mutation

_FIREWALL = "NetworkSecurityGroup firewall"
_GUARD = "NetworkSecurityGroup network-guard"
_INTERFACE = "NetworkInterface vault-azure-1"
_MACHINE = "VirtualMachine vault-azure-1"
_GROUP = "VirtualMachineScaleSet nomad-clients"
_PROFILE = "virtualMachineProfile"
_NETWORK = "VirtualNetwork network"
_TUNNEL = "VirtualNetworkGatewayConnection aws-azure-0"
_BACKUPS, _REPLICA = "StorageAccount backup", "StorageAccount backup-replica"
_LOCK = "immutableStorageWithVersioning.immutabilityPolicy"
_EXPIRY = "policy.rules.name=expire.definition.actions"
_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_DELETE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete"

MUTATIONS = tuple(
    Mutation("azure", *row)
    for row in (
        (rules.no_way_in_but_the_flows, _FIREWALL, "securityRules.name=vault-cluster-tcp-roles.destinationPortRange", "8200-8203"),
        (rules.no_way_in_but_the_flows, _FIREWALL, "securityRules.name=rest-inbound.access", "Allow"),
        (rules.no_way_in_but_the_flows, _FIREWALL, "securityRules.name=rest-inbound.sourceAddressPrefix", "10.9.0.0/16"),
        (rules.no_way_in_but_the_flows, _INTERFACE, "networkSecurityGroup", GONE),
        (rules.no_way_in_but_the_flows, _INTERFACE, "ipConfigurations.name=primary.applicationSecurityGroups", []),
        (rules.no_way_in_but_the_flows, _GUARD, "securityRules.name=mesh.access", "Deny"),
        (rules.nothing_is_open_to_the_world, _INTERFACE, "ipConfigurations.name=primary.publicIPAddress", {"id": "any"}),
        (rules.nothing_is_open_to_the_world, _GROUP, f"{_PROFILE}.networkProfile.networkInterfaceConfigurations.0.ipConfigurations.0.publicIPAddressConfiguration", {"name": "any"}),
        (rules.nothing_is_open_to_the_world, "LoadBalancer vault-azure-balancer", "frontendIPConfigurations.0.publicIPAddress", {"id": "any"}),
        (rules.no_ssh, _FIREWALL, "securityRules.name=node-exporter-tcp-networks.destinationPortRange", "*"),
        (rules.ways_out_as_planned, _FIREWALL, "securityRules.name=rest-outbound.access", "Allow"),
        (rules.machines_as_planned, _INTERFACE, "ipConfigurations.name=primary.privateIPAddress", "10.2.1.99"),
        (rules.machines_as_planned, _MACHINE, "hardwareProfile.vmSize", "Standard_B2s"),
        (rules.no_zone_holds_a_quorum, _MACHINE, "zones", ["2"]),
        (rules.clients_as_planned, _GROUP, "zones", ["1"]),
        (rules.clients_as_planned, "AutoscaleSetting nomad-clients", "profiles.0.capacity.maximum", "99"),
        (rules.subnets_as_planned, "VirtualNetwork network", "subnets.name=server-1.addressPrefix", "10.2.99.0/24"),
        (rules.disks_are_encrypted, "Disk vault-azure-1-data", "encryption", GONE),
        (rules.disks_are_encrypted, _MACHINE, "storageProfile.osDisk.managedDisk.diskEncryptionSet", GONE),
        (rules.disks_are_encrypted, _GROUP, f"{_PROFILE}.storageProfile.osDisk.managedDisk.diskEncryptionSet", GONE),
        (rules.disks_as_planned, "Disk vault-azure-1-data", "!protect", False),
        (rules.disks_as_planned, "Disk vault-azure-1-data", "zones", ["3"]),
        (rules.disks_as_planned, "Disk vault-azure-1-data", "publicNetworkAccess", "Enabled"),
        (rules.machines_are_hardened, _MACHINE, "securityProfile.uefiSettings.secureBootEnabled", False),
        (rules.machines_are_hardened, _GROUP, f"{_PROFILE}.securityProfile.encryptionAtHost", False),
        (rules.machines_are_hardened, _MACHINE, "osProfile.linuxConfiguration.disablePasswordAuthentication", False),
        (rules.voters_are_left_alone, _MACHINE, "!ignoreChanges", ["storageProfile.imageReference"]),
        (rules.keys_only_for_their_users, "RoleAssignment vault-seal-vault-server", "", None),
        (rules.keys_rotate_and_last, "Key vault-seal", "properties.rotationPolicy", GONE),
        (rules.keys_rotate_and_last, "Vault vault", "properties.enablePurgeProtection", False),
        (rules.keys_rotate_and_last, "Vault vault", "!protect", False),
        (rules.secrets_only_for_their_readers, "RoleAssignment secrets-consul-gossip-vault-server", "", None),
        (rules.secrets_only_for_their_readers, "Secret secrets-ca-key", "", None),
        (rules.no_other_grants, "RoleAssignment vault-seal-vault-server", "scope", "/subscriptions/0"),
        (rules.no_other_grants, "Vault vault", "properties.publicNetworkAccess", "Enabled"),
        (rules.balancers_as_planned, "LoadBalancer vault-azure-balancer", "probes.0.requestPath", "/"),
        (rules.balancers_as_planned, "LoadBalancer vault-azure-balancer", "loadBalancingRules.0.backendPort", 8201),
        (rules.balancers_as_planned, _INTERFACE, "ipConfigurations.name=primary.loadBalancerBackendAddressPools", []),
        (rules.names_resolve_as_planned, "PrivateRecordSet zone-consul-aws", "ttl", 3600),
        (rules.names_resolve_as_planned, "VirtualNetworkLink zone", "", None),
        (rules.tunnels_as_planned, _TUNNEL, "", None),
        (rules.tunnels_as_planned, _TUNNEL, "sharedKey", {"plaintext": '"another"'}),
        (rules.tunnels_as_planned, _TUNNEL, "gatewayCustomBgpIpAddresses.0.customBgpIpAddress", "169.254.22.2"),
        (rules.tunnels_as_planned, "LocalNetworkGateway aws-azure-0", "bgpSettings.bgpPeeringAddress", "169.254.21.9"),
        (rules.tunnels_as_planned, "LocalNetworkGateway aws-azure-0", "bgpSettings.asn", 64630),
        (rules.tunnels_as_planned, "VirtualNetworkGateway gateway", "bgpSettings.asn", 65515),
        (rules.tunnels_are_strong, _TUNNEL, "ipsecPolicies", []),
        (rules.tunnels_are_strong, _TUNNEL, "ipsecPolicies.0.dhGroup", "DHGroup2"),
        (rules.tunnels_are_strong, _TUNNEL, "ipsecPolicies.0.pfsGroup", "None"),
        (rules.tunnels_are_strong, _TUNNEL, "connectionProtocol", "IKEv1"),
        (rules.tunnels_are_strong, _TUNNEL, "dpdTimeoutSeconds", 3600),
        (rules.tunnels_are_strong, _TUNNEL, "enableBgp", False),
        (rules.tunnels_are_strong, "LocalNetworkGateway aws-azure-0", "localNetworkAddressSpace", {"addressPrefixes": ["10.1.0.0/16"]}),
        (rules.tunnels_are_watched, "MetricAlert aws-azure", "", None),
        (rules.tunnels_are_watched, "MetricAlert aws-azure", "enabled", False),
        (rules.tunnels_are_watched, "MetricAlert aws-azure", "criteria.allOf.0.dimensions.0.values", ["169.254.21.1"]),
        (rules.tunnels_are_watched, "MetricAlert aws-azure", "criteria.allOf.0.metricName", "AverageBandwidth"),
        (rules.tunnels_are_watched, "MetricAlert aws-azure", "criteria.allOf.0.operator", "GreaterThan"),
        (rules.routes_only_where_needed, "RouteTable network-local", "disableBgpRoutePropagation", False),
        (rules.routes_only_where_needed, _NETWORK, "subnets.name=endpoints.routeTable", GONE),
        (rules.backups_as_planned, _BACKUPS, f"{_LOCK}.state", "Unlocked"),
        (rules.backups_as_planned, _BACKUPS, f"{_LOCK}.immutabilityPeriodSinceCreationInDays", 7),
        (rules.backups_as_planned, _REPLICA, f"{_LOCK}.immutabilityPeriodSinceCreationInDays", 7),
        (rules.backups_as_planned, _BACKUPS, "encryption.keySource", "Microsoft.Storage"),
        (rules.backups_as_planned, _REPLICA, "encryption.keyVaultProperties.keyName", "hashicorp-disk"),
        (rules.backups_as_planned, _BACKUPS, "allowSharedKeyAccess", True),
        (rules.backups_as_planned, _BACKUPS, "networkRuleSet.defaultAction", "Allow"),
        (rules.backups_as_planned, _REPLICA, "allowBlobPublicAccess", True),
        (rules.backups_as_planned, _BACKUPS, "minimumTlsVersion", "TLS1_0"),
        (rules.backups_as_planned, _BACKUPS, "!protect", False),
        (rules.backups_as_planned, "BlobContainer backup", "publicAccess", "Container"),
        (rules.backups_as_planned, "BlobContainer backup", "!protect", False),
        (rules.backups_as_planned, "BlobServiceProperties backup", "isVersioningEnabled", False),
        (rules.backups_as_planned, "ManagementPolicy backup", f"{_EXPIRY}.baseBlob.delete.daysAfterCreationGreaterThan", 30),
        (rules.backups_as_planned, "ManagementPolicy backup", f"{_EXPIRY}.version.delete.daysAfterCreationGreaterThan", 1),
        (rules.backups_as_planned, "ObjectReplicationPolicy backup-leaving", "", None),
        (rules.backups_as_planned, "ObjectReplicationPolicy backup-arriving", "rules.0.filters.prefixMatch", ["consul/"]),
        (rules.backups_as_planned, _REPLICA, "location", "eastus"),
        (rules.backups_only_for_their_writers, "RoleAssignment backup-vault-server", "", None),
        (rules.backups_only_for_their_writers, "RoleAssignment backup-vault-server", "condition", GONE),
        (rules.backups_only_for_their_writers, "RoleAssignment backup-vault-server", "roleDefinitionId", f"/{_CONTRIBUTOR}"),
        (rules.backups_only_for_their_writers, "RoleAssignment backup-restorer-replica", "", None),
        (rules.backups_only_for_their_writers, "RoleAssignment backup-restorer-own", "roleDefinitionId", f"/{_CONTRIBUTOR}"),
        (rules.backups_only_for_their_writers, "RoleDefinition backup-writer", "permissions.0.dataActions", [_DELETE]),
        (rules.backups_only_for_their_writers, "FederatedIdentityCredential backup-gcp-vault-server", "subject", "somebody"),
        (rules.backups_only_for_their_writers, "FederatedIdentityCredential backup-gcp-vault-server", "issuer", "https://example.com"),
        (rules.backups_only_for_their_writers, "FederatedIdentityCredential backup-gcp-vault-server", "", None),
        (rules.audit_trail_complete, "SubscriptionDiagnosticSetting audit-activity", "", None),
        (rules.audit_trail_complete, "SubscriptionDiagnosticSetting audit-activity", "logs.category=Administrative.enabled", False),
        (rules.audit_trail_complete, "DiagnosticSetting audit-vault", "", None),
        (rules.audit_trail_complete, "DiagnosticSetting audit-backups", "logs.category=StorageRead.enabled", False),
        (rules.audit_trail_complete, "FlowLog audit-flows", "enabled", False),
        (rules.audit_trail_complete, "FlowLog audit-flows", "storageId", "/elsewhere"),
        (rules.audit_trail_complete, "FlowLog audit-flows", "identity", GONE),
        (rules.audit_trail_complete, "StorageAccount audit", f"{_LOCK}.immutabilityPeriodSinceCreationInDays", 30),
        (rules.audit_trail_complete, "StorageAccount audit", f"{_LOCK}.state", "Unlocked"),
        (rules.audit_trail_complete, "StorageAccount audit", "encryption.keyVaultProperties.keyName", "hashicorp-backup"),
        (rules.audit_trail_complete, "StorageAccount audit", "!protect", False),
    )
)  # fmt: skip
