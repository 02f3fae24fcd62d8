"""What joins a region on AWS to the others and outlives it, by the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from components.plan.addressing import egress_subnet
from components.plan.backup import WRITING_ROLES, prefixes
from components.plan.mesh import TUNNELS, pairs_of
from sandbox.stacks.operation import Result
from tests.clouds.aws.region import STACK
from tests.clouds.state import resources, touched
from tests.harness import TREE, Sandbox, Stack, open_sandbox

pytestmark = pytest.mark.engine

PROGRAM = f"import sys\nsys.path.insert(0, {str(TREE)!r})\nfrom tests.clouds.aws.joined import run\nrun()\n"
CONNECTION, CUSTOMER = "aws:ec2/vpnConnection:VpnConnection", "aws:ec2/customerGateway:CustomerGateway"
BUCKET, POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy"
FAR = {
    "aws-azure": ["203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.2"],
    "aws-gcp": ["203.0.113.11", "203.0.113.11", "203.0.113.12", "203.0.113.12"],
}
SETTINGS = {
    f"aws:s3/{kind[0].lower() + kind[1:]}:{kind}"
    for kind in (
        "Bucket",
        "BucketVersioning",
        "BucketObjectLockConfiguration",
        "BucketLifecycleConfiguration",
        "BucketServerSideEncryptionConfiguration",
        "BucketOwnershipControls",
        "BucketPublicAccessBlock",
        "BucketPolicy",
    )
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Sandbox]:
    with open_sandbox(tmp_path_factory.mktemp("aws-joined") / "home", like=sandbox) as opened:
        yield opened


@dataclass(frozen=True)
class Joining:
    """A region that came up alone and was joined by the next update, which ended so."""

    stack: Stack
    second: Result


@pytest.fixture(scope="module")
def joining(box: Sandbox) -> Joining:
    stack = box.stack("aws", box.program(PROGRAM, "joined"))
    stack.up()
    assert not resources(stack, CONNECTION)
    stack.configure(far=json.dumps(FAR), foreign=json.dumps(["azure"]))
    return Joining(stack, stack.up())


@pytest.fixture(scope="module")
def region(joining: Joining) -> Stack:
    """The region when it is joined. Tests only preview, or leave it as they found it."""
    return joining.stack


def _statements(policy: str) -> list[dict[str, Any]]:
    return json.loads(policy)["Statement"]


def test_a_second_up_and_a_refresh_change_nothing(region: Stack) -> None:
    assert not region.up().changed
    assert not region.refresh().changed


def test_every_tunnel_has_an_address_of_its_own_and_its_planned_inside(region: Stack) -> None:
    told = region.outputs()
    addresses = [address for pair in FAR for address in told[f"endpoints-{pair}"]]
    assert len(set(addresses)) == len(FAR) * TUNNELS
    connections = resources(region, CONNECTION)
    for pair in pairs_of(STACK.platform, "aws"):
        for tunnel in pair.tunnels:
            made = connections[f"tunnels-{pair.name}-{tunnel.far('aws').gateway}"]["outputs"]
            number = tunnel.index % 2 + 1
            assert made[f"tunnel{number}Address"] == told[f"endpoints-{pair.name}"][tunnel.index]
            assert made[f"tunnel{number}VgwInsideAddress"] == tunnel.end("aws").address
            assert made[f"tunnel{number}CgwInsideAddress"] == tunnel.far("aws").address


def test_a_peers_new_address_changes_connections_in_place(region: Stack) -> None:
    moved = {**FAR, "aws-gcp": ["203.0.113.21", "203.0.113.21", "203.0.113.12", "203.0.113.12"]}
    before, told = resources(region, CONNECTION), region.outputs()
    region.configure(far=json.dumps(moved))
    region.up()
    after = resources(region, CONNECTION)
    assert {name: item["id"] for name, item in before.items()} == {name: item["id"] for name, item in after.items()}
    assert region.outputs()["endpoints-aws-gcp"] == told["endpoints-aws-gcp"]
    changed = {
        name
        for name in after
        if before[name]["inputs"]["customerGatewayId"] != after[name]["inputs"]["customerGatewayId"]
    }
    assert changed == {"tunnels-aws-gcp-0"}
    assert {item["inputs"]["ipAddress"] for item in resources(region, CUSTOMER).values()} == {
        address for addresses in moved.values() for address in addresses
    }
    assert not region.up().changed
    region.configure(far=json.dumps(FAR))
    region.up()


def test_gateways_that_swapped_their_addresses_converge(region: Stack) -> None:
    first = FAR["aws-azure"]
    region.configure(far=json.dumps({**FAR, "aws-azure": [*first[2:], *first[:2]]}))
    region.up()
    made = {name: item["inputs"]["ipAddress"] for name, item in resources(region, CUSTOMER).items()}
    assert (made["tunnels-aws-azure-0"], made["tunnels-aws-azure-1"]) == (first[2], first[0])
    region.configure(far=json.dumps(FAR))
    region.up()


def test_a_peer_that_is_gone_takes_its_tunnels_and_nothing_else(region: Stack) -> None:
    region.configure(far=json.dumps({"aws-gcp": FAR["aws-gcp"]}))
    planned = region.preview()
    region.configure(far=json.dumps(FAR))
    assert touched(planned.touched(), "VpnConnection") == {"tunnels-aws-azure-0", "tunnels-aws-azure-1"}
    kinds = {urn.split("::")[2].rpartition("$")[2] for urn in planned.touched()}
    assert kinds == {"hashicorp:clouds:Tunnels", CONNECTION, CUSTOMER, "aws:cloudwatch/metricAlarm:MetricAlarm"}


def test_the_attachment_stays_out_of_subnets_with_planned_addresses(region: Stack) -> None:
    (attachment,) = resources(region, "aws:ec2transitgateway/vpcAttachment:VpcAttachment").values()
    subnets = {item["id"]: item["inputs"]["cidrBlock"] for item in resources(region, "aws:ec2/subnet:Subnet").values()}
    zones = range(len(STACK.region.zones))
    assert {subnets[subnet] for subnet in attachment["inputs"]["subnetIds"]} == {
        egress_subnet(STACK.region, zone) for zone in zones
    }


def test_tunnels_learn_this_network_alone_and_this_network_learns_tunnels(region: Stack) -> None:
    (gateway,) = resources(region, "aws:ec2transitgateway/transitGateway:TransitGateway").values()
    (attachment,) = resources(region, "aws:ec2transitgateway/vpcAttachment:VpcAttachment").values()
    (association,) = resources(region, "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation").values()
    (propagation,) = resources(region, "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation").values()
    (default,) = resources(
        region, "aws:ec2transitgateway/defaultRouteTablePropagation:DefaultRouteTablePropagation"
    ).values()
    of_tunnels = gateway["outputs"]["associationDefaultRouteTableId"]
    of_network = association["inputs"]["transitGatewayRouteTableId"]
    assert of_network != of_tunnels
    assert default["inputs"]["transitGatewayRouteTableId"] == of_network
    assert propagation["inputs"]["transitGatewayRouteTableId"] == of_tunnels
    assert propagation["inputs"]["transitGatewayAttachmentId"] == attachment["id"]


def test_egress_is_what_the_nat_gateways_speak_from(region: Stack) -> None:
    spoken = {item["outputs"]["publicIp"] for item in resources(region, "aws:ec2/natGateway:NatGateway").values()}
    assert set(region.outputs()["egress"]) == spoken
    assert len(spoken) == len(STACK.region.zones)


def test_buckets_and_all_that_guards_them_are_protected(region: Stack) -> None:
    for type_ in SETTINGS:
        found = resources(region, type_)
        assert set(found) == {"backup", "backup-replica", "audit"}, type_
        assert all(item.get("protect") for item in found.values()), type_


def test_no_bucket_policy_depends_on_a_role(region: Stack) -> None:
    """A role made anew would be a stranger to a policy that outlived it; and a destroy would have to keep it."""
    for item in resources(region, POLICY).values():
        for statement in _statements(item["inputs"]["policy"]):
            assert ":role/" not in json.dumps(statement["Principal"])
        owners = {urn.split("::")[2].rpartition("$")[2] for urn in item["dependencies"]}
        assert not {owner for owner in owners if owner.startswith("aws:iam/")}


def test_another_cloud_that_joins_changes_no_bucket(joining: Joining) -> None:
    """What outlives every region does not hang on which of them is there."""
    made = joining.second.touched()
    assert touched(made, "RolePolicy") >= {f"backup-azure-{role}" for role in WRITING_ROLES}
    assert not {urn for urn in made if urn.split("::")[2].rpartition("$")[2] in SETTINGS}


def test_another_clouds_machines_write_below_their_own_names_by_a_token_made_for_aws(region: Stack) -> None:
    told = region.outputs()["backup"]
    bucket = f"arn:aws:s3:::{told['name']}"
    roles = {item["outputs"]["arn"]: item for item in resources(region, "aws:iam/role:Role").values()}
    policies = resources(region, "aws:iam/rolePolicy:RolePolicy").values()
    for role in WRITING_ROLES:
        way = told["writers"]["azure"][role]
        assert way["audience"] == "api://AzureADTokenExchange"
        made = roles[way["role_arn"]]["inputs"]
        (trust,) = _statements(made["assumeRolePolicy"])
        claims = trust["Condition"]["StringEquals"]
        assert f"azure-{role}-object" in claims.values()
        (policy,) = [item["inputs"]["policy"] for item in policies if item["inputs"]["role"] == made["name"]]
        allowed = {statement["Action"]: statement["Resource"] for statement in _statements(policy)}
        assert allowed.keys() == {"s3:PutObject", "kms:GenerateDataKey"}
        assert allowed["s3:PutObject"] == [f"{bucket}/{prefix}*" for prefix in prefixes(role, "azure")]


def test_no_writer_replaces_deletes_or_unlocks(region: Stack) -> None:
    writers = {f"arn:aws:iam::123456789012:role/hmc-{role}-us-west-2" for role in WRITING_ROLES}
    writers |= {f"{writer}-azure" for writer in writers}
    for name in ("backup", "backup-replica"):
        denied = {
            statement["Sid"]: statement
            for statement in _statements(resources(region, POLICY)[name]["inputs"]["policy"])
            if statement["Effect"] == "Deny"
        }
        for sid in ("WritersTakeNothingAway", "WritersReplaceNothing"):
            assert set(denied[sid]["Condition"]["ArnEquals"]["aws:PrincipalArn"]) == writers
        assert denied["WritersReplaceNothing"]["Condition"]["Null"] == {"s3:if-none-match": "true"}
        assert {"s3:DeleteObject*", "s3:PutBucketPolicy", "s3:BypassGovernanceRetention"} <= set(
            denied["WritersTakeNothingAway"]["Action"]
        )


def test_no_secret_value_shows_in_state(region: Stack) -> None:
    assert "hush" not in json.dumps(region.export())


def test_the_lock_is_the_configured_one_and_changes_by_itself(region: Stack) -> None:
    region.configure(lock="governance", lockDays=40)
    planned = region.preview()
    region.configure(lock=None, lockDays=None)
    locks = resources(region, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    kept = {name: item["inputs"]["rule"]["defaultRetention"] for name, item in locks.items()}
    own = {"mode": "COMPLIANCE", "days": STACK.platform.backup.lock_days}
    assert kept == {
        "backup": own,
        "backup-replica": own,
        "audit": {"mode": "COMPLIANCE", "days": STACK.platform.audit_days},
    }
    assert touched(planned.touched("update"), "BucketObjectLockConfiguration") == set(kept)
    assert not planned.touched("replace")
