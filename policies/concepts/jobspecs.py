"""Nomad jobs as text: HCL, or JSON as Nomad's API takes it.

Owns a tolerant reading into nested blocks, without comments and without evaluating anything: what is no plain text stays
an expression, as it is written. Nothing here refuses a job; Nomad does.

How to use it::

    for job in jobs(resource):                      # raises Undecided where the text is unknown
        for task in job.every("task"):              # at any depth
            driver = task.get("driver")             # text without quotes, or the expression; "" where absent
            for config in task.within("config"):    # direct children
                image = config.get("image")

JSON jobs read alike: `TaskGroups[].Tasks[].Config` becomes `group`, `task`, `config`, `MaxParallel` becomes
`max_parallel`. Truth values and numbers are texts (`"true"`, `"1"`) in both forms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic.alias_generators import to_snake

from policies.resource import Resource
from policies.values import ABSENT, as_bool

JOB = "nomad:index/job:Job"
READS: tuple[str, ...] = ("jobspec", "json")
"""What `jobs` reads, for a check's `reads`."""


@dataclass(frozen=True)
class Block:
    """One block: `task "web" { driver = "docker" }` has type `task` and label `web`."""

    type: str
    labels: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def get(self, name: str) -> str:
        """An attribute's text; empty where there is none."""
        return self.values.get(name, "")

    def within(self, *types: str) -> Iterator[Block]:
        """Blocks of the given types directly inside."""
        return (block for block in self.blocks if block.type in types)

    def every(self, *types: str) -> Iterator[Block]:
        """Blocks of the given types inside, however deep."""
        for block in self.blocks:
            if block.type in types:
                yield block
            yield from block.every(*types)

    def texts(self) -> Iterator[str]:
        """Every attribute's text inside, however deep."""
        yield from self.values.values()
        for block in self.blocks:
            yield from block.texts()

    @property
    def name(self) -> str:
        """The first label, or the attribute `name` of a JSON job."""
        return self.labels[0] if self.labels else self.get("name")


def jobs(resource: Resource) -> tuple[Block, ...]:
    """The text of a Nomad job as one block that holds everything; none where there is no text.

    Raises:
        Undecided: the text, or in which form it is, is not known yet.
    """
    text, as_json = resource.get("jobspec"), resource.get("json")
    if text is ABSENT:
        return ()
    return (from_json(str(text)) if as_bool(as_json) else from_hcl(str(text)),)


# JSON, in the names of Nomad's API.

_NAMES: Mapping[str, str] = {
    "task_groups": "group",
    "getter_source": "source",
    "getter_options": "options",
    "networks": "network",
    "tasks": "task",
    "artifacts": "artifact",
    "templates": "template",
    "services": "service",
    "constraints": "constraint",
    "affinities": "affinity",
    "spreads": "spread",
}
_VERBATIM = frozenset({"config", "env", "meta"})
"""Blocks whose keys are the user's own."""


def from_json(text: str) -> Block:
    """A job in JSON; a text that is no JSON is read as HCL, so that it cannot hide anything."""
    try:
        return _block("", json.loads(text))
    except ValueError:
        return from_hcl(text)


def _block(type_: str, raw: object) -> Block:
    values: dict[str, str] = {}
    blocks: list[Block] = []
    for key, value in (cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}).items():
        plain = key if type_ in _VERBATIM else to_snake(key)
        name = plain if type_ in _VERBATIM else _NAMES.get(plain, plain)
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        if items and all(isinstance(item, dict) for item in items):
            blocks += [_block(name, item) for item in items]
        elif value is not None:
            values[name] = value if isinstance(value, str) else json.dumps(value)
    return Block(type_, (), values, tuple(blocks))


# HCL.

_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<heredoc><<-?(?P<mark>\w+)[ \t]*\r?\n(?P<body>.*?)^[ \t]*(?P=mark)\b)
    | (?P<text>"(?:\\.|\$\{(?:[^{}]|\{[^{}]*\})*+\}|[^"\\\n])*+")
    | (?P<open>[{\[(])
    | (?P<close>[}\])])
    | (?P<equals>[=:](?!=))
    | (?P<end>[\n,])
    | (?P<space>[^\S\n]+)
    | (?P<word>[\w.-]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ESCAPES: Mapping[str, str] = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True)
class _Token:
    kind: str
    source: str
    text: str


def _tokens(source: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(source):
        # The group that closed last is the outermost, since names inside a heredoc close before it.
        kind = found.lastgroup or "other"
        if kind == "heredoc":
            yield _Token("text", found[0], found["body"])
        elif kind == "text":
            plain = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), found[0][1:-1], flags=re.DOTALL)
            yield _Token("text", found[0], plain)
        elif kind not in ("comment", "space"):
            yield _Token(kind, found[0], found[0])


def from_hcl(text: str) -> Block:
    """A job in HCL."""
    return _Reader(list(_tokens(text))).body("", ())


@dataclass
class _Reader:
    """Goes through the tokens once; ends quietly where the text ends too early."""

    tokens: list[_Token]
    at: int = 0

    def body(self, type_: str, labels: tuple[str, ...]) -> Block:
        """What stands between two braces; the first one has been read."""
        values: dict[str, str] = {}
        blocks: list[Block] = []
        while (token := self._next()) is not None and token.source != "}":
            if token.kind not in ("word", "text"):
                continue
            heads = self._heads()
            follows = self._next()
            if follows is not None and follows.source == "{":
                blocks.append(self._made(token.text, heads))
            elif follows is not None and follows.kind == "equals":
                if self._peek() == "{":
                    self.at += 1
                    blocks.append(self._made(token.text, ()))
                else:
                    values[token.text] = self._expression()
            elif follows is not None:
                self.at -= 1
        return Block(type_, labels, values, tuple(blocks))

    def _made(self, type_: str, labels: tuple[str, ...]) -> Block:
        made = self.body(type_, labels)
        if type_ != "dynamic" or not labels:
            return made
        # `dynamic "task" { content { ... } }` stands for `task` blocks.
        contents = tuple(Block(labels[0], (), block.values, block.blocks) for block in made.within("content"))
        return Block(type_, labels, made.values, contents)

    def _heads(self) -> tuple[str, ...]:
        heads: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at].kind in ("word", "text"):
            heads.append(self.tokens[self.at].text)
            self.at += 1
        return tuple(heads)

    def _expression(self) -> str:
        """All up to the end of the line, through brackets; a text alone without its quotes."""
        taken: list[_Token] = []
        depth = 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if depth == 0 and (token.kind in ("end", "close")):
                break
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            taken.append(token)
            self.at += 1
        if len(taken) == 1:
            return taken[0].text
        return " ".join(token.source for token in taken if token.source != "\n")

    def _next(self) -> _Token | None:
        if self.at >= len(self.tokens):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def _peek(self) -> str:
        return self.tokens[self.at].source if self.at < len(self.tokens) else ""
