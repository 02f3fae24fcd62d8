"""`runbook health` on two real datacenters that are joined: access control that arrives or does not, a region that is lost."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.plan.certificates import subject
from components.plan.flows import CONSUL_HTTPS, NODE_EXPORTER
from components.plan.secrets import CONSUL_REPLICATION
from components.plan.spec import Cloud
from components.products import consul
from tests.backup.members import MANAGEMENT, Administrator
from tests.products.machines import guest, platform, stack
from tests.rendered import certificates
from tests.rendered.test_region import HERE, agent, secret
from tests.runbook.real import PATIENCE, VARIABLES, Ran, run
from tests.runbook.regions import facts, metrics, region
from tests.runbook.strangers import answering, text

pytestmark = [pytest.mark.binaries, pytest.mark.lab]
CLOUDS: tuple[Cloud, ...] = ("aws", "azure")
ONE = platform(servers={"consul": 1, "vault": 1, "nomad": 1, "boundary": 1})


def here(address: str) -> str:
    """Where an address of the plan is during this run."""
    return address.replace("10.1", HERE) if address.startswith("10.1.") else address.replace("10.", "127.", 1)


@dataclass
class Pair:
    """Two datacenters of one server each."""

    files: list[Path]
    apis: dict[Cloud, Administrator]
    agents: dict[Cloud, ExitStack] = field(default_factory=dict[Cloud, ExitStack])

    def until(self, good: Callable[[Ran], bool]) -> Ran:
        """The first run that is good."""
        words = [word for file in self.files for word in ("--manifest", str(file))]
        end = time.monotonic() + PATIENCE
        while True:
            ran = run(
                "health", *words, "--product", "consul", "--json", tokens={VARIABLES["consul"]: MANAGEMENT["consul"]}
            )
            if good(ran):
                return ran
            if time.monotonic() > end:
                pytest.fail(f"{ran.code}: {ran.said()}")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    root = tmp_path_factory.mktemp("pair")
    trust = root / "trust"
    trust.mkdir()
    subjects = [subject(ONE, cloud, "consul-server") for cloud in CLOUDS]
    certificates.write(
        trust,
        tuple(name for each in subjects for name in each.dns),
        tuple(dict.fromkeys(here(address) for each in subjects for address in each.addresses)),
    )
    context = ssl.create_default_context(cafile=str(trust / "ca.pem"))
    with ExitStack() as everything:
        made = Pair([], {})
        for cloud in CLOUDS:
            given = stack(cloud, ONE)
            (server,) = consul.servers(given, guest(given))
            address = here(server.address or "")
            made.agents[cloud] = everything.enter_context(ExitStack())
            made.agents[cloud].enter_context(agent("consul", server, root, trust))
            told = text(metrics("consul", cloud, at=dt.datetime.now(dt.UTC)))
            everything.enter_context(answering(told, address=(address, NODE_EXPORTER.first)))
            made.apis[cloud] = Administrator(f"https://{address}:{CONSUL_HTTPS}", context, MANAGEMENT["consul"])
            manifest = region(
                cloud, [facts("consul", cloud, [address])], CLOUDS, caCertificate=(trust / "ca.pem").read_text()
            )
            made.files.append(root / f"{cloud}.json")
            made.files[-1].write_text(manifest.model_dump_json(by_alias=True))
        replicating(made.apis["aws"])
        yield made


def replicating(primary: Administrator) -> None:
    """What the bootstrap makes for the secondaries."""
    # There is a leader before it knows the token that it was given.
    primary.until("/v1/acl/token/self", bool)
    rules = 'acl = "write" operator = "write" service_prefix "" { policy = "read" intentions = "read" }'
    primary("PUT", "/v1/acl/policy", {"Name": CONSUL_REPLICATION, "Rules": rules})
    token = {"SecretID": secret(CONSUL_REPLICATION), "Policies": [{"Name": CONSUL_REPLICATION}]}
    primary("PUT", "/v1/acl/token", token)


def test_two_joined_datacenters_pass_and_the_token_is_found_in_both(pair: Pair) -> None:
    ran = pair.until(lambda ran: ran.code == 0)
    assert ran.said() == []
    fine = ran.said("fine")
    assert fine.count("datacenters aws, azure are alive") == 2
    assert "ACL replication runs" in fine


def test_replication_that_fails_is_found(pair: Pair) -> None:
    azure = pair.apis["azure"]
    azure("PUT", "/v1/agent/token/replication", {"Token": secret("nobody-knows-this")})
    # Replication waits for a change of the primary before it asks again with the token it has now.
    pair.apis["aws"]("PUT", "/v1/acl/policy", {"Name": "another", "Rules": ""})
    ran = pair.until(lambda ran: "ACL replication has not succeeded since it last failed" in ran.said("wrong"))
    assert ran.code == 1
    azure("PUT", "/v1/agent/token/replication", {"Token": secret(CONSUL_REPLICATION)})
    pair.until(lambda ran: ran.code == 0)


def test_a_lost_datacenter_is_named_by_the_other(pair: Pair) -> None:
    pair.agents["azure"].close()
    ran = pair.until(lambda ran: "datacenter azure is not in the WAN list" in ran.said("wrong"))
    assert ran.code == 1
    assert "consul-azure-1.azure is not alive in the WAN list" in ran.said("wrong")
    (azure,) = [each for each in ran.document["subjects"] if each["name"] == "consul-azure"]
    assert azure["verdict"] in ("unknown", "wrong")
