"""How people get to a machine when everything else has failed: through Azure Bastion, which records who came.

Owns the bastion host and the operators' key pair. Azure starts no Linux machine without a password or a public key.
The private half lies in the key vault, where no machine may read it: an administrator grants one person Key Vault
Secrets User on that secret, Bastion takes the key from there, and both leave a trail in Azure's activity log.

Dangerous edge: a machine's public key is fixed when it is made. The pair is protected, and servers ignore a change
of it, so that a new pair reaches machines only as they are rolled.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_tls as tls
from pulumi_azure_native import keyvault, network

from .place import Place

BASTION_SUBNET = "AzureBastionSubnet"
"""Azure's own name."""
USER = "breakglass"
_ENTRY = "operator-ssh-key"
_BITS = 3072
"""Bastion takes RSA keys only."""


@dataclass(frozen=True)
class Access:
    """What a machine is given."""

    public_key: pulumi.Output[str]


def access(name: str, place: Place, subnet: pulumi.Output[str], parent: pulumi.Resource) -> Access:
    """The bastion in its subnet, and the pair.

    Args:
        name: of the component that they belong to.
        place: the region.
        subnet: id of the bastion's subnet.
        parent: the component.
    """
    child = pulumi.ResourceOptions(parent=parent)
    kept = pulumi.ResourceOptions(parent=parent, protect=True)
    address = network.PublicIPAddress(
        f"{name}-bastion",
        resource_group_name=place.group,
        public_ip_address_name=place.names.thing("bastion"),
        location=place.location,
        sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
        public_ip_address_version="IPv4",
        public_ip_allocation_method="Static",
        idle_timeout_in_minutes=4,
        zones=place.zones,
        opts=child,
    )
    network.BastionHost(
        f"{name}-bastion",
        resource_group_name=place.group,
        bastion_host_name=place.names.thing("bastion"),
        location=place.location,
        # Standard spans zones and lets operators use their own SSH client.
        sku=network.SkuArgs(name="Standard"),
        scale_units=2,
        zones=place.zones,
        enable_tunneling=True,
        enable_file_copy=False,
        enable_ip_connect=False,
        enable_shareable_link=False,
        disable_copy_paste=False,
        ip_configurations=[
            network.BastionHostIPConfigurationArgs(
                name="bastion",
                subnet=network.SubResourceArgs(id=subnet),
                public_ip_address=network.SubResourceArgs(id=address.id),
                private_ip_allocation_method="Dynamic",
            )
        ],
        opts=child,
    )
    pair = tls.PrivateKey(f"{name}-operators", algorithm="RSA", rsa_bits=_BITS, opts=kept)
    keyvault.Secret(
        f"{name}-operators",
        resource_group_name=place.group,
        vault_name=place.vault.name,
        secret_name=place.names.secret(_ENTRY),
        properties=keyvault.SecretPropertiesArgs(
            value=pulumi.Output.secret(pair.private_key_pem),
            content_type="application/x-pem-file",
            attributes=keyvault.SecretAttributesArgs(enabled=True),
        ),
        opts=kept,
    )
    return Access(pair.public_key_openssh)
