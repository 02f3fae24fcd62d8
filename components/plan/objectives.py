"""The figures the platform promises and plans by.

Owns recovery objectives and the lifetimes of certificates. Policies, alerts and documents derive from here.
"""

from __future__ import annotations

RPO_MINUTES = 60
"""Most that a cluster may lose: the newest verified backup is never older."""

CA_HOURS = 10 * 365 * 24
"""The platform's root. Replacing it means new trust on every machine."""
CERTIFICATE_HOURS = 90 * 24
"""A server certificate. Machines read the current one daily, so no restart and no person is needed."""
CERTIFICATE_RENEWAL_HOURS = 30 * 24
"""How long before its end an update replaces a certificate; also the notice an operator gets."""
