"""Rules on what runs: images, versions, pods."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    image_digest_pinned,
    machine_image_pinned,
    pod_security_context,
    version_pinned_uniform,
    version_supported,
)

RULES: tuple[Rule, ...] = (
    image_digest_pinned.RULE,
    version_pinned_uniform.RULE,
    version_supported.RULE,
    machine_image_pinned.RULE,
    pod_security_context.RULE,
)
