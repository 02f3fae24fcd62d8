"""The tables after an up say what the manifests say, and nothing better."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from components.plan.manifest import BackupFacts, BucketFacts, Manifest, MeshFacts, SetFacts, TunnelFacts
from sandbox.stacks import report

if TYPE_CHECKING:
    from rich.table import Table

    from components.plan.mesh import TunnelStatus
    from components.plan.spec import Cloud


def printed(table: Table) -> list[str]:
    out = StringIO()
    Console(file=out, width=200, color_system=None).print(table)
    return [line.strip() for line in out.getvalue().splitlines()]


def side(cloud: Cloud, status: TunnelStatus, own: str | None) -> Manifest:
    tunnels = tuple(
        TunnelFacts(pair="aws-gcp", index=index, status=status, inside="169.254.10.0/30", own=own) for index in range(4)
    )
    return Manifest.model_construct(cloud=cloud, mesh=MeshFacts(asn=64610, tunnels=tunnels), backup=None)


@pytest.mark.parametrize(
    ("aws", "gcp", "said"),
    [("up", "up", "on both sides"), ("half", "up", "on one side"), ("half", "planned", "on no side")],
)
def test_a_pair_is_as_far_as_the_stack_that_is_behind(aws: TunnelStatus, gcp: TunnelStatus, said: str) -> None:
    lines = printed(report.mesh([side("aws", aws, "192.0.2.1"), side("gcp", gcp, None)]))
    assert any(line.startswith("aws-gcp") and " 4 " in line and said in line for line in lines)
    assert any("aws 192.0.2.1" in line for line in lines)
    assert any("gcp unknown yet" in line for line in lines)


def keeper(cloud: Cloud, second: Cloud) -> Manifest:
    bucket = BucketFacts(
        name=f"backups-{cloud}",
        attributes={},
        replica=f"replica-{cloud}",
        replica_region="elsewhere",
        key="backup",
        lock="compliance",
        lock_days=35,
        keep_days=400,
    )
    saved = SetFacts(saved="vault", interval_minutes=30, role="vault-server", targets=(cloud, second))
    backup = BackupFacts(bucket=bucket, sets=(saved,), rpo_minutes=60, restorer="restorer")
    return Manifest.model_construct(cloud=cloud, region=f"{cloud}-1", mesh=None, backup=backup)


def test_a_copy_is_shown_only_where_the_second_cloud_has_a_bucket() -> None:
    lines = printed(report.backups([keeper("aws", "gcp"), keeper("gcp", "azure")]))
    start = next(index for index, line in enumerate(lines) if line.startswith("aws"))
    own, replica, copy = lines[start : start + 3]
    assert "30 min" in own
    assert "backups-aws" in own
    assert "35 days" in own
    assert replica.split() == ["replica", "elsewhere", "replica-aws", "35", "days"]
    assert copy.split() == ["second", "cloud,", "gcp", "gcp-1", "backups-gcp", "35", "days"]
    assert any("second cloud, azure" in line and "none yet" in line for line in lines)
