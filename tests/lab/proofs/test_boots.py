"""What a boot or a server cannot do without, taken away: it fails with its reason, in sight, and nobody else is touched."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from components.plan.secrets import private_key_entry
from components.plan.spec import PRIMARY
from components.plan.versions import archive
from runbook.manifests import from_files
from sandbox.cloud.index import entry
from sandbox.cloud.store import Store
from sandbox.lab import daemon
from sandbox.lab.breaking.choosing import Choice
from sandbox.lab.breaking.mending import restore
from sandbox.lab.follower import services_folder
from sandbox.lab.services.artefacts import place as on_shelf
from sandbox.lab.services.server import shelf
from tests.lab.proofs.breakable import SEAL, WISH, Region, until
from tests.lab.proofs.whole import Whole, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from components.plan.spec import Role
    from sandbox.cloud.store import Record

pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]

PATIENCE_FILE = "etc/systemd/system/platform-boot.service.d/patience.conf"
IMPATIENT = "[Service]\nEnvironment=PLATFORM_PATIENCE=20\n"
"""An image may say how long a boot waits for what is around it; five minutes would prove no more."""


@pytest.fixture(scope="module")
def whole_region(made: Whole) -> Region:
    assert made.made.healthy, made.made.health
    return Region(made)


@pytest.fixture
def region(whole_region: Region) -> Iterator[Region]:
    """The region, well before and after."""
    whole_region.heals()
    yield whole_region
    whole_region.heals()


def fails(region: Region, name: str, *words: str) -> None:
    """Waits until a machine's boot has ended: without success, with the reason on its console and in `lab status`."""
    until(lambda: region.row(name).phase != "booting", lambda: region.row(name))
    row, console = region.row(name), region.fleet.instance(name).console.read_text(errors="replace")
    assert (row.phase, row.failed) == ("failed", True)
    for word in words:
        assert word in row.reason
        assert word in console


@contextmanager
def untouched(region: Region, name: str) -> Iterator[None]:
    """Whatever happens to a machine meanwhile: at the end the others run on, and no morning check is about one of them."""
    before = region.pids(name)
    others = [f" {other.partition('-')[2]} " for other in before]

    def about_others() -> list[str]:
        return [line for line in region.unwell() if any(other in line for other in others)]

    yield
    # What a moment's election made of it passes.
    until(lambda: not about_others(), about_others)
    assert region.pids(name) == before
    assert set(region.ailing()) == {name}


@contextmanager
def plain_image(region: Region) -> Iterator[None]:
    """Machines that are made now find no programs in their image and fetch what they install, as in a cloud."""
    image = region.fleet.lab.folder / "plain-image"
    (image / PATIENCE_FILE).parent.mkdir(parents=True, exist_ok=True)
    (image / PATIENCE_FILE).write_text(IMPATIENT, encoding="utf-8")
    with leading(region.fleet.lab.prepared, image):
        yield


@contextmanager
def made_anew_after(region: Region, name: str) -> Iterator[None]:
    """A machine that is made with a plain image meanwhile has the lab's own image again afterwards, whatever became of it."""
    try:
        with plain_image(region):
            yield
    finally:
        region.replace(name)


@contextmanager
def damaged(region: Region, folder: Path) -> Iterator[str]:
    """One archive on the shelf has a byte more than what was published; says its name."""
    platform, shelved = region.lab.plan(PRIMARY).platform, shelf(services_folder(region.lab.place.lab))
    shutil.copytree(shelved.readlink(), folder, copy_function=os.symlink)
    forged = on_shelf(folder, archive("node_exporter", platform.versions, platform.artifacts))
    content = forged.read_bytes()
    forged.unlink()
    forged.write_bytes(content + b"\0")
    with leading(shelved, folder):
        yield forged.name


@contextmanager
def without(region: Region, goes: Callable[[Record], bool]) -> Iterator[None]:
    """Something that the cloud has on record is gone meanwhile."""
    with closing(Store(region.lab.place.cloud, entry)) as store:
        gone = [record for record in store.everything() if goes(record)]
        assert gone
        for record in gone:
            store.remove(record.key)
        try:
            followed(region)
            yield
        finally:
            for record in gone:
                store.put(record)
            followed(region)


def value_of(region: Region, secret: str) -> Callable[[Record], bool]:
    """The value of an entry of the secret store, which stays."""
    id_ = from_files([region.lab.place.root / "manifests" / f"{PRIMARY}.json"])[PRIMARY].secrets[secret]
    return lambda record: record.type.startswith("aws:secretsmanager/secretVersion") and record["secretId"] == id_


def grants_of(role: Role) -> Callable[[Record], bool]:
    """All that machines of a role may do."""
    return lambda record: record.type.startswith("aws:iam/rolePolicy:") and role in str(record["role"])


@contextmanager
def disabled_seal(region: Region) -> Iterator[None]:
    """Nobody can use the key that the region's Vault is sealed with."""
    region.breaker.key(SEAL, disabled=True)
    try:
        followed(region)
        yield
    finally:
        region.breaker.key(SEAL, disabled=False)


@contextmanager
def leading(link: Path, target: Path) -> Iterator[None]:
    """A link leads elsewhere."""
    before = link.readlink()
    _point(link, target)
    try:
        yield
    finally:
        _point(link, before)


def followed(region: Region) -> None:
    """Waits until a round has seen all that was done before now."""
    now = time.time()
    until(
        lambda: (said := daemon.said(region.lab.place)) and said.began > now and not said.trouble,
        lambda: daemon.said(region.lab.place),
    )


def test_an_archive_that_is_not_what_was_published_is_not_installed(region: Region, tmp_path: Path) -> None:
    name = region.names("-vault-aws-")[2]
    with made_anew_after(region, name), damaged(region, tmp_path / "shelf") as forged, untouched(region, name):
        region.replace(name)
        fails(region, name, "install: ", forged, "damaged or forged")


def test_a_secret_without_a_value_stops_who_needs_it_and_is_named(region: Region) -> None:
    name, secret = region.names("-vault-aws-")[2], private_key_entry("vault-server")
    with made_anew_after(region, name), without(region, value_of(region, secret)), untouched(region, name):
        region.replace(name)
        fails(region, name, f"{secret} cannot be read", "ResourceNotFoundException")


def test_a_machine_that_may_read_no_secret_is_refused_and_says_so(region: Region) -> None:
    name = region.names("-vault-aws-")[2]
    with made_anew_after(region, name), without(region, grants_of("vault-server")), untouched(region, name):
        region.replace(name)
        fails(region, name, "cannot be read", "AccessDeniedException")


def test_a_vault_whose_key_is_disabled_stays_sealed_while_others_serve_and_unseals_by_itself(region: Region) -> None:
    name = region.names("-vault-aws-")[0]
    with disabled_seal(region), untouched(region, name):
        region.breaker.kill(Choice((name,)), "KILL")
        assert restore(region.breaker, [name]) == [f"{name} started"]
        until(lambda: region.row(name).failed, lambda: region.row(name))
        # Vault says that it failed a moment before it says why.
        until(lambda: "DisabledException" in region.row(name).reason, lambda: region.row(name))
        assert "sealed: " in region.row(name).reason
        started = region.pids()[name]
    until(lambda: not region.ailing(), region.ailing)
    assert region.pids()[name] == started, "it unsealed only because it was started again"


@pytest.mark.parametrize("product", ["consul", "nomad", "vault"])
def test_a_full_data_disk_is_said_of_its_own_server_and_stops_no_other(region: Region, product: str) -> None:
    name = region.names(f"-{product}-aws-")[2]
    with untouched(region, name):
        region.breaker.fill(name, f"/opt/{product}", 0)
        until(lambda: "full disk: " in region.row(name).reason, lambda: region.row(name))
        assert f"/opt/{product} has no space left" in region.row(name).reason
    assert restore(region.breaker, [name]) == [f"disk at /opt/{product} of {name} freed"]


def _point(link: Path, target: Path) -> None:
    """At once: who looks meanwhile finds one or the other."""
    new = link.with_name(f".{link.name}.new")
    new.symlink_to(target)
    new.replace(link)
