"""Rules on traffic: verification, versions of TLS, gossip, certificates."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    bucket_tls_only,
    cert_lifetime_bounded,
    gossip_encrypted,
    lb_tls_min,
    product_mtls,
    vault_boundary_tls_min,
)

RULES: tuple[Rule, ...] = (
    product_mtls.RULE,
    vault_boundary_tls_min.RULE,
    gossip_encrypted.RULE,
    cert_lifetime_bounded.RULE,
    lb_tls_min.RULE,
    bucket_tls_only.RULE,
)
