"""Azure's and Google's condition languages, as far as grants on buckets use them. Unknown words are errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from .iam import NotModelledError

_WORDS = re.compile(
    r"\s*(?:(?P<symbol>[()!])|(?P<matches>(?:ActionMatches|SubOperationMatches)\{'(?P<what>[^']*)'\})"
    r"|(?P<attribute>@\w+\[[^\]]+\])|'(?P<text>[^']*)'|(?P<word>\w+))"
)
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringStartsWith": str.startswith,
    "StringLike": fnmatchcase,
}


class _Azure:
    """Reads one condition from left to right: NOT binds closest, then AND, then OR."""

    def __init__(self, text: str, action: str, attributes: Mapping[str, str]) -> None:
        self._words = list(_WORDS.finditer(text))
        if "".join(found[0] for found in self._words).strip() != text.strip():
            raise NotModelledError(f"words in {text}")
        self._action, self._attributes, self._at = action, attributes, 0

    def value(self) -> bool:
        result = self._any()
        if self._at != len(self._words):
            raise NotModelledError("text behind the condition")
        return result

    def _next(self, *wanted: str) -> bool:
        if self._at < len(self._words) and self._words[self._at][0].strip() in wanted:
            self._at += 1
            return True
        return False

    def _any(self) -> bool:
        result = self._all()
        while self._next("OR", "||"):
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._one()
        while self._next("AND", "&&"):
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if self._next("!", "NOT"):
            return not self._one()
        if self._next("("):
            result = self._any()
            if not self._next(")"):
                raise NotModelledError("a parenthesis that nobody closes")
            return result
        found = self._words[self._at]
        self._at += 1
        if found["matches"]:
            return found["matches"].startswith("ActionMatches") and fnmatchcase(self._action, found["what"])
        if found["attribute"] is None:
            raise NotModelledError(found[0])
        operator, text = self._words[self._at]["word"], self._words[self._at + 1]["text"]
        self._at += 2
        if operator not in _COMPARE or found["attribute"] not in self._attributes:
            raise NotModelledError(f"{found['attribute']} {operator}")
        return _COMPARE[operator](self._attributes[found["attribute"]], text)


def azure(text: str, action: str, attributes: Mapping[str, str]) -> bool:
    """Whether an assignment's condition holds."""
    return not text or _Azure(text, action, attributes).value()


def google(text: str, values: Mapping[str, str]) -> str | bool:
    """The value of an expression of Google's Common Expression Language."""
    spoken = text.replace("||", " or ").replace("&&", " and ")
    return _google(ast.parse(re.sub(r"!(?!=)", " not ", spoken).strip(), mode="eval").body, values)


def _google(node: ast.expr, values: Mapping[str, str]) -> str | bool:  # noqa: PLR0911 - one line a form
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BoolOp(op=ast.Or()):
            return any(_google(one, values) for one in node.values)
        case ast.BoolOp(op=ast.And()):
            return all(_google(one, values) for one in node.values)
        case ast.UnaryOp(op=ast.Not()):
            return not _google(node.operand, values)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return _google(left, values) == _google(right, values)
        case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.List(elts=listed)]):
            return _google(left, values) in [_google(one, values) for one in listed]
        case ast.Call(func=ast.Attribute(value=of, attr=function), args=[argument]):
            return _called(function, str(_google(of, values)), str(_google(argument, values)))
        case ast.Attribute() if ast.unparse(node) in values:
            return values[ast.unparse(node)]
    raise NotModelledError(ast.unparse(node))


def _called(function: str, text: str, argument: str) -> str | bool:
    if function == "startsWith":
        return text.startswith(argument)
    if function == "extract":
        before, _, after = re.sub(r"\{\w+\}", "\0", argument).partition("\0")
        found = re.search(f"{re.escape(before)}(.*?){re.escape(after) or '$'}", text)
        return found[1] if found else ""
    raise NotModelledError(function)
