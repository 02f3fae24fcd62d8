"""The grants that the stacks really register let every writer of every region do its work, and no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.plan.backup import WRITING_ROLES, prefix
from components.plan.spec import CLOUDS, Cloud, Role
from sandbox.stores import declared, namespace
from sandbox.stores.ground import Ground, Machine
from tests.deployed import Deployed
from tests.stores.conftest import Rig, able


def _identity(ground: Ground, cloud: Cloud, subject: str) -> str:
    """What a metadata service calls the identity whose subject the manifest names."""
    if cloud == "azure":
        return next(found.client for found in ground.identities if found.principal == subject)
    if cloud == "gcp":
        return next(found.email for found in ground.accounts if found.unique_id == subject)
    return subject


def _restorer(ground: Ground, cloud: Cloud, restorer: str) -> str:
    if cloud == "azure":
        readers = {
            grant.principal
            for grant in ground.azure_grants
            if any(one.endswith("/blobs/read") for one in grant.data_actions)
        }
        (client,) = [found.client for found in ground.identities if found.principal in readers]
        return client
    return restorer


@dataclasses.dataclass(frozen=True)
class Region:
    rig: Rig
    manifests: dict[Cloud, dict[str, Any]]

    def ways(self) -> Iterator[tuple[Cloud, Cloud]]:
        for home in CLOUDS:
            (targets,) = {tuple(found["targets"]) for found in self.manifests[home]["backup"]["sets"]}
            for store in CLOUDS:
                if store in targets:
                    yield home, store

    def target(self, home: Cloud, store: Cloud, role: Role) -> dict[str, Any]:
        backup = self.manifests[store]["backup"]
        writer = None if home == store else backup["writers"][home][role]
        return {"home": home, "cloud": store, "attributes": backup["bucket"]["attributes"], "writer": writer}


@pytest.fixture(scope="module")
def platform(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    able()
    resources = [found for cloud in CLOUDS for found in deployed.state(cloud)["resources"]]
    ground = declared.ground(resources)
    manifests: dict[Cloud, dict[str, Any]] = {cloud: deployed.stack(cloud).outputs()["manifest"] for cloud in CLOUDS}
    named: list[tuple[Cloud, str, str]] = []
    for cloud in CLOUDS:
        known = manifests[cloud]["identities"]
        for role in WRITING_ROLES:
            named.append((cloud, role, _identity(ground, cloud, known[role])))  # noqa: PERF401 - the types
        named.append((cloud, "restorer", _restorer(ground, cloud, manifests[cloud]["backup"]["restorer"])))
    machines = tuple(
        Machine(f"{cloud}-{name}", cloud, f"10.99.1.{number}", identity, manifests[cloud]["region"])
        for number, (cloud, name, identity) in enumerate(named, start=1)
    )
    facts = {
        machine.name: {"platform/azure.env": f"AZURE_CLIENT_ID={machine.identity}\nAZURE_KEY_VAULT=vault\n"}
        for machine in machines
        if machine.cloud == "azure"
    }
    whole = dataclasses.replace(ground, machines=machines)
    with namespace.stores(whole, tmp_path_factory.mktemp("declared"), facts) as stores:
        yield Region(Rig(stores), manifests)


def test_every_set_reaches_every_target_and_no_name_but_its_own(platform: Region, name: str, snapshot: Path) -> None:
    ways = list(platform.ways())
    assert {home for home, _ in ways} == set(CLOUDS)
    assert any(home != store for home, store in ways)
    for home, store in ways:
        for found in platform.manifests[home]["backup"]["sets"]:
            target = platform.target(home, store, found["role"])
            full = prefix(found["saved"], home) + name
            asked: dict[str, Any] = {"target": target, "name": full, "file": str(snapshot)}
            stored = platform.rig.do(f"{home}-{found['role']}", do="put", **asked)["tries"][-1]
            assert stored["stored"], (home, store, found["saved"], stored)
            other: Role = next(role for role in WRITING_ROLES if role != found["role"])
            asked |= {"name": f"{full}.other", "target": platform.target(home, store, other)}
            refused = platform.rig.do(f"{home}-{other}", do="put", **asked)["tries"][-1]
            assert not refused["stored"], (home, store, found["saved"], other)
            assert " 403 " in refused["message"]


@pytest.mark.parametrize("store", CLOUDS)
def test_the_declared_restorer_reads_what_was_stored_and_deletes_nothing(
    platform: Region, store: Cloud, name: str, snapshot: Path
) -> None:
    full = prefix("consul", store) + name
    target = platform.target(store, store, "consul-server")
    asked: dict[str, Any] = {"target": target, "name": full, "file": str(snapshot)}
    assert platform.rig.do(f"{store}-consul-server", do="put", **asked)["tries"][-1]["stored"]
    assert platform.rig.restorer(store, "HEAD" if store != "gcp" else "GET", full, target=target)["status"] == 200
    assert platform.rig.restorer(store, "DELETE", full, target=target)["status"] == 403
    gone = platform.rig.do(f"{store}-consul-server", do="ask", target=target, name=full, method="DELETE")
    assert gone["status"] == 403
