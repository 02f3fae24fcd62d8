"""The product's server on this machine: whether it leads its cluster, and a snapshot of what it knows.

Owns the requests, the credentials that they carry, and what makes a snapshot worth keeping. Which paths and headers a
product wants is in the settings. Never asks another server and never accepts a stale answer.

Dangerous edge: the product's own inspection unpacks the snapshot where temporary files go, so that place is the spool:
a snapshot holds keys in clear.
"""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import archive

_SECONDS = 60
Unanswered = (OSError, http.client.HTTPException, ValueError, LookupError)
"""What a request ends with when there is no good answer."""


class Server:
    """The server by its planned address."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts
        secrets = Path(facts["secrets"])
        self._trust = ssl.create_default_context(cafile=str(secrets / "ca.pem"))
        self._login = facts.get("login")
        if self._login:
            self._trust.load_cert_chain(secrets / "cert.pem", secrets / "key.pem")
        self._token = secrets / "token"

    def leads(self) -> bool:
        """Whether this server is the leader.

        Raises:
            ValueError: it knows of none.
        """
        said = self._json(self._facts["leader"], {})
        address = said if isinstance(said, str) else said.get("leader_address")
        if not address:
            raise ValueError("the cluster has no leader")
        return said["is_self"] if isinstance(said, dict) else address.rpartition(":")[0] == self._facts["address"]

    def snapshot(self, file: Path) -> dict[str, Any]:
        """Write a verified snapshot; what is to be told of it.

        Raises:
            ValueError: what came is no backup of this cluster.
            OSError: nothing came.
        """
        facts = self._facts
        headers = {facts["header"]: self._credential()}
        running = self._json(facts["self"], headers)
        for step in facts["version_at"]:
            running = running[step]
        if isinstance(running, dict):
            metadata = running.get("VersionMetadata")
            running = running["Version"] + (f"+{metadata}" if metadata else "")
        if (running := running.partition("-")[0]) != facts["version"]:
            raise ValueError(f"the server runs {running} and its machine is configured for {facts['version']}")
        with self._open(facts["snapshot"], headers) as answer, file.open("wb") as out:
            shutil.copyfileobj(answer, out, 1 << 20)
        meta = archive.verified(file, facts["servers"], sealed=facts["sealed"])
        inspected = self._inspect(file)
        return {"index": str(meta["Index"]), "term": meta["Term"], **inspected}

    def _credential(self) -> str:
        if self._login:
            body = json.dumps({"name": self._login["role"]}).encode()
            with self._open(self._login["path"], {}, body) as answer:
                return json.load(answer)["auth"]["client_token"]
        return self._token.read_text().strip()

    def _inspect(self, file: Path) -> dict[str, str]:
        *command, verb = self._facts["inspect"]
        surroundings = {**os.environ, "TMPDIR": str(file.parent)}

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*command, *words], env=surroundings, capture_output=True, text=True, timeout=300, check=False
            )

        if self._facts["optional"] and f" {verb} " not in run("-help").stdout:
            return {}
        done = run(verb, str(file))
        if done.returncode:
            raise ValueError(f"{' '.join([*command, verb])} refuses it: {(done.stderr.split(chr(10)) or ['?'])[0]}")
        return {"inspected": " ".join([*command, verb])}

    def _json(self, path: str, headers: dict[str, str]) -> Any:  # noqa: ANN401
        with self._open(path, headers) as answer:
            return json.load(answer)

    def _open(self, path: str, headers: dict[str, str], body: bytes | None = None) -> http.client.HTTPResponse:
        request = urllib.request.Request(self._facts["url"] + path, body, headers)  # noqa: S310 - https
        try:
            return urllib.request.urlopen(request, timeout=_SECONDS, context=self._trust)  # noqa: S310 - https
        except urllib.error.HTTPError as error:
            # Without the body, which may repeat what was sent.
            raise OSError(f"{path} answers {error.code}") from None
