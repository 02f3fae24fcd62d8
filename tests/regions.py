"""The three regions that tests of machines and clouds stand in: the committed platform's own places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.plan.spec import Backup, Region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud

REGIONS: Mapping[Cloud, Region] = {
    "aws": Region("aws", "us-west-2", ("us-west-2a", "us-west-2b", "us-west-2c"), "10.1.0.0/16", "us-east-2"),
    "azure": Region("azure", "westus2", ("1", "2", "3"), "10.2.0.0/16", "westcentralus"),
    "gcp": Region("gcp", "us-west1", ("us-west1-a", "us-west1-b", "us-west1-c"), "10.3.0.0/16", "us-central1"),
}
ASNS: Mapping[Cloud, int] = {"aws": 64610, "azure": 64620, "gcp": 64630}
BACKUP = Backup(
    interval_minutes={"consul": 30, "vault": 30, "nomad": 30, "boundary": 1440},
    rpo_minutes=60,
    lock="compliance",
    lock_days=35,
    keep_days=400,
    copies={"aws": "gcp", "azure": "aws", "gcp": "azure"},
)
AUDIT_DAYS = 400
RECIPIENTS = ("on-call@hashicorp.example.com",)
