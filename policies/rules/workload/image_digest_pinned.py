"""Container images come from an approved registry and are pinned by digest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.charts import RELEASE
from policies.concepts.clusters import CLUSTERS
from policies.concepts.containers import containers, in_pods
from policies.concepts.images import Image, chart_images, image
from policies.concepts.jobspecs import JOB, READS, Block, jobs
from policies.conditions import LITERAL, matching
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, deferred, need, on

_CHART = "kubernetes:helm.sh/v4:Chart"
_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][\w.+-]+)?")
_SCHEMES = ("https://", "oci://")
_DRIVERS = ("docker", "podman")


def _wrong(asked: Image, context: Context) -> Iterator[str]:
    if not asked.pinned:
        yield "must be pinned by a digest (`@sha256:`)"
    if not asked.within(context.settings.approved_registries):
        yield "must come from an approved registry"


def _pod(pod: Node, _: Resource, context: Context) -> Iterator[Finding]:
    for container in containers(pod):
        node = container.at("image")
        if node.unknown:
            yield deferred(node.path)
        else:
            for problem in _wrong(image(node.path, str(node.value)), context):
                yield Finding(node.path, problem)


def _repository(release: Resource, context: Context) -> Iterator[Finding]:
    """Where the chart comes from: an OCI reference names it itself."""
    chart = str(release.get("chart"))
    node = release.at("chart" if chart.startswith("oci://") else "repositoryOpts.repo")
    place, approved = f"{node.known()}/", context.settings.approved_registries
    if not any(place.startswith(f"{scheme}{registry}/") for scheme in _SCHEMES for registry in approved):
        yield Finding(node.path, "must be an approved one, over https or oci")


def _images(release: Resource, context: Context) -> Iterator[Finding]:
    values = release.at("values")
    for asked in chart_images(values):
        for problem in _wrong(asked, context):
            yield Finding(asked.path, problem)
    for text in values.texts():
        if text.unknown:
            yield deferred(text.path)


def _job(job: Resource, context: Context) -> Iterator[Finding]:
    for root in jobs(job):
        for task in root.every("task"):
            if task.get("driver") in _DRIVERS:
                for config in task.within("config"):
                    asked = image("jobspec", config.get("image"))
                    for problem in _wrong(asked, context):
                        yield Finding(asked.path, f"has a task whose image {problem}")
        if not all(_summed(artifact) for artifact in root.every("artifact")):
            yield Finding("jobspec", "has an artifact without a checksum")


def _summed(artifact: Block) -> bool:
    return "checksum=" in artifact.get("source") or any(o.get("checksum") for o in artifact.within("options"))


RULE = Rule(
    "image-digest-pinned",
    (
        *in_pods(_pod, of_containers=("image",)),
        on(
            (RELEASE, _CHART),
            need("version", matching(lambda text: _EXACT.fullmatch(text) is not None, "must be one exact version")),
        ),
        Check((RELEASE, _CHART), _repository, ("chart", "repositoryOpts.repo")),
        Check((RELEASE,), _images, ("values",)),
        Check((JOB,), _job, READS),
        on(
            CLUSTERS,
            need("server.image.digest", LITERAL),
            when=lambda cluster: cluster.get("runsOn") == "kubernetes",
            reads=("runsOn",),
        ),
    ),
)
