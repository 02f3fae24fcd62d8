"""What Vault's machines prepare and whoever sets Vault up must name alike.

Owns paths of audit logs and the way in of the agent that takes snapshots. What is on the machines is the product's, what
stands in Vault the bring-up's.
"""

from __future__ import annotations

from collections.abc import Mapping

AUDIT_MOUNT = "/var/log/vault"
"""Where the disk for audit logs is mounted."""
AUDIT_LOGS: Mapping[str, str] = {"disk": f"{AUDIT_MOUNT}/audit.log", "data": "/opt/vault/audit/audit.log"}
"""File by audit device: on the disk of its own, and beside the data. With none that it can write, Vault stops serving."""
BACKUP_MOUNT, BACKUP_ROLE = "cert", "backup"
"""Mount of certificate authentication by which the agent logs in, and its role; the role's policy has its name."""
