"""Azure autoscale settings.

Source: Microsoft Learn, "Understand autoscale settings", "Autoscale limits".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.parts import SCALE_SET
from sandbox.cloud.registry import Name, Ref, model

_MOST_PROFILES: Final = 20

setting = model(
    "azure-native:monitor:AutoscaleSetting",
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Insights"
    "/autoscaleSettings/{autoscaleSettingName}",
    name=Name("autoscaleSettingName", separator=""),
    unique=(("targetResourceUri",),),
    references=(
        IN_GROUP,
        Ref("targetResourceUri", (SCALE_SET,)),
        Ref("profiles[*].rules[*].metricTrigger.metricResourceUri", (SCALE_SET,)),
    ),
    handles=(),
)


@setting.check
def _bounds(draft: Draft) -> Iterator[Failure]:
    profiles = list(draft.each("profiles[*]"))
    if not 1 <= len(profiles) <= _MOST_PROFILES:
        yield draft.fail("profiles", f"expected 1 to {_MOST_PROFILES} profiles, got {len(profiles)}")
    for path, item in profiles:
        given = item.get("capacity") or {}
        words = [given.get(name) for name in ("minimum", "default", "maximum")]
        if not all(isinstance(word, str) for word in words):
            continue
        numbers = [int(str(word)) for word in words if str(word).isdigit()]
        if len(numbers) < len(words):
            yield draft.fail(f"{path}.capacity", f"minimum, default and maximum are whole numbers in text, got {words}")
        elif numbers != sorted(numbers):
            yield draft.fail(f"{path}.capacity", f"expected minimum <= default <= maximum, got {words}")
