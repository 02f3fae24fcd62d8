"""Rules of the area encryption."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    disk_customer_key,
    disk_encrypted,
    k8s_secrets_encrypted,
    key_deletion_guarded,
    key_rotation,
    seal_key_dr_usable,
    seal_key_present,
    secret_not_plain,
)

RULES: tuple[Rule, ...] = (
    disk_encrypted.RULE,
    disk_customer_key.RULE,
    key_rotation.RULE,
    key_deletion_guarded.RULE,
    seal_key_present.RULE,
    seal_key_dr_usable.RULE,
    k8s_secrets_encrypted.RULE,
    secret_not_plain.RULE,
)
