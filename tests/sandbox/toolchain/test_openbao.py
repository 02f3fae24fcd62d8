"""When OpenBao takes Vault's place, and under which number."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.progress import Board
from sandbox.toolchain import golang, openbao
from sandbox.toolchain.table import VAULT
from tests.rendered.tools import packaged


def test_openbao_says_vaults_number_and_its_own_name() -> None:
    packaged("bao")
    said = subprocess.run(
        [openbao.numbered(VAULT.version), "version"], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith(f"OpenBao v{VAULT.version},")


def test_a_number_without_room_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged("bao")
    monkeypatch.setenv("HMC_CACHE", str(tmp_path))
    with pytest.raises(SandboxError, match="no room"):
        openbao.numbered("1" * 41)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_openbao_takes_vaults_place_where_vault_does_not_build_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Path:
        raise SandboxError("vault v1.21.0 did not build.", "Mend it.")

    monkeypatch.setattr(golang, "build", broken)
    assert openbao.vault(Board(), instead=False) is None
    said = capsys.readouterr().err
    assert "did not build" in said
    assert "stands in for Vault" in said
    assert openbao.vault(Board(), instead=True) is None
    assert capsys.readouterr().err == ""


def test_the_variable_says_what_serves_and_nothing_else() -> None:
    assert not openbao.wanted({})
    assert not openbao.wanted({openbao.VARIABLE: "vault"})
    assert openbao.wanted({openbao.VARIABLE: "openbao"})
    with pytest.raises(SandboxError, match=openbao.VARIABLE):
        openbao.wanted({openbao.VARIABLE: "bao"})
