"""The figures the platform promises and plans by.

Owns the reach of point-in-time recovery and the lifetimes of certificates. What may be lost is configuration (`backup`). Policies, alerts and documents derive from here.
"""

from __future__ import annotations

PITR_DAYS = 35
"""How far back Boundary's database can be restored to any point in time; the most that RDS offers."""

CA_HOURS = 10 * 365 * 24
"""The platform's root. Replacing it means new trust on every machine."""
CERTIFICATE_HOURS = 90 * 24
"""A server certificate. Machines read the current one daily, so no restart and no person is needed."""
CERTIFICATE_RENEWAL_HOURS = 30 * 24
"""How long before its end an update replaces a certificate; also the notice an operator gets."""
