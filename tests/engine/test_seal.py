"""How Vault unseals decides which keys a region makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.spec import PRIMARY
from tests.deployed import region_stacks

if TYPE_CHECKING:
    from tests.harness import Sandbox

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("seal", "made"), [("cloud", True), ("shamir", False)])
def test_a_seal_key_is_made_only_where_vault_uses_it(fresh_sandbox: Sandbox, seal: str, *, made: bool) -> None:
    stack = region_stacks(fresh_sandbox)[PRIMARY]
    stack.configure(seal=seal)
    keys = {step.urn.rpartition("::")[2] for step in stack.preview().steps if step.type == "aws:kms/key:Key"}
    assert {"nomad-keyring", "boundary-worker-auth", "disk", "secrets"} <= keys
    assert ("vault-seal" in keys) is made
