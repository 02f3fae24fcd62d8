"""What a mutant is, and which of them a module has.

Owns the choice: every operator of mutmut on every node that runs, one change a mutant. It leaves out what decides
nothing: annotations and what stands for them (aliases, the type in a cast), decorators, docstrings, imports, and words.
Words are texts with a space in them; rules name properties, types and allowed values without one. Of a text there is one
mutant, not three that differ in case; an argument is left out, and not replaced by None as well.

mutmut supplies the operators, since its list is kept by people who measure them; its runner is not used, because it
starts the tests anew for each of thousands of mutants, and leaves out what stands outside functions, where most of a
rule is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

from policies import rules

ROOT = Path(rules.__file__).parent
_GENERIC = {"Callable", "Iterator", "Literal", "Mapping", "dict", "frozenset", "list", "set", "tuple"}


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        module: below policies/rules, such as `network/vpn_crypto_strong.py`.
        before: the lines that the change touches, without the space around them.
        after: the same lines, changed. With module and before it names the mutant: lines move, texts stay.
        source: of the whole module.
    """

    module: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.module, self.before, self.after


def modules(area: str = "*") -> list[str]:
    """The modules to mutate: those with code that decides something."""
    return sorted(str(file.relative_to(ROOT)) for file in ROOT.glob(f"{area}/*.py") if file.name != "__init__.py")


def mutants(module: str, source: str | None = None) -> Iterator[Mutant]:
    """Every mutant of a module, each once."""
    text = (ROOT / module).read_text(encoding="utf-8") if source is None else source
    tree = cst.parse_module(text)
    seen: set[str] = set()
    for node in _deciding(tree):
        for changed in _changes(node):
            mutated = tree.deep_replace(node, changed).code
            if mutated != text and mutated not in seen and _compiles(mutated):
                seen.add(mutated)
                before, after = _difference(text, mutated)
                yield Mutant(module, before, after, mutated)


def _deciding(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Nodes that run and decide, outermost first."""
    if isinstance(node, (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)) or _words(node) or _alias(node):
        return
    if isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
        return
    yield node
    for child in node.children:
        if child is not _cast_type(node):
            yield from _deciding(child)


def _cast_type(node: cst.CSTNode) -> cst.Arg | None:
    """The type in a cast."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "cast":
        return node.args[0]
    return None


def _alias(node: cst.CSTNode) -> bool:
    """Whether a node gives a type a name, such as `_Pair = tuple[str, str]`."""
    return (
        isinstance(node, cst.Assign)
        and isinstance(node.value, cst.Subscript)
        and isinstance(node.value.value, cst.Name)
        and node.value.value.value in _GENERIC
    )


def _words(node: cst.CSTNode) -> bool:
    """Whether a node is part of a message."""
    if isinstance(node, cst.SimpleString):
        return " " in node.value
    if isinstance(node, cst.FormattedStringText):
        return True
    if isinstance(node, cst.FormattedString):
        return any(isinstance(part, cst.FormattedStringText) and " " in part.value for part in node.parts)
    if isinstance(node, cst.ConcatenatedString):
        return _words(node.left) or _words(node.right)
    return isinstance(node, cst.Arg) and _words(node.value)


def _changes(node: cst.CSTNode) -> Iterator[Any]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            changed: list[Any] = list(operator(node))
            if operator is operator_string:
                changed = changed[:1]
            elif isinstance(node, cst.Call) and operator is operator_arg_removal:
                changed = [call for call in changed if _left_out(node, call)]
            yield from changed


def _left_out(call: cst.Call, changed: cst.Call) -> bool:
    """Whether an argument is gone, and not one that is words."""
    told, said = sum(_words(each) for each in call.args), sum(_words(each) for each in changed.args)
    return len(changed.args) < len(call.args) and told == said


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ; one line where a line only went away."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return _joined(old[start : len(old) - end]), _joined(new[start : len(new) - end])


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
