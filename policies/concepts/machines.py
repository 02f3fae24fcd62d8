"""What a machine type says of a machine: how much it has, and whether that is lent.

Owns the names of AWS, Azure and Google. A name that none of the three would give says nothing, and is refused.

Source: the vendors' tables of instance types; memory follows from family and size.
"""

from __future__ import annotations

import re

LEAST_CORES, LEAST_GIB = 2, 8

_AWS = re.compile(r"(?P<family>[a-z][a-z-]*)(?P<generation>\d)(?P<kind>[a-z0-9-]*)\.(?P<size>[a-z0-9-]+)$")
_AWS_LARGER = re.compile(r"\d*xlarge$|metal")
_AWS_SMALLER = frozenset({"medium", "small", "micro", "nano"})
_AWS_LEAN = re.compile(r"(?:c\d|a1)")
"""Families with two GiB a core."""

_AZURE = re.compile(
    r"Standard_(?P<family>[A-Z]+)(?P<cores>\d+)(?:-(?P<active>\d+))?(?P<kind>[a-z]*)(?P<rest>(?:_[A-Za-z0-9]+)*)$"
)
_AZURE_GIB = {"A": 2.0, "F": 2.0, "D": 3.5, "DS": 3.5}
"""GiB a core in families of the first two generations that have less than four."""
_AZURE_OLD = ("", "_v2")

_GOOGLE = re.compile(r"(?P<family>[a-z]\d+[a-z]*)-(?P<class>[a-z]+)-(?P<cores>\d+)[-a-z]*$")
_GOOGLE_CUSTOM = re.compile(r"(?:[a-z]\d[a-z]?-)?custom-(?P<cores>\d+)-(?P<mib>\d+)(?:-ext)?$")
_GOOGLE_SHARED = re.compile(r"(?:e2-(?:micro|small|medium)|f1-micro|g1-small)$")
_GOOGLE_GIB = {
    ("n1", "standard"): 3.75, ("n1", "highcpu"): 0.9, ("n2", "highcpu"): 1.0, ("n2d", "highcpu"): 1.0,
    ("e2", "highcpu"): 1.0,
}  # fmt: skip
"""GiB a core by family and class, where it is not two of `highcpu` or four or more."""


def unfit(machine: object) -> str:
    """Why a server must not run on a machine type, as the end of a sentence; empty where it may."""
    name = machine.rpartition("/")[2] if isinstance(machine, str) else ""
    for read in (_on_aws, _on_azure, _on_google):
        said = read(name)
        if said is not None:
            return said
    return "must be a machine type that is known"


def _small(cores: int, gib: float) -> str:
    if cores < LEAST_CORES or gib < LEAST_GIB:
        return f"must have at least {LEAST_CORES} cores and {LEAST_GIB} GiB"
    return ""


_LENT = "must not be of a burstable type"


def _on_aws(name: str) -> str | None:
    found = _AWS.match(name)
    if found is None:
        return None
    if found["family"] == "t":
        return _LENT
    size = found["size"]
    if size in _AWS_SMALLER:
        cores = 1
    elif size == "large":
        cores = 2
    elif _AWS_LARGER.match(size):
        cores = 4
    else:
        return None
    return _small(cores, cores * (2 if _AWS_LEAN.match(name) else 4))


def _on_azure(name: str) -> str | None:
    if name.startswith(("Standard_B", "Basic_")):
        return _LENT
    found = _AZURE.match(name)
    if found is None:
        return None
    cores, gib = int(found["cores"]), 4.0
    if "m" in found["kind"]:
        gib = 8.0
    elif "l" in found["kind"]:
        gib = 2.0
    elif found["rest"] in _AZURE_OLD:
        gib = _AZURE_GIB.get(found["family"], gib)
    return _small(int(found["active"] or cores), cores * gib)


def _on_google(name: str) -> str | None:
    if _GOOGLE_SHARED.match(name):
        return _LENT
    custom = _GOOGLE_CUSTOM.match(name)
    if custom is not None:
        return _small(int(custom["cores"]), int(custom["mib"]) / 1024)
    found = _GOOGLE.match(name)
    if found is None:
        return None
    cores = int(found["cores"])
    usual = 2.0 if found["class"] == "highcpu" else 4.0
    return _small(cores, cores * _GOOGLE_GIB.get((found["family"], found["class"]), usual))
