"""Everything that takes a label gets the common ones, in Google's form, and keeps what it had."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pulumi_gcp
import pytest

from components.clouds import gcp
from components.clouds.gcp.tags import LABELLED, USER_LABELLED, tagged
from components.plan.naming import tags
from tests.clouds.region import PLATFORM

TAGS = tags(PLATFORM, "gcp", "vault")
_USE = re.compile(r"\bgcp\.([a-z]+)\.([A-Z][A-Za-z0-9]+)\(")


def _used() -> dict[str, type]:
    """Every resource class that the package makes, by type token."""
    found: dict[str, type] = {}
    for file in Path(gcp.__file__).parent.glob("*.py"):
        for module, name in _USE.findall(file.read_text(encoding="utf-8")):
            made = getattr(getattr(pulumi_gcp, module), name)
            if hasattr(made, "pulumi_type"):
                found[made.pulumi_type] = made
    return found


def _takes(made: type, what: str) -> bool:
    arguments = getattr(importlib.import_module(made.__module__), f"{made.__name__}Args")
    return what in inspect.signature(arguments.__init__).parameters


@pytest.mark.filterwarnings("ignore:gcp:DeprecationWarning")  # the SDK warns of itself on import
def test_the_table_is_exactly_what_the_package_makes_and_the_sdk_lets_label() -> None:
    used = _used()
    assert len(used) > 25, "the search found too little"
    users = {token for token, made in used.items() if _takes(made, "user_labels")}
    assert users == USER_LABELLED
    # Where both are, `labels` say what the thing is made of.
    assert {token for token, made in used.items() if _takes(made, "labels")} - users == LABELLED


WHERE = {**dict.fromkeys(sorted(LABELLED), "labels"), **dict.fromkeys(sorted(USER_LABELLED), "user_labels")}


@pytest.mark.parametrize(("token", "where"), WHERE.items())
def test_common_labels_are_added_and_a_resources_own_stand(token: str, where: str) -> None:
    made = tagged(token, {"name": "it", where: {"purpose": "mine", "owner": "me"}}, TAGS)
    assert made is not None
    assert made["name"] == "it"
    assert made[where] == {
        "project": "hashicorp-multicloud",
        "environment": "test",
        "cloud": "gcp",
        "region": "us-west1",
        "cluster": "vault-gcp",
        "product": "vault",
        "owner": "me",
        "managedby": "pulumi",
        "purpose": "mine",
    }
    assert tagged(token, made, {"Owner": "someone else", "Project": "other"}) == made


def test_a_type_without_labels_is_left_alone() -> None:
    assert tagged("gcp:compute/network:Network", {"name": "it"}, TAGS) is None
    assert tagged("hashicorp:clouds:Network", {"cidr": "10.3.0.0/16"}, TAGS) is None
