"""The boot's steps, run for real: what they leave behind, and the one line they leave when they cannot go on."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.products.machines import Case
from tests.rendered.loopback import Served, serving
from tests.rendered.rig import ME, Rig, mode, rig

SECRET = "correct-horse-battery-staple"
FAILED = "platform-boot: FAILED at step"


@pytest.fixture
def vault(tmp_path: Path) -> Rig:
    """A Vault server of the primary."""
    return rig(tmp_path / "machine", Case("aws", "vault-server"))


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Served]:
    """A release server."""
    folder = tmp_path / "releases"
    folder.mkdir()
    with serving(folder) as served:
        yield served


def publish(releases: Served, artefact: str, body: bytes, sums: str | None = None) -> tuple[str, ...]:
    """Offer an archive; returns its row of the table, without a pin."""
    archive = f"{artefact}_1.0.0_linux_amd64.zip"
    with zipfile.ZipFile(releases.folder / archive, "w") as packed:
        packed.writestr(artefact, body)
    honest = f"{'0' * 64}  other.zip\n{digest(releases.folder / archive)}  {archive}\n"
    (releases.folder / "SHA256SUMS").write_text(honest if sums is None else sums)
    return artefact, archive, f"{releases.url}/{archive}", f"{releases.url}/SHA256SUMS"


def digest(file: Path) -> str:
    """A file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def reader(values: Mapping[str, str], first: str = "") -> str:
    """A cloud's reader that holds these values, as shell text; `first` runs before it looks."""
    cases = "".join(f"{name}) printf '{name}\\t{encoded(value)}\\n' ;; " for name, value in values.items())
    refused = 'echo "read-secret: $name in the store: access denied" >&2; status=1'
    return f"status=0; {first}\nfor name; do case $name in {cases}*) {refused} ;; esac; done; exit $status"


def encoded(value: str) -> str:
    """A value as a reader prints it."""
    return base64.b64encode(value.encode()).decode()


class TestInstall:
    """Step 50."""

    def test_a_good_archive_is_installed_executable(self, vault: Rig, releases: Served) -> None:
        vault.table("artefacts", (*publish(releases, "vault", b"#!/bin/sh\necho up\n"), "-"))
        done = vault.run("steps/50-install.sh")
        assert done.returncode == 0, done.stderr
        binary = vault.path("/usr/local/bin/vault")
        assert binary.read_bytes() == b"#!/bin/sh\necho up\n"
        assert mode(binary) == 0o755

    def test_a_reboot_downloads_nothing(self, vault: Rig, releases: Served) -> None:
        vault.table("artefacts", (*publish(releases, "vault", b"one"), "-"))
        vault.run("steps/50-install.sh")
        releases.asked.clear()
        assert vault.run("steps/50-install.sh").returncode == 0
        assert releases.asked == []

    def test_a_damaged_binary_is_installed_again(self, vault: Rig, releases: Served) -> None:
        vault.table("artefacts", (*publish(releases, "vault", b"one"), "-"))
        vault.run("steps/50-install.sh")
        vault.path("/usr/local/bin/vault").write_bytes(b"rotten")
        assert vault.run("steps/50-install.sh").returncode == 0
        assert vault.path("/usr/local/bin/vault").read_bytes() == b"one"

    def test_a_good_archive_on_disk_spares_the_network(self, vault: Rig, releases: Served) -> None:
        row = publish(releases, "vault", b"one")
        vault.table("artefacts", (*row, digest(releases.folder / row[1])))
        vault.run("steps/50-install.sh")
        releases.asked.clear()
        vault.path("/usr/local/bin/vault").unlink()
        assert vault.run("steps/50-install.sh").returncode == 0
        assert vault.path("/usr/local/bin/vault").read_bytes() == b"one"
        assert releases.asked == []

    def test_a_damaged_archive_is_fetched_again_once_it_is_needed_and_never_installed(
        self, vault: Rig, releases: Served
    ) -> None:
        row = publish(releases, "vault", b"one")
        vault.table("artefacts", (*row, "-"))
        vault.run("steps/50-install.sh")
        releases.asked.clear()
        archive = vault.path(f"/var/cache/platform/{row[1]}")
        with zipfile.ZipFile(archive, "w") as forged:
            forged.writestr("vault", b"forged")
        assert vault.run("steps/50-install.sh").returncode == 0
        assert releases.asked == []
        vault.path("/usr/local/bin/vault").write_bytes(b"rotten")
        assert vault.run("steps/50-install.sh").returncode == 0
        assert vault.path("/usr/local/bin/vault").read_bytes() == b"one"
        assert digest(archive) == digest(releases.folder / row[1])

    def test_a_record_names_the_archive_first_and_then_what_is_installed(self, vault: Rig, releases: Served) -> None:
        row = publish(releases, "vault", b"one")
        vault.table("artefacts", (*row, "-"))
        vault.run("steps/50-install.sh")
        archive, binary = vault.path(f"/var/cache/platform/{row[1]}"), vault.path("/usr/local/bin/vault")
        record = archive.with_name(f"{archive.name}.sha256").read_text()
        assert record == f"{digest(archive)}  {archive}\n{digest(binary)}  {binary}\n"

    def test_a_tar_archive_is_installed_too(self, vault: Rig, releases: Served, tmp_path: Path) -> None:
        folder = tmp_path / "node_exporter-1.0.0.linux-amd64"
        folder.mkdir()
        (folder / "node_exporter").write_text("metrics")
        name = shutil.make_archive(str(releases.folder / folder.name), "gztar", tmp_path, folder.name)
        archive = Path(name).name
        (releases.folder / "sums").write_text(f"{digest(Path(name))} *{archive}\n")
        vault.table("artefacts", ("node_exporter", archive, f"{releases.url}/{archive}", f"{releases.url}/sums", "-"))
        done = vault.run("steps/50-install.sh")
        assert done.returncode == 0, done.stderr
        assert vault.path("/usr/local/bin/node_exporter").read_text() == "metrics"

    def test_a_tree_is_installed_whole_beside_its_link_and_a_reboot_leaves_it(
        self, vault: Rig, releases: Served, tmp_path: Path
    ) -> None:
        name = "postgresql-16.9.0-x86_64-unknown-linux-gnu"
        for file in ("bin/pg_dump", "lib/libpq.so.5", "share/a/b"):
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(file)
        (tmp_path / name / "bin" / "pg_dump").chmod(0o755)
        packed = Path(shutil.make_archive(str(releases.folder / name), "gztar", tmp_path, name))
        (releases.folder / f"{packed.name}.sha256").write_text(f"{digest(packed)}\n")
        url = f"{releases.url}/{packed.name}"
        vault.table("artefacts", ("postgresql", packed.name, url, f"{url}.sha256", "-"))
        done = vault.run("steps/50-install.sh")
        assert done.returncode == 0, done.stderr
        assert vault.path("/opt/postgresql").readlink() == Path(name)
        assert vault.path("/opt/postgresql/lib/libpq.so.5").read_text() == "lib/libpq.so.5"
        assert mode(vault.path("/opt/postgresql/bin/pg_dump")) == 0o755
        releases.asked.clear()
        assert vault.run("steps/50-install.sh").returncode == 0
        assert releases.asked == []
        vault.path("/opt/postgresql/share/a/b").write_text("rotten")
        assert vault.run("steps/50-install.sh").returncode == 0
        assert vault.path("/opt/postgresql/share/a/b").read_text() == "share/a/b"

    def test_an_archive_that_differs_from_the_published_sum_is_refused(self, vault: Rig, releases: Served) -> None:
        archive = "vault_1.0.0_linux_amd64.zip"
        vault.table("artefacts", (*publish(releases, "vault", b"one", sums=f"{'a' * 64}  {archive}\n"), "-"))
        done = vault.run("steps/50-install.sh")
        assert done.returncode == 1
        assert vault.console == done.stderr.splitlines()[-1] + "\n"
        assert vault.console.startswith(f"{FAILED} install: {archive} has SHA-256 ")
        assert not vault.path("/usr/local/bin/vault").exists()

    def test_an_archive_that_no_sum_names_is_refused(self, vault: Rig, releases: Served) -> None:
        vault.table(
            "artefacts", (*publish(releases, "vault", b"one", sums=f"{'a' * 64}  vault_1.0.0_linux_arm64.zip\n"), "-")
        )
        assert vault.run("steps/50-install.sh").returncode == 1
        assert "the published sums do not name vault_1.0.0_linux_amd64.zip" in vault.console
        assert not vault.path("/usr/local/bin/vault").exists()

    def test_an_archive_that_differs_from_the_pinned_sum_is_refused(self, vault: Rig, releases: Served) -> None:
        vault.table("artefacts", (*publish(releases, "vault", b"one"), "b" * 64))
        assert vault.run("steps/50-install.sh").returncode == 1
        assert f"the configuration pins {'b' * 64}" in vault.console
        assert not vault.path("/usr/local/bin/vault").exists()

    def test_a_sum_pinned_later_is_held_against_what_is_installed(self, vault: Rig, releases: Served) -> None:
        row = publish(releases, "vault", b"one")
        vault.table("artefacts", (*row, "-"))
        vault.run("steps/50-install.sh")
        vault.table("artefacts", (*row, digest(releases.folder / row[1])))
        assert vault.run("steps/50-install.sh").returncode == 0
        vault.table("artefacts", (*row, "b" * 64))
        assert vault.run("steps/50-install.sh").returncode == 1

    def test_an_archive_that_is_not_there_says_where_it_was_looked_for(self, vault: Rig, releases: Served) -> None:
        row = publish(releases, "vault", b"one")
        (releases.folder / row[1]).unlink()
        vault.table("artefacts", (*row, "-"))
        assert vault.run("steps/50-install.sh").returncode == 1
        assert f"{row[2]} cannot be fetched; check the artefact address" in vault.console


class TestSecrets:
    """Step 60 and the daily refresh."""

    FILE = "/run/platform/secrets/vault/key.pem"

    @pytest.fixture
    def reading(self, vault: Rig) -> Rig:
        vault.table("secrets", ("hmc-key", self.FILE, "0400", ME))
        vault.path(self.FILE).parent.mkdir(parents=True)
        vault.plays("read-secret", reader({"hmc-key": SECRET}))
        return vault

    def test_a_secret_arrives_closed_to_others_and_unseen(self, reading: Rig) -> None:
        done = reading.run("steps/60-secrets.sh")
        assert done.returncode == 0, done.stderr
        assert reading.path(self.FILE).read_text() == SECRET
        assert mode(reading.path(self.FILE)) == 0o400
        assert SECRET not in done.stdout + done.stderr + reading.console
        assert [path.name for path in reading.path(self.FILE).parent.iterdir()] == ["key.pem"]

    def test_a_secret_is_never_an_argument_of_any_program(self, reading: Rig, tmp_path: Path) -> None:
        log = tmp_path / "arguments"
        script = reading.path("/usr/local/lib/platform/steps/60-secrets.sh").read_text()
        for name in ("cmp", "mv", "rm", "chown", "chmod", "awk", "base64", "dirname", "sleep"):
            assert name in script
            reading.plays(name, f'printf "%s\\n" "$0 $*" >>{log}; exec {shutil.which(name)} "$@"')
        assert reading.run("steps/60-secrets.sh").returncode == 0
        assert "chmod 0400" in log.read_text()
        assert SECRET not in log.read_text()
        assert encoded(SECRET) not in log.read_text()

    def test_a_store_that_answers_late_is_waited_for(self, reading: Rig, tmp_path: Path) -> None:
        ready = tmp_path / "ready"
        reading.plays(
            "read-secret",
            reader({"hmc-key": SECRET}, f"[ -e {ready} ] || {{ touch {ready}; echo no grant >&2; exit 1; }}"),
        )
        done = reading.run("steps/60-secrets.sh", patience=60)
        assert done.returncode == 0, done.stderr
        assert "secret hmc-key is not readable yet" in done.stdout
        assert reading.path(self.FILE).read_text() == SECRET

    def test_a_store_that_refuses_is_reported_in_its_own_words(self, reading: Rig) -> None:
        reading.plays("read-secret", "echo 'read-secret: access denied' >&2; exit 1")
        done = reading.run("steps/60-secrets.sh", patience=0)
        assert done.returncode == 1
        assert reading.console == (
            f"{FAILED} secrets: secret hmc-key cannot be read: read-secret: access denied; "
            "grant this machine's role access to it and see that it has a value\n"
        )
        assert SECRET not in done.stdout + done.stderr
        assert not list(reading.path(self.FILE).parent.iterdir())

    def test_an_empty_secret_is_no_secret(self, reading: Rig) -> None:
        reading.plays("read-secret", reader({"hmc-key": ""}))
        assert reading.run("steps/60-secrets.sh", patience=0).returncode == 1
        assert "it is empty" in reading.console

    def test_half_a_line_is_no_value(self, reading: Rig) -> None:
        reading.plays("read-secret", f"printf 'hmc-key\\t{encoded(SECRET)}'; exit 1")
        assert reading.run("steps/60-secrets.sh", patience=0).returncode == 1
        assert not reading.path(self.FILE).exists()

    def test_an_entry_is_asked_for_once_and_again_only_while_it_is_missing(self, reading: Rig, tmp_path: Path) -> None:
        asked, late = tmp_path / "asked", self.FILE.replace("key", "late")
        again = self.FILE.replace("key", "again")
        reading.table("secrets", *((entry, path, "0400", ME) for entry, path in (
            ("hmc-key", self.FILE), ("hmc-late", late), ("hmc-key", again),
        )))  # fmt: skip
        refused, told = reader({"hmc-key": SECRET}), reader({"hmc-late": "late"})
        first = f'if ! [ -e {asked} ]; then echo "$@" >{asked}; {refused}; fi; echo "$@" >>{asked}'
        reading.plays("read-secret", f"{first}; {told}")
        done = reading.run("steps/60-secrets.sh", patience=60)
        assert done.returncode == 0, done.stderr
        assert asked.read_text() == "hmc-key hmc-late\nhmc-late\n"
        assert [line for line in done.stdout.splitlines() if "not readable yet" in line] == [
            "platform-boot: secrets: secret hmc-late is not readable yet, next try in 1 s"
        ]
        assert [reading.path(path).read_text() for path in (self.FILE, again, late)] == [SECRET, SECRET, "late"]

    def test_a_value_is_put_down_to_its_last_byte(self, reading: Rig) -> None:
        value = "é\n\n" * 100_000
        reading.write("/store", reader({"hmc-key": value}))
        reading.plays("read-secret", f". {reading.path('/store')}")
        assert reading.run("steps/60-secrets.sh").returncode == 0
        assert reading.path(self.FILE).read_text() == value

    def test_one_secret_that_is_missing_leaves_the_others_files_alone_and_is_named_with_its_own_reason(
        self, reading: Rig, tmp_path: Path
    ) -> None:
        other = self.FILE.replace("key", "other")
        reading.run("steps/60-secrets.sh")
        reading.table("secrets", ("hmc-key", self.FILE, "0400", ME), ("hmc-other", other, "0400", ME))
        said = "echo 'read-secret: hmc-others in the store: not this' >&2"
        reading.plays(
            "read-secret", f"{reader({'hmc-key': 'renewed'}, said).removesuffix('exit $status')}{said}; exit 1"
        )
        assert reading.run("steps/60-secrets.sh", patience=0).returncode == 1
        assert (
            "secret hmc-other cannot be read: read-secret: hmc-other in the store: access denied; " in reading.console
        )
        assert reading.path(self.FILE).read_text() == SECRET
        assert not list(reading.root.rglob("*.new"))
        assert not list(reading.root.rglob("*.why"))

    def test_what_is_in_place_survives_a_store_that_fails(self, reading: Rig) -> None:
        reading.run("steps/60-secrets.sh")
        reading.plays("read-secret", "exit 1")
        assert reading.run("steps/60-secrets.sh", patience=0).returncode == 1
        assert reading.path(self.FILE).read_text() == SECRET

    def test_a_refresh_reloads_only_what_changed(self, reading: Rig, tmp_path: Path) -> None:
        other = "/run/platform/secrets/consul/ca.pem"
        reading.table("secrets", ("hmc-key", self.FILE, "0400", ME), ("hmc-ca", other, "0400", ME))
        reading.path(other).parent.mkdir(parents=True)
        shutil.rmtree(reading.path("/etc/platform/compose.d"))
        reading.path("/etc/platform/compose.d").mkdir()
        reading.write("/etc/platform/compose.d/consul.json", '{"ca": {"$file": "/run/platform/secrets/consul/ca.pem"}}')
        reloads = tmp_path / "reloads"
        reading.plays("read-secret", reader({"hmc-key": SECRET, "hmc-ca": SECRET}))
        reading.plays("systemctl", f'echo "$@" >>{reloads}')
        assert reading.run("steps/60-secrets.sh").returncode == 0
        assert reading.run("refresh.sh").returncode == 0
        assert not reloads.exists()
        reading.plays("read-secret", reader({"hmc-key": "renewed", "hmc-ca": SECRET}))
        assert reading.run("refresh.sh").returncode == 0
        assert reloads.read_text() == "reload vault.service\n"
        assert reading.path(self.FILE).read_text() == "renewed"

    def test_a_program_that_a_timer_starts_is_not_reloaded(self, reading: Rig, tmp_path: Path) -> None:
        own = "/run/platform/secrets/platform-backup/token"
        assert reading.path("/etc/systemd/system/platform-backup.timer").exists()
        reading.table("secrets", ("hmc-key", own, "0400", ME), ("hmc-key", self.FILE, "0400", ME))
        reading.path(own).parent.mkdir(parents=True)
        reloads = tmp_path / "reloads"
        reading.plays("systemctl", f'echo "$@" >>{reloads}')
        reading.write("/run/platform/secrets/consul/config.json", "{}")
        reading.path("/etc/platform/compose.d/consul.json").write_text("{}")
        assert reading.run("refresh.sh").returncode == 0
        assert reading.path(own).read_text() == SECRET
        assert "platform-backup" not in reloads.read_text()
        assert "reload vault.service" in reloads.read_text()

    def test_a_program_that_refuses_its_new_secrets_fails_the_refresh_but_not_the_others(
        self, reading: Rig, tmp_path: Path
    ) -> None:
        other = "/run/platform/secrets/consul/ca.pem"
        reading.table("secrets", ("hmc-key", self.FILE, "0400", ME), ("hmc-ca", other, "0400", ME))
        reading.path(other).parent.mkdir(parents=True)
        reading.write("/etc/platform/compose.d/consul.json", "{}")
        reading.plays("read-secret", reader({"hmc-key": SECRET, "hmc-ca": SECRET}))
        reloads = tmp_path / "reloads"
        reading.plays("systemctl", f'echo "$@" >>{reloads}; [ "$2" != consul.service ]')
        assert reading.run("refresh.sh").returncode == 1
        assert reloads.read_text() == "reload consul.service\nreload vault.service\n"
        assert "a program did not take its new secrets" in reading.console


class TestCompose:
    """Step 70."""

    FOLDER = "/run/platform/secrets/consul"

    @pytest.fixture
    def composing(self, vault: Rig) -> Rig:
        source = json.loads(vault.path("/etc/platform/compose.d/consul.json").read_text())
        for path in {source["encrypt"]["$file"], *(leaf["$file"] for leaf in source["acl"]["tokens"].values())}:
            vault.write(path, f'{SECRET} "{Path(path).name}"\n')
        return vault

    def test_references_become_contents_quoted_and_closed_to_others(self, composing: Rig) -> None:
        done = composing.run("steps/70-compose.sh")
        assert done.returncode == 0, done.stderr
        target = composing.path(f"{self.FOLDER}/config.json")
        assert json.loads(target.read_text())["acl"]["tokens"]["agent"] == f'{SECRET} "consul-agent-token"'
        assert mode(target) == 0o400
        assert SECRET not in done.stdout + done.stderr

    def test_composing_again_leaves_the_file_alone(self, composing: Rig) -> None:
        composing.run("steps/70-compose.sh")
        before = composing.path(f"{self.FOLDER}/config.json").stat()
        assert composing.run("steps/70-compose.sh").returncode == 0
        assert composing.path(f"{self.FOLDER}/config.json").stat().st_ino == before.st_ino

    def test_a_secret_that_is_not_there_is_named_by_its_path(self, composing: Rig) -> None:
        composing.path(f"{self.FOLDER}/consul-gossip").unlink()
        done = composing.run("steps/70-compose.sh")
        assert done.returncode == 1
        assert "consul-gossip: No such file or directory" in done.stderr
        assert "Traceback" not in done.stderr
        assert composing.console.startswith(f"{FAILED} compose: the secret part of consul's configuration")


class TestFailure:
    """What every script does when something unforeseen goes wrong."""

    def test_an_unforeseen_error_is_one_line_that_names_the_command_unexpanded(self, vault: Rig) -> None:
        vault.write(
            "/usr/local/lib/platform/steps/99-odd.sh",
            f'#!/bin/bash\n. "$(dirname "$0")/../log.sh"\nvalue={SECRET}\ngrep -q "$value" /dev/null\n',
            0o755,
        )
        done = vault.run("steps/99-odd.sh")
        assert done.returncode == 1
        assert vault.console == (
            f'{FAILED} odd: line 4, grep -q "$value" /dev/null; read the lines above it in journalctl -u platform-boot\n'
        )
        assert SECRET not in done.stdout + done.stderr

    def test_the_boot_ends_at_the_first_step_that_fails(self, vault: Rig) -> None:
        steps = vault.path("/usr/local/lib/platform/steps")
        for step in steps.iterdir():
            step.write_text('#!/bin/bash\n. "$(dirname "$0")/../log.sh"\nlog ran\n')
        (steps / "30-disks.sh").write_text('#!/bin/bash\n. "$(dirname "$0")/../log.sh"\nfail "no disk" "attach it"\n')
        done = vault.run("boot.sh")
        assert done.returncode == 1
        assert done.stdout == "platform-boot: system: ran\nplatform-boot: accounts: ran\n"
        assert vault.console == f"{FAILED} disks: no disk; attach it\n"
