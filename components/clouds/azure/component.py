"""What all of this cloud's components do alike: spare their children the aliases that the SDK adds.

Every class of azure-native carries an alias for each older spelling of its type, dozens for network types, so that
stacks of earlier SDKs are recognised. No stack of this platform is older than the types in use, and computing them is
most of the time that a program takes: 51 ms for a network interface, 3 ms without (60 aliases; measured on two
busy cores). An alias that says more than another type, as a renaming of ours would, stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.clouds.contract import type_token


class Component(pulumi.ComponentResource):
    """A component of this cloud, registered under the type token that all clouds share."""

    def __init__(self, kind: str, name: str, spec: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        sparing = pulumi.ResourceOptions(transformations=[_spare_aliases])
        super().__init__(type_token(kind), name, dict(spec), pulumi.ResourceOptions.merge(opts, sparing))


def _spare_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.type_.startswith("azure-native:"):
        return None
    # The options are this resource's own: its class merged them anew.
    args.opts.aliases = [alias for alias in args.opts.aliases or () if not _is_older_spelling(alias)]
    return pulumi.ResourceTransformationResult(args.props, args.opts)


def _is_older_spelling(alias: object) -> bool:
    given = (
        {field for field, value in vars(alias).items() if value is not ...} if isinstance(alias, pulumi.Alias) else ()
    )
    return given == {"type_"}
