"""The catalogue: every rule's id, criterion, level and words.

Owns the reading of `catalogue.yaml`, which is the one source of the levels, of the texts in messages and of
docs/compliance.md. How a rule judges is in `rules`; a test holds that both name the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

Level = Literal["mandatory", "advisory"]
Severity = Literal["critical", "high", "medium", "low"]
Area = Literal[
    "encryption", "identity", "exposure", "transport", "network", "logging", "availability", "backup", "workload",
    "change",
]  # fmt: skip
Place = Literal[
    "aws", "azure", "gcp", "kubernetes", "vault", "consul", "nomad", "random", "tls", "component", "stack",
]  # fmt: skip
"""Where a rule finds what it judges: a cloud or another package's resources, components' props, the stack's outputs."""

FRAMEWORK = "SOC 2"
FRAMEWORK_VERSION = "2017"

RAISED: frozenset[str] = frozenset({"change-recorded", "change-window", "dr-drill-fresh"})
"""Rules whose level the pack's configuration sets, each a policy of its own: what blocks a deployment need not block a
pull request, and a pack cannot tell one from the other."""


class Entry(BaseModel):
    """One rule in words.

    Attributes:
        criteria: of SOC 2; the first one counts the rule.
        judges: where it finds what it judges.
        not_applicable: why it judges nothing in a cloud, by cloud.
        exemption: empty where exemptions are taken, `none`, or the cases in which one is.
        runbook: sections that the rule answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    id: str
    area: Area
    criteria: tuple[str, ...]
    level: Level
    severity: Severity
    judges: tuple[Place, ...]
    not_applicable: Mapping[Literal["aws", "azure", "gcp"], str] = {}
    exemption: str = ""
    runbook: tuple[str, ...]
    statement: str
    rationale: str
    unknown: str
    remediation: str

    @property
    def exemptible(self) -> bool:
        return self.exemption != "none"


@cache
def catalogue() -> Mapping[str, Entry]:
    """All rules by id, in the order of the document."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (Path(__file__).parent / "catalogue.yaml").read_text(encoding="utf-8")
    rows: Any = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, in C where there is one
    return TypeAdapter(dict[str, Entry]).validate_python({key: {"id": key, **row} for key, row in rows.items()})
