"""The simulated cloud itself: check, diff, create, read, update, delete, invoke, on Python values.

Owns the order in which schema, models, store and faults speak. Knows nothing of gRPC: `server.py` translates.
Everything that looks at other resources and then writes happens under the store's lock; model computations, which may
take long (a private key), happen before it.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from sandbox.cloud import acting, answers, products, wire
from sandbox.cloud.check import Failure, check
from sandbox.cloud.diff import Change, differences
from sandbox.cloud.draft import Call, Draft, Provider
from sandbox.cloud.errors import PartialFailureError, Refusal
from sandbox.cloud.faults import Effect, Faults, Operation, Rule
from sandbox.cloud.graves import buried, has_passed, is_buried
from sandbox.cloud.reaching import Reach
from sandbox.cloud.registry import Model, function_of, model_of
from sandbox.cloud.schema import SchemaBook, TypeSchema
from sandbox.cloud.store import Record, Store
from sandbox.cloud.wire import Value

_DEFAULTS: Final = "__defaults"  # inputs that the provider made up; bridged providers keep the same note


@dataclass(frozen=True)
class Difference:
    """Answer to a diff. `delete_first`: the replacement needs the name that the old one has."""

    changes: list[Change]
    delete_first: bool


@dataclass(frozen=True)
class Cloud:
    """Everything that exists and all rules about it; safe to use from many threads."""

    store: Store
    schemas: SchemaBook
    faults: Faults
    reach: Reach = field(default_factory=Reach)

    def check(
        self, provider: Provider, urn: str, type_: str, old: dict[str, Value], new: dict[str, Value], seed: bytes
    ) -> tuple[dict[str, Value], list[Failure]]:
        """Fill in what the provider makes up, and say what is wrong with the inputs alone.

        Raises:
            SchemaError: nobody ships such a type.
        """
        schema, model = self._meaning(type_, provider)
        new = _named(model, urn.rpartition("::")[2], old, new, seed or urn.encode())
        draft = Draft(model, provider, self.store, urn, wire.plain(new))
        failures = check(schema, new)
        failures += _name_failures(draft)
        for hook in model.checks:
            failures += hook(draft)
        failures += acting.unsupported(draft)
        return new, failures

    def diff(
        self, provider: Provider, urn: str, type_: str, id_: str,
        old: dict[str, Value], new: dict[str, Value], ignored: list[str],
    ) -> Difference:  # fmt: skip
        """Compare inputs, and ask the model whether the resource must be renewed although nothing changed."""
        schema, model = self._meaning(type_, provider)
        fixed = {*model.immutable, *(() if model.acts else provider.package.fixed(schema))}
        before, after = wire.plain(old), wire.plain(new)
        changes = differences(before, after, fixed, ignored)
        if provider.package.keeps_dropped:
            changes = [change for change in changes if change.kind != "delete" or change.path not in schema.computed]
        record = self.store.get((type_, id_))
        draft = Draft(model, provider, self.store, urn, after, record, id_)
        if record is not None:
            changes += [Change(path, "update", replaces=True) for hook in model.renewals for path in hook(draft)]
        replaced = any(change.replaces for change in changes)
        same = _keeps_given_name(model, before, after, new) or acting.deletes_first(draft, before)
        return Difference(changes, delete_first=replaced and same)

    def create(
        self, provider: Provider, urn: str, type_: str, inputs: dict[str, Value], *, preview: bool
    ) -> tuple[str, dict[str, Value]]:
        """Make a resource; its id and outputs.

        Raises:
            Refusal: the cloud does not make it.
            PartialFailureError: it exists, and a fault rule says it failed.
        """
        schema, model = self._meaning(type_, provider)
        draft = Draft(model, provider, self.store, urn, wire.plain(inputs))
        if preview:
            return "", answers.expected(schema, draft, inputs)
        rule = self._strike("create", draft)
        if products.acts(provider, type_):
            made = acting.create(self.reach, schema, draft, inputs)
            _report(rule, made)
            return made.id, made.outputs
        draft.id = _identified(draft) or provider.package.identify(draft, schema)
        computed = _computed(draft) if model.slow else {}
        with self.store.lock:
            self._admit(draft)
            computed = computed or _computed(draft)
            draft.id = str(computed.pop("id", draft.id))
            fold = provider.package.fold
            if any(fold(found.id) == fold(draft.id) for found in self.store.find(type_, fold(draft.id))):
                raise provider.package.taken(draft, draft.id)
            record = Record(type_, draft.id, urn, inputs, answers.answered(schema, draft, inputs, computed))
            self._claim(draft, record)
            self.store.put(record)
        _report(rule, record)
        return record.id, record.outputs

    def update(
        self, provider: Provider, remembered: Record, inputs: dict[str, Value], *, preview: bool
    ) -> dict[str, Value]:
        """Change a resource in place; its outputs. `remembered` is what the engine knows of it.

        Raises:
            Refusal: the cloud does not do it, or the resource is gone.
            PartialFailureError: it is changed, and a fault rule says it failed.
        """
        schema, model = self._meaning(remembered.type, provider)
        acts = products.acts(provider, remembered.type)
        old = remembered if acts else self.store.get(remembered.key)
        draft = Draft(model, provider, self.store, remembered.urn, wire.plain(inputs), old, remembered.id)
        if preview:
            return answers.expected(schema, draft, inputs)
        if old is None:
            raise provider.package.missing(draft, "id", remembered.id, "")
        rule = self._strike("update", draft)
        if acts:
            changed = acting.update(self.reach, schema, draft, inputs)
            _report(rule, changed)
            return changed.outputs
        computed = _computed(draft) if model.slow else {}
        with self.store.lock:
            self._admit(draft)
            computed = computed or _computed(draft)
            computed.pop("id", None)
            outputs = answers.answered(schema, draft, inputs, computed)
            record = replace(old, urn=remembered.urn, inputs=inputs, outputs=outputs)
            self._claim(draft, record)
            self.store.put(record)
        _report(rule, record)
        return record.outputs

    def read(self, provider: Provider, remembered: Record) -> Record | None:
        """What exists under an id; None if nothing does."""
        record = self.store.get(remembered.key)
        model = model_of(remembered.type)
        draft = Draft(model, provider, self.store, remembered.urn, wire.plain(remembered.inputs), record, remembered.id)
        self._strike("read", draft)
        if model.acts and products.acts(provider, remembered.type):
            return acting.read(self.reach, self.schemas.get(remembered.type), draft, remembered)
        return record

    def delete(self, provider: Provider, remembered: Record) -> None:
        """Remove a resource; nothing happens if it is gone already.

        Raises:
            Refusal: something refers to it, or its model guards it.
        """
        model = model_of(remembered.type)
        acts = model.acts and products.acts(provider, remembered.type)
        record = remembered if acts else self.store.get(remembered.key)
        if record is None:
            return
        draft = Draft(model, provider, self.store, remembered.urn, wire.plain(record.inputs), record, record.id)
        self._strike("delete", draft)
        if acts:
            acting.delete(self.reach, draft, record)
            return
        with self.store.lock:
            for user, _ in self.store.users(record):
                raise provider.package.held(draft, user)
            for guard in model.guards:
                guard(draft)
            self.store.remove(record.key)
            days = model.lingers(draft) if model.lingers else None
            if days:
                self.store.put(buried(record, days))

    def invoke(self, provider: Provider, token: str, arguments: dict[str, Value]) -> dict[str, Value]:
        """Answer a function.

        Raises:
            Refusal: nobody answers it, or its arguments match nothing.
        """
        function = function_of(token)
        if function is None:
            raise Refusal("UnknownFunction", f"the simulated cloud does not answer {token}", 404)
        rule = self.faults.strike("invoke", token, token.rpartition(":")[2], "")
        if rule:
            _obey(rule)
        return dict(function(Call(token, wire.plain(arguments), provider, self.store, self.reach)))

    def _meaning(self, type_: str, provider: Provider) -> tuple[TypeSchema, Model]:
        """Schema and model of a type; one that nobody wrote is named as its package names things."""
        schema, model = self.schemas.get(type_), model_of(type_)
        if not model.written and model.name is None:
            model.name = provider.package.naming(schema)
        return schema, model

    def _strike(self, operation: Operation, draft: Draft) -> Rule | None:
        """The fault that hits this operation. What happens before it, happens here; the rest is `_report`'s."""
        rule = self.faults.strike(operation, draft.type, draft.logical, draft.stack)
        if rule:
            _obey(rule)
        return rule

    def _admit(self, draft: Draft) -> None:
        for path, value, missing in _dangling(draft):
            raise draft.provider.package.missing(draft, path, value, missing)
        for hook in draft.model.admissions:
            hook(draft)

    def _claim(self, draft: Draft, record: Record) -> None:
        for claim in self.store.entry_of(record).claims:
            holder = self.store.claimed(claim)
            if holder is not None and holder.key != record.key:
                if is_buried(holder):
                    if not has_passed(holder):
                        raise draft.provider.package.lingering(draft, claim[-1])
                    continue
                raise draft.provider.package.taken(draft, claim[-1])


def _obey(rule: Rule) -> None:
    if rule.effect in (Effect.THROTTLE, Effect.TIMEOUT):
        time.sleep(rule.seconds)
    if rule.effect is Effect.TIMEOUT:
        raise Refusal("RequestTimeout", "the request timed out (fault rule)", 408)
    if rule.effect is Effect.QUOTA:
        raise Refusal("QuotaExceeded", "the quota for this kind of resource is exhausted (fault rule)", 429)
    if rule.effect is Effect.FAIL:
        raise Refusal("InternalError", "an internal error occurred (fault rule)", 500)


def _report(rule: Rule | None, record: Record) -> None:
    if rule is None:
        return
    if rule.effect is Effect.PARTIAL:
        raise PartialFailureError(record, "the resource was made, but did not become ready (fault rule)")
    if rule.effect is Effect.LOST:
        raise Refusal("ConnectionReset", "the connection was lost before the answer arrived (fault rule)", 500)


def _identified(draft: Draft) -> str | None:
    id_ = draft.model.id
    return draft.fill(id_) if isinstance(id_, str) and id_ else id_(draft) if callable(id_) else None


def _computed(draft: Draft) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for hook in draft.model.computations:
        found.update(hook(draft))
    return found


def _named(model: Model, logical: str, old: dict[str, Value], new: dict[str, Value], seed: bytes) -> dict[str, Value]:
    """Inputs with the name that the provider makes up if the program gives none; an old made name stays."""
    name = model.name
    if name is None or not name.made or new.get(name.property) is not None or new.get(f"{name.property}Prefix"):
        return new
    if name.property in (old.get(_DEFAULTS) or ()):
        made = old[name.property]
    else:
        base = re.sub(rf"[^{name.characters}]", "", logical.lower() if name.lower else logical)
        end = name.separator + hashlib.sha256(seed + logical.encode()).hexdigest()[:7]
        made = (base[: name.max - len(end)] if name.max else base) + end
    return {**new, name.property: made, _DEFAULTS: [name.property]}


def _keeps_given_name(model: Model, old: dict[str, Value], new: dict[str, Value], noted: dict[str, Value]) -> bool:
    """Whether old and new would have the same name, given by the program: then the old one has to go first.

    Bridged providers ask for that where they could have made a name up; a name that has to be given collides instead.
    """
    name = model.name
    if name is None or not name.made or name.property in (noted.get(_DEFAULTS) or ()):
        return False
    return name.property in old and old.get(name.property) == new.get(name.property)


def _name_failures(draft: Draft) -> Iterator[Failure]:
    name = draft.model.name
    if name is None:
        return
    value = draft.inputs.get(name.property)
    if not isinstance(value, str):
        return
    if name.max and len(value) > name.max:
        yield Failure(name.property, f"'{value}' has {len(value)} characters; at most {name.max} are allowed")
    if name.pattern and not re.fullmatch(name.pattern, value):
        yield Failure(name.property, f"'{value}' is not a valid name: {name.rule or name.pattern}")


def _dangling(draft: Draft) -> Iterator[tuple[str, str, str]]:
    """(property, value, error code) of references to what does not exist; unchanged ones are not looked at again."""
    before = wire.plain(draft.old.inputs) if draft.old else {}
    for ref in draft.model.references:
        known = {value for _, value in wire.at(before, ref.path) if isinstance(value, str)}
        same = {name: draft.inputs.get(name) for name in ref.same}
        for path, value in draft.each(ref.path):
            if not isinstance(value, str) or not value or value in known:
                continue
            if ref.external and re.fullmatch(ref.external, value):
                continue
            if not any(draft.find(type_, value, **same) for type_ in ref.types):
                yield path, value, ref.missing
