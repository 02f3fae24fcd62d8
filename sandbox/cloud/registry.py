"""What a resource type means: the models, and how one is written.

A `Model` is mostly data: how the id looks, which property names it, which names are taken once, what it refers to, what
cannot change, what the cloud answers. What data cannot say is a function hung on the model by a decorator. A type
without a model behaves by its package's rules alone (`packages.py`). README.md shows how to write one.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from sandbox.cloud.check import Failure
from sandbox.cloud.schema import package_of
from sandbox.cloud.wire import Value

if TYPE_CHECKING:
    from sandbox.cloud.acting import Actor
    from sandbox.cloud.draft import Call, Draft
    from sandbox.cloud.products import Product

Check: TypeAlias = "Callable[[Draft], Iterable[Failure]]"
Step: TypeAlias = "Callable[[Draft], None]"
Compute: TypeAlias = "Callable[[Draft], Mapping[str, Value]]"
Renew: TypeAlias = "Callable[[Draft], Iterable[str]]"
Output: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | Callable[[Draft], Value]"
Function: TypeAlias = "Callable[[Call], Mapping[str, Value]]"
_F = TypeVar("_F", bound="Callable[..., object]")

# Folder of models by package, where the two are not spelled the same.
_FOLDERS: Final = {"azure-native": "azure"}


@dataclass(frozen=True)
class Name:
    """The property that names a resource, and the name it gets when the program gives none.

    Attributes:
        property: the input.
        max: longest name the cloud takes; a made name is cut to it. 0: no limit here.
        characters: what a made name may hold, as the inside of a regular expression's class.
        lower: whether a made name is in lower case.
        separator: between the logical name and the random end of a made name.
        pattern: regular expression that a name must match as a whole; empty if the truth tables already say it.
        rule: the sentence for a name that does not match.
        made: whether the provider makes a name at all; false where the program must give one.
    """

    property: str
    max: int = 0
    characters: str = "A-Za-z0-9-"
    lower: bool = False
    separator: str = "-"
    pattern: str = ""
    rule: str = ""
    made: bool = True


@dataclass(frozen=True)
class Ref:
    """A property that names other resources: by id, or by any handle of theirs (ARN, self link, name).

    Attributes:
        path: the property; `rules[*].destination.bucket` goes through lists.
        types: types it may mean.
        same: properties that must be equal on both sides, for names that are only unique within something.
        external: regular expression of values that mean something outside the platform and are believed.
        holds: whether the target cannot be deleted while this exists.
        missing: error code instead of the package's usual one.
    """

    path: str
    types: tuple[str, ...]
    same: tuple[str, ...] = ()
    external: str = ""
    holds: bool = True
    missing: str = ""


@dataclass
class Model:
    """One resource type. See README.md for the meaning of templates in `id` and `outputs`.

    Attributes:
        type: Pulumi's type token.
        id: template of the id, or a function of the draft; empty for the package's rule.
        name: the naming property, if it has one.
        unique: what must be unique, each a tuple of scope words (region, account, project, subscription) and inputs.
        references: what it refers to.
        immutable: inputs whose change replaces the resource; `a.b` for a nested one.
        outputs: what the cloud answers where the inputs say nothing: templates, constants or functions of the draft.
        handles: outputs, besides the id, by which others may refer to it.
        stands_for: type to output, for things that come with it, such as a network's default security group.
        exists: error code for a name that is taken; empty for the package's usual one.
        in_use: error code for deletion while something refers to it; empty for the package's usual one.
        lingers: days for which a deleted one still holds its `unique` names, by the draft; None or 0: not at all.
        written: whether somebody wrote this model; else it only stands for the package's rules.
        reshaped: inputs that come back in another form (`compute` gives it); at preview the form is not known yet.
        slow: computations take long and look at nothing else, so they run outside the store's lock.
        acts: what it does on a real product, where the provider names one; it then says all that is `immutable` itself.
    """

    type: str
    id: str | Callable[[Draft], str] = ""
    name: Name | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[Ref, ...] = ()
    immutable: tuple[str, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    handles: tuple[str, ...] = ("arn", "selfLink", "name")
    stands_for: Mapping[str, str] = field(default_factory=dict)
    exists: str = ""
    in_use: str = ""
    lingers: Callable[[Draft], int | None] | None = None
    reshaped: tuple[str, ...] = ()
    slow: bool = False
    acts: Actor | None = None
    written: bool = True
    checks: list[Check] = field(default_factory=list)
    admissions: list[Step] = field(default_factory=list)
    computations: list[Compute] = field(default_factory=list)
    guards: list[Step] = field(default_factory=list)
    renewals: list[Renew] = field(default_factory=list)

    def check(self, hook: Check) -> Check:
        """Hang on a check of the inputs alone; runs at preview too, so inputs may hold `UNKNOWN`."""
        self.checks.append(hook)
        return hook

    def admit(self, hook: Step) -> Step:
        """Hang on a check against what exists; runs just before create and update, everything known, under the lock."""
        self.admissions.append(hook)
        return hook

    def compute(self, hook: Compute) -> Compute:
        """Hang on outputs that need more than a template; they win over inputs. Runs on create and update; `id` sets the id."""
        self.computations.append(hook)
        return hook

    def guard(self, hook: Step) -> Step:
        """Hang on a reason not to delete, beyond being referred to."""
        self.guards.append(hook)
        return hook

    def renew(self, hook: Renew) -> Renew:
        """Hang on a reason to replace although no input changed; yields the outputs that make it so."""
        self.renewals.append(hook)
        return hook


_models: dict[str, Model] = {}
_functions: dict[str, Function] = {}
_products: dict[str, Product] = {}
_loaded: set[str] = set()
_loading = threading.RLock()


def model(type_: str, **data: object) -> Model:
    """Make the model of a type and register it.

    Raises:
        ValueError: the type has a model already.
    """
    if type_ in _models:
        raise ValueError(f"{type_} has a model already")
    _models[type_] = Model(type_, **data)  # type: ignore[arg-type]
    return _models[type_]


def invoke(token: str) -> Callable[[_F], _F]:
    """Register the answer to a function (`aws:index/getRegion:getRegion`)."""

    def register(function: _F) -> _F:
        if token in _functions:
            raise ValueError(f"{token} is answered already")
        _functions[token] = function  # type: ignore[assignment]
        return function

    return register


def product(package: str, api: Product) -> None:
    """Register the real product on which a package's types can act."""
    _products[package] = api


def product_of(package: str) -> Product | None:
    """The real product on which a package's types can act, if there is one."""
    _load(package)
    return _products.get(package)


def model_of(type_: str) -> Model:
    """The model of a type, or an empty one."""
    _load(package_of(type_))
    found = _models.get(type_)
    if found is None:
        found = _models.setdefault(type_, Model(type_, written=False))
    return found


def function_of(token: str) -> Function | None:
    """The answer to a function, if there is one."""
    _load(package_of(token))
    return _functions.get(token)


def modelled(package: str) -> Iterator[Model]:
    """All models written for a package."""
    _load(package)
    return iter([found for found in _models.values() if package_of(found.type) == package])


def _load(package: str) -> None:
    """Import the models of a package, once."""
    if package in _loaded:
        return
    with _loading:  # nobody may meet a package that is half there
        if package not in _loaded:
            _import(package)
            _loaded.add(package)


def _import(package: str) -> None:
    folder = f"sandbox.cloud.models.{_FOLDERS.get(package, package)}"
    try:
        found = importlib.import_module(folder)
    except ModuleNotFoundError as error:
        if error.name != folder:
            raise
        return
    for module in pkgutil.iter_modules(found.__path__):
        importlib.import_module(f"{folder}.{module.name}")
