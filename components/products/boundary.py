"""Boundary workers: no state, no vote; they authenticate by one key of the primary's cloud.

Owns the worker's configuration and the token by which a worker of another cloud reaches that key. Controllers belong to
the management layer.

Dangerous edges:
- The key must be the same at both ends: a worker with another one is never accepted, and says so only in its log.
- Health and metrics are plain HTTP for want of a certificate; the firewall admits only the platform's networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

from components.plan import secrets
from components.plan.addressing import ServerAddress
from components.plan.addressing import servers as planned
from components.plan.federation import TRUSTED
from components.plan.flows import BOUNDARY_CLUSTER
from components.plan.server import WEB_IDENTITY_TOKEN, File, Guest, KeyStanza, LateFile, ServerSpec
from components.plan.spec import Stack

from .agent import client
from .machine import machine
from .program import LIBRARY, Directory, Program
from .rendering import key_block, render, verbatim

WORKER_AUTH = "boundary-worker-auth"
"""Purpose of the key by which workers and controllers know each other."""
EVENTS = "/var/log/boundary/events.json"
_ROLE = "boundary-worker"
_CONFIG = "/etc/boundary.d/worker.hcl"
_KMS = "/etc/boundary.d/kms.hcl"
_UNITS = "/etc/systemd/system"

LATE: Mapping[str, Callable[[KeyStanza], str]] = {WORKER_AUTH: partial(key_block, "boundary/kms.hcl.j2")}
"""Content of each late file, by its fact."""


def servers(stack: Stack, guest: Guest) -> tuple[ServerSpec, ...]:
    """The workers of the region."""
    return tuple(
        machine(stack, guest, _ROLE, worker, (_agent(stack, worker), _worker(stack, guest, worker)))
        for worker in planned(stack.platform, stack.cloud, "boundary")
    )


def _agent(stack: Stack, worker: ServerAddress) -> Program:
    # A worker does not register itself as Vault and Nomad do.
    service = render(
        "boundary/service.hcl.j2",
        {"address": worker.address, "tags": [stack.cloud, stack.region.zone_label(worker.zone)]},
    )
    return client(stack, worker, service=service, service_token=secrets.CONSUL_BOUNDARY)


def _worker(stack: Stack, guest: Guest, worker: ServerAddress) -> Program:
    config = render(
        "boundary/worker.hcl.j2",
        {
            "name": worker.name,
            "address": worker.address,
            "upstream": f"boundary-cluster.{stack.platform.domain}:{BOUNDARY_CLUSTER}",
            "cloud": stack.cloud,
            "region": stack.region.name,
            "zone": stack.region.zone_label(worker.zone),
            "events": PurePosixPath(EVENTS),
        },
    )
    identity = _identity(stack, guest.web_identity) if guest.web_identity else ()
    unit = {"config": _CONFIG, "kms": _KMS, "federated": bool(identity)}
    token = PurePosixPath(WEB_IDENTITY_TOKEN).parent
    return Program(
        name="boundary",
        user="boundary",
        files=(
            File(f"{_UNITS}/boundary.service", render("systemd/boundary.service.j2", unit)),
            File(_CONFIG, config, "0640", "root:boundary"),
            *identity,
        ),
        units=("boundary.service", *(("boundary-identity.timer",) if identity else ())),
        directories=(
            Directory("/etc/boundary.d", "0750", "root:boundary"),
            Directory("/opt/boundary", "0750", "boundary:boundary"),
            Directory(str(PurePosixPath(EVENTS).parent), "0750", "boundary:boundary"),
            *((Directory(str(token), "0700", "boundary:boundary"),) if identity else ()),
        ),
        late=(LateFile(_KMS, WORKER_AUTH, "0640", "root:boundary"),),
    )


def _identity(stack: Stack, web_identity: File) -> tuple[File, ...]:
    unit = {
        "library": LIBRARY,
        "audience": TRUSTED[stack.cloud, stack.platform.primary],
        "token": WEB_IDENTITY_TOKEN,
        "folder": str(PurePosixPath(WEB_IDENTITY_TOKEN).parent),
    }
    return (
        web_identity,
        File(f"{LIBRARY}/identity.sh", verbatim("boundary/identity.sh"), "0755"),
        File(f"{_UNITS}/boundary-identity.service", render("systemd/boundary-identity.service.j2", unit)),
        File(f"{_UNITS}/boundary-identity.timer", verbatim("systemd/boundary-identity.timer")),
    )
