"""AWS databases: instances of PostgreSQL, and copies of their backups.

Passwords are looked at and never quoted.

Source: RDS API reference, CreateDBInstance, ModifyDBInstance, DeleteDBInstance,
StartDBInstanceAutomatedBackupsReplication; RDS user guide, "Quotas and constraints".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.database_groups import IDENTIFIER, MAJORS, PARAMETER_GROUP, RULE, SUBNET_GROUP
from sandbox.cloud.models.aws.identity import ROLE, principals
from sandbox.cloud.models.aws.keys import KEY, KEYS, REPLICA
from sandbox.cloud.models.aws.network import GROUP
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

INSTANCE: Final = "aws:rds/instance:Instance"
REPLICATION: Final = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
_LONGEST: Final = 35  # days of automated backups
_RESERVED: Final = frozenset(
    {"admin", "rdsadmin", "rds_superuser", "rds_replication", "rdstopmgr", "rdswriteforwarduser"}
)
_LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
_BASELINE: Final = 400  # GiB of gp3 below which neither IOPS nor throughput can be chosen
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = 7 * 24 * 60

instance = model(
    INSTANCE,
    id=lambda draft: (draft.fill("db-{hex26}") or "").upper(),
    name=Name("identifier", max=63, lower=True, pattern=IDENTIFIER, rule=RULE),
    unique=(("region", "identifier"),),
    references=(
        Ref("dbSubnetGroupName", (SUBNET_GROUP,), missing="DBSubnetGroupNotFoundFault"),
        Ref("parameterGroupName", (PARAMETER_GROUP,), external=r"default\..+", missing="DBParameterGroupNotFound"),
        Ref("vpcSecurityGroupIds[*]", (GROUP,), missing="InvalidParameterValue"),
        Ref("kmsKeyId", KEYS, missing="KMSKeyNotAccessibleFault"),
        Ref("performanceInsightsKmsKeyId", KEYS, missing="KMSKeyNotAccessibleFault"),
        Ref("monitoringRoleArn", (ROLE,), missing="InvalidParameterValue"),
    ),
    immutable=("identifierPrefix", "dbName", "engine", "username", "storageEncrypted", "kmsKeyId", "availabilityZone",
               "characterSetName", "timezone", "snapshotIdentifier", "backupTarget"),
    outputs={
        "arn": "arn:aws:rds:{region}:{account}:db:{identifier}",
        "resourceId": "{id}",
        "status": "available",
        "port": 5432,
        "backupRetentionPeriod": 0,
        "engineVersionActual": lambda draft: _exact(draft.get("engineVersion")),
        "hostedZoneId": "Z1PVIF0B656C1W",
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "networkType": "IPV4",
    },
    handles=("arn", "identifier"),
    exists="DBInstanceAlreadyExists",
)  # fmt: skip
replication = model(
    REPLICATION,
    id="arn:aws:rds:{region}:{account}:auto-backup:ab-{hex26}",
    references=(
        Ref("sourceDbInstanceArn", (INSTANCE,), holds=False, missing="DBInstanceNotFound"),
        Ref("kmsKeyId", (KEY, REPLICA), missing="KMSKeyNotAccessibleFault"),
    ),
    unique=(("sourceDbInstanceArn",),),
    immutable=("sourceDbInstanceArn", "kmsKeyId", "retentionPeriod"),
    outputs={"retentionPeriod": 7},
    exists="InvalidDBInstanceState",
)


def _major(version: Value) -> str:
    return str(version).partition(".")[0]


def _exact(version: Value) -> str:
    """What runs when only the major version was asked for."""
    return str(version) if "." in str(version) else f"{version}.9"


def _numbers(version: Value) -> tuple[int, ...]:
    return tuple(int(part) for part in str(version).split("."))


@instance.check
def _names(draft: Draft) -> Iterator[Failure]:
    user, name = draft.known("username"), draft.known("dbName")
    if isinstance(user, str):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", user):
            yield draft.fail("username", "MasterUsername: 1 to 63 letters, digits and _, beginning with a letter")
        elif user.lower() in _RESERVED:
            yield draft.fail("username", f"MasterUsername {user} cannot be used as it is a reserved word")
    if isinstance(name, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        yield draft.fail("dbName", "DBName must begin with a letter and contain only alphanumeric characters")


@instance.check
def _password(draft: Draft) -> Iterator[Failure]:
    given = [name for name in ("password", "passwordWo", "manageMasterUserPassword") if draft.get(name) is not None]
    if len(given) != 1 and draft.get("replicateSourceDb") is None and draft.get("snapshotIdentifier") is None:
        yield draft.fail("password", f"exactly one of password, passwordWo, manageMasterUserPassword, got {given}")
    if (draft.get("passwordWo") is None) != (draft.get("passwordWoVersion") is None):
        yield draft.fail("passwordWo", "passwordWo and passwordWoVersion must be given together")
    for name in ("password", "passwordWo"):
        text = draft.known(name)
        if isinstance(text, str) and not re.fullmatch(r"[!-~]{8,128}", text):
            yield draft.fail(name, "MasterUserPassword: 8 to 128 printable characters without a space")
        elif isinstance(text, str) and set(text) & set('/@"'):
            yield draft.fail(
                name, 'MasterUserPassword: only printable characters besides /, @, " and space may be used'
            )


@instance.check
def _version(draft: Draft) -> Iterator[Failure]:
    engine, version = draft.known("engine"), draft.known("engineVersion")
    if engine != "postgres":
        yield draft.fail("engine", f"only postgres is simulated, got {engine}")
    elif isinstance(version, str) and not (re.fullmatch(r"\d+(\.\d+)?", version) and int(_major(version)) in MAJORS):
        yield draft.fail("engineVersion", f"Cannot find version {version} for postgres")
    if not str(draft.get("instanceClass")).startswith("db."):
        yield draft.fail("instanceClass", f"Invalid DB Instance class: {draft.get('instanceClass')}")


@instance.check
def _storage(draft: Draft) -> Iterator[Failure]:
    size, most, kind = draft.known("allocatedStorage"), draft.known("maxAllocatedStorage"), draft.known("storageType")
    if isinstance(size, (int, float)):
        if not 20 <= size <= 65_536:
            yield draft.fail("allocatedStorage", f"Invalid storage size for engine postgres: {size}; 20 to 65536 GiB")
        if isinstance(most, (int, float)) and most and most <= size:
            yield draft.fail("maxAllocatedStorage", f"must be greater than the allocated storage, {size} GiB")
        chosen = [name for name in ("iops", "storageThroughput") if draft.get(name)]
        if kind == "gp3" and size < _BASELINE and chosen:
            yield draft.fail(chosen[0], f"You can't specify {chosen[0]} when the storage size is less than {_BASELINE}")
    if draft.known("kmsKeyId") and draft.get("storageEncrypted") is not True:
        yield draft.fail("kmsKeyId", "storageEncrypted must be true when kmsKeyId is given")


@instance.check
def _numbers_fit(draft: Draft) -> Iterator[Failure]:
    ranges = {"backupRetentionPeriod": (0, _LONGEST), "port": (1150, 65_535)}
    for name, (low, high) in ranges.items():
        value = draft.known(name)
        if isinstance(value, (int, float)) and not low <= value <= high:
            yield draft.fail(name, f"expected {name} to be in the range ({low} - {high}), got {value:g}")
    interval = draft.known("monitoringInterval") or 0
    if interval not in (0, 1, 5, 10, 15, 30, 60):
        yield draft.fail("monitoringInterval", f"expected one of 0, 1, 5, 10, 15, 30, 60, got {interval}")
    if bool(interval) != (draft.get("monitoringRoleArn") is not None):
        yield draft.fail(
            "monitoringRoleArn", "a monitoring role is needed with an interval other than 0, and only then"
        )
    kept = draft.known("performanceInsightsRetentionPeriod")
    if kept is not None and kept not in (7, 731, *range(31, 31 * 24, 31)):
        yield draft.fail("performanceInsightsRetentionPeriod", f"expected 7, months of 31 days, or 731, got {kept}")
    for path, log in draft.each("enabledCloudwatchLogsExports[*]"):
        if isinstance(log, str) and log not in _LOGS:
            yield draft.fail(path, f"You cannot use the log types '{log}' with engine version postgres")


@instance.check
def _final_snapshot(draft: Draft) -> Iterator[Failure]:
    name = draft.known("finalSnapshotIdentifier")
    if isinstance(name, str) and not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9]){0,254}", name):
        yield draft.fail(
            "finalSnapshotIdentifier", "must begin with a letter, hold single hyphens and end with neither"
        )


@instance.check
def _windows(draft: Draft) -> Iterator[Failure]:
    backup, maintenance = draft.known("backupWindow"), draft.known("maintenanceWindow")
    daily = _minutes(backup, r"(\d\d):(\d\d)-(\d\d):(\d\d)", days=False) if isinstance(backup, str) else set[int]()
    pattern = rf"({'|'.join(_DAYS)}):(\d\d):(\d\d)-({'|'.join(_DAYS)}):(\d\d):(\d\d)"
    weekly = _minutes(maintenance.lower(), pattern, days=True) if isinstance(maintenance, str) else set[int]()
    for name, text, minutes in (("backupWindow", backup, daily), ("maintenanceWindow", maintenance, weekly)):
        if text is not None and len(minutes) < 30:
            yield draft.fail(
                name, f"Invalid window {text}: expected hh24:mi-hh24:mi, for maintenance with days, 30 minutes"
            )
    if {minute % (24 * 60) for minute in weekly} & daily:
        yield draft.fail("backupWindow", "The backup window and maintenance window must not overlap.")


def _minutes(window: str, pattern: str, *, days: bool) -> set[int]:
    """Minutes of the day or the week that a window covers; none if it is not of its form."""
    found = re.fullmatch(pattern, window)
    if not found:
        return set()
    words = found.groups() if days else tuple(chain(("mon",), found.groups()[:2], ("mon",), found.groups()[2:]))
    first, last = (
        _DAYS.index(day) * 24 * 60 + int(hour) * 60 + int(minute) for day, hour, minute in (words[:3], words[3:])
    )
    length = _WEEK if days else 24 * 60
    return {(first + passed) % length for passed in range((last - first) % length)}


@instance.admit
def _fits(draft: Draft) -> None:
    version = draft.get("engineVersion")
    group = draft.find(PARAMETER_GROUP, draft.get("parameterGroupName"))
    if group and version and group["family"] != f"postgres{_major(version)}":
        raise draft.refuse(
            "InvalidParameterCombination",
            f"The parameter group {group.id} with DBParameterGroupFamily {group['family']} can't be used for this "
            f"instance. Use a parameter group with DBParameterGroupFamily postgres{_major(version)}.",
        )
    place = draft.find(SUBNET_GROUP, draft.get("dbSubnetGroupName"))
    for _, value in draft.each("vpcSecurityGroupIds[*]"):
        found = draft.find(GROUP, value)
        if place and found and found["vpcId"] != place["vpcId"]:
            raise draft.refuse(
                "InvalidVPCNetworkStateFault", f"The DB instance and EC2 security group {value} are in different VPCs."
            )
    for name in ("kmsKeyId", "performanceInsightsKmsKeyId"):
        _key_is_near(draft, name)
    role = draft.find(ROLE, draft.get("monitoringRoleArn"))
    trusted = {who for _, who in principals(role["assumeRolePolicy"], "Service")} if role else set[str]()
    if role and "monitoring.rds.amazonaws.com" not in trusted:
        raise draft.refuse(
            "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required trust"
        )


def _key_is_near(draft: Draft, name: str) -> None:
    key, region = draft.get(name), draft.scope("region")
    if isinstance(key, str) and key.startswith("arn:") and key.split(":")[3] != region:
        raise draft.refuse("KMSKeyNotAccessibleFault", f"{name}: the key must be in {region}.")


@instance.admit
def _changes(draft: Draft) -> None:
    if draft.old is None:
        return
    before, after = draft.old["engineVersion"], draft.get("engineVersion")
    if before and after and draft.changed("engineVersion"):
        if _numbers(after) < _numbers(_exact(before))[: len(_numbers(after))]:
            raise draft.refuse("InvalidParameterCombination", f"Cannot upgrade postgres from {before} to {after}")
        if _major(before) != _major(after) and draft.get("allowMajorVersionUpgrade") is not True:
            raise draft.refuse(
                "InvalidParameterCombination",
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            )
    if draft.changed("allocatedStorage") and (draft.get("allocatedStorage") or 0) < (
        draft.old["allocatedStorage"] or 0
    ):
        raise draft.refuse("InvalidParameterCombination", "Requested storage is smaller than what is allocated.")


@instance.compute
def _reachable(draft: Draft) -> dict[str, Value]:
    """The address follows the identifier; its middle is the account's own in the region."""
    before = str(draft.kept("address") or "").split(".")
    middle = before[1] if len(before) > 1 else draft.fill("{hex12}")
    address = f"{draft.name}.{middle}.{draft.scope('region')}.rds.amazonaws.com"
    return {"address": address, "endpoint": f"{address}:{draft.get('port', 5432)}"}


@instance.guard
def _may_go(draft: Draft) -> None:
    if draft.get("deletionProtection") is True:
        raise draft.refuse(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if draft.get("skipFinalSnapshot") is not True and not draft.get("finalSnapshotIdentifier"):
        raise draft.refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )


@replication.check
def _retention(draft: Draft) -> Iterator[Failure]:
    days = draft.known("retentionPeriod")
    if isinstance(days, (int, float)) and not 1 <= days <= _LONGEST:
        yield draft.fail(
            "retentionPeriod", f"expected retentionPeriod to be in the range (1 - {_LONGEST}), got {days:g}"
        )


@replication.admit
def _source_has_backups(draft: Draft) -> None:
    source = draft.find(INSTANCE, draft.get("sourceDbInstanceArn"))
    if source is None:
        return
    if not source["backupRetentionPeriod"]:
        raise draft.refuse("InvalidDBInstanceState", "Automated backups are not enabled on the source DB instance.")
    if source["region"] == draft.scope("region"):
        raise draft.refuse("InvalidParameterValue", "Backups are replicated to a region other than the source's.")
    if source["storageEncrypted"] and not draft.get("kmsKeyId"):
        raise draft.refuse("InvalidParameterValue", "An encrypted source needs a KmsKeyId of the destination region.")
    _key_is_near(draft, "kmsKeyId")
