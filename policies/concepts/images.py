"""References to container images: as one text, and as the values of a chart spell them.

Owns how a reference falls into name, tag and digest, and Docker's habit of leaving out its own registry. What is trusted
and what is pinned, rules decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from policies.resource import Node

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")
_NAMED = re.compile(r"image([A-Z0-9]\w*)?")
"""Keys of charts under which a text is an image: `image`, `imageK8S`."""
_DOCKER = "docker.io"


@dataclass(frozen=True)
class Image:
    """An image as it is asked for.

    Attributes:
        path: where it is asked for.
        name: with its registry, without tag and digest.
        tag: empty where there is none.
        pinned: whether a whole digest says which one it is.
    """

    path: str
    name: str
    tag: str
    pinned: bool

    @property
    def product(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    def within(self, places: tuple[str, ...]) -> bool:
        """Whether it lies in one of some registries, or below one of some paths in them."""
        return any(self.name.startswith(f"{place.rstrip('/')}/") for place in places)


def image(path: str, text: str) -> Image:
    """A reference in one text."""
    located, _, digest = text.partition("@")
    head, _, last = located.rpartition("/")
    name, _, tag = last.partition(":")
    return Image(path, _full(f"{head}/{name}" if head else name), tag, _DIGEST.fullmatch(digest) is not None)


def _full(name: str) -> str:
    if "/" not in name:
        return f"{_DOCKER}/library/{name}"
    return name if _HOST.fullmatch(name.partition("/")[0]) else f"{_DOCKER}/{name}"


def chart_images(values: Node) -> Iterator[Image]:
    """The images that the values of a chart name; what is not known yet is left out.

    Charts write one text, or a map with `repository` and some of `registry`, `tag`, `digest` and `sha`.
    """
    if isinstance(values.value, list):
        for index, item in enumerate(cast("list[Any]", values.value)):
            yield from chart_images(Node(f"{values.path}[{index}]", item))
    elif isinstance(values.value, dict):
        repository = values.at("repository").value
        if isinstance(repository, str) and repository and "://" not in repository:
            yield _composed(values, repository)
        for key, item in cast("dict[str, Any]", values.value).items():
            below = Node(f"{values.path}.{key}", item)
            if isinstance(item, str) and _NAMED.fullmatch(key) and (re.search("[/:@]", item) or key == "image"):
                yield image(below.path, item)
            else:
                yield from chart_images(below)


def _composed(values: Node, repository: str) -> Image:
    registry, tag, digest, sha = (_text(values, key) for key in ("registry", "tag", "digest", "sha"))
    whole = f"{registry}/{repository}" if registry else repository
    if tag:
        whole += f":{tag}"
    if "@" not in whole and (digest or sha):
        whole += f"@{digest or f'sha256:{sha}'}"
    return image(values.path, whole)


def _text(values: Node, key: str) -> str:
    value = values.at(key).value
    return value if isinstance(value, str) else ""
