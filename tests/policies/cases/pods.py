"""One pod spec in every Kubernetes object that can declare it, for the cases of rules about pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.policies.case import Case

_SELECTOR = {"matchLabels": {"app": "example"}}


def _template(pod: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "example"}}, "spec": dict(pod)}


def objects(pod: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(type, inputs, path of the pod spec) of every object, and of the lists of them."""
    selected = {"selector": _SELECTOR, "template": _template(pod)}
    template = "spec.template.spec"
    singles = (
        ("kubernetes:apps/v1:StatefulSet", {"spec": {**selected, "serviceName": "example"}}, template),
        ("kubernetes:apps/v1:Deployment", {"spec": selected}, template),
        ("kubernetes:apps/v1:DaemonSet", {"spec": selected}, template),
        ("kubernetes:apps/v1:ReplicaSet", {"spec": selected}, template),
        ("kubernetes:core/v1:ReplicationController", {"spec": {"template": _template(pod)}}, template),
        ("kubernetes:batch/v1:Job", {"spec": {"template": _template(pod)}}, template),
        (
            "kubernetes:batch/v1:CronJob",
            {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": _template(pod)}}}},
            f"spec.jobTemplate.{template}",
        ),
        ("kubernetes:core/v1:Pod", {"spec": dict(pod)}, "spec"),
        ("kubernetes:core/v1:PodTemplate", {"template": _template(pod)}, "template.spec"),
    )
    for token, inputs, path in singles:
        yield token, inputs, path
        yield f"{token}List", {"items": [inputs]}, f"items[0].{path}"


def pod_cases(
    pod: Mapping[str, Any],
    breaks: Mapping[str, Sequence[Any]] | None = None,
    advises: Mapping[str, Sequence[Any]] | None = None,
    indifferent: Sequence[str] = (),
) -> tuple[Case, ...]:
    """A case of every object; all paths start at the pod spec."""
    return tuple(
        Case(
            token,
            inputs,
            {f"{place}.{path}": values for path, values in (breaks or {}).items()},
            {f"{place}.{path}": values for path, values in (advises or {}).items()},
            [f"{_read(place)}.{path}" for path in indifferent],
        )
        for token, inputs, place in objects(pod)
    )


def _read(place: str) -> str:
    """The place as rules read it."""
    steps = place.replace("items[0].", "").split(".")
    return ("items[]." if place.startswith("items") else "") + ".".join(f"{step}?" for step in steps)
