"""docs/compliance.md, written from the catalogue of the policy pack and nothing else.

`python -m docs.compliance_page` writes it; a test compares. To change a rule's words, change policies/catalogue.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import groupby
from pathlib import Path

from policies.catalogue import FRAMEWORK, FRAMEWORK_VERSION, RAISED, Entry, catalogue
from policies.exemptions import LONGEST, SHORTEST_PATTERN, SHORTEST_REASON
from policies.settings import NAMES, Settings

PAGE = Path(__file__).parent / "compliance.md"

CRITERIA: Mapping[str, str] = {
    "CC6.1": "Logical access: keys, encryption, product access control",
    "CC6.2": "Credentials, registration and removal of access",
    "CC6.3": "Roles and least privilege",
    "CC6.6": "Network boundary",
    "CC6.7": "Transmission",
    "CC6.8": "Unauthorised software",
    "CC7.1": "Configuration and versions",
    "CC7.2": "Monitoring and audit",
    "CC7.3": "Detection and evaluation",
    "CC7.5": "Recovery from incidents",
    "CC8.1": "Change management",
    "CC9.1": "Risk of disruption",
    "A1.1": "Capacity",
    "A1.2": "Availability, backup, infrastructure",
    "A1.3": "Recovery tests",
}
PLACES: Mapping[str, str] = {
    "aws": "AWS", "azure": "Azure", "gcp": "Google Cloud", "kubernetes": "Kubernetes", "vault": "Vault", "consul": "Consul",
    "nomad": "Nomad", "random": "random", "tls": "tls", "component": "the project's components",
    "stack": "the stack's outputs",
}  # fmt: skip


def text() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    entries = list(catalogue().values())
    mandatory = sum(entry.level == "mandatory" for entry in entries)
    yield "# Compliance"
    yield ""
    yield "<!-- Written by `python -m docs.compliance_page` from policies/catalogue.yaml; change it there. -->"
    yield ""
    yield (
        f"{len(entries)} rules by criterion of {FRAMEWORK} ({FRAMEWORK_VERSION}), {mandatory} of them mandatory: a change that "
        "breaks one is blocked on `pulumi preview` and `pulumi up`, before anything is created. How to run them, to read "
        "the report and to pass the gate: [security-reviewer.md](security-reviewer.md)."
    )
    yield ""
    yield from _coverage(entries)
    yield from _exemptions()
    yield from _settings()
    ordered = sorted(entries, key=lambda entry: list(CRITERIA).index(entry.criteria[0]))
    for criterion, rules in groupby(ordered, key=lambda entry: entry.criteria[0]):
        yield f"## {criterion} {CRITERIA[criterion]}"
        yield ""
        for rule in rules:
            yield from _rule(rule)


def _coverage(entries: list[Entry]) -> Iterator[str]:
    yield "| Criterion | Asks for | Rules | Mandatory | Also |"
    yield "|---|---|---:|---:|---|"
    for criterion, asks in CRITERIA.items():
        first = [entry for entry in entries if entry.criteria[0] == criterion]
        also = [f"[`{entry.id}`](#{entry.id})" for entry in entries if criterion in entry.criteria[1:]]
        mandatory = sum(entry.level == "mandatory" for entry in first)
        yield f"| {criterion} | {asks} | {len(first)} | {mandatory} | {', '.join(also)} |"
    yield ""


def _exemptions() -> Iterator[str]:
    yield "## Exemptions"
    yield ""
    yield (
        "The only way past a mandatory rule, in the stack's file, under `exemptions`. Each entry names one `rule`, a `urn` "
        f"(a glob with at least {SHORTEST_PATTERN} characters besides its wildcards), a `reason` of at least "
        f"{SHORTEST_REASON} characters, a `ticket`, an `owner`, `approvedBy` (somebody else) and `expires`, at most "
        f"{LONGEST.days} days ahead. An entry that has ended, that fits nothing or that suppresses nothing any more is a "
        "violation of [`exemption-valid`](#exemption-valid) itself; each one in force is shown in every run. None covers a value "
        "that must be plain and is not known before the update, since nobody could see what is let pass."
    )
    yield ""


def _settings() -> Iterator[str]:
    shown = Settings()
    yield "## Settings"
    yield ""
    yield "The pack's configuration (`--policy-pack-config`) may set these, under the name of the policy that uses them."
    yield ""
    yield "| Setting | Default |"
    yield "|---|---|"
    python = {name: camel for camel, name in NAMES.items()}
    for each in fields(Settings):
        yield f"| `{python[each.name]}` | {_default(getattr(shown, each.name))} |"
    yield ""


def _default(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case tuple():
            return ", ".join(f"`{item}`" for item in value) or "none"
        case _:
            return str(value)


def _rule(rule: Entry) -> Iterator[str]:
    yield f'<a id="{rule.id}"></a>'
    yield ""
    yield f"### `{rule.id}`"
    yield ""
    yield f"{rule.statement} {rule.rationale}"
    yield ""
    level = f"{rule.level} (the pack's configuration sets it)" if rule.id in RAISED else rule.level
    yield f"- {', '.join(rule.criteria)} · {level} · {rule.severity} · area {rule.area}"
    yield f"- To do: {rule.remediation}"
    yield f"- Judges {', '.join(PLACES[place] for place in rule.judges)}."
    for cloud, why in rule.not_applicable.items():
        yield f"- Not in {PLACES[cloud]}: {why}."
    yield f"- Unknown at preview: {rule.unknown.rstrip('.')}."
    if rule.exemption:
        yield f"- Exemption: {rule.exemption}."
    yield f"- Answers the runbook's {', '.join(rule.runbook)}."
    yield ""


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
