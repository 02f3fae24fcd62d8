"""Google Cloud's buckets, who may touch what lies in them, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from components.plan.naming import Names
from components.plan.spec import ROLES
from tests.contract.posture import Bucket, Trail
from tests.contract.readers.words import Words
from tests.contract.state import Resource, State

MEMBER, AUDIT = "gcp:storage/bucketIAMMember:BucketIAMMember", "gcp:projects/iAMAuditConfig:IAMAuditConfig"
CREATE, READ = "roles/storage.objectCreator", "roles/storage.objectViewer"
_BUCKET, _SINK = "gcp:storage/bucket:Bucket", "gcp:logging/projectSink:ProjectSink"
_POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_DAY = 86400
_POWERS: Mapping[str, set[str]] = {
    READ: {"read", "list"},
    "roles/storage.objectUser": {"read", "list", "overwrite", "delete"},
    "roles/storage.objectAdmin": {"read", "list", "overwrite", "delete"},
    "roles/storage.admin": {"read", "list", "overwrite", "delete", "settings"},
}
_ROLE_OF_AWS = re.compile(
    r"principalSet://iam\.googleapis\.com/(?P<pool>projects/\d+/locations/global/workloadIdentityPools/[^/]+)"
    r"/attribute\.aws_role/(?P<role>[^/]+)"
)
_CALLS, _FLOWS = 'logName:"cloudaudit.googleapis.com"', 'log_id("compute.googleapis.com/vpc_flows")'


@dataclass(frozen=True)
class Keeping:
    """Reads the buckets of a region."""

    state: State
    words: Words
    purpose: Callable[[str | None], str | None]
    """Purpose of a key by its id."""
    who: Callable[[str], str]
    """Whose account a member of this project is."""

    def backups(self) -> Bucket:
        """The bucket of the backups."""
        return self._bucket("backups")

    def trail(self) -> Trail:
        """What is recorded where."""
        sinks = list(self._sinks())
        kinds = {
            config["logType"]
            for setting in self.state.of(AUDIT)
            if setting["service"] == "allServices"
            for config in setting["auditLogConfigs"]
            if not config.get("exemptedMembers")
        }
        # What changes settings is recorded without being asked for.
        asked = {"read": {"ADMIN_READ"}, "data": {"DATA_READ", "DATA_WRITE"}}
        calls = {"write", *(word for word, needed in asked.items() if needed <= kinds)}
        flows = {
            subnet["ipCidrRange"]
            for subnet in self.state.of("gcp:compute/subnetwork:Subnetwork")
            if (logs := subnet.inputs.get("logConfig"))
            and logs.get("flowSampling") == 1
            and logs.get("filterExpr") in (None, "true")
        }
        return Trail(
            calls=frozenset(calls if any(_covers(sink, _CALLS) for sink in sinks) else ()),
            verified=None,
            flows=frozenset(flows if any(_covers(sink, _FLOWS) for sink in sinks) else ()),
            bucket=self._bucket("audit"),
        )

    def _bucket(self, purpose: str) -> Bucket:
        (bucket,) = (
            found for found in self.state.of(_BUCKET) if self.words.plain(found["name"]).startswith(f"{purpose}-")
        )
        home = self.words.plan.region.name
        placed = bucket.inputs.get("customPlacementConfig", {}).get("dataLocations", [bucket["location"]])
        places = sorted((place.lower() for place in placed), key=lambda place: place != home)
        key = self.purpose(bucket.inputs.get("encryption", {}).get("defaultKmsKeyName"))
        lock = bucket.inputs.get("retentionPolicy", {})
        rules = [rule for rule in bucket.inputs.get("lifecycleRules", []) if rule["action"]["type"] == "Delete"]
        creators, powers = self._rights(bucket)
        return Bucket(
            region=places[0],
            replica_region=places[1] if len(places) > 1 else None,
            versioned=bucket.inputs.get("versioning", {}).get("enabled", False),
            key=key,
            replica_key=key if len(places) > 1 else None,
            lock_days=int(lock.get("retentionPeriod", "0")) // _DAY,
            locked=lock.get("isLocked", False),
            expire_days=_least(rules, {"LIVE", "ANY", None}),
            superseded_days=_least(rules, {"ARCHIVED", "ANY", None}),
            public=frozenset(self._public(bucket)),
            clear_text=not _closed(bucket),
            protected=bucket.protected and not bucket["forceDestroy"],
            creators=creators,
            powers=powers,
        )

    def _grants(self, bucket: Resource) -> Iterator[Resource]:
        return (grant for grant in self.state.of(MEMBER) if grant["bucket"] in (bucket.id, bucket["name"]))

    def _public(self, bucket: Resource) -> Iterator[str]:
        if bucket["publicAccessPrevention"] != "enforced":
            yield "the public may be let in"
        if not bucket["uniformBucketLevelAccess"]:
            yield "objects may have grants of their own"
        for grant in self._grants(bucket):
            if grant["member"] in ("allUsers", "allAuthenticatedUsers"):
                yield f"{grant['member']} has {grant['role']}"

    def _rights(self, bucket: Resource) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        creators: dict[str, frozenset[str]] = {}
        powers: dict[str, frozenset[str]] = {}
        logs = {sink["writerIdentity"] for sink in self._sinks()}
        for grant in self._grants(bucket):
            role, who = grant["role"], self._whose(grant["member"])
            if role == CREATE and grant["member"] in logs and self.words.plain(bucket["name"]).startswith("audit-"):
                continue
            if role == CREATE:
                creators[who] = creators.get(who, frozenset()) | frozenset(_beginnings(grant, bucket["name"]))
            else:
                powers[who] = powers.get(who, frozenset()) | frozenset(_POWERS.get(role, {role}))
        return creators, powers

    def _whose(self, member: str) -> str:
        """A machine of another cloud where its pool admits it by a condition; else whoever it is here."""
        found = _ROLE_OF_AWS.fullmatch(member)
        if found is None:
            return self.who(member)
        pool = self.state.named(_POOL, found["pool"])
        names = {Names(self.words.plan.platform, "aws").identity(role): role for role in ROLES}
        admitted = any(
            provider.inputs.get("aws")
            and not provider["disabled"]
            and provider["workloadIdentityPoolId"] == pool["workloadIdentityPoolId"]
            and f"'{found['role']}'" in (provider["attributeCondition"] or "")
            and "assumed-role/{role}/" in provider["attributeMapping"].get("attribute.aws_role", "")
            for provider in self.state.of(_PROVIDER)
        )
        return f"aws/{names[found['role']]}" if admitted and found["role"] in names and not pool["disabled"] else member

    def _sinks(self) -> Iterator[Resource]:
        """Those that lead into the bucket of the trail and may write there."""
        for sink in self.state.of(_SINK):
            target = sink["destination"].removeprefix("storage.googleapis.com/")
            admitted = any(
                (grant["bucket"], grant["member"], grant["role"]) == (target, sink["writerIdentity"], CREATE)
                and not grant.inputs.get("condition")
                for grant in self.state.of(MEMBER)
            )
            if admitted and not sink["disabled"] and not sink.inputs.get("exclusions"):
                yield sink


def _covers(sink: Resource, clause: str) -> bool:
    """Whether a sink takes a kind of records whole; one without a filter takes everything."""
    said = sink.inputs.get("filter")
    return said is None or clause in said.split(" OR ")


def _closed(bucket: Resource) -> bool:
    """Whether nobody is answered who does not say who he is, which Google hears over TLS only."""
    return bucket["publicAccessPrevention"] == "enforced" and bool(bucket["uniformBucketLevelAccess"])


def _least(rules: list[Mapping[str, Mapping[str, int | str]]], states: set[str | None]) -> int:
    """Age at which the first of the rules deletes a version in one of the states; 0 where none does."""
    ages = [
        int(rule["condition"].get("age", rule["condition"].get("daysSinceNoncurrentTime", 0)))
        for rule in rules
        if rule["condition"].get("withState") in states
    ]
    return min(ages, default=0)


def _beginnings(grant: Resource, bucket: str) -> Iterator[str]:
    """Beginnings of names under which a grant holds; the empty one is every name."""
    condition = grant.inputs.get("condition")
    if not condition:
        yield ""
        return
    own = re.compile(rf'resource\.name\.startsWith\("projects/_/buckets/{re.escape(bucket)}/objects/([^"]*)"\)')
    for clause in condition["expression"].split(" || "):
        found = own.fullmatch(clause)
        yield found[1] if found else clause
