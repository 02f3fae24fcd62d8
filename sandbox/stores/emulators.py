"""The programs that keep the objects: moto for S3, azurite for Blob Storage, fake-gcs-server for Cloud Storage.

They listen on the loopback, believe everybody, and are reached by the gateway alone. Buckets are made here; object
lock is in force in moto, and the other two know neither lock nor retention.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from botocore.config import Config

from sandbox.errors import SandboxError
from sandbox.toolchain import cache, node_packages
from sandbox.toolchain.table import FAKE_GCS

from . import azure
from .ground import AwsBucket, Ground

S3, BLOB, GCS = 5001, 5002, 5003
"""Ports; the network is the run's own, so nobody else has them."""
_PATIENCE = 30


@dataclass(frozen=True)
class Programs:
    """Where the emulators are."""

    gcs: Path
    azurite: Path

    @property
    def missing(self) -> list[str]:
        """Names of those that are not installed."""
        return [path.name for path in (self.gcs, self.azurite) if not path.exists()]


def programs() -> Programs:
    """The pinned ones, whether or not they are there."""
    gcs = cache.place(FAKE_GCS.name, FAKE_GCS.version) / FAKE_GCS.name
    return Programs(gcs, node_packages.place("azurite"))


@contextlib.contextmanager
def running(ground: Ground, work: Path) -> Iterator[None]:
    """The emulators with the ground's buckets in them."""
    emulators = Emulators(work)
    try:
        emulators.follow(ground)
        yield
    finally:
        emulators.close()


class Emulators:
    """Those that a ground needs, started when it first does."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._accounts: frozenset[str] = frozenset()
        self._made: set[tuple[int, str]] = set()

    def follow(self, ground: Ground) -> None:
        """Start what is missing and make the buckets that are not there. The same ground again changes nothing.

        A bucket that the ground no longer has stays, and the gateway lets nobody reach it.

        Raises:
            SandboxError: a program that is needed is not installed, or does not start.
        """
        accounts = {container.account for container in ground.containers}
        if not accounts <= self._accounts:
            # This one learns accounts when it starts, and forgets what it holds when it ends.
            self._end(BLOB)
            self._accounts |= accounts
        commands = self._commands(ground)
        missing = [port for port in commands if port not in self._running]
        for port in missing:
            self._start(port, commands[port])
        for port in missing:
            _await(self._running[port], port, self._work)
        for bucket in ground.buckets:
            self._make(S3, bucket.name, functools.partial(_make_s3, bucket))
        for container in ground.containers:
            target = f"/{container.account}/{container.name}"
            access = azure.shared_access(container.account)
            self._make(
                BLOB, target, lambda t=target, a=access: _ask(BLOB, "PUT", f"{t}?restype=container&{a}", b"", 201)
            )
        for name in ground.gcs_buckets:
            body = json.dumps({"name": name}).encode()
            self._make(GCS, name, lambda b=body: _ask(GCS, "POST", "/storage/v1/b", b, 200))

    def close(self) -> None:
        """End all, and forget what they hold."""
        for port in list(self._running):
            self._end(port)

    def _make(self, port: int, name: str, work: Callable[[], None]) -> None:
        if (port, name) not in self._made:
            work()
            self._made.add((port, name))

    def _commands(self, ground: Ground) -> dict[int, list[str]]:
        found, local = programs(), "127.0.0.1"
        needed: dict[int, list[str]] = {}
        if ground.buckets:
            needed[S3] = [sys.executable, "-m", "moto.server", "-H", local, "-p", str(S3)]
        if ground.containers:
            main = found.azurite / "dist" / "src" / "blob" / "main.js"
            needed[BLOB] = [
                *(str(node_packages.node()), str(main), "--inMemoryPersistence", "--silent", "--skipApiVersionCheck"),
                *("--disableTelemetry", "--blobHost", local, "--blobPort", str(BLOB)),
            ]
        if ground.gcs_buckets:
            needed[GCS] = [
                *(str(found.gcs), "-backend", "memory", "-scheme", "http", "-host", local, "-port", str(GCS)),
                *("-public-host", "storage.googleapis.com", "-log-level", "warn"),
            ]
        missing = [
            path.name
            for path, port in ((found.azurite, BLOB), (found.gcs, GCS))
            if port in needed and not path.exists()
        ]
        if missing:
            raise SandboxError(f"{', '.join(missing)} is not installed.", "Run `make tools`.")
        return needed

    def _start(self, port: int, command: list[str]) -> None:
        accounts = ";".join(sorted(f"{account}:{azure.KEY}" for account in self._accounts))
        environment = os.environ | {"AZURITE_ACCOUNTS": accounts, "MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS": "true"}
        with (self._work / "emulators.log").open("a") as log:
            # They end with this process in whatever way it ends: one that is left would hold the next one's port.
            self._running[port] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._work,
                env=environment,
            )

    def _end(self, port: int) -> None:
        if (child := self._running.pop(port, None)) is not None:
            child.kill()
            child.wait()
        self._made = {(where, name) for where, name in self._made if where != port}


def _await(child: subprocess.Popen[bytes], port: int, work: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while child.poll() is None and time.monotonic() < end:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(line), contextlib.suppress(OSError, http.client.HTTPException):
            line.request("GET", "/")
            line.getresponse()
            return
        time.sleep(0.05)
    raise SandboxError(f"No emulator answers on port {port}.", f"{work / 'emulators.log'} says why.")


def _ask(port: int, method: str, target: str, body: bytes, wanted: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    with contextlib.closing(line):
        line.request(method, target, body, {"x-ms-version": "2021-10-04", "Content-Type": "application/json"})
        answer = line.getresponse()
        said = answer.read()
    if answer.status != wanted:
        raise SandboxError(f"{method} {target.partition('?')[0]}: {answer.status} {said[:200]!r}", "Mend the emulator.")


def _make_s3(bucket: AwsBucket) -> None:
    client = botocore.session.Session().create_client(
        "s3",
        region_name=bucket.region,
        endpoint_url=f"http://127.0.0.1:{S3}",
        aws_access_key_id="gateway",
        aws_secret_access_key="gateway",  # noqa: S106 - moto asks for any
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    client.create_bucket(
        Bucket=bucket.name,
        CreateBucketConfiguration={"LocationConstraint": bucket.region},
        ObjectLockEnabledForBucket=bool(bucket.lock_days),
    )
    if bucket.lock_days:
        rule = {"DefaultRetention": {"Mode": bucket.lock_mode, "Days": bucket.lock_days}}
        client.put_object_lock_configuration(
            Bucket=bucket.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
