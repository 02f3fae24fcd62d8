"""Layers hold: the import contracts of pyproject.toml, and who may name a provider's SDK."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS
from sandbox.home import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator

SDKS = {"aws": "pulumi_aws", "azure": "pulumi_azure_native", "gcp": "pulumi_gcp"}
VALUES = {"pulumi_random", "pulumi_tls"}
"""Providers without a cloud: what the lineage is made of."""
PROGRAM = ("components", "config", "__main__.py")


def _sources() -> Iterator[Path]:
    for part in PROGRAM:
        found = TREE / part
        yield from sorted(found.rglob("*.py")) if found.is_dir() else [found]


def _imported(file: Path) -> set[str]:
    """Top-level packages that a module imports anywhere, functions included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _allowed(file: Path) -> set[str]:
    parts = file.relative_to(TREE).parts
    if parts[:2] == ("components", "clouds") and len(parts) == 4:
        return {SDKS[parts[2]], *VALUES}
    return VALUES if parts[0] == "components" and parts[1] == "lineage.py" else set()


def test_the_import_contracts_are_kept() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=TREE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert " 0 broken" in checked.stdout


@pytest.mark.parametrize("file", list(_sources()), ids=lambda file: str(file.relative_to(TREE)))
def test_a_providers_sdk_is_imported_by_its_cloud_alone(file: Path) -> None:
    assert {package for package in _imported(file) if package.startswith("pulumi_")} <= _allowed(file)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_has_the_same_files(cloud: str) -> None:
    names = {file.name for file in (TREE / "components/clouds" / cloud).glob("*.py")}
    shared = {"account", "network", "identity", "firewall", "seal", "secrets", "balancer", "compute", "clients", "dns"}
    assert {f"{name}.py" for name in (*shared, "tags", "guest", "__init__")} <= names


def test_the_search_for_imports_finds_them(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text("def late():\n    import pulumi_gcp.compute\n    from pulumi_aws import ec2\n", encoding="utf-8")
    assert _imported(file) == {"pulumi_gcp", "pulumi_aws"}
