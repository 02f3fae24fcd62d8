"""Machine images are fixed by id or exact version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.clusters import CLUSTERS
from policies.conditions import LITERAL, NOT_TRUE, Condition, advised, matching
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_int

_AMI = matching(lambda image: image.startswith("ami-"), "must be an image's id")
_NUMBER = Condition(
    lambda value: as_int(value) is not None,
    "must be a number",
    # The output `latestVersion` of a template of this stack.
    accepts_unknown=True,
)
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_MIXED = "mixedInstancesPolicy?.launchTemplate.launchTemplateSpecification"

_GALLERY = re.compile(r"/versions/\d+\.\d+\.\d+$", re.IGNORECASE)
_GALLERIES = ("id", "sharedGalleryImageId", "communityGalleryImageId")
_VM, _SET = "storageProfile.imageReference", "virtualMachineProfile.storageProfile.imageReference"

_DATED = re.compile(r"-v\d{8}[a-z]?$")
"""How the names of Google's public images end, in contrast to those of families."""


def _one_image(image: str) -> bool:
    """Whether a name means one image: without a path, Google takes it for a family too."""
    steps = image.split("/")
    return "family" not in steps and "latest" not in image and ("images" in steps or _DATED.search(image) is not None)


_IMAGE = matching(_one_image, "must be the name of one image, not of a family")


def _fixed(resource: Resource, base: str) -> Iterator[Finding]:
    version, galleries = resource.get(f"{base}.version"), [f"{base}.{name}" for name in _GALLERIES]
    named = [path for path in galleries if resource.get(path) is not ABSENT]
    for path in named:
        if not _GALLERY.search(str(resource.get(path))):
            yield Finding(path, "must end in a version")
    if not named and (version is ABSENT or str(version).lower() == "latest"):
        yield Finding(f"{base}.version", "must be an exact version")


def _machine(resource: Resource, _: Context) -> Iterator[Finding]:
    yield from _fixed(resource, _VM)


def _scale_set(resource: Resource, _: Context) -> Iterator[Finding]:
    yield from _fixed(resource, _SET)


_REFERENCE = ("version", *_GALLERIES)
RULE = Rule(
    "machine-image-pinned",
    (
        on("aws:ec2/instance:Instance", need("ami", _AMI)),
        on(
            _TEMPLATE,
            need("imageId", _AMI),
            need("updateDefaultVersion", advised(NOT_TRUE)),
        ),
        on(
            "aws:autoscaling/group:Group",
            need("launchTemplate?.version", _NUMBER),
            need(f"{_MIXED}.version", _NUMBER),
        ),
        Check(("azure-native:compute:VirtualMachine",), _machine, tuple(f"{_VM}.{name}" for name in _REFERENCE)),
        Check(
            ("azure-native:compute:VirtualMachineScaleSet",), _scale_set, tuple(f"{_SET}.{name}" for name in _REFERENCE)
        ),
        on(
            "azure-native:compute:VirtualMachineScaleSet",
            need("upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade", NOT_TRUE),
        ),
        # A boot disk that is a resource of its own has no parameters.
        on("gcp:compute/instance:Instance", need("bootDisk.initializeParams?.image", _IMAGE)),
        on("gcp:compute/regionInstanceTemplate:RegionInstanceTemplate", need("disks[].sourceImage?", _IMAGE)),
        on(CLUSTERS, need("server.image.ref", LITERAL)),
    ),
)
