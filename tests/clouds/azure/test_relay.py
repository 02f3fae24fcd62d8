"""No two rules of a balancer lead to one port of a server, and every front port still reaches the product."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from components.clouds.azure.relay import aliases_of, relayed, server_port, with_relays
from components.plan.flows import BALANCERS, CONSUL_HTTPS, CONSUL_HTTPS_ALIAS, Balanced, HealthCheck, Listener, Port
from components.plan.server import ServerSpec
from components.plan.sizing import machine
from components.plan.spec import SERVER_ROLE, Product


def _server(product: Product, address: str | None = "10.2.1.10") -> ServerSpec:
    role = SERVER_ROLE[product]
    size = machine("small", "azure", role)
    return ServerSpec(f"{product}-azure-1", role, 0, address, size, (), (), (), (), ("boot.service",))


def test_every_rule_of_every_balancer_has_a_server_port_of_its_own() -> None:
    for balanced in BALANCERS.values():
        ports = [server_port(balanced, listener) for listener in balanced.listeners]
        assert len(set(ports)) == len(ports)


def test_a_listener_with_a_server_port_of_its_own_is_mapped_by_the_balancer() -> None:
    mapped = Balanced((Listener(Port.of(443), Port.of(9200)),), HealthCheck(Port.of(9200), "/"))
    assert relayed(mapped) == ()
    assert server_port(mapped, mapped.listeners[0]) == Port.of(9200)


def test_the_servers_relay_hands_the_alias_to_the_products_port() -> None:
    server = with_relays(_server("consul"))
    files = {file.path: file.content for file in server.files}
    unit = f"consul-relay-{CONSUL_HTTPS_ALIAS}"
    assert server.units == ("boot.service", f"{unit}.socket")
    assert f"ListenStream=10.2.1.10:{CONSUL_HTTPS_ALIAS}\n" in files[f"/etc/systemd/system/{unit}.socket"]
    assert f"systemd-socket-proxyd 127.0.0.1:{CONSUL_HTTPS}\n" in files[f"/etc/systemd/system/{unit}.service"]
    assert list(aliases_of(CONSUL_HTTPS)) == [CONSUL_HTTPS_ALIAS]


def test_other_machines_have_no_relay() -> None:
    for server in (_server("vault"), _server("boundary"), _server("consul", address=None)):
        assert with_relays(server) == server


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_relays_units(tmp_path: Path) -> None:
    files = [tmp_path / Path(file.path).name for file in with_relays(_server("consul")).files]
    for path, file in zip(files, with_relays(_server("consul")).files, strict=True):
        path.write_text(file.content, encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
