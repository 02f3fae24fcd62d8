"""A region whose Vault is OpenBao: as healthy as with Vault, sealed by the region's own key, and back by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from components.plan.flows import VAULT_API
from components.plan.spec import PRIMARY
from components.plan.vault import AUDIT_LOGS
from sandbox.lab import openbao
from sandbox.lab.breaking.choosing import Choice
from sandbox.lab.place import Wish
from tests.lab.proofs.breakable import SEAL, Region, until
from tests.lab.proofs.whole import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.proofs.whole import Whole

WISH = Wish((PRIMARY,), "small", "plain", vault="openbao")
pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]


@pytest.fixture
def region(made: Whole) -> Iterator[Region]:
    """The region, well before and after."""
    found = Region(made)
    found.heals()
    yield found
    found.heals()


def servers(region: Region) -> list[str]:
    return region.names("-vault-aws-")


def test_from_nothing_every_check_becomes_green_and_the_lab_says_who_serves(made: Whole) -> None:
    assert made.made.healthy, made.made.health
    assert made.made.vault.startswith("OpenBao ")
    for name in servers(Region(made)):
        assert made.run(name, "vault", "version").startswith("OpenBao ")
        assert made.run(name, "pgrep", "--full", f"^{openbao.SERVER} server")


def test_a_second_up_changes_nothing(made: Whole) -> None:
    made.changes_nothing()


def test_every_server_may_lose_its_power_and_comes_back_unsealed_by_itself(region: Region) -> None:
    for name in servers(region):
        others = region.pids(name)
        region.breaker.kill(Choice((name,)), "KILL")
        assert region.unwell(), f"{name} is dead and nobody notices"
        region.starts(name)
        assert region.pids(name) == others


def test_a_server_whose_key_is_disabled_says_so_while_others_serve_and_comes_back_when_it_is_enabled(
    region: Region,
) -> None:
    name, *_ = servers(region)
    others = region.pids()
    region.breaker.key(SEAL, disabled=True)
    try:
        region.breaker.kill_unit(Choice((name,)), "vault.service", "KILL")
        until(lambda: "DisabledException" in region.row(name).reason, lambda: region.row(name))
        assert set(region.ailing()) == {name}
    finally:
        region.breaker.key(SEAL, disabled=False)
    region.heals()
    assert region.pids() == others, "a machine was started again for it"


def test_audit_logs_that_were_moved_aside_are_written_anew(region: Region) -> None:
    (name,) = [one for one in servers(region) if _leads(region, one)]
    region.lab.run(name, "systemctl", "start", "vault-audit.service")
    # The morning check asks it, which is audited.
    until(lambda: not region.unwell() and all(_sizes(region, name)), region.unwell)


def _leads(region: Region, name: str) -> bool:
    url = f"https://127.0.0.1:{VAULT_API.first}/v1/sys/leader"
    return json.loads(region.lab.run(name, "curl", "--silent", "--insecure", url))["is_self"]


def _sizes(region: Region, name: str) -> list[int]:
    """Bytes of a server's audit logs."""
    return [int(region.lab.run(name, "stat", "--format=%s", file)) for file in AUDIT_LOGS.values()]
