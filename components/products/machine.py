"""A machine from its programs: everything that all machines have in common.

Owns the boot (scripts, tables that they read, their units), users, owners of files, the archives to install and the secrets
to read. Knows no product: programs arrive as data.

The boot runs on every start, because secrets lie in memory only. Programs require it, so nothing starts on a machine
whose disk, binary or secret is missing.

Dangerous edge: user ids are fixed. A data disk outlives its machine, and its files belong to a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan import sizing, versions
from components.plan.addressing import ServerAddress
from components.plan.naming import Names
from components.plan.server import Disk, File, Guest, SecretFile, ServerSpec
from components.plan.spec import Role, Stack

from .exporter import exporter
from .program import IDS, LIBRARY, SECRETS, Directory, Program
from .rendering import render, table, verbatim

_STEPS = (
    "10-system", "20-accounts", "30-disks", "40-paths", "50-install", "60-secrets", "70-compose", "80-validate", "90-done",
)  # fmt: skip
_SETTINGS = "/etc/platform"
_UNITS = "/etc/systemd/system"


def machine(
    stack: Stack,
    guest: Guest,
    role: Role,
    server: ServerAddress | None,
    programs: Sequence[Program],
    disks: Sequence[Disk] = (),
) -> ServerSpec:
    """One machine with its programs, or the template of a group when it has no planned server.

    Args:
        stack: the region.
        guest: what the cloud gives a machine to read its secrets with.
        role: whose identity, firewall and size it has.
        server: name, zone and address.
        programs: what runs on it, in the order in which they start; node_exporter is added.
        disks: disks of its own.
    """
    every = (exporter(server.address if server else None), *programs)
    secrets = tuple(secret for program in every for secret in program.secrets)
    files = (
        *_scripts(guest),
        *_units(),
        *_kernel(role),
        *(file for program in every for file in _own(program)),
    )
    late = tuple(file for program in every for file in program.late)
    owned = [(file.path, file.mode, file.owner) for file in (*files, *late) if file.owner != "root:root"]
    tables = {
        "accounts": _accounts(every),
        "artefacts": _artefacts(stack, every),
        "paths": [*((d.path + "/", d.mode, d.owner) for d in _directories(every)), *owned],
        "secrets": _secrets(stack, secrets),
        "validate": [(p.name, p.user, p.validate) for p in every if p.validate],
    }
    return ServerSpec(
        name=server.name if server else Names(stack.platform, stack.cloud).thing(role),
        role=role,
        zone=server.zone if server else None,
        address=server.address if server else None,
        size=sizing.machine(stack.platform.profile, stack.cloud, role),
        disks=tuple(disks),
        files=(*files, *(File(f"{_SETTINGS}/{name}.tsv", table(*rows)) for name, rows in tables.items())),
        late=late,
        secrets=secrets,
        units=(
            "platform-boot.service",
            *(unit for program in every for unit in program.units),
            "platform-secrets.timer",
        ),
    )


def _scripts(guest: Guest) -> Iterator[File]:
    for name in ("boot.sh", "refresh.sh"):
        yield File(f"{LIBRARY}/{name}", verbatim(f"boot/{name}"), "0755")
    for name in ("log.sh", "compose.py"):
        yield File(f"{LIBRARY}/{name}", verbatim(f"boot/{name}"))
    for step in _STEPS:
        yield File(f"{LIBRARY}/steps/{step}.sh", verbatim(f"boot/{step}.sh"), "0755")
    yield guest.read_secret


def _units() -> Iterator[File]:
    for unit in ("platform-boot.service", "platform-secrets.service"):
        yield File(f"{_UNITS}/{unit}", render(f"systemd/{unit}.j2", {"library": LIBRARY}))
    yield File(f"{_UNITS}/platform-secrets.timer", verbatim("systemd/platform-secrets.timer"))


def _kernel(role: Role) -> Iterator[File]:
    runs_tasks = role == "nomad-client"
    yield File("/etc/sysctl.d/60-hashicorp.conf", render("boot/60-hashicorp.conf.j2", {"runs_tasks": runs_tasks}))
    if runs_tasks:
        yield File("/etc/modules-load.d/60-hashicorp.conf", verbatim("boot/modules.conf"))


def _own(program: Program) -> Iterator[File]:
    yield from program.files
    if program.composed:
        yield program.composed


def _accounts(programs: Sequence[Program]) -> list[tuple[str, ...]]:
    users = dict.fromkeys(program.user for program in programs if program.user != "root")
    return [(user, str(IDS[user]), f"/opt/{user}") for user in users]


def _artefacts(stack: Stack, programs: Sequence[Program]) -> list[tuple[str, ...]]:
    platform = stack.platform
    rows: list[tuple[str, ...]] = []
    for artefact in (artefact for program in programs for artefact in program.installed):
        archive = versions.archive(
            artefact, platform.versions, platform.artifacts, versions.EDITION_SUFFIX[platform.edition]
        )
        pinned = platform.artifacts.checksums.get(archive.file, "-")
        rows.append((artefact, archive.file, archive.url, archive.sums_url, pinned))
    return rows


def _directories(programs: Sequence[Program]) -> Iterator[Directory]:
    yield Directory(SECRETS, "0755", "root:root")
    for program in programs:
        if program.secrets:
            yield Directory(f"{SECRETS}/{program.name}", "0700", program.owner)
        yield from program.directories


def _secrets(stack: Stack, secrets: Sequence[SecretFile]) -> list[tuple[str, ...]]:
    names = Names(stack.platform, stack.cloud)
    return [(names.secret(secret.entry), secret.path, secret.mode, secret.owner) for secret in secrets]
