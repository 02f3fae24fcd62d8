"""The search for mutants finds what is weak, keeps what is good, and leaves nothing behind."""

from __future__ import annotations

import importlib

import pytest
from typer.testing import CliRunner

from tests.policies.mutants import __main__ as command
from tests.policies.mutants import survivors
from tests.policies.mutants.judging import noticed
from tests.policies.mutants.mutations import ROOT, Mutant, modules, mutants

MODULE = "transport/bucket_tls_only.py"


def test_mutants_change_what_decides_and_no_words() -> None:
    source = (
        '"""Doc."""\n'
        "from a import b\n"
        "LOW: 'int' = 3\n"
        "NONE = cast('list[int]', {})\n"
        'RULE = Check(("aws:x",), lambda one: one >= LOW and not one.b, "must not be low", unknown="fail")\n'
    )
    found = {mutant.after for mutant in mutants(MODULE, source)}
    words = '"must not be low"'
    assert "LOW: 'int' = 4" in found
    assert f'RULE = Check(("aws:x",), lambda one: one > LOW and not one.b, {words}, unknown="fail")' in found
    assert f'RULE = Check(("aws:x",), lambda one: one >= LOW or not one.b, {words}, unknown="fail")' in found
    assert f'RULE = Check(("XXaws:xXX",), lambda one: one >= LOW and not one.b, {words}, unknown="fail")' in found
    assert f'RULE = Check(("aws:x",), lambda one: one >= LOW and not one.b, {words}, )' in found
    assert all(words in after or "Check" not in after or after.count('"') < source.count('"') for after in found)
    assert not any("XXint" in after or "XXlist" in after or "Doc" in after or "XXmust" in after for after in found)


def test_each_module_of_rules_has_mutants() -> None:
    assert len(modules()) > len({module.partition("/")[0] for module in modules()}) > 1
    assert all(next(mutants(module), None) for module in modules("change"))


def test_a_rule_that_is_gone_is_noticed_and_the_rule_itself_is_not() -> None:
    source = (ROOT / MODULE).read_text(encoding="utf-8")
    name = f"policies.rules.{MODULE.removesuffix('.py').replace('/', '.')}"
    before = importlib.import_module(name).RULE
    assert not noticed(Mutant(MODULE, "", "", source))
    assert not noticed(Mutant(MODULE, "", "", f"{source}\nUNUSED = 1\n"))
    assert noticed(Mutant(MODULE, "", "", f"{source}\nRULE = Rule(RULE.id, ())\n"))
    assert noticed(Mutant(MODULE, "", "", f"{source}\nraise ValueError\n"))
    assert importlib.import_module(name).RULE is before


def test_a_rule_that_waits_where_it_must_block_is_noticed() -> None:
    name = "network/vpn_crypto_strong.py"
    source = (ROOT / name).read_text(encoding="utf-8")
    assert 'unknown="fail"' in source
    assert noticed(Mutant(name, "", "", source.replace('unknown="fail"', 'unknown="defer"', 1)))


def test_what_survives_is_compared_with_what_is_explained() -> None:
    one, two, gone = ("a.py", "x", "y"), ("a.py", "x", "z"), ("a.py", "u", "v")
    elsewhere = ("b.py", "x", "y")
    found = survivors.compare({one, two}, {one: "why", gone: "why", elsewhere: "why"}, {"a.py"})
    assert (found.explained, found.unexplained, found.stale) == ((one,), (two,), (gone,))
    assert not found.settled
    assert survivors.compare({one}, {one: "why"}, {"a.py"}).settled


def test_each_explanation_is_of_a_mutant_that_there_is() -> None:
    reasons = survivors.read(survivors.FILE.read_text(encoding="utf-8"))
    for module in {module for module, _, _ in reasons}:
        known = {mutant.key for mutant in mutants(module)}
        assert {key for key in reasons if key[0] == module} <= known


@pytest.mark.parametrize(
    "text",
    ["a: [", "- x", "- {module: a, reason: '', mutants: {x: y}}", "- {module: a, mutants: {x: y}}", "a: b"],
)
def test_explanations_without_a_reason_are_refused(text: str) -> None:
    with pytest.raises(survivors.MalformedError):
        survivors.read(text)


def test_a_module_that_is_not_there_ends_with_2() -> None:
    done = CliRunner().invoke(command.app, ["--only", "nowhere"])
    assert done.exit_code == command.UNUSABLE
    assert "no such module: nowhere" in done.output
