"""The keys of the configuration and their types.

Owns the shape of the namespace. Defaults stand in Pulumi.yaml, where the engine merges them in; what a single value
must look like is `components.plan.values` and `resilience`; docs/configuration.md explains each key.

Types are strict (a quoted number is no number) and unknown keys are refused: a mistyped key that does nothing is the
mistake that nobody finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from components.plan import resilience, spec, values
from components.plan.sizing import CLIENTS, SERVERS
from components.plan.spec import Cloud, Deletion, Edition, Lock, Product, Profile, SealKind
from config.change import Exemption, Record

_T = TypeVar("_T")


def _judged(judge: Callable[[_T], values.Refusal | None]) -> AfterValidator:
    """A validator that hands a refusal of the plan on, whole."""

    def validate(value: _T) -> _T:
        if refusal := judge(value):
            raise PydanticCustomError("refused", "refused", {"refusal": refusal})
        return value

    return AfterValidator(validate)


Asn = Annotated[int, _judged(resilience.asn)]
Bound = Annotated[int, _judged(values.clients)]
Interval = Annotated[int, _judged(resilience.interval)]
Tag = Annotated[str, _judged(values.tag)]
Url = Annotated[str, _judged(values.url)]
Version = Annotated[str, _judged(values.version)]


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Region(_Keys):
    """One region."""

    name: str
    zones: Annotated[list[str], _judged(values.zones)]
    cidr: Annotated[str, _judged(values.cidr)]
    recovery: str


class Versions(_Keys):
    """The version of everything that is installed."""

    consul: Version
    vault: Version
    nomad: Version
    boundary: Version
    node_exporter: Version
    postgresql: Version


class Artifacts(_Keys):
    """Where archives come from."""

    base_url: Url = Field(alias="baseUrl")
    exporter_url: Url = Field(alias="exporterUrl")
    postgresql_url: Url = Field(alias="postgresqlUrl")
    checksums: dict[str, Annotated[str, _judged(values.sha256)]]


class Mesh(_Keys):
    """The regions' gateways."""

    asns: dict[Cloud, Asn]


class Intervals(_Keys):
    """Minutes between two backups of each product."""

    consul: Interval
    vault: Interval
    nomad: Interval
    boundary: Interval

    def by_product(self) -> dict[Product, int]:
        """In the plan's words."""
        return {"consul": self.consul, "vault": self.vault, "nomad": self.nomad, "boundary": self.boundary}


class Backup(_Keys):
    """Backups."""

    interval_minutes: Intervals = Field(alias="intervalMinutes")
    rpo_minutes: Annotated[int, _judged(resilience.rpo)] = Field(alias="rpoMinutes")
    lock: Lock
    lock_days: Annotated[int, _judged(resilience.lock_days)] = Field(alias="lockDays")
    keep_days: Annotated[int, _judged(resilience.keep_days)] = Field(alias="keepDays")
    copies: dict[Cloud, Cloud]


class Audit(_Keys):
    """The audit trail."""

    keep_days: Annotated[int, _judged(resilience.audit_days)] = Field(alias="keepDays")


class Alerts(_Keys):
    """The clouds' own alarms."""

    recipients: Annotated[list[str], _judged(values.recipients)]


class Settings(_Keys):
    """Every key: first the stack's own, then what all stacks share."""

    cloud: Cloud
    account: str
    image: str
    rollout: Annotated[list[str], _judged(values.rollout)]
    deletion: Deletion
    change: Record
    exemptions: list[Exemption]
    name: Annotated[str, _judged(values.name)]
    environment: Annotated[str, _judged(values.label)]
    domain: Annotated[str, _judged(values.domain)]
    owner: Tag
    cost_center: Tag = Field(alias="costCenter")
    profile: Profile
    edition: Edition
    seal: SealKind
    regions: dict[Cloud, Region]
    servers: dict[Product, int]
    clients: dict[Literal["minimum", "maximum"], Bound]
    versions: Versions
    artifacts: Artifacts
    mesh: Mesh
    backup: Backup
    audit: Audit
    alerts: Alerts
    peers_required: bool = Field(alias="peersRequired")

    def stack(self) -> spec.Stack:
        """In the plan's own words, with the profile's numbers where none are given."""
        platform = spec.Platform(
            name=self.name,
            environment=self.environment,
            domain=self.domain,
            owner=self.owner,
            cost_center=self.cost_center,
            profile=self.profile,
            edition=self.edition,
            seal=self.seal,
            regions={
                cloud: spec.Region(cloud, region.name, tuple(region.zones), region.cidr, region.recovery)
                for cloud, region in self.regions.items()
            },
            servers=servers(self.profile, self.servers),
            clients=clients(self.profile, self.clients),
            versions=self.versions.model_dump(),
            artifacts=spec.Artifacts(
                base_url=self.artifacts.base_url,
                exporter_url=self.artifacts.exporter_url,
                postgresql_url=self.artifacts.postgresql_url,
                checksums=dict(self.artifacts.checksums),
            ),
            asns=dict(self.mesh.asns),
            backup=spec.Backup(
                interval_minutes=self.backup.interval_minutes.by_product(),
                rpo_minutes=self.backup.rpo_minutes,
                lock=self.backup.lock,
                lock_days=self.backup.lock_days,
                keep_days=self.backup.keep_days,
                copies=dict(self.backup.copies),
            ),
            audit_days=self.audit.keep_days,
            recipients=tuple(self.alerts.recipients),
        )
        return spec.Stack(
            platform=platform,
            cloud=self.cloud,
            account=self.account,
            image=self.image,
            rollout=tuple(self.rollout),
            deletion=self.deletion,
            change=self.change.change(),
            exemptions=tuple(entry.entry() for entry in self.exemptions),
            peers_required=self.peers_required,
        )


def servers(profile: Profile, given: Mapping[Product, int]) -> dict[Product, int]:
    """Servers of each product: the profile's unless given."""
    return {product: given.get(product, default) for product, default in SERVERS[profile].items()}


def clients(profile: Profile, given: Mapping[Any, int]) -> spec.Clients:
    """Bounds of Nomad clients: the profile's unless given."""
    default = CLIENTS[profile]
    return spec.Clients(given.get("minimum", default.minimum), given.get("maximum", default.maximum))


def _is_keys(kind: Any) -> bool:  # noqa: ANN401 (an annotation may be anything)
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def structured(key: str) -> bool:
    """Whether a top-level key holds a list, a map or a truth value, and so comes as JSON."""
    field = Settings.model_fields.get(key) or next((f for f in Settings.model_fields.values() if f.alias == key), None)
    return field is not None and (
        _is_keys(field.annotation) or field.annotation is bool or get_origin(field.annotation) in (list, dict)
    )


def known_below(path: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that may stand below a path, as written in YAML; empty where any may, or none."""
    kind: Any = Settings
    for step in path:
        kind = _child(kind, step)
    if _is_keys(kind):
        return tuple(field.alias or name for name, field in kind.model_fields.items())
    return get_args(get_args(kind)[0]) if get_origin(kind) is dict else ()


def _child(kind: Any, step: str) -> Any:  # noqa: ANN401 (an annotation may be anything)
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) is list:
        return get_args(kind)[0]
    return next(field.annotation for name, field in kind.model_fields.items() if step in (name, field.alias))
