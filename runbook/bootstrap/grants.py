"""What a Vault cluster must have before it is ready: two policies, the snapshot agent's way in, two audit devices.

Owns these as data, each with the place where it is read and how it is written, so that the same list is compared by a token
that may only look and made by a root token.

Dangerous edge: an audit device that exists and writes elsewhere is not replaced. Taking it away would cut the trail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.plan.certificates import subject
from components.plan.manifest import Manifest, platform_of
from components.plan.vault import AUDIT_LOGS, BACKUP_MOUNT, BACKUP_ROLE
from runbook.bootstrap import rules
from runbook.bootstrap.servers import AGAIN, LOGS, Cluster, Server, refused, why
from runbook.bootstrap.steps import State, StopError
from runbook.health.replies import Answered, Snake

LOGIN_SECONDS = 900
"""A snapshot's login is of no use after so long."""
_Data = dict[str, Any]


class _Said(Snake):
    data: _Data


@dataclass(frozen=True)
class Grant:
    """One thing of Vault's own state.

    Attributes:
        path: where it is read.
        found: what of the answer is it; None where it is not there.
        good: whether it is as it should be.
    """

    says: str
    path: str
    found: Callable[[_Data], _Data | None]
    good: Callable[[_Data], bool]
    write: tuple[str, _Data]

    async def stands(self, server: Server, token: str) -> bool | None:
        """Whether it is as it should be; None where it is not there or may not be seen.

        Raises:
            StopError: the server does not say.
        """
        reply = await server.get(self.path, token=token)
        if isinstance(reply, Answered) and reply.status == 200:
            found = self.found(reply.read(_Said).data)
            return None if found is None else self.good(found)
        if refused(reply):
            return None
        raise StopError(State.UNKNOWN, f"{server.name} {why(reply)} when asked for {self.says}", AGAIN)


def grants(manifest: Manifest) -> tuple[Grant, ...]:
    """All of a region's, in the order in which they are made.

    Raises:
        StopError: the manifest does not say who the servers are.
    """
    return (
        _policy(BACKUP_ROLE, rules.backup()),
        _policy("health", rules.of("vault-health")),
        Grant(
            "authentication by certificates",
            "/v1/sys/auth",
            lambda data: data.get(f"{BACKUP_MOUNT}/"),
            lambda mount: mount.get("type") == "cert",
            (f"/v1/sys/auth/{BACKUP_MOUNT}", {"type": "cert"}),
        ),
        _login(manifest),
        *(_audit(name, file) for name, file in AUDIT_LOGS.items()),
    )


def _policy(name: str, text: str) -> Grant:
    path = f"/v1/sys/policies/acl/{name}"
    return Grant(
        f"policy {name}", path, lambda data: data, lambda data: data.get("policy") == text, (path, {"policy": text})
    )


def _login(manifest: Manifest) -> Grant:
    """The role of the snapshot agent: the machines of this cluster, known by the certificate that the plan gives them."""
    try:
        named = subject(platform_of(manifest.settings), manifest.cloud, "vault-server")
    except ValueError:
        raise StopError(
            State.WRONG,
            "its manifest does not hold the platform's settings, so it is unknown which certificates are its servers'",
            f"Update the stack, or take a manifest that this version wrote: pulumi up -s {manifest.cloud}",
        ) from None
    wanted: _Data = {
        "allowed_common_names": [named.common_name],
        # Every server's certificate names this machine itself, which proves nothing.
        "allowed_dns_sans": [name for name in named.dns if name != "localhost"],
        "token_policies": [BACKUP_ROLE],
        "token_no_default_policy": True,
        "token_type": "batch",
        "token_ttl": LOGIN_SECONDS,
        "token_max_ttl": LOGIN_SECONDS,
    }
    authority = manifest.ca_certificate.strip()
    path = f"/v1/auth/{BACKUP_MOUNT}/certs/{BACKUP_ROLE}"
    return Grant(
        f"role {BACKUP_ROLE}",
        path,
        lambda data: data,
        lambda data: (
            data.get("certificate", "").strip() == authority
            and all(data.get(name) == value for name, value in wanted.items())
        ),
        (path, {**wanted, "certificate": authority}),
    )


def _audit(name: str, file: str) -> Grant:
    return Grant(
        f"audit device {name}",
        "/v1/sys/audit",
        lambda data: data.get(f"{name}/"),
        lambda device: device.get("type") == "file" and device.get("options", {}).get("file_path") == file,
        (f"/v1/sys/audit/{name}", {"type": "file", "options": {"file_path": file}}),
    )


async def make(own: Cluster, server: Server, root: str, wanted: tuple[Grant, ...]) -> None:
    """Make what is missing and mend what differs.

    Raises:
        StopError: something stays as it is.
    """
    for grant in wanted:
        before = await grant.stands(server, root)
        if before:
            own.journal.note(State.UNCHANGED, grant.says)
            continue
        if own.journal.dry:
            own.journal.note(
                State.WOULD, f"{grant.says} {'made' if before is None else 'brought to what it should be'}"
            )
            continue
        path, body = grant.write
        await server.ask("POST", path, body, token=root)
        # Another run may have been quicker: what stands there decides.
        if not await grant.stands(server, root):
            raise StopError(State.WRONG, f"{grant.says} is not as it should be and stays so", f"{LOGS}: {server.name}")
        own.journal.note(State.DONE if before is None else State.CHANGED, grant.says)
