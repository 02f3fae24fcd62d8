"""Whether the tests of the rules notice a mutant.

Owns the order: first what holds for every rule, on the cases of each rule that the module takes part in, in this
process; then, for what that misses, the tests that name the module, by pytest. Each mutant lives in a process of its
own, so that none leaves anything behind, and one that never ends is ended.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.rule import Rule
from tests.policies import test_reads, test_rules, test_sdk, test_unknowns
from tests.policies.case import Case, StackCase
from tests.policies.mutants.mutations import ROOT, Mutant

PATIENCE = 60
"""Seconds until a mutant counts as one that never ends, which is noticed."""

_TESTS = Path(test_rules.__file__).parent


def noticed(mutant: Mutant) -> bool:
    """Whether any test fails with the mutant in the module's place."""
    return _fails(lambda: _by_cases(mutant)) or _fails(lambda: _by_tests(mutant))


def _fails(judge: Callable[[], None]) -> bool:
    """Whether it raises or does not end, in a process of its own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    signal.alarm(PATIENCE)
    code = 1
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            judge()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the mutant caused it
        if os.environ.get("MUTANTS_EXPLAIN"):
            traceback.print_exc()
    finally:
        os._exit(code)


def _by_cases(mutant: Mutant) -> None:
    for name in _replace(mutant):
        module = sys.modules[name]
        if hasattr(module, "RULE"):
            assert isinstance(module.RULE, Rule)
            judge(module.RULE)


def judge(rule: Rule) -> None:
    """What holds for every rule, on the rule's cases; raises at the first thing that does not."""
    kinds: dict[str, Callable[[Rule], list[Any]]] = {
        "each": lambda rule: test_rules.each(Case, [rule]),
        "breaks": lambda rule: test_rules.breaks(Case, [rule]),
        "stacks": lambda rule: test_rules.each(StackCase, [rule]),
        "changes": lambda rule: test_rules.breaks(StackCase, [rule]),
    }
    for kind, test in (
        ("each", test_rules.test_a_compliant_resource_passes),
        ("breaks", test_rules.test_one_property_changed_is_a_violation_that_says_what_to_do),
        ("each", test_rules.test_a_resource_without_its_options_is_a_violation),
        ("each", test_rules.test_what_is_only_advised_against_blocks_nothing),
        ("each", test_rules.test_an_unknown_never_passes_silently),
        ("stacks", test_rules.test_a_compliant_stack_passes),
        ("changes", test_rules.test_one_thing_changed_in_a_stack_is_a_violation),
        ("stacks", test_rules.test_a_stack_is_advised_and_deferred_where_it_must_be),
    ):
        for given in kinds[kind](rule):
            test(*given.values)
    if rule.on_stacks and rule.id not in test_reads.SHARED:
        test_reads.test_a_rule_says_what_it_reads_of_a_stack(rule)
        test_reads.test_a_rule_reads_of_a_stack_what_it_says(rule)
    test_sdk.test_every_type_and_property_that_a_rule_reads_exists_in_the_sdk(rule)
    test_rules.test_every_path_that_a_rule_reads_occurs_in_a_case(rule)
    if rule.on_resources:
        test_unknowns.test_an_unknown_does_what_was_reviewed(rule)
        test_rules.test_unrelated_types_are_not_touched(rule)


def _by_tests(mutant: Mutant) -> None:
    tests = sorted({test for module in (mutant.module, *_users(mutant.module)) for test in _naming(module)})
    if not tests:
        return
    _replace(mutant)
    for name in [name for name in sys.modules if name.startswith("tests.") or name == "policies.rules"]:
        del sys.modules[name]
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib", *map(str, tests)]
    assert pytest.main(arguments) == pytest.ExitCode.OK


def _naming(module: str) -> Iterator[Path]:
    """Test files, other than those of every rule, that import the module."""
    area, name = Path(module).with_suffix("").parts
    named = re.compile(rf"policies\.rules\.{area}(\.{name}\b| import .*\b{name}\b)")
    for file in _TESTS.rglob("test_*.py"):
        if file.parent.name != "mutants" and named.search(file.read_text(encoding="utf-8")):
            yield file


def _replace(mutant: Mutant) -> list[str]:
    """Runs the mutant in the module's place, and whoever imports from it anew; returns their names, its own first."""
    name = _dotted(mutant.module)
    module = importlib.import_module(name)
    for key in [key for key in vars(module) if not key.startswith("__")]:
        delattr(module, key)
    exec(compile(mutant.source, str(ROOT / mutant.module), "exec"), vars(module))  # noqa: S102 - that is the point
    users = [_dotted(user) for user in _users(mutant.module)]
    for user in users:
        importlib.reload(importlib.import_module(user))
    return [name, *users]


def _users(module: str) -> Iterator[str]:
    """Modules of rules that import from a module."""
    place = ROOT / module
    for file in sorted(ROOT.rglob("*.py")):
        names = {_dotted(module), f".{place.stem}"} if file.parent == place.parent else {_dotted(module)}
        text = file.read_text(encoding="utf-8")
        if file.name != "__init__.py" and any(f"from {name} import" in text for name in names):
            yield str(file.relative_to(ROOT))


def _dotted(module: str) -> str:
    return ".".join((ROOT.parent.name, ROOT.name, *Path(module).with_suffix("").parts))
