"""What rules read of the platform's components is what the components say of themselves."""

from __future__ import annotations

from typing import Any, cast

from components.plan.spec import CLOUDS, PRODUCTS
from components.products.props import props
from policies.resource import PRODUCT
from policies.rules import RULES
from tests.products.machines import stack

_UNCLAIMED = {
    # Of controllers, which no region has: workers have no certificate and no database of their own.
    "BoundaryCluster database.tlsMode",
    "BoundaryCluster nodes",
    "BoundaryCluster tls.certTtlHours",
    "BoundaryCluster tls.rotation",
    # The platform names images by their build; clouds that have digests would say one instead.
    *(f"{product.capitalize()}Cluster server.image.digest" for product in PRODUCTS),
}
"""What rules read and no component says, with the reason."""


def _said(value: object, steps: list[str]) -> bool:
    """Whether something lies at a path; for lists, in any element."""
    if not steps:
        return True
    name = steps[0].removesuffix("?").removesuffix("[]")
    below = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    if isinstance(below, list) and steps[0].removesuffix("?").endswith("[]"):
        return not below or any(_said(item, steps[1:]) for item in cast("list[object]", below))
    return below is not None and _said(below, steps[1:])


def _read() -> set[tuple[str, str]]:
    """Each product component and path that a rule reads of it."""
    return {
        (token.removeprefix(PRODUCT), read)
        for rule in RULES
        for check in rule.on_resources
        for token in check.types
        if token.startswith(PRODUCT) and token != PRODUCT
        for read in check.reads
    }


def test_every_path_that_a_rule_reads_of_a_cluster_is_claimed_by_it() -> None:
    claims = {
        f"{product.capitalize()}Cluster": [props(stack(cloud), product) for cloud in CLOUDS] for product in PRODUCTS
    }
    read = _read()
    assert len(read) > 50
    missing = {
        f"{cluster} {path}"
        for cluster, path in read
        if not any(_said(said, path.split(".")) for said in claims[cluster])
    }
    assert sorted(missing) == sorted(_UNCLAIMED)
