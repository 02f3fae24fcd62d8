"""The programs that keep the objects: moto for S3, azurite for Blob Storage, fake-gcs-server for Cloud Storage.

They listen on the loopback, believe everybody, and are reached by the gateway alone. Buckets are made here; object
lock is in force in moto, and the other two know neither lock nor retention.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from botocore.config import Config

from sandbox.errors import SandboxError
from sandbox.toolchain import cache, node_packages
from sandbox.toolchain.table import FAKE_GCS

from . import azure
from .ground import Ground

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
    found = programs()
    if found.missing:
        raise SandboxError(f"{', '.join(found.missing)} is not installed.", "Run `make tools`.")
    accounts = ";".join(sorted({f"{container.account}:{azure.KEY}" for container in ground.containers}))
    blob = found.azurite / "dist" / "src" / "blob" / "main.js"
    local = "127.0.0.1"
    commands = [
        [sys.executable, "-m", "moto.server", "-H", local, "-p", str(S3)],
        [
            *(str(node_packages.node()), str(blob), "--inMemoryPersistence", "--silent", "--skipApiVersionCheck"),
            *("--disableTelemetry", "--blobHost", local, "--blobPort", str(BLOB)),
        ],
        [
            *(str(found.gcs), "-backend", "memory", "-scheme", "http", "-host", local, "-port", str(GCS)),
            *("-public-host", "storage.googleapis.com", "-log-level", "warn"),
        ],
    ]
    with contextlib.ExitStack() as ends, (work / "emulators.log").open("w") as log:
        children: list[tuple[subprocess.Popen[bytes], int]] = []
        for command, port in zip(commands, (S3, BLOB, GCS), strict=True):
            environment = os.environ | {"AZURITE_ACCOUNTS": accounts, "MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS": "true"}
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=work, env=environment)
            ends.callback(child.wait)
            ends.callback(child.kill)
            children.append((child, port))
        for child, port in children:
            _await(child, port, work)
        _make_s3(ground)
        for container in ground.containers:
            access = azure.shared_access(container.account)
            _ask(BLOB, "PUT", f"/{container.account}/{container.name}?restype=container&{access}", b"", 201)
        for bucket in ground.gcs_buckets:
            _ask(GCS, "POST", "/storage/v1/b", json.dumps({"name": bucket}).encode(), 200)
        yield


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


def _make_s3(ground: Ground) -> None:
    for bucket in ground.buckets:
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
