"""What AWS databases stand in: the subnets that they may use, and their parameters.

Source: RDS API reference, CreateDBSubnetGroup, CreateDBParameterGroup; RDS user guide, "Working with parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import SUBNET
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

SUBNET_GROUP: Final = "aws:rds/subnetGroup:SubnetGroup"
PARAMETER_GROUP: Final = "aws:rds/parameterGroup:ParameterGroup"
IDENTIFIER: Final = r"[a-z](-?[a-z0-9])*"
RULE: Final = "lower-case letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"
MAJORS: Final = tuple(range(13, 19))
_VALUES: Final = {
    "rds.force_ssl": r"[01]",
    "ssl_min_protocol_version": r"TLSv1(\.[123])?",
    "log_statement": r"none|ddl|mod|all",
    **dict.fromkeys(("log_connections", "log_disconnections", "log_lock_waits", "log_checkpoints"), r"[01]"),
}
_FIXED: Final = frozenset({"listen_addresses", "port", "ssl", "fsync", "data_directory", "hba_file", "archive_command"})

subnet_group = model(
    SUBNET_GROUP,
    id="{name}",
    name=Name("name", max=255, lower=True, pattern=r"(?!default$)[a-z0-9 ._-]+",
              rule="lower-case letters, digits, spaces and ._-, and not default"),
    unique=(("region", "name"),),
    references=(Ref("subnetIds[*]", (SUBNET,), missing="InvalidSubnet"),),
    immutable=("name", "namePrefix"),
    outputs={
        "arn": "arn:aws:rds:{region}:{account}:subgrp:{name}",
        "description": "Managed by Pulumi",
        "supportedNetworkTypes": ["IPV4"],
    },
    exists="DBSubnetGroupAlreadyExists",
    in_use="InvalidDBSubnetGroupStateFault",
)  # fmt: skip
parameter_group = model(
    PARAMETER_GROUP,
    id="{name}",
    name=Name("name", max=255, lower=True, pattern=IDENTIFIER, rule=RULE),
    unique=(("region", "name"),),
    immutable=("name", "namePrefix", "family", "description"),
    outputs={"arn": "arn:aws:rds:{region}:{account}:pg:{name}", "description": "Managed by Pulumi"},
    exists="DBParameterGroupAlreadyExists",
    in_use="InvalidDBParameterGroupState",
)


@subnet_group.admit
def _covers_zones(draft: Draft) -> None:
    subnets = [found for _, value in draft.each("subnetIds[*]") if (found := draft.find(SUBNET, value))]
    if len({subnet["vpcId"] for subnet in subnets}) > 1:
        raise draft.refuse("InvalidSubnet", "The subnets of a DB subnet group must be of one VPC.")
    zones = sorted({subnet["availabilityZone"] for subnet in subnets})
    if len(zones) < 2:
        raise draft.refuse(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


@subnet_group.compute
def _network_of(draft: Draft) -> dict[str, Value]:
    first = next((found for _, value in draft.each("subnetIds[*]") if (found := draft.find(SUBNET, value))), None)
    return {"vpcId": first["vpcId"] if first else ""}


@parameter_group.check
def _family(draft: Draft) -> Iterator[Failure]:
    family = draft.known("family")
    if isinstance(family, str) and family not in {f"postgres{major}" for major in MAJORS}:
        yield draft.fail("family", f"ParameterGroupFamily {family} is not a valid parameter group family")


@parameter_group.check
def _parameters(draft: Draft) -> Iterator[Failure]:
    seen: set[str] = set()
    for path, given in draft.each("parameters[*]"):
        name, value = (given.get("name"), given.get("value")) if isinstance(given, dict) else (None, None)
        if not isinstance(name, str):
            continue
        if name in seen:
            yield draft.fail(path, f"the parameter {name} is given twice")
        seen.add(name)
        if name in _FIXED:
            yield draft.fail(path, f"The parameter {name} cannot be modified.")
        elif isinstance(value, str) and not re.fullmatch(_VALUES.get(name, ".*"), value):
            yield draft.fail(path, f"Invalid parameter value: {value} for: {name} allowed values are: {_VALUES[name]}")
