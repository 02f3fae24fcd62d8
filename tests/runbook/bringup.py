"""A platform of real servers that nobody has brought up yet: each on its rendered configuration, at loopback addresses.

Vault sees a file system in which `/opt` and `/var/log` are its machine's, since its audit logs go to fixed paths; its seal is
the transit key of one more Vault, which stands for the cloud's key service. Addresses 10.1, 10.2, 10.3 become 127's that
differ between runs.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.plan import secrets
from components.plan.addressing import servers as planned
from components.plan.certificates import subject
from components.plan.manifest import settings_of
from components.plan.server import ServerSpec
from components.plan.spec import CLOUDS, SERVER_ROLE, Cloud, Platform, Product
from runbook.bootstrap.servers import PORTS
from sandbox.home import TREE
from tests.products.machines import PRODUCT_MODULES, guest, platform, stack
from tests.rendered import certificates
from tests.rendered.rig import Rig
from tests.rendered.test_accepted import GOSSIP
from tests.rendered.tools import product, system
from tests.runbook.real import PATIENCE
from tests.runbook.regions import facts, region

_BASE = 80 + os.getpid() % 40
_PLACES = {f"10.{number}.": f"127.{_BASE + 40 * number - 40}." for number in (1, 2, 3)}
_KEYS = f"127.{_BASE}.250.1"
"""Where the Vault of the seal's key is."""
BESIDE = f"127.{_BASE}.250.2"
"""A further address that the servers' certificate is good for."""
TOKENS = {entry: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"bring-up {entry}")) for entry in secrets.shared_entries()}
HEADERS = ("X-Consul-Token", "X-Vault-Token", "X-Nomad-Token")


def here(text: str) -> str:
    """A text whose planned addresses are this run's."""
    for planned_one, real in _PLACES.items():
        text = re.sub(rf"(?<![\d.]){re.escape(planned_one)}", real, text)
    return text


def entry_value(entry: str) -> str:
    """What stands in the secret store."""
    return GOSSIP if "gossip" in entry else TOKENS[entry]


@dataclass
class Machine:
    """A server with its files."""

    spec: ServerSpec
    product: Product
    made: Rig
    command: list[str]
    surroundings: dict[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return here(self.spec.address or "")

    def start(self) -> None:
        with self.made.path("/server.log").open("ab") as stream:
            surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.made.root), **self.surroundings}
            self.process = subprocess.Popen(self.command, stdout=stream, stderr=stream, env=surroundings)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Fleet:
    """The regions of a run."""

    root: Path
    plan: Platform
    trust: Path
    machines: list[Machine]
    manifests: dict[Cloud, Path]

    def of(self, name: Product, cloud: Cloud = "aws") -> list[Machine]:
        """A cluster's machines."""
        return [
            machine
            for machine in self.machines
            if machine.product == name and machine.spec.name.startswith(f"{name}-{cloud}")
        ]

    def ask(self, machine: Machine, method: str, path: str, body: object = None, *, token: str = "") -> tuple[int, Any]:
        """Status and answer of a server's API."""
        data = json.dumps(body).encode() if body is not None else None
        url = f"https://{machine.address}:{PORTS[machine.product]}{path}"
        request = urllib.request.Request(url, data, dict.fromkeys(HEADERS, token) if token else {}, method=method)
        context = ssl.create_default_context(cafile=str(self.trust / "ca.pem"))
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:  # noqa: S310 - https
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode(errors="replace")

    def until(self, machine: Machine, path: str, good: Callable[[int, Any], bool], *, token: str = "") -> Any:  # noqa: ANN401
        """The first answer that is good."""
        seen: object = None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                seen = self.ask(machine, "GET", path, token=token)
                if good(*seen):
                    return seen[1]
            except OSError as error:
                seen = error
            time.sleep(0.3)
        pytest.fail(f"{machine.spec.name} {path}: {seen}\n{machine.made.path('/server.log').read_text()[-2000:]}")


@dataclass
class Ended:
    """A run of the command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    def said(self, *states: str) -> list[str]:
        """What it says in these states, with the cluster before it."""
        return [
            f"{cluster['name']}: {step['says']}"
            for cluster in self.document["clusters"]
            for step in cluster["steps"]
            if not states or step["state"] in states
        ]


class Started:
    """A run of the command that may still be under way."""

    def __init__(
        self,
        manifests: Collection[Path],
        *words: str,
        tokens: Mapping[str, str] | None = None,
        entries: Mapping[str, str] | None = None,
        hook: Path | None = None,
    ) -> None:
        given = TOKENS if entries is None else entries
        self._secrets = [*given.values(), *(tokens or {}).values()]
        reading, writing = os.pipe()
        needed = [entry for entry in given if secrets.ENTRIES[entry].origin == "token"]
        os.write(writing, "".join(f"{entry}={given[entry]}\n" for entry in needed).encode())
        os.close(writing)
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        kept["PYTHONPATH"] = os.pathsep.join(map(str, filter(None, (hook, TREE, os.environ.get("PYTHONPATH")))))
        named = [word for file in manifests for word in ("--manifest", str(file))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runbook", "bootstrap", *named, "--secrets-fd", str(reading), *words],
            env=kept | dict(tokens or {}),
            cwd=TREE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(reading,),
        )
        os.close(reading)

    def end(self) -> Ended:
        """Wait for it; what it said holds no secret and no traceback."""
        out, err = self._process.communicate(timeout=PATIENCE)
        assert "Traceback" not in out + err, err
        for value in self._secrets:
            assert value not in out + err
        assert "hvs." not in out + err
        return Ended(self._process.returncode, out, err)


def _laid_out(name: Product, spec: ServerSpec, root: Path, trust: Path, seal: str) -> Machine:
    made = Rig(root / spec.name)
    address = here(spec.address or "")
    for file in spec.files:
        made.write(file.path, file.content, int(file.mode, 8))
    for file in (file for file in spec.secrets if f"/{name}/" in file.path):
        kept = trust / Path(file.path).name
        made.write(file.path, kept.read_text() if kept.exists() else entry_value(file.entry))
    for other in made.path("/etc/platform/compose.d").iterdir():
        if other.stem != name:
            other.unlink()
    for folder in ("data", "plugins", "audit"):
        made.path(f"/opt/{name}/{folder}").mkdir(parents=True)
    if name == "vault":
        return Machine(spec, name, made, _vault(made, address, seal))
    done = made.run("steps/70-compose.sh")
    assert done.returncode == 0, done.stderr
    config = made.path(f"/etc/{name}.d/agent.hcl")
    text = here(config.read_text()).replace('"127.0.0.1"', f'"{address}"').replace('"0.0.0.0"', f'"{address}"')
    config.write_text(re.sub(r'"/(run|opt)/', rf'"{made.root}/\1/', text))
    composed = made.path(f"/run/platform/secrets/{name}/config.json")
    words = {
        "consul": [f"-config-dir={config.parent}", f"-config-file={composed}"],
        "nomad": [f"-config={config.parent}", f"-config={composed}"],
    }[name]
    return Machine(spec, name, made, [str(product(name)), "agent", *words])


def _vault(made: Rig, address: str, seal: str) -> list[str]:
    config = made.path("/etc/vault.d/server.hcl")
    text = here(config.read_text()).replace("0.0.0.0", address).replace('"/run/', f'"{made.root}/run/')  # noqa: S104
    config.write_text(text + seal)
    made.path("/var/log/vault").mkdir(parents=True)
    binds = " && ".join(f"mount --bind {made.path(folder)} {folder}" for folder in ("/opt", "/var/log"))
    script = f"{binds} && exec {product('vault')} server -config={config}"
    return [str(system("unshare", "util-linux")), "--mount", "sh", "-ec", script]


@contextmanager
def key_service(root: Path) -> Iterator[str]:
    """A Vault whose transit key seals others; gives their stanza."""
    token = str(uuid.uuid4())
    (root / "keys").mkdir()
    url = f"http://{_KEYS}:8200"
    with (root / "keys" / "log").open("wb") as log:
        words = [str(product("vault")), "server", "-dev", f"-dev-listen-address={_KEYS}:8200"]
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(root / "keys"), "VAULT_DEV_ROOT_TOKEN_ID": token}
        process = subprocess.Popen(words, stdout=log, stderr=log, env=surroundings)
    try:
        for path, body in (("sys/mounts/transit", {"type": "transit"}), ("transit/keys/seal", {})):
            _told(f"{url}/v1/{path}", body, token)
        yield (
            f'\nseal "transit" {{\n  address = "{url}"\n  token = "{token}"\n  key_name = "seal"\n'
            '  mount_path = "transit/"\n  disable_renewal = "true"\n}\n'
        )
    finally:
        process.kill()
        process.wait()


def _told(url: str, body: object, token: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        request = urllib.request.Request(url, json.dumps(body).encode(), {"X-Vault-Token": token}, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - the loopback
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def sizes(**counts: int) -> dict[str, int]:
    """Servers by product, one of each that is not named."""
    return {"consul": 1, "vault": 1, "nomad": 1, "boundary": 1, **counts}


@contextmanager
def fleet(
    root: Path,
    products: Sequence[Product],
    clouds: Sequence[Cloud] = ("aws",),
    *,
    seal: str = "",
    servers: Mapping[str, int] | None = None,
    alone: bool = False,
) -> Iterator[Fleet]:
    """Servers that run and that nobody has brought up.

    Args:
        root: for their files.
        products: which run.
        clouds: which regions there are.
        seal: Vault's stanza; without one its keys are cut by Shamir.
        servers: of each product.
        alone: regions do not know where the others are, as if no way led there when they started.
    """
    if os.geteuid():
        pytest.skip("a file system of one's own needs root")
    plan = platform(servers=dict(servers or sizes()), seal="cloud" if seal else "shamir")
    trust = root / "trust"
    trust.mkdir(parents=True)
    subjects = [
        subject(plan, cloud, SERVER_ROLE[name])
        for name in sorted(products, key=lambda name: name != "vault")
        for cloud in clouds
    ]
    certificates.write(
        trust,
        tuple(dict.fromkeys(name for each in subjects for name in each.dns)),
        tuple(dict.fromkeys((*(here(address) for each in subjects for address in each.addresses), BESIDE))),
    )
    machines: list[Machine] = []
    for cloud in clouds:
        given = stack(cloud, plan)
        for name in products:
            for spec in PRODUCT_MODULES[name].servers(given, guest(given)):
                machine = _laid_out(name, spec, root, trust, seal)
                if "consul" in products and name != "consul":
                    _registering(machine, here(planned(plan, cloud, "consul")[0].address), trust)
                if alone and name != "vault":
                    _forget(machine, cloud)
                machines.append(machine)
    manifests: dict[Cloud, Path] = {}
    for cloud in clouds:
        clusters = [
            facts(name, cloud, [here(server.address) for server in planned(plan, cloud, name)]) for name in products
        ]
        written = region(
            cloud,
            clusters,
            tuple(clouds),
            caCertificate=(trust / "ca.pem").read_text(),
            settings=settings_of(plan),
            seal=plan.seal,
        )
        manifests[cloud] = root / f"{cloud}.json"
        manifests[cloud].write_text(written.model_dump_json(by_alias=True))
    made = Fleet(root, plan, trust, machines, manifests)
    with ExitStack() as ends:
        for machine in machines:
            ends.callback(machine.kill)
            machine.start()
        yield made


def _registering(machine: Machine, consul: str, trust: Path) -> None:
    """Let it register with a Consul server, as there are no client agents here."""
    name = {"vault": "server", "nomad": "agent"}[machine.product]
    config = machine.made.path(f"/etc/{machine.product}.d/{name}.hcl")
    address = f"{'https://' if machine.product == 'vault' else ''}{consul}:{PORTS['consul']}"
    trusting = "tls_ca_file" if machine.product == "vault" else "ssl = true\n  ca_file"
    found = re.compile(r'(?<=\n)  address += +"[^"]*:8500"')
    text, count = found.subn(f'  address = "{address}"\n  {trusting} = "{trust}/ca.pem"', config.read_text())
    assert count == 1
    config.write_text(text)
    if machine.product == "vault":
        (token,) = (file for file in machine.spec.secrets if file.entry == secrets.CONSUL_VAULT)
        machine.surroundings["CONSUL_HTTP_TOKEN_FILE"] = str(machine.made.path(token.path))


def _forget(machine: Machine, cloud: Cloud) -> None:
    own = list(_PLACES.values())[CLOUDS.index(cloud)]
    config = machine.made.path(f"/etc/{machine.product}.d/agent.hcl")
    kept = re.sub(
        r"(retry_join(?:_wan)?\s*=\s*)\[([^\]]*)\]",
        lambda found: f"{found[1]}[{', '.join(part for part in found[2].split(', ') if own in part)}]",
        config.read_text(),
    )
    config.write_text(kept)


@dataclass
class Holders:
    """People with age keys."""

    folder: Path
    identities: list[Any] = field(default_factory=list[Any], repr=False)

    @classmethod
    def made(cls, folder: Path, count: int = 3) -> Holders:
        import pyrage  # noqa: PLC0415 - only here

        folder.mkdir(parents=True, exist_ok=True)
        people = cls(folder, [pyrage.x25519.Identity.generate() for _ in range(count)])
        for number, identity in enumerate(people.identities, 1):
            (folder / f"holder-{number}.txt").write_text(f"{identity.to_public()}\n")
        (folder / "shares").mkdir()
        return people

    @property
    def words(self) -> list[str]:
        """What names them on the command line."""
        named = [word for file in sorted(self.folder.glob("holder-*")) for word in ("--holder", str(file))]
        count = str(len(named) // 2)
        return [*named, "--shares", count, "--threshold", "2", "--shares-to", str(self.folder / "shares")]

    def opened(self, cluster: str) -> list[str]:
        """Everybody's share of a cluster."""
        import pyrage  # noqa: PLC0415 - only here

        found: list[str] = []
        for number, identity in enumerate(self.identities, 1):
            (file,) = (self.folder / "shares").glob(f"{cluster}-{number}-*.age")
            found.append(pyrage.decrypt(file.read_bytes(), [identity]).decode())
        return found


def generated_root(made: Fleet, machine: Machine, shares: Sequence[str]) -> str:
    """A root token made by the holders of shares."""
    _, begun = made.ask(machine, "PUT", "/v1/sys/generate-root/attempt", {})
    said: dict[str, Any] = {}
    for share in shares:
        status, said = made.ask(machine, "PUT", "/v1/sys/generate-root/update", {"nonce": begun["nonce"], "key": share})
        assert status == 200, said
    assert said["complete"], "the shares do not reach the threshold"
    encoded = said["encoded_token"]
    raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return bytes(one ^ other for one, other in zip(raw, begun["otp"].encode(), strict=True)).decode()


def meeting(folder: Path) -> Path:
    """A place to import from that lets two runs initialise Vault at the very same moment."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(
        "import asyncio, os, pathlib\n"
        "from runbook.bootstrap.servers import Server\n"
        "asked, here = Server.ask, pathlib.Path(__file__).parent\n"
        "async def ask(self, method, path, body=None, *, token=''):\n"
        "    if path == '/v1/sys/init':\n"
        "        (here / f'{os.getpid()}.here').touch()\n"
        "        while len(list(here.glob('*.here'))) < 2:\n"
        "            await asyncio.sleep(0.01)\n"
        "    return await asked(self, method, path, body, token=token)\n"
        "Server.ask = ask\n"
    )
    return folder


def killer(folder: Path, after: int) -> Path:
    """A place to import from that ends the command right after so many answers to requests that change something."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(
        "import os, signal\n"
        "from runbook.bootstrap.servers import Server\n"
        "asked, left = Server.ask, [" + str(after) + "]\n"
        "async def ask(self, method, path, body=None, *, token=''):\n"
        "    reply = await asked(self, method, path, body, token=token)\n"
        "    if method not in ('GET', 'LIST') and 'lookup-' not in path:\n"
        "        left[0] -= 1\n"
        "        if not left[0]:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return reply\n"
        "Server.ask = ask\n"
    )
    return folder
