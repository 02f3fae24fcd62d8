"""The pack as the engine runs it.

Owns the translation between the policy SDK and the rules. The rule's id stands at the head of each message.

Not imported by tests of rules: the SDK's pins differ from the project's. Importing it starts no server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.catalogue import FRAMEWORK, FRAMEWORK_VERSION, catalogue
from policies.groups import STACK, Group, groups
from policies.resource import Options, Provider, Resource, World
from policies.rule import Rule
from policies.rules import AREAS
from policies.session import Session
from policies.settings import NAMES, Settings, read
from policies.values import thaw
from policies.verdict import Verdict

NAME = "hashicorp-multicloud"
LAST_AREA = list(AREAS)[-1]


def policies(folder: Path) -> list[Policy]:
    """Every policy of the pack.

    Args:
        folder: where to search for the stack's file, upwards.
    """
    session = Session(folder)
    return [policy for group in groups() for policy in _pair(session, group)]


def _pair(session: Session, group: Group) -> Iterable[Policy]:
    """The policies for a group of rules: one on resources, one on the stack, where it has any."""
    on_resources, on_stacks = group.on_resources, group.on_stacks
    described = f"{FRAMEWORK}, {group.name}"

    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        # The type alone says whether anything is to be judged; turning the rest into plain values costs.
        seed = Resource(args.urn, args.resource_type, args.name, {})
        concerned = tuple(rule for rule in on_resources if rule.concerns(seed))
        if concerned:
            _report(session.resource(concerned, _resource(args), _settings(args.get_config())), group, report)

    def check_stack(args: StackValidationArgs, report: ReportViolation) -> None:
        world = World(tuple(_held(resource) for resource in args.resources))
        verdicts = session.world(on_stacks, world, _settings(args.get_config()))
        # The last area: by now every rule has been asked what an exemption could suppress.
        _report([*verdicts, *(session.unused(world) if group.name == LAST_AREA else ())], group, report)

    if on_resources:
        yield ResourceValidationPolicy(
            name=group.name,
            description=described,
            validate=check,
            enforcement_level=EnforcementLevel(group.level),
            config_schema=_SCHEMA,
            framework=_framework(group.rules),
        )
    if on_stacks:
        yield StackValidationPolicy(
            name=f"{group.name}{STACK}",
            description=described,
            validate=check_stack,
            enforcement_level=EnforcementLevel(group.level),
            config_schema=_SCHEMA,
            framework=_framework(group.rules),
        )


def _report(verdicts: Iterable[Verdict], group: Group, report: ReportViolation) -> None:
    for verdict in verdicts:
        if group.reports(verdict):
            report(verdict.message, verdict.urn or None)


def _framework(rules: tuple[Rule, ...]) -> PolicyComplianceFramework:
    criteria = sorted({catalogue()[rule.id].criteria[0] for rule in rules})
    return PolicyComplianceFramework(FRAMEWORK, FRAMEWORK_VERSION, ", ".join(criteria))


_SCHEMA = PolicyConfigSchema({name: {} for name in NAMES})


def _settings(configured: Mapping[str, Any]) -> Settings:
    return read(thaw(configured)) if configured else Settings()


def _resource(args: ResourceValidationArgs) -> Resource:
    provider = args.provider and Provider(args.provider.resource_type, thaw(args.provider.props))
    return Resource(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        props=thaw(args.props),
        options=Options(bool(args.opts.protect), tuple(args.opts.ignore_changes)),
        provider=provider or None,
    )


def _held(resource: PolicyResource) -> Resource:
    return Resource(
        urn=resource.urn,
        type=resource.resource_type,
        name=resource.name,
        props=thaw(resource.props),
        options=Options(bool(resource.opts.protect), tuple(resource.opts.ignore_changes)),
        parent=resource.parent.urn if resource.parent else None,
        dependencies={
            prop: tuple(other.urn for other in others) for prop, others in resource.property_dependencies.items()
        },
    )
