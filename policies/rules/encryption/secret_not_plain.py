"""Nothing that many people can read holds a secret."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.containers import containers, in_pods
from policies.concepts.jobspecs import JOB
from policies.concepts.secrets import Found, secrets_in
from policies.conditions import NOT_TRUE
from policies.context import Context
from policies.resource import ROOT_TYPE, Node, Resource, World
from policies.rule import Check, Finding, Rule, across, deferred, each, need, on

_HANDED_ON = "lineage"
"""The primary's output from which the other regions take the platform's roots, the only one that holds secrets. That it
is marked as secret is a property of the program, which no policy can see."""
_PARAMETER = ("type", "value", "insecureValue")


def _said(found: Found) -> Finding:
    return deferred(found.path) if found.kind is None else Finding(found.path, f"holds {found.kind}")


def _free(types: str | tuple[str, ...], *paths: str) -> Check:
    """A check that nothing at the paths holds a secret, however deep."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        for path in paths:
            for node in resource.each(path):
                yield from map(_said, secrets_in(node))

    return Check((types,) if isinstance(types, str) else types, judge, paths)


def _parameter(parameter: Resource, _: Context) -> Iterator[Finding]:
    yield from map(_said, secrets_in(parameter.at("insecureValue")))
    type_, held = parameter.at("type"), list(secrets_in(parameter.at("value")))
    if type_.unknown and held:
        yield deferred(type_.path)
    elif type_.value != "SecureString":
        yield from map(_said, held)


def _pod(pod: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    for container in containers(pod):
        for entry in container.each("env[]"):
            name = entry.at("name")
            yield from map(_said, secrets_in(name))
            yield from map(_said, secrets_in(entry.at("value"), str(name.value)))
        for path in ("command", "args"):
            yield from map(_said, secrets_in(container.at(path)))


def _key(key: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    path = key.at("path")
    yield from map(_said, secrets_in(path))
    yield from map(_said, secrets_in(key.at("value"), str(path.value)))


def _outputs(world: World, _: Context) -> Iterator[Finding]:
    for name, value in (world.root.props if world.root else {}).items():
        if name != _HANDED_ON:
            for found in secrets_in(Node(name, value), name):
                # One unknown says all: before the first update nearly every output is one.
                yield deferred(name) if found.kind is None else _said(found)


RULE = Rule(
    "secret-not-plain",
    (
        _free(
            ("aws:ec2/instance:Instance", "aws:ec2/launchConfiguration:LaunchConfiguration"),
            "userData",
            "userDataBase64",
        ),
        _free("aws:ec2/launchTemplate:LaunchTemplate", "userData"),
        Check(("aws:ssm/parameter:Parameter",), _parameter, _PARAMETER),
        _free("azure-native:compute:VirtualMachine", "osProfile.customData", "userData"),
        _free(
            "azure-native:compute:VirtualMachineScaleSet",
            "virtualMachineProfile.osProfile.customData",
            "virtualMachineProfile.userData",
        ),
        _free(
            ("gcp:compute/instance:Instance", "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"),
            "metadata",
            "metadataStartupScript",
        ),
        _free("gcp:compute/projectMetadata:ProjectMetadata", "metadata"),
        _free("kubernetes:core/v1:ConfigMap", "data", "binaryData"),
        *in_pods(_pod, of_containers=("env[].name", "env[].value", "command[]", "args[]")),
        each("consul:index/keys:Keys", "keys[]", _key, ("path", "value")),
        _free(JOB, "jobspec"),
        on("vault:index/audit:Audit", need("options.log_raw", NOT_TRUE)),
        across(_outputs, (ROOT_TYPE, ())),
    ),
)
