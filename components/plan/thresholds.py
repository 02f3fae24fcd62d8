"""Threshold bands: from which value on a signal is no longer normal.

Owns the bands that operators keep in `operations/thresholds.yaml` and the judgement of a value by one. Which way a signal
is worse belongs to the signal and stands here; the figures are the operators'. Reads no file and measures nothing.

Dangerous edge: a value on a limit. What is worse when it is high is `elevated` from its limit on, `warning` and `critical`
only above theirs; what is worse when it is low is each below its limit. No value falls between two bands.

Source: runbook, "Key Metrics and Thresholds"; runbook-conformance, "Threshold bands".
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from .operations import validated

FILE = "operations/thresholds.yaml"
Level = Literal["normal", "elevated", "warning", "critical"]
_Limit = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class _Limits(_Part):
    elevated: _Limit
    warning: _Limit
    critical: _Limit


class Rising(_Limits):
    """Limits of what is worse when it is high."""

    @model_validator(mode="after")
    def _ordered(self) -> Rising:
        if not self.elevated <= self.warning <= self.critical:
            raise ValueError("must rise from elevated over warning to critical")
        return self

    def level(self, value: float) -> Level:
        """The band of a value; what is no number is critical."""
        if value < self.elevated:
            return "normal"
        if value <= self.warning:
            return "elevated"
        return "warning" if value <= self.critical else "critical"


class Falling(_Limits):
    """Limits of what is worse when it is low."""

    @model_validator(mode="after")
    def _ordered(self) -> Falling:
        if not self.elevated >= self.warning >= self.critical:
            raise ValueError("must fall from elevated over warning to critical")
        return self

    def level(self, value: float) -> Level:
        """The band of a value; what is no number is critical."""
        if math.isnan(value) or value < self.critical:
            return "critical"
        if value < self.warning:
            return "warning"
        return "elevated" if value < self.elevated else "normal"


def _share(limits: Rising) -> Rising:
    if limits.critical >= 1:
        raise ValueError("a share is below 1, else nothing would ever be critical")
    return limits


class Bands(_Part):
    """The signals.

    Attributes:
        certificate_share: of its life that is left to a certificate that lives less than 90 days.
        backup_age: age of the newest backup over what may be lost.
    """

    disk_used: Annotated[Rising, AfterValidator(_share)]
    inodes_used: Annotated[Rising, AfterValidator(_share)]
    certificate_days: Falling
    certificate_share: Falling
    backup_age: Rising


class Thresholds(_Part):
    """`operations/thresholds.yaml`."""

    bands: Bands


def thresholds(document: object) -> Bands:
    """The bands in a parsed `operations/thresholds.yaml`.

    Raises:
        ValueError: it holds none; says everything that is wrong.
    """
    return validated(Thresholds, document, FILE).bands
