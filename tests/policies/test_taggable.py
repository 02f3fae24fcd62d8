"""The table of types that take tags is what the installed SDKs say.

`python -m tests.policies.test_taggable` writes it. The SDKs' sources are read as text: importing five thousand classes to
look at one argument of each would take minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from policies.concepts.taggable import TABLE, taggable

_PACKAGES = ("aws", "azure_native", "gcp")
_FORMS = ("user_labels", "resource_labels", "labels")
_MODULES = re.compile(r'resource_modules="""\s*(\[.*?\])\s*"""', re.DOTALL)
_ARGUMENTS = re.compile(r"class \w*Args\b.*?def __init__\(__self__(.*?)\):\n", re.DOTALL)
# A list of tags is another thing in each type, and is known to the rule where it matters.
_MAP = r"\b{}: pulumi\.Input\[(?:Optional\[)?Mapping\[str, pulumi\.Input\[_builtins\.str\]\]"


def _read() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        spec = find_spec(f"pulumi_{package}")
        assert spec
        assert spec.submodule_search_locations
        root = Path(spec.submodule_search_locations[0])
        found = _MODULES.search((root / "__init__.py").read_text(encoding="utf-8"))
        assert found
        for module in json.loads(found[1]):
            folder = root.parent / module["fqn"].replace(".", "/")
            for token, name in module["classes"].items():
                if form := _form(package, _source(folder, name)):
                    yield token, form


def _source(folder: Path, name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\g<0>", name).lower()
    file = folder / f"{snake}.py"
    if file.exists():
        return file.read_text(encoding="utf-8")
    texts = (each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.py")))
    return next(text for text in texts if re.search(rf"^class {name}\(", text, re.MULTILINE))


def _form(package: str, source: str) -> str:
    """The argument that takes tags, as a property; empty where there is none."""
    found = _ARGUMENTS.search(source)
    arguments = found[1] if found else ""
    for form in _FORMS if package == "gcp" else ("tags",):
        if re.search(_MAP.format(form), arguments):
            # Labels of Google's that only say what a thing is made of have no effective counterpart.
            if form == "labels" and "effective_labels" not in source:
                continue
            return re.sub(r"_(\w)", lambda each: each[1].upper(), form)
    return ""


def _text() -> str:
    return "".join(f"{token} {form}\n" for token, form in sorted(_read()))


def test_the_table_is_what_the_sdks_say() -> None:
    assert TABLE.read_text(encoding="utf-8") == _text(), "write it: python -m tests.policies.test_taggable"


def test_a_type_says_how_it_is_tagged() -> None:
    assert taggable("aws:ec2/vpc:Vpc") == "tags"
    assert taggable("azure-native:compute:Disk") == "tags"
    assert taggable("gcp:storage/bucket:Bucket") == "labels"
    assert taggable("gcp:monitoring/alertPolicy:AlertPolicy") == "userLabels"
    assert taggable("gcp:monitoring/notificationChannel:NotificationChannel") == "userLabels"
    assert taggable("gcp:container/cluster:Cluster") == "resourceLabels"


def test_a_type_without_tags_has_no_form() -> None:
    for token in (
        "aws:ec2/route:Route",
        "aws:autoscaling/group:Group",
        "azure-native:storage:BlobContainer",
        "gcp:cloudidentity/group:Group",
        "gcp:compute/network:Network",
        "random:index/randomPet:RandomPet",
    ):
        assert taggable(token) is None


if __name__ == "__main__":
    TABLE.write_text(_text(), encoding="utf-8")
