"""AWS DNS: hosted zones and records.

Source: Route 53 API reference, CreateHostedZone and ChangeResourceRecordSets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import VPC
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.wire import Value

ZONE: Final = "aws:route53/zone:Zone"

zone = model(
    ZONE,
    id="Z{hex19}",
    references=(Ref("vpcs[*].vpcId", (VPC,), missing="InvalidVPCId"),),
    immutable=("name", "delegationSetId"),
    outputs={
        "arn": "arn:aws:route53:::hostedzone/{id}",
        "zoneId": "{id}",
        "primaryNameServer": "ns-0.awsdns-00.com",
        "nameServers": ["ns-0.awsdns-00.com", "ns-512.awsdns-00.net", "ns-1024.awsdns-00.org",
                        "ns-1536.awsdns-00.co.uk"],
        "comment": "Managed by Pulumi",
    },
    handles=("arn", "zoneId"),
    in_use="HostedZoneNotEmpty",
)  # fmt: skip
record = model(
    "aws:route53/record:Record",
    id=lambda draft: "_".join(
        str(part) for part in (draft.get("zoneId"), draft.get("name"), draft.get("type"), draft.get("setIdentifier"))
        if part
    ),
    references=(
        Ref("zoneId", (ZONE,), missing="NoSuchHostedZone"),
        Ref("healthCheckId", ("aws:route53/healthCheck:HealthCheck",), missing="InvalidInput"),
    ),
    immutable=("zoneId", "name", "setIdentifier"),
    handles=(),
)  # fmt: skip


@zone.admit
def _one_zone_a_name_and_network(draft: Draft) -> None:
    """Two private zones of one name cannot serve one VPC."""
    networks = {value for _, value in draft.each("vpcs[*].vpcId")}
    for other in draft.others(ZONE, name=draft.get("name")):
        if networks & {item.get("vpcId") for item in other["vpcs"] or ()}:
            raise draft.refuse(
                "ConflictingDomainExists", f"The VPC has a private zone {draft.get('name')} already", 409
            )


@record.check
def _values(draft: Draft) -> Iterator[Failure]:
    kind, values = draft.known("type"), draft.known("records")
    if (draft.get("records") is None) == (draft.get("aliases") is None):
        yield draft.fail("records", "exactly one of records and aliases must be given")
    if draft.get("records") is not None and draft.get("ttl") is None:
        yield draft.fail("ttl", "a record that is no alias needs a ttl")
    if kind == "A":
        for index, value in enumerate(values or ()):
            if address(value) is None:
                yield draft.fail(
                    f"records[{index}]", f"ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address): {value}"
                )


@record.compute
def _full_name(draft: Draft) -> dict[str, Value]:
    owner = draft.find(ZONE, draft.get("zoneId"))
    domain = str(owner["name"]).rstrip(".") if owner else ""
    name = str(draft.get("name")).rstrip(".")
    full = name if not domain or name == domain or name.endswith(f".{domain}") else f"{name}.{domain}".lstrip(".")
    return {"fqdn": full}


@record.admit
def _is_new(draft: Draft) -> None:
    wanted = _full_name(draft)["fqdn"]
    same = {"zoneId": draft.get("zoneId"), "fqdn": wanted, "type": draft.get("type"),
            "setIdentifier": draft.inputs.get("setIdentifier")}  # fmt: skip
    if draft.get("allowOverwrite") is not True:
        for _ in draft.others(draft.type, **same):
            raise draft.refuse(
                "InvalidChangeBatch",
                f"[Tried to create resource record set [name='{wanted}.', type='{same['type']}'] but it already exists]",
            )
