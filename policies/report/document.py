"""The report as plain data: what JSON holds, and what the page is made of.

Schema 1. Statuses are those of `evaluate`; `urn` is the engine's; times are UTC in ISO 8601; digests are SHA-256 in hex.
"""

from __future__ import annotations

from typing import Any

from policies.catalogue import FRAMEWORK, FRAMEWORK_VERSION
from policies.exemptions import Exemption
from policies.report.evaluate import Outcome, Report
from policies.verdict import Verdict

SCHEMA = 1


def document(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "schema": SCHEMA,
        "stack": report.state.stack,
        "framework": {"name": FRAMEWORK, "version": FRAMEWORK_VERSION},
        "judgedAt": report.at.isoformat(timespec="seconds"),
        "state": {
            "sha256": report.state.digest,
            "savedAt": report.state.saved,
            "resources": len(report.state.resources),
        },
        "compliance": {"pairs": report.pairs, "violated": report.violated, "rate": report.rate},
        "blocking": len(report.blocking),
        "exemptions": [_exemption(each) for each in report.exemptions],
        "rules": [_outcome(each) for each in report.outcomes],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "id": rule.id,
        "criteria": list(rule.criteria),
        "area": rule.area,
        "level": rule.level,
        "severity": rule.severity,
        "statement": rule.statement,
        "status": outcome.status,
        "evaluated": len(outcome.evaluated),
        "evidence": outcome.evidence,
        "violations": [_verdict(each) for each in outcome.violations],
        "exempted": [
            {**_verdict(each), "ticket": each.exemption.entry.ticket} for each in outcome.exempted if each.exemption
        ],
        "undecided": [_verdict(each) for each in outcome.undecided],
        "advice": [_verdict(each) for each in outcome.advice],
    }


def _verdict(verdict: Verdict) -> dict[str, str]:
    return {"urn": verdict.urn, "path": verdict.finding.path, "message": verdict.message}


def _exemption(exemption: Exemption) -> dict[str, Any]:
    entry = exemption.entry
    return {
        "rule": entry.rule,
        "urn": entry.urn,
        "reason": entry.reason,
        "ticket": entry.ticket,
        "owner": entry.owner,
        "approvedBy": entry.approved_by,
        "expires": entry.expires.isoformat(),
        "daysLeft": exemption.days_left,
    }
