"""Files that operators edit (`operations/`), once they are parsed: the one way from a document to its type.

Owns the words of what is wrong with one. Reads no file.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

_T = TypeVar("_T", bound=BaseModel)


def validated(kind: type[_T], document: object, file: str) -> _T:
    """The document as a type.

    Raises:
        ValueError: it does not fit; says everything that is wrong, and no value.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        wrong = (
            f"{'.'.join(map(str, each['loc']))} {each['msg'].removeprefix('Value error, ')}".strip()
            for each in error.errors(include_url=False, include_input=False)
        )
        raise ValueError(f"{file}: {'; '.join(wrong)}") from None
