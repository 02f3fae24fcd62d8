"""What runs on a machine beside its programs, run for real: audit logs turned over, tokens renewed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.products.machines import Case
from tests.rendered.rig import Rig, mode, rig

FAILED = "platform-boot: FAILED at step"


@pytest.fixture
def vault(tmp_path: Path) -> Rig:
    """A Vault server of the primary."""
    return rig(tmp_path / "machine", Case("aws", "vault-server"))


class TestAudit:
    """Vault's audit logs."""

    LOGS = ("/var/log/vault/audit.log", "/opt/vault/audit/audit.log")

    def test_logs_are_moved_aside_and_vault_is_told(self, vault: Rig, tmp_path: Path) -> None:
        for log in self.LOGS:
            vault.write(log, "line\n")
        told = tmp_path / "told"
        vault.plays("systemctl", f'echo "$@" >>{told}')
        done = vault.run("audit.sh", "30", *self.LOGS)
        assert done.returncode == 0, done.stderr
        assert told.read_text().splitlines() == ["is-active --quiet vault.service", "reload vault.service"]
        for log in self.LOGS:
            (aside,) = vault.path(log).parent.iterdir()
            assert aside.read_text() == "line\n"

    def test_old_logs_are_packed_and_older_ones_removed(self, vault: Rig) -> None:
        log = self.LOGS[0]
        vault.plays("systemctl", "exit 0")
        recent = vault.write(f"{log}.20260101T000000Z", "packed soon\n")
        os.utime(recent, (time.time() - 3600, time.time() - 3600))
        old = vault.write(f"{log}.20250101T000000Z.gz", "long ago\n")
        os.utime(old, (time.time() - 40 * 86400, time.time() - 40 * 86400))
        assert vault.run("audit.sh", "30", log).returncode == 0
        assert sorted(path.name for path in vault.path(log).parent.iterdir()) == ["audit.log.20260101T000000Z.gz"]

    def test_an_empty_log_stays(self, vault: Rig) -> None:
        vault.plays("systemctl", "exit 3")
        vault.write(self.LOGS[0], "")
        assert vault.run("audit.sh", "30", self.LOGS[0]).returncode == 0
        assert [path.name for path in vault.path(self.LOGS[0]).parent.iterdir()] == ["audit.log"]


class TestIdentity:
    """The token of a worker of another cloud."""

    TOKEN = "/run/platform/identity/token"

    @pytest.fixture
    def worker(self, tmp_path: Path) -> Rig:
        made = rig(tmp_path / "machine", Case("gcp", "boundary-worker"))
        made.path(self.TOKEN).parent.mkdir(parents=True)
        return made

    def test_the_token_is_for_the_audience_and_for_the_worker_alone(self, worker: Rig) -> None:
        worker.plays("web-identity", 'printf %s "token for $1"')
        done = worker.run("identity.sh", "sts.amazonaws.com", self.TOKEN)
        assert done.returncode == 0, done.stderr
        assert worker.path(self.TOKEN).read_text() == "token for sts.amazonaws.com"
        assert mode(worker.path(self.TOKEN)) == 0o600
        assert "token for" not in done.stdout + done.stderr

    def test_a_metadata_service_that_refuses_leaves_the_old_token(self, worker: Rig) -> None:
        worker.write(self.TOKEN, "old")
        worker.plays("web-identity", "exit 1")
        assert worker.run("identity.sh", "sts.amazonaws.com", self.TOKEN, patience=0).returncode == 1
        assert worker.path(self.TOKEN).read_text() == "old"
        assert worker.console.startswith(f"{FAILED} identity: the metadata service gives no token")
