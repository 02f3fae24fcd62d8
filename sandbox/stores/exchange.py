"""One request and what becomes of it: an answer of the gateway's own, or a request to an emulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote


@dataclass
class Request:
    """As it came, its body read to the end."""

    method: str
    host: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    """By name in lower case."""
    source: str
    """Address that it came from."""
    body: BinaryIO
    digests: Mapping[str, bytes]
    """Of the body, by algorithm."""

    @property
    def path(self) -> str:
        """Decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """Decoded."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def content(self) -> bytes:
        """The body; for services whose requests are small."""
        self.body.seek(0)
        return self.body.read()

    def form(self) -> dict[str, str]:
        """Fields of a form in the body."""
        return dict(parse_qsl(self.content().decode()))


@dataclass(frozen=True)
class Answer:
    """The gateway's own."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Forward:
    """Goes to an emulator."""

    port: int
    target: str
    headers: Mapping[str, str]


class RefusedError(Exception):
    """The vendor's refusal."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def xml(status: int, code: str, message: str = "") -> RefusedError:
    """An error as S3, STS and Azure Blob Storage word it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return RefusedError(Answer(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code}))


def document(status: int, error: object, description: str = "") -> RefusedError:
    """An error in JSON."""
    body = json.dumps({"error": error, "error_description": description})
    return RefusedError(Answer(status, body, {"Content-Type": "application/json"}))


def answered(document: object) -> Answer:
    """A success in JSON."""
    return Answer(200, json.dumps(document), {"Content-Type": "application/json"})
