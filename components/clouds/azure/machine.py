"""What servers and clients have in common as machines of Azure: hardening, image, user data.

Owns nothing that is registered. Servers are in `compute`, clients in `clients`.

Dangerous edge: encryption at host is a feature that a subscription has to ask for once
(`az feature register --namespace Microsoft.Compute --name EncryptionAtHost`); without it no machine is made.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import compute

from components.clouds.contract import MachineArgs
from components.plan.server import ServerSpec
from components.plan.spec import Stack
from components.plan.userdata import encoded, render

from .access import USER
from .guest import FACT, device, facts, with_facts
from .identity import Identities
from .network import Network
from .place import Place, own
from .relay import with_relays

OS_DISK = "Premium_LRS"
"""PremiumV2 cannot be a boot disk."""


def security() -> compute.SecurityProfileArgs:
    """Measured boot, and encryption down to the host's caches and temporary disk."""
    return compute.SecurityProfileArgs(
        encryption_at_host=True,
        security_type="TrustedLaunch",
        uefi_settings=compute.UefiSettingsArgs(secure_boot_enabled=True, v_tpm_enabled=True),
    )


def linux(args: MachineArgs) -> compute.LinuxConfigurationArgs:
    """No password, the operators' key, and no patching that could reboot a voter."""
    public_key = own(Network, args.network).access.public_key
    return compute.LinuxConfigurationArgs(
        disable_password_authentication=True,
        provision_vm_agent=True,
        patch_settings=compute.LinuxPatchSettingsArgs(assessment_mode="ImageDefault", patch_mode="ImageDefault"),
        ssh=compute.SshConfigurationArgs(
            public_keys=[compute.SshPublicKeyArgs(path=f"/home/{USER}/.ssh/authorized_keys", key_data=public_key)]
        ),
    )


def diagnostics() -> compute.DiagnosticsProfileArgs:
    """Console output, kept by the service: all that a machine which does not boot has to say."""
    return compute.DiagnosticsProfileArgs(boot_diagnostics=compute.BootDiagnosticsArgs(enabled=True))


def image(stack: Stack) -> compute.ImageReferenceArgs:
    """The pinned image, `publisher:offer:sku:version`."""
    publisher, offer, sku, version = stack.image.split(":")
    return compute.ImageReferenceArgs(publisher=publisher, offer=offer, sku=sku, version=version)


def user_data(args: MachineArgs, server: ServerSpec) -> pulumi.Output[str]:
    """The machine's cloud-config with Azure's additions, as Azure takes it."""
    place = own(Place, args.site)
    identities = own(Identities, args.identities)
    whole = with_relays(with_facts(server))
    devices = {disk.purpose: device(lun) for lun, disk in enumerate(server.disks)}
    itself = pulumi.Output.all(identities.clients[server.role], place.vault.name).apply(lambda about: facts(*about))
    needed = {late.fact for late in whole.late} - {FACT}
    known = pulumi.Output.all(**{FACT: itself, **{fact: args.facts[fact] for fact in needed}})
    return known.apply(lambda late: encoded(place.stack.cloud, render(whole, late, devices)))
