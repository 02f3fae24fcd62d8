"""The Consul agent: a server of the datacenter or the client beside every other program.

Owns the program; `consul` owns what a server's configuration says. Registration, health and names of a machine go
through its own agent, so that nothing on it needs to know where the servers are.

Dangerous edges:
- A client's certificate is signed by the servers (auto_encrypt), in a secondary datacenter by an authority that the
  primary once signed. A secondary that has never reached the primary has no clients.
- The token in the configuration is honoured from the moment the datacenter creates it. Until then the agent tries
  again and again; nothing has to be restarted.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.plan import secrets
from components.plan.addressing import ServerAddress, servers
from components.plan.server import File, SecretFile
from components.plan.spec import Stack

from .program import Directory, Program, authority, composed, composed_path, secret, secret_path
from .rendering import render

CONFIG = "/etc/consul.d/agent.hcl"
_NAME = "consul"

_TOKENS: Mapping[str, str] = {"agent": secrets.CONSUL_AGENT, "dns": secrets.CONSUL_AGENT}
"""Entry by the token's place in the configuration, on every agent."""


def agent(
    mode: str,
    config: str,
    tokens: Mapping[str, str],
    certificate: tuple[SecretFile, ...],
    *,
    services: tuple[File, ...] = (),
    directories: tuple[Directory, ...] = (),
) -> Program:
    """A Consul agent.

    Args:
        mode: `server` or `client`, for the unit's description.
        config: the configuration's text.
        tokens: entry by the token's place, beside those of every agent.
        certificate: secret files behind the configuration's TLS paths.
        services: files that register what runs beside the agent.
        directories: beside the agent's own.
    """
    wanted = {**_TOKENS, **tokens}
    files = {entry: secret(_NAME, _NAME, entry, entry) for entry in (secrets.CONSUL_GOSSIP, *wanted.values())}
    secret_config = render(
        "consul/secrets.json.j2",
        {
            "gossip": secret_path(_NAME, secrets.CONSUL_GOSSIP),
            "tokens": {place: secret_path(_NAME, entry) for place, entry in wanted.items()},
        },
    )
    unit = {"mode": mode, "config": CONFIG, "secret_config": composed_path(_NAME)}
    return Program(
        name=_NAME,
        user=_NAME,
        files=(
            File("/etc/systemd/system/consul.service", render("systemd/consul.service.j2", unit)),
            File("/etc/systemd/resolved.conf.d/consul.conf", render("boot/resolved.conf.j2", {})),
            File(CONFIG, config, "0640", "root:consul"),
            *services,
        ),
        units=("consul.service",),
        directories=(
            Directory("/etc/consul.d", "0750", "root:consul"),
            Directory("/opt/consul/data", "0700", "consul:consul"),
            *directories,
        ),
        secrets=(*certificate, *files.values()),
        composed=composed(_NAME, secret_config),
        validate=f"/usr/local/bin/consul validate /etc/consul.d {composed_path(_NAME)}",
    )


def client(
    stack: Stack,
    server: ServerAddress | None,
    *,
    service: str | None = None,
    service_token: str | None = None,
) -> Program:
    """The client agent of a machine.

    Args:
        stack: the region.
        server: the machine, or None for one of a group, which takes its name and address from the cloud.
        service: definition of a service that does not register itself.
        service_token: entry of the token that registers it.
    """
    config = render(
        "consul/client.hcl.j2",
        {
            "name": server and server.name,
            "cloud": stack.cloud,
            "address": server and server.address,
            "servers": [other.address for other in servers(stack.platform, stack.cloud, "consul")],
            "zone": server and stack.region.zone_label(server.zone),
            "leaves": server is None,
            "ca": secret_path(_NAME, "ca.pem"),
        },
    )
    tokens = {"config_file_service_registration": service_token} if service_token else {}
    services = (File("/etc/consul.d/service.hcl", service, "0640", "root:consul"),) if service else ()
    return agent("client", config, tokens, (authority(_NAME, _NAME),), services=services)
