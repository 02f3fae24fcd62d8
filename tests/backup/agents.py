"""The agent on every machine of a cluster, as its unit starts it; only the stores' edge and places are of the tests."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.plan.backup import NOTE_SUFFIX, parse
from components.plan.manifest import Manifest, packed
from components.products import backup
from components.products.program import LIBRARY
from tests.backup.members import HERE, MANAGEMENT, Cluster, Member, binary
from tests.plan.test_manifest import DOCUMENT
from tests.products.machines import stack

STAND_IN = Path(__file__).with_name("stand_in.py")
SECRETS = f"/run/platform/secrets/{backup.NAME}"
DATABASE = {"id": "db", "address": "db.example.com", "version": "16.9", "pitrDays": 7, "copyRegion": "us-east-2"}
VERSIONS = {"vault": "2.7.2"}
"""What the stand-in for Vault calls itself."""


def with_stand_in(text: str) -> str:
    """The packed agent with another module in its stores' place."""
    plain, other = zipfile.ZipFile(io.BytesIO(gzip.decompress(base64.b64decode(text)))), io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        for name in plain.namelist():
            archive.writestr(name, STAND_IN.read_text() if name == "stores.py" else plain.read(name))
    return base64.b64encode(gzip.compress(other.getvalue())).decode()


def manifest(stores: Path, clouds: tuple[str, ...] = ("aws", "gcp"), *, admits: bool = True) -> Manifest:
    """The region's manifest; buckets are folders."""
    for cloud in clouds:
        (stores / cloud).mkdir(parents=True, exist_ok=True)
    ways = {role: {"audience": "x"} for role in ("consul-server", "vault-server", "nomad-server")}
    return regional({cloud: {"folder": str(stores / cloud)} for cloud in clouds}, ways if admits else None)


def regional(buckets: Mapping[str, Mapping[str, str]], ways: Mapping[str, Mapping[str, str]] | None) -> Manifest:
    """A manifest of AWS by attributes of every cloud's bucket, and by role the way into those of other clouds."""

    def backups(cloud: str) -> dict[str, Any]:
        bucket = {
            "name": f"backups-{cloud}", "attributes": buckets[cloud], "replica": "r", "replicaRegion": "x",
            "key": "backup", "lock": "compliance", "lockDays": 35, "keepDays": 400,
        }  # fmt: skip
        writers = {"aws": ways} if cloud != "aws" and ways else {}
        return {"bucket": bucket, "sets": [], "rpoMinutes": 60, "restorer": "r", "writers": writers}

    keys = [{**DOCUMENT["keys"][0], "purpose": purpose} for purpose in ("vault-seal", "nomad-keyring", "disk")]
    peers = {cloud: {**DOCUMENT, "cloud": cloud, "backup": backups(cloud)} for cloud in buckets if cloud != "aws"}
    return Manifest.model_validate(
        {**DOCUMENT, "keys": keys, "backup": backups("aws") if "aws" in buckets else None, "peers": peers}
    )


@dataclass
class Ran:
    """A run of the agent that has ended."""

    member: Member = field(repr=False)
    code: int
    out: str
    err: str


@dataclass
class Agents:
    """The agents of a cluster, and what they have stored."""

    cluster: Cluster
    stores: Path
    program: str = field(default_factory=lambda: with_stand_in(backup.packed(stack("aws"))), repr=False)
    """What the secret store holds of the agent."""
    reach: Callable[..., list[str]] = field(default=lambda *words: [*words], repr=False)
    """The command that runs words on a machine."""

    def lay_out(self, **changes: Any) -> None:  # noqa: ANN401
        """Fresh settings and an empty spool on every machine, empty stores, no memory of earlier runs."""
        shutil.rmtree(self.stores, ignore_errors=True)
        for member in self.cluster.members:
            for path in ("/run/platform/spool", "/var/lib"):
                shutil.rmtree(member.made.path(path), ignore_errors=True)
            for path in ("/run/platform/spool", f"/var/lib/{backup.NAME}", "/var/lib/node_exporter/backup"):
                member.made.path(path).mkdir(parents=True)
            self._settings(member, changes)
            self._secrets(member)
        self.tell(manifest(self.stores))

    def tell(self, given: Manifest | None) -> None:
        """What the secret store says is the region's manifest; None: it does not answer."""
        script = "echo 'read-secret: denied' >&2; exit 1"
        if given is not None:
            value = base64.b64encode(packed(given).encode()).decode()
            script = f"printf '%s\\t{value}\\n' \"$1\""
        for member in self.cluster.members:
            member.made.plays("read-secret", script)

    def _settings(self, member: Member, changes: dict[str, Any]) -> None:
        made = member.made
        text = next(file.content for file in member.spec.files if file.path == "/etc/platform/backup.json")
        settings = json.loads(text.replace('"10.1.', f'"{HERE}.').replace("//10.1.", f"//{HERE}."))
        for name in ("spool", "state", "metrics"):
            settings[name] = str(made.path(settings[name]))
        settings |= {"reader": str(made.path("/fake/read-secret")), "run": 15, "watch": 9, "pause": 0.2}
        settings["server"]["secrets"] = str(made.path(SECRETS))
        settings["server"]["version"] = VERSIONS.get(self.cluster.product, settings["server"]["version"])
        settings["sets"].pop("boundary", None)
        settings["server"] |= changes.get("server", {})
        settings |= {name: value for name, value in changes.items() if name != "server"}
        made.write("/etc/platform/backup.json", json.dumps(settings))

    def rewrite(self, member: Member, server: dict[str, Any]) -> None:
        """Change what one machine's settings say of its server."""
        file = member.made.path("/etc/platform/backup.json")
        settings = json.loads(file.read_text())
        settings["server"] |= server
        file.write_text(json.dumps(settings))

    def _secrets(self, member: Member) -> None:
        made, trust = member.made, self.cluster.trust
        for name in ("ca", "cert", "key"):
            made.write(f"{SECRETS}/{name}.pem", (trust / f"{name}.pem").read_text())
        made.write(f"{SECRETS}/token", MANAGEMENT[self.cluster.product] + "\n")
        made.write(f"{SECRETS}/agent", self.program)
        for name in ("consul", "nomad", "vault"):
            link = made.path(f"/fake/{name}")
            link.parent.mkdir(exist_ok=True)
            if name == self.cluster.product and not link.exists():
                link.symlink_to(binary(name))

    def start(self, member: Member, *options: str) -> subprocess.Popen[str]:
        """Start a run as the unit does."""
        made = member.made
        command = [sys.executable, str(made.path(f"{LIBRARY}/backup.py")), str(made.path(f"{SECRETS}/agent"))]
        settings = ["--settings", str(made.path("/etc/platform/backup.json"))]
        path = f"{made.path('/fake')}:{os.environ['PATH']}"
        return subprocess.Popen(
            self.reach(*command, *settings, *options),
            env={"PATH": path, "TMPDIR": str(made.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, member: Member, process: subprocess.Popen[str]) -> Ran:
        """Wait for a run's end."""
        out, err = process.communicate(timeout=60)
        return Ran(member, process.returncode, out, err)

    def run(self, *options: str, meanwhile: Callable[[], None] = lambda: None) -> list[Ran]:
        """One slot of the timer: a run on every machine at the same time."""
        started = [(member, self.start(member, *options)) for member in self.cluster.members]
        meanwhile()
        return [self.ended(member, process) for member, process in started]

    def alone(self, member: Member, *options: str) -> Ran:
        """A run on one machine."""
        return self.ended(member, self.start(member, *options))

    def stored(self, cloud: str, product: str = "") -> list[str]:
        """Names of a destination's complete backups, oldest first."""
        folder = self.stores / cloud
        names = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() and file.name[0] != "."}
        whole = sorted(name for name in names if name + NOTE_SUFFIX in names)
        return [name for name in whole if parse(name).saved == (product or self.cluster.product)]

    def spooled(self, member: Member) -> list[str]:
        """Names of what waits on a machine."""
        folder = member.made.path("/run/platform/spool")
        return sorted(
            f.name for f in folder.iterdir() if f.is_file() and "@" not in f.name and NOTE_SUFFIX not in f.name
        )

    def metric(self, member: Member, name: str, product: str = "", **labels: str) -> float:
        """A metric's value on a machine."""
        text = member.made.path("/var/lib/node_exporter/backup/platform_backup.prom").read_text()
        wanted = {"product": product or self.cluster.product, "cloud": "aws", **labels}
        of = ",".join(f'{key}="{value}"' for key, value in wanted.items())
        line = f"runbook_backup_{name}{{{of}}} "
        (found,) = [other.removeprefix(line) for other in text.splitlines() if other.startswith(line)]
        return float(found)
