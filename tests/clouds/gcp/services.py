"""What a machine on GCP finds around it: the metadata service and Secret Manager, on loopback."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.clouds import surroundings
from tests.clouds.surroundings import Service

PROJECT = "platform-sandbox"
METADATA, STORE = "metadata.google.internal", "secretmanager.googleapis.com"
TOKEN, IDENTITY = "ya29.token-hush", "eyJhbGciOiJSUzI1NiJ9.identity-hush.signature"


@dataclass
class Cloud:
    """What the services answer, and what they were asked."""

    secrets: dict[str, bytes] = field(default_factory=dict)
    token: Any = field(default_factory=lambda: {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
    refusal: tuple[int, dict[str, Any]] | None = None
    busy: int = 0
    """How often the store is unavailable before it answers."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and authorization of each request to the store."""


def _metadata(cloud: Cloud) -> type[Service]:
    class Metadata(Service):
        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            asked = urlsplit(self.path)
            query = parse_qs(asked.query)
            account = "/computeMetadata/v1/instance/service-accounts/default"
            if self.headers.get("Metadata-Flavor") != "Google":
                self.say(403, b"Missing Metadata-Flavor:Google header.")
            elif asked.path == "/computeMetadata/v1/project/project-id":
                self.say(200, PROJECT.encode())
            elif asked.path == f"{account}/token":
                self.say_json(200, cloud.token)
            elif asked.path == f"{account}/identity" and query.get("format") == ["full"] and "audience" in query:
                self.say(200, f"{IDENTITY}.for.{query['audience'][0]}".encode())
            else:
                self.say(404, b"not found")

    return Metadata


def _store(cloud: Cloud) -> type[Service]:
    class Store(Service):
        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            cloud.asked.append((self.path, self.headers.get("Authorization")))
            if cloud.busy:
                cloud.busy -= 1
                self.say(503, b"{}")
            elif cloud.refusal:
                self.say_json(*cloud.refusal, indent=2)
            else:
                name = self.path.partition("/secrets/")[2].partition("/")[0]
                value = cloud.secrets[name]
                self.say_json(200, {"name": self.path, "payload": {"data": base64.b64encode(value).decode()}})

    return Store


@dataclass
class Machine(surroundings.Machine):
    """A machine on GCP."""

    cloud: Cloud


@contextmanager
def surrounded(folder: Path) -> Iterator[Machine]:
    """A machine with both services around it."""
    cloud = Cloud()
    with surroundings.surrounded(folder, metadata=(METADATA, _metadata(cloud)), store=(STORE, _store(cloud))):
        yield Machine(folder, cloud)
