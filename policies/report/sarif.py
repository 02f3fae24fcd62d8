"""The report as SARIF 2.1.0, for code scanning.

A result lies at the line that registers the resource, which the state knows, else at the stack's file; the logical
location is the URN. Exempted findings are results with a suppression.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from policies.catalogue import FRAMEWORK, Severity
from policies.report.evaluate import Outcome, Report
from policies.verdict import Verdict

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What code scanning sorts by: a score as in CVSS.
_SCORES: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}


def sarif(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "hashicorp-multicloud policies",
                        "informationUri": "https://www.pulumi.com/crossguard/",
                        "rules": [_rule(outcome) for outcome in report.outcomes],
                    }
                },
                # Code scanning takes what follows the last slash for a run's number, and the rest for the category.
                "automationDetails": {"id": f"policies/{report.state.stack}/"},
                "results": list(_results(report)),
            }
        ],
    }


def _rule(outcome: Outcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.statement},
        "fullDescription": {"text": rule.rationale},
        "help": {"text": rule.remediation},
        "defaultConfiguration": {"level": "error" if rule.level == "mandatory" else "warning"},
        "properties": {
            "tags": ["security", FRAMEWORK, *rule.criteria],
            "security-severity": _SCORES[rule.severity],
        },
    }


def _results(report: Report) -> Iterator[dict[str, Any]]:
    for index, outcome in enumerate(report.outcomes):
        for verdict in outcome.verdicts:
            yield _result(report, index, verdict)


def _result(report: Report, index: int, verdict: Verdict) -> dict[str, Any]:
    file, line = report.state.positions.get(verdict.urn, (f"Pulumi.{report.state.stack}.yaml", 1))
    level = {"violation": "error" if verdict.rule.level == "mandatory" else "warning"}.get(verdict.finding.kind, "note")
    same = f"{verdict.rule.id}\n{verdict.urn}\n{verdict.finding.path}\n{verdict.finding.problem}"
    result: dict[str, Any] = {
        "ruleId": verdict.rule.id,
        "ruleIndex": index,
        "level": level,
        "message": {"text": verdict.message},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}},
                "logicalLocations": [{"fullyQualifiedName": verdict.urn, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"finding/v1": hashlib.sha256(same.encode()).hexdigest()},
    }
    if verdict.exemption:
        entry = verdict.exemption.entry
        result["suppressions"] = [{"kind": "external", "justification": f"{entry.ticket}: {entry.reason}"}]
    return result
