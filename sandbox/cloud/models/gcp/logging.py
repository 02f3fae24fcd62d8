"""Google Cloud's records: what is audited, where records go, and alerts.

Source: Cloud Logging API reference, projects.sinks; Resource Manager API, AuditConfig; Cloud Monitoring API reference,
projects.alertPolicies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.storage import BUCKET, SINK
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Value, is_known

AUDIT: Final = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_DESTINATIONS: Final = r"(storage|bigquery|pubsub|logging)\.googleapis\.com/.+"
_MOST_CONDITIONS: Final = 6

sink = model(
    SINK,
    id="projects/{project}/sinks/{name}",
    name=Name(
        "name",
        max=100,
        characters="A-Za-z0-9_.-",
        pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*",
        rule="letters, digits, underscores, hyphens, periods; first a letter or digit",
    ),
    immutable=("name",),
    handles=("name", "writerIdentity"),
)
audit = model(AUDIT, id="{project}/audit_config/{service}", immutable=("service",), outputs={"etag": "{hex8}="})
alert = model(ALERT, id="projects/{project}/alertPolicies/{digits19}", outputs={"enabled": True})


@sink.check
def _destination(draft: Draft) -> Iterator[Failure]:
    value = draft.known("destination")
    if isinstance(value, str) and not re.fullmatch(_DESTINATIONS, value):
        yield draft.fail("destination", f"'{value}' is not such as storage.googleapis.com/<bucket>")


@sink.admit
def _exists(draft: Draft) -> None:
    service, _, name = str(draft.get("destination")).partition("/")
    if service.startswith("storage.") and draft.find(BUCKET, name) is None:
        raise draft.refuse("badRequest", f"The destination {draft.get('destination')} does not exist.")


@sink.compute
def _writer(draft: Draft) -> dict[str, Value]:
    unique = draft.get("uniqueWriterIdentity", default=True)
    own = f"service-{draft.scope('projectNumber')}@gcp-sa-logging.iam.gserviceaccount.com"
    return {"writerIdentity": f"serviceAccount:{own if unique else 'cloud-logs@system.gserviceaccount.com'}"}


@audit.check
def _kinds(draft: Draft) -> Iterator[Failure]:
    kinds = [value for _, value in draft.each("auditLogConfigs[*].logType") if is_known(value)]
    if len(set(kinds)) != len(kinds):
        yield draft.fail("auditLogConfigs", "a log type is there twice")
    service = draft.known("service")
    if isinstance(service, str) and service != "allServices" and not service.endswith(".googleapis.com"):
        yield draft.fail("service", f"'{service}' is neither allServices nor such as storage.googleapis.com")


@alert.check
def _conditions(draft: Draft) -> Iterator[Failure]:
    conditions = draft.known("conditions")
    if isinstance(conditions, list) and not 1 <= len(conditions) <= _MOST_CONDITIONS:
        yield draft.fail("conditions", f"{len(conditions)} conditions; 1 to {_MOST_CONDITIONS} are allowed")
    for path, condition in draft.each("conditions[*]"):
        if not is_known(condition):
            continue
        kinds = [name for name in condition if name.startswith("condition") and condition[name] is not None]
        if len(kinds) != 1:
            yield draft.fail(path, f"a condition has one kind, got {kinds or 'none'}")
    for kind in ("conditionThreshold", "conditionAbsent"):
        yield from _measured(draft, f"conditions[*].{kind}")


def _measured(draft: Draft, where: str) -> Iterator[Failure]:
    for path, value in draft.each(f"{where}.filter"):
        for word in ("metric.type", "resource.type"):
            if isinstance(value, str) and not re.search(rf"{re.escape(word)}\s*=", value):
                yield draft.fail(path, f"must name one {word}")
    for path, value in draft.each(f"{where}.duration"):
        if isinstance(value, str) and not (re.fullmatch(r"\d+s", value) and int(value[:-1]) % 60 == 0):
            yield draft.fail(path, f"'{value}' is not a multiple of 60s")
    for path, value in draft.each(f"{where}.comparison"):
        if is_known(value) and value not in ("COMPARISON_GT", "COMPARISON_LT"):
            yield draft.fail(path, f"{value} is not supported: COMPARISON_GT or COMPARISON_LT")
    for path, value in draft.each(f"{where}.aggregations[*].alignmentPeriod"):
        if isinstance(value, str) and not (re.fullmatch(r"\d+s", value) and int(value[:-1]) >= 60):
            yield draft.fail(path, f"'{value}' is less than 60s")


@alert.compute
def _named(draft: Draft) -> dict[str, Value]:
    return {"name": draft.id}
