"""Rules on the mesh and its addresses."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    network_cidr_no_overlap,
    vpn_addressing_unique,
    vpn_bgp_dynamic,
    vpn_crypto_strong,
    vpn_psk_unique_secret,
    vpn_tunnels_redundant,
)

RULES: tuple[Rule, ...] = (
    vpn_crypto_strong.RULE,
    vpn_psk_unique_secret.RULE,
    vpn_tunnels_redundant.RULE,
    vpn_bgp_dynamic.RULE,
    vpn_addressing_unique.RULE,
    network_cidr_no_overlap.RULE,
)
