"""Programs for the products act on a lab's own Vault, Consul and Nomad, from the operator's desk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.plan.records import endpoint
from components.plan.spec import PRIMARY
from sandbox.home import TREE
from sandbox.lab.machines.desk import Desk
from sandbox.lab.place import Wish
from sandbox.progress import Board
from sandbox.ready import ready
from tests.harness import Sandbox
from tests.lab.proofs.breakable import Region
from tests.lab.proofs.whole import Whole, lacking

if TYPE_CHECKING:
    from collections.abc import Mapping

WISH = Wish((PRIMARY,), "small", "plain")
pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]

PROGRAM = """
import json, os
import pulumi, pulumi_consul as consul, pulumi_nomad as nomad, pulumi_vault as vault

at = json.loads(os.environ["AT"])
token = {name: pulumi.Output.secret(value) for name, value in json.loads(os.environ["TOKENS"]).items()}
on_vault = pulumi.ResourceOptions(
    provider=vault.Provider("vault", address=at["vault"], token=token["vault"], ca_cert_file=at["authority"]))
on_consul = pulumi.ResourceOptions(provider=consul.Provider(
    "consul", address=at["consul"], scheme="https", ca_file=at["authority"], token=token["consul"]))
on_nomad = pulumi.ResourceOptions(
    provider=nomad.Provider("nomad", address=at["nomad"], ca_file=at["authority"], secret_id=token["nomad"]))

vault.Policy("reader", name="reader", policy='path "kv/*" { capabilities = ["read"] }', opts=on_vault)
vault.Mount("kv", path="kv", type="kv-v2", opts=on_vault)
consul.AclPolicy("rules", name="rules", rules='key_prefix "apps/" { policy = "read" }', opts=on_consul)
consul.Keys("keys", keys=[{"path": "apps/word", "value": "kept", "delete": True}], opts=on_consul)
nomad.Namespace("space", name="space", description="trial", opts=on_nomad)
nomad.Variable("variable", path="apps/one", namespace="default", items={"word": "kept"}, opts=on_nomad)
"""


def _root(region: Region) -> str:
    """A root token, by the hands of the holders of shares."""
    lab = region.fleet.lab
    command = Desk(lab, region.fleet.network).command(
        ["env", f"PYTHONPATH={TREE}", sys.executable, str(Path(__file__).parent / "inside/root.py")]
    )
    return subprocess.run(
        command, input=region.order().line(), capture_output=True, text=True, check=True, cwd=TREE
    ).stdout


def _asked(region: Region, url: str, headers: Mapping[str, str]) -> str:
    """What a product answers at the desk; the token goes by standard input."""
    words = "".join(f'header = "{name}: {value}"\n' for name, value in headers.items())
    command = Desk(region.fleet.lab, region.fleet.network).command(
        ["curl", "--silent", "--insecure", "--max-time", "10", "--config", "-", url]
    )
    return subprocess.run(command, input=words, capture_output=True, text=True, check=True).stdout


def test_a_program_for_the_products_changes_them_and_its_second_update_changes_nothing(
    made: Whole, tmp_path: Path
) -> None:
    region = Region(made)
    order = region.order()
    authority = tmp_path / "authority.pem"
    authority.write_text(order.authority, encoding="ascii")
    plan = made.plan(PRIMARY).platform
    consul, vault, nomad = (endpoint(plan, PRIMARY, product) for product in ("consul", "vault", "nomad"))
    root = _root(region)
    at = {"vault": vault, "consul": consul.removeprefix("https://"), "nomad": nomad, "authority": str(authority)}
    tokens = {"vault": root, "consul": order.tokens["consul"], "nomad": order.tokens["nomad"]}
    environment = {"AT": json.dumps(at), "TOKENS": json.dumps(tokens)}
    sandbox = Sandbox(ready(Board(), root=made.place.root))
    stack = sandbox.stack("products", sandbox.program(PROGRAM, "products"))

    assert stack.up(env=environment).changed
    word = _asked(region, f"{consul}/v1/kv/apps/word?raw", {"X-Consul-Token": tokens["consul"]})
    space = _asked(region, f"{nomad}/v1/namespace/space", {"X-Nomad-Token": tokens["nomad"]})
    rules = _asked(region, f"{vault}/v1/sys/policies/acl/reader", {"X-Vault-Token": root})
    assert word == "kept"
    assert json.loads(space)["Description"] == "trial"
    assert json.loads(rules)["data"]["policy"].startswith('path "kv/*"')

    assert not stack.up(env=environment).changed
    stack.destroy(env=environment)
    assert json.loads(_asked(region, f"{vault}/v1/sys/policies/acl/reader", {"X-Vault-Token": root})) == {"errors": []}
