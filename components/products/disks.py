"""Disks of their own for programs that keep state.

Owns mount points and owners; sizes are `plan.sizing`'s, devices the cloud's.
"""

from __future__ import annotations

from components.plan import sizing
from components.plan.server import Disk
from components.plan.spec import Role, Stack, product_of
from components.plan.vault import AUDIT_MOUNT


def data_disk(stack: Stack, role: Role) -> Disk:
    """The disk on which a product's raft lies, at `/opt/<product>`.

    Raises:
        ValueError: the role has no data disk.
    """
    size = sizing.machine(stack.platform.profile, stack.cloud, role).data
    if size is None:
        raise ValueError(f"role {role} has no data disk: give it one in plan.sizing")
    product = product_of(role)
    return Disk("data", size, f"/opt/{product}", f"{product}:{product}")


def audit_disk(stack: Stack, role: Role) -> Disk:
    """The disk of the first audit log: a full data disk must not silence it, nor it the data.

    Raises:
        ValueError: the role has no audit disk.
    """
    size = sizing.machine(stack.platform.profile, stack.cloud, role).audit
    if size is None:
        raise ValueError(f"role {role} has no audit disk: give it one in plan.sizing")
    product = product_of(role)
    return Disk("audit", size, AUDIT_MOUNT, f"{product}:{product}")
