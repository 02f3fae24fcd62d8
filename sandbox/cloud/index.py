"""How records are found: handles, claims and uses, as their models declare them.

Derived from the record and its model each time it is loaded, so the file of a store holds no copy that could disagree.
"""

from __future__ import annotations

from typing import Final

from sandbox.cloud import wire
from sandbox.cloud.graves import alive, is_buried
from sandbox.cloud.packages import AWS_ACCOUNT, package
from sandbox.cloud.registry import model_of
from sandbox.cloud.schema import package_of
from sandbox.cloud.store import Entry, Record

# Scope words of `Model.unique` that are the same for every resource of the one account there is.
_CONSTANT: Final = {"account": AWS_ACCOUNT}


def entry(record: Record) -> Entry:
    """How a record is found."""
    type_ = alive(record.type)
    model, fold = model_of(type_), package(package_of(type_)).fold
    if is_buried(record):
        return Entry(claims=_claims(record, type_))
    handles = {(record.type, fold(record.id))}
    for name in model.handles:
        value = record[name]
        if isinstance(value, str):
            handles.add((record.type, fold(value)))
    for other, name in model.stands_for.items():
        value = record[name]
        if isinstance(value, str):
            handles.add((other, fold(value)))
    plain = wire.plain(record.inputs)
    uses = tuple(
        (fold(value), path, frozenset(ref.types))
        for ref in model.references
        if ref.holds
        for path, value in wire.at(plain, ref.path)
        if isinstance(value, str)
    )
    return Entry(frozenset(handles), _claims(record, type_), uses)


def _claims(record: Record, type_: str) -> frozenset[tuple[str, ...]]:
    model, fold = model_of(type_), package(package_of(type_)).fold
    claims = set[tuple[str, ...]]()
    for names in model.unique:
        values = [_CONSTANT.get(name) or record[name] for name in names]
        if all(isinstance(value, (str, int)) for value in values):
            claims.add((type_, *(fold(str(value)) for value in values)))
    return frozenset(claims)
