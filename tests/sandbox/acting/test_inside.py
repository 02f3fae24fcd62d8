"""A product that is reachable, and whose name is known, inside a network namespace only."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset
import pytest

from sandbox.cloud import daemon
from sandbox.mesh.namespaces import Namespaces
from tests.harness import Sandbox
from tests.rendered.tools import missing, system
from tests.sandbox.acting import agents

pytestmark = [pytest.mark.engine, pytest.mark.binaries]

PROGRAM = """
import os, pulumi, pulumi_vault as vault
token = pulumi.Output.secret(os.environ["TOKEN"])
provider = vault.Provider("vault", address=os.environ["AT"], token=token, ca_cert_file=os.environ["AUTHORITY"], tls_server_name="localhost")
vault.Policy("inside", name="inside", policy="# none", opts=pulumi.ResourceOptions(provider=provider))
"""


@contextmanager
def name_server(opened: socket.socket) -> Iterator[None]:
    """Answers whoever asks that everything is on the loopback interface, until the block ends."""

    def serve() -> None:
        while True:
            asked, asker = opened.recvfrom(4096)
            if not asked:
                return
            query = dns.message.from_wire(asked)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "127.0.0.1"))
            opened.sendto(answer.to_wire(), asker)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        opened.sendto(b"", opened.getsockname())
        thread.join()
        opened.close()


@pytest.fixture
def inside() -> Iterator[tuple[Namespaces, str]]:
    system("ip", "iproute2")
    if os.geteuid():
        missing("this needs root: it makes a network namespace")
    namespaces = Namespaces("acting")
    namespaces.create(["in"])
    yield namespaces, "in"
    namespaces.end(["in"])
    namespaces.remove()


def listening() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 53))
    return opened


def test_an_address_inside_is_reached_by_the_file_that_names_the_namespace(
    sandbox: Sandbox, tmp_path: Path, inside: tuple[Namespaces, str]
) -> None:
    namespaces, name = inside
    with agents.vault(tmp_path, within=namespaces.command(name, [])) as vault:
        stack = sandbox.stack("trial", sandbox.program(PROGRAM, "inside"))
        named = vault.address.replace("127.0.0.1", "vault.lab.invalid")
        env = {"AT": vault.address, "TOKEN": vault.token, "AUTHORITY": str(tmp_path / "vault-ca.pem")}
        file = daemon.inside_file(sandbox.home.cloud)
        assert "gave no answer" in str([item.message for item in stack.up(env=env, fails=True).diagnostics])
        try:
            file.write_text(namespaces.full(name))
            stack.up(env=env)
            assert "inside" in vault.told("policy", "list")
            with name_server(namespaces.inside(name, listening)):
                file.write_text(f"{namespaces.full(name)} 127.0.0.1\n")
                assert set(stack.up("--refresh", env=env | {"AT": named}).changes) <= {"same", "update"}
                stack.destroy()
            assert "inside" not in vault.told("policy", "list")
        finally:
            file.unlink()
