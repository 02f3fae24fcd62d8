"""AWS functions: who and where one is, zones, images, policy documents.

The image catalogue is the simulated cloud's own: an image exists if its name filter has no wildcard, or if
`mostRecent` picks one of several; its id follows from name, owner and region, so it never changes between runs.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.cloud.draft import Call
from sandbox.cloud.errors import Refusal
from sandbox.cloud.models.aws.network import zone_id
from sandbox.cloud.registry import invoke
from sandbox.cloud.truth.regions import aws_regions, aws_zones
from sandbox.cloud.wire import Value


@invoke("aws:index/getCallerIdentity:getCallerIdentity")
def caller_identity(call: Call) -> dict[str, Value]:
    """The one account."""
    account = call.scope("account")
    return {"id": account, "accountId": account, "arn": f"arn:aws:iam::{account}:user/sandbox", "userId": "AIDASANDBOX"}


@invoke("aws:index/getRegion:getRegion")
def region(call: Call) -> dict[str, Value]:
    """The provider's region."""
    name = call.scope("region")
    if name not in aws_regions():
        raise Refusal("InvalidRegion", f"invalid AWS Region: {name}")
    return {"id": name, "name": name, "region": name, "endpoint": f"ec2.{name}.amazonaws.com", "description": name}


@invoke("aws:index/getPartition:getPartition")
def partition(_call: Call) -> dict[str, Value]:
    """The commercial partition."""
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


@invoke("aws:index/getAvailabilityZones:getAvailabilityZones")
def availability_zones(call: Call) -> dict[str, Value]:
    """Zones of the region, by name and by id."""
    name = call.scope("region")
    excluded = set(call.arguments.get("excludeNames") or ())
    names = [zone for zone in aws_zones(name) if zone not in excluded]
    return {
        **call.arguments,
        "id": name,
        "names": names,
        "zoneIds": [zone_id(zone) for zone in names],
        "groupNames": [name],
    }


@invoke("aws:ec2/getAmi:getAmi")
def image(call: Call) -> dict[str, Value]:
    """One image; see the module's docstring for which exist."""
    filters = {item["name"]: item["values"] for item in call.arguments.get("filters") or ()}
    names = filters.get("name") or ([call.arguments["nameRegex"]] if call.arguments.get("nameRegex") else [])
    given = filters.get("image-id") or []
    if not names and not given:
        raise Refusal("InvalidAMI", "Your query returned no results. Please change your search criteria and try again.")
    wild = any(char in name for name in names for char in "*?^")
    if (wild or len(names) > 1) and call.arguments.get("mostRecent") is not True:
        raise Refusal(
            "InvalidAMI",
            "Your query returned more than one result. Please try a more specific search criteria, or set `mostRecent` "
            "to true.",
        )
    owner = (call.arguments.get("owners") or ["099720109477"])[0]
    name = names[0].replace("*", "20260101") if names else given[0]
    digest = hashlib.sha256(f"{name} {owner} {call.scope('region')}".encode()).hexdigest()[:17]
    found = given[0] if given else f"ami-{digest}"
    return {
        **call.arguments,
        "id": found,
        "imageId": found,
        "arn": f"arn:aws:ec2:{call.scope('region')}::image/{found}",
        "name": name,
        "ownerId": owner,
        "architecture": (filters.get("architecture") or ["x86_64"])[0],
        "rootDeviceName": "/dev/sda1",
        "rootDeviceType": "ebs",
        "virtualizationType": "hvm",
        "state": "available",
        "creationDate": "2026-01-01T00:00:00.000Z",
        "tags": {},
        "blockDeviceMappings": [],
        "productCodes": [],
    }


@invoke("aws:iam/getPolicyDocument:getPolicyDocument")
def policy_document(call: Call) -> dict[str, Value]:
    """Render statements as IAM's JSON, the way the provider does: lists of one become text, longer ones are sorted."""
    arguments = call.arguments
    statements: list[dict[str, Any]] = []
    for source in arguments.get("sourcePolicyDocuments") or ():
        statements += _statements(source)
    statements += [_statement(item) for item in arguments.get("statements") or ()]
    for override in arguments.get("overridePolicyDocuments") or ():
        for item in _statements(override):
            statements = [old for old in statements if not item.get("Sid") or old.get("Sid") != item["Sid"]] + [item]
    document: dict[str, Any] = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = statements
    rendered = json.dumps(document, indent=2)
    id_ = str(int(hashlib.sha256(rendered.encode()).hexdigest()[:8], 16))
    return {**arguments, "id": id_, "json": rendered, "minifiedJson": json.dumps(document, separators=(",", ":"))}


def _statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text).get("Statement") or []
    return found if isinstance(found, list) else [found]


def _statement(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": given["sid"]} if given.get("sid") else {}
    found["Effect"] = given.get("effect") or "Allow"
    for name in ("actions", "notActions", "resources", "notResources"):
        if given.get(name):
            found[name[0].upper() + name[1:-1]] = _one_or_many(given[name])
    for name in ("principals", "notPrincipals"):
        if given.get(name):
            found[name[0].upper() + name[1:-1]] = _principals(given[name])
    if given.get("conditions"):
        found["Condition"] = _conditions(given["conditions"])
    return found


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(values, reverse=True)


def _principals(given: list[dict[str, Any]]) -> Any:  # noqa: ANN401  # text or object, as IAM has it
    if any(item["type"] == "*" for item in given):
        return "*"
    kinds: dict[str, list[str]] = {}
    for item in given:
        kinds.setdefault(item["type"], []).extend(item["identifiers"])
    return {kind: _one_or_many(values) for kind, values in kinds.items()}


def _conditions(given: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in given:
        found.setdefault(item["test"], {})[item["variable"]] = _one_or_many(item["values"])
    return found
