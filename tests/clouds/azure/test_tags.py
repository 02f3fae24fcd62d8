"""Everything of Azure that takes tags gets them and keeps its own; a type that nobody has thought of is refused."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pulumi_azure_native
import pytest

from components.clouds import azure
from components.clouds.azure.tags import tagged

TAGS = {"Project": "hashicorp-multicloud", "Owner": "platform"}
_MODULES = "authorization|compute|keyvault|managedidentity|monitor|network|privatedns|resources|storage"
_USE = re.compile(rf"\b({_MODULES})\.([A-Z]\w+)\(")


def _used() -> dict[str, type[Any]]:
    """Every resource class that the package makes, by type token."""
    found: dict[str, type[Any]] = {}
    for file in Path(azure.__file__).parent.glob("*.py"):
        for module, name in _USE.findall(file.read_text(encoding="utf-8")):
            made = getattr(getattr(pulumi_azure_native, module), name)
            if hasattr(made, "_internal_init"):
                found[f"azure-native:{module}:{name}"] = made
    return found


USED = _used()


def _takes_tags(made: type[Any]) -> bool:
    return "tags" in inspect.signature(made._internal_init).parameters


def test_the_search_finds_the_resources_of_the_package() -> None:
    assert len(USED) > 20
    assert {"azure-native:compute:VirtualMachine", "azure-native:authorization:RoleAssignment"} <= USED.keys()


@pytest.mark.parametrize("token", sorted(USED))
def test_a_type_is_tagged_exactly_where_the_sdk_lets_it(token: str) -> None:
    made = tagged(token, {"location": "westus2", "tags": {"Owner": "me"}}, TAGS)
    if _takes_tags(USED[token]):
        assert made == {"location": "westus2", "tags": {"Project": "hashicorp-multicloud", "Owner": "me"}}
        assert tagged(token, {}, TAGS) == {"tags": TAGS}
    else:
        assert made is None


def test_a_type_of_azure_that_stands_nowhere_is_refused() -> None:
    with pytest.raises(LookupError, match="web:WebApp is in no list"):
        tagged("azure-native:web:WebApp", {}, TAGS)


def test_what_is_not_azures_is_left_alone() -> None:
    assert tagged("hashicorp:clouds:Network", {"cidr": "10.2.0.0/16"}, TAGS) is None
    assert tagged("tls:index/privateKey:PrivateKey", {}, TAGS) is None
