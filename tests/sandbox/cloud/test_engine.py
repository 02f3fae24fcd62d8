"""The simulated cloud under the real engine: convergence, drift, import, faults."""

from __future__ import annotations

import base64
import subprocess

import pytest

from sandbox.cloud import daemon, store
from sandbox.cloud.launcher import launcher_script
from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

# Each resource comes after the one before: creation has a first, a middle and a last.
CHAIN = """
import pulumi, pulumi_aws as aws, pulumi_random as random, pulumi_tls as tls
password = random.RandomPassword("password", length=24)
key = tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256", opts=pulumi.ResourceOptions(depends_on=[password]))
cert = tls.SelfSignedCert("cert", private_key_pem=key.private_key_pem, allowed_uses=["cert_signing"],
    validity_period_hours=24, is_ca_certificate=True, subject={"common_name": "root"})
bucket = aws.s3.Bucket("bucket", bucket="fixed-" + pulumi.get_stack(), tags={"cert": cert.validity_start_time})
secret = aws.secretsmanager.Secret("secret", recovery_window_in_days=0, tags={"bucket": bucket.id})
version = aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string=password.result)
pulumi.export("password", password.result)
pulumi.export("key", key.private_key_pem)
"""
ORDER = ("password", "key", "cert", "bucket", "secret", "version")


def chain(sandbox: Sandbox, name: str) -> Stack:
    stack = sandbox.stack(name, sandbox.program(CHAIN, "chain"))
    stack.file.write_text(stack.file.read_text() + "config: {'aws:region': us-west-2}\n")
    return stack


def names(sandbox: Sandbox, stack: str) -> list[str]:
    return sorted(row["name"] for row in sandbox.existing(stack_glob=stack))


def test_a_second_up_and_a_refresh_change_nothing_and_destroy_leaves_nothing(sandbox: Sandbox) -> None:
    stack = chain(sandbox, "converges")
    stack.preview()
    assert not names(sandbox, "converges")
    stack.up()
    assert names(sandbox, "converges") == sorted(ORDER)
    assert set(stack.up().changes) <= {"same"}
    assert set(stack.refresh().changes) <= {"same"}
    assert set(stack.preview().changes) <= {"same"}
    stack.destroy()
    assert not names(sandbox, "converges")


def test_no_secret_is_in_clear_in_the_state_folder_or_the_engines_state(sandbox: Sandbox) -> None:
    stack = chain(sandbox, "secrets")
    stack.up()
    outputs = stack.outputs()
    needles = [outputs["password"].encode(), outputs["key"].splitlines()[1].encode()]
    needles += [base64.b64encode(needles[0])]
    files = [path for path in sandbox.home.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in files for needle in needles if needle in path.read_bytes()]


@pytest.mark.parametrize(
    ("place", "effect"), [("password", "partial"), ("bucket", "fail"), ("bucket", "partial"), ("version", "partial")]
)
def test_an_up_interrupted_by_a_fault_is_finished_by_the_next_without_duplicates(
    sandbox: Sandbox, place: str, effect: str
) -> None:
    name = f"fault-{effect}-{place}"
    stack = chain(sandbox, name)
    with sandbox.faults({"stack": name, "name": place, "times": 1, "effect": effect}):
        stack.up(fails=True)
        stack.up()
    assert names(sandbox, name) == sorted(ORDER)
    assert set(stack.up().changes) <= {"same"}


def test_a_lost_answer_is_met_again_as_a_taken_name(sandbox: Sandbox) -> None:
    stack = chain(sandbox, "lost")
    with sandbox.faults({"stack": "lost", "name": "bucket", "times": 1, "effect": "lost"}):
        stack.up(fails=True)
    result = stack.up(fails=True)
    assert any("BucketAlreadyOwnedByYou" in item.message for item in result.diagnostics)
    assert store.delete_row(sandbox.home.cloud, ("aws:s3/bucket:Bucket", "fixed-lost"))
    stack.up()
    assert names(sandbox, "lost") == sorted(ORDER)


def test_a_refresh_sees_what_was_taken_away_and_the_next_up_makes_it_again(sandbox: Sandbox) -> None:
    stack = chain(sandbox, "drift")
    stack.up()
    assert store.delete_row(sandbox.home.cloud, ("aws:s3/bucket:Bucket", "fixed-drift"))
    assert stack.refresh().changes.get("delete") == 1
    stack.up()
    assert names(sandbox, "drift") == sorted(ORDER)


def test_a_launcher_prints_the_port_of_the_running_cloud_and_ends_with_the_engine(sandbox: Sandbox) -> None:
    port_file = daemon.port_file(sandbox.home.cloud)
    with subprocess.Popen(
        ["sh", "-c", launcher_script(port_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdin is not None
        running = daemon.running(port_file)
        assert running is not None
        assert launcher.stdout.readline() == f"{running.port}\n"
        assert launcher.poll() is None
        launcher.stdin.close()
        assert launcher.wait(timeout=10) == 0
