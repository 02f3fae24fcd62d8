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
    )
)  # fmt: skip
