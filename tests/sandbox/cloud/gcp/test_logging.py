"""What Google Cloud refuses of sinks, audit settings and alerts: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError

SINK, AUDIT = "gcp:logging/projectSink:ProjectSink", "gcp:projects/iAMAuditConfig:IAMAuditConfig"
ALERT, BUCKET = "gcp:monitoring/alertPolicy:AlertPolicy", "gcp:storage/bucket:Bucket"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"


def test_a_sink_leads_to_what_exists_and_has_a_writer_that_can_be_granted(cloud: Client) -> None:
    sink = {"name": "audit", "destination": "storage.googleapis.com/hmc-audit"}
    with pytest.raises(RefusedError, match="does not exist"):
        cloud.create(SINK, sink)
    cloud.create(BUCKET, {"name": "hmc-audit", "location": "US-WEST1"})
    grant = {"bucket": "hmc-audit", "role": "roles/storage.objectCreator"}
    writer = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(MEMBER, {**grant, "member": writer})
    made = cloud.create(SINK, sink)
    assert made["writerIdentity"] == writer
    assert cloud.create(MEMBER, {**grant, "member": writer}).id
    assert "is not such as" in str(cloud.failures(SINK, {**sink, "destination": "gs://hmc-audit"}))
    assert cloud.failures(SINK, {**sink, "name": "-audit"})


def test_what_is_audited_is_said_once_and_for_a_service(cloud: Client) -> None:
    fine = {"project": "p", "service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}
    assert "there twice" in str(cloud.failures(AUDIT, {**fine, "auditLogConfigs": [{"logType": "DATA_READ"}] * 2}))
    assert cloud.failures(AUDIT, {**fine, "auditLogConfigs": [{"logType": "EVERYTHING"}]})
    assert "neither allServices" in str(cloud.failures(AUDIT, {**fine, "service": "storage"}))
    for service in ("allServices", "storage.googleapis.com"):
        assert cloud.failures(AUDIT, {**fine, "service": service}) == []


_SERIES = 'resource.type = "vpn_gateway" AND metric.type = "vpn.googleapis.com/tunnel_established"'


def _alert(**changes: object) -> dict[str, Any]:
    asked = {"filter": _SERIES, "comparison": "COMPARISON_LT", "thresholdValue": 1, "duration": "120s", **changes}
    return {"displayName": "it", "combiner": "OR", "conditions": [{"displayName": "down", "conditionThreshold": asked}]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"filter": 'metric.type = "vpn.googleapis.com/tunnel_established"'}, "one resource.type"),
        ({"filter": 'resource.type = "vpn_gateway"'}, "one metric.type"),
        ({"duration": "90s"}, "multiple of 60s"),
        ({"comparison": "COMPARISON_EQ"}, "is not supported"),
        ({"aggregations": [{"alignmentPeriod": "30s"}]}, "less than 60s"),
    ],
)
def test_an_alert_asks_what_monitoring_can_answer(cloud: Client, changes: dict[str, Any], said: str) -> None:
    assert said in str(cloud.failures(ALERT, _alert(**changes)))
    assert cloud.failures(ALERT, _alert(aggregations=[{"alignmentPeriod": "60s"}])) == []


def test_an_alert_has_one_to_six_conditions_of_one_kind_each(cloud: Client) -> None:
    fine = _alert()
    (condition,) = fine["conditions"]
    for wrong in ([], [condition] * 7, [{"displayName": "empty"}]):
        assert cloud.failures(ALERT, {**fine, "conditions": wrong}), wrong
    assert cloud.failures(ALERT, {**fine, "conditions": [condition] * 6}) == []
    assert cloud.create(ALERT, fine)["name"].startswith("projects/platform-sandbox/alertPolicies/")
