"""What all types of a package share: scopes, ids, answers, and the words in which its cloud refuses.

A `Package` is the floor under the models: a type without a model is served by these rules alone. Kubernetes, Vault,
Consul and Nomad use the plain base.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sandbox.cloud.check import Failure
from sandbox.cloud.errors import Refusal
from sandbox.cloud.registry import Name, Output
from sandbox.cloud.schema import TypeSchema
from sandbox.cloud.truth.regions import aws_regions
from sandbox.cloud.wire import UNKNOWN, Value

if TYPE_CHECKING:
    from sandbox.cloud.draft import Draft
    from sandbox.cloud.store import Record

AWS_ACCOUNT: Final = "123456789012"
AZURE_SUBSCRIPTION: Final = "00000000-0000-4000-8000-000000000001"
AZURE_TENANT: Final = "00000000-0000-4000-8000-000000000002"
GCP_PROJECT_NUMBER: Final = "123456789012"


def _template(form: str) -> str:
    """`projects/{{project}}/topics/{{topic_name}}` as a template over inputs, which are in camel case."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: "{" + re.sub(r"_(\w)", lambda c: c[1].upper(), found[1]) + "}", form)


def _arm_type(token: str) -> str:
    """`Microsoft.Network/virtualNetworks` from `azure-native:network:VirtualNetwork`, by Azure's usual spelling."""
    _, module, name = token.split(":")
    kind = name[0].lower() + name[1:]
    plural = f"{kind[:-1]}ies" if kind.endswith("y") and kind[-2] not in "aeiou" else f"{kind}s"
    plural = f"{kind}es" if kind.endswith(("s", "x")) else plural
    return f"Microsoft.{_ARM.get(module, module.capitalize())}/{plural}"


_ARM: Final = {
    "authorization": "Authorization", "containerservice": "ContainerService", "dbforpostgresql": "DBforPostgreSQL",
    "dnsresolver": "Network", "keyvault": "KeyVault", "managedidentity": "ManagedIdentity", "monitor": "Insights",
    "operationalinsights": "OperationalInsights", "privatedns": "Network",
}  # fmt: skip


def _tags_all(draft: Draft) -> dict[str, str]:
    """A resource's tags over the provider's default tags, which arrive as JSON text."""
    raw = draft.provider.config.get("defaultTags") or {}
    default = json.loads(raw) if isinstance(raw, str) else raw
    return {**(default.get("tags") or {}), **(draft.get("tags") or {})}


def _optional_text(schema: TypeSchema, name: str) -> bool:
    return name not in schema.required and schema.inputs.get(name, {}).get("kind") == "string"


def _group_location(draft: Draft) -> Value:
    group = draft.find("azure-native:resources:ResourceGroup", draft.inputs.get("resourceGroupName"))
    return group["location"] if group else draft.scope("location") or None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Package:
    """The plain rules, for packages whose servers have no common habits worth imitating."""

    outputs: Mapping[str, Output] = {}
    immutable: tuple[str, ...] = ("name",)
    # Bridged providers: an input that the cloud would have computed keeps its value when the program drops it.
    keeps_dropped = False

    def configure(self, config: Mapping[str, Value]) -> Iterable[Failure]:
        """What is wrong with a provider's configuration."""
        return ()

    def scope(self, word: str, config: Mapping[str, Value]) -> str:
        """What a scope word means for a configured provider; empty if nothing."""
        return ""

    def fold(self, handle: str) -> str:
        """The form in which handles are compared."""
        return handle

    def identify(self, draft: Draft, schema: TypeSchema) -> str:
        """The id of a type whose model gives none."""
        return draft.fill("{name}-{hex8}") or draft.logical

    def naming(self, schema: TypeSchema) -> Name | None:
        """How a type whose model nobody wrote is named."""
        return None

    def fixed(self, schema: TypeSchema) -> tuple[str, ...]:
        """Inputs that cannot change, besides those that the model lists."""
        return self.immutable

    def words(self, refusal: Refusal, draft: Draft, verb: str) -> str:
        """A refusal as this package's provider relays it."""
        return f"{refusal.code}: {refusal.message}"

    def taken(self, draft: Draft, names: str) -> Refusal:
        """A name that somebody has."""
        return Refusal(draft.model.exists or "AlreadyExists", f"{names} already exists", 409)

    def missing(self, draft: Draft, path: str, value: str, code: str) -> Refusal:
        """A reference to something that does not exist."""
        return Refusal(code or "NotFound", f"{path}: '{value}' does not exist", 404)

    def lingering(self, draft: Draft, names: str) -> Refusal:
        """A name that something deleted still holds."""
        return Refusal("Conflict", f"{names} is deleted, but its name is held until its recovery time has passed", 409)

    def held(self, draft: Draft, user: Record) -> Refusal:
        """Deletion of something in use."""
        code = draft.model.in_use or "Conflict"
        return Refusal(code, f"{draft.id} is in use by {user.type} {user.id}", 409)


class Aws(Package):
    """Amazon Web Services: one account, regions by provider or by the resource's own `region`."""

    outputs: Mapping[str, Output] = {
        "tagsAll": _tags_all,
        "ownerId": "{account}",
        "owner": "{account}",
        "region": "{region}",
        "namePrefix": "",
    }
    keeps_dropped = True
    immutable = ("name", "namePrefix", "region", "availabilityZone")

    def configure(self, config: Mapping[str, Value]) -> Iterable[Failure]:
        region = config.get("region")
        if region is UNKNOWN:
            return
        if not region:
            yield Failure("region", "missing region: set aws:region in the stack's configuration")
        elif region not in aws_regions():
            yield Failure("region", f"invalid AWS Region: {region}")

    def scope(self, word: str, config: Mapping[str, Value]) -> str:
        region = config.get("region")
        return {
            "account": AWS_ACCOUNT, "partition": "aws", "region": region if isinstance(region, str) else "",
        }.get(word, "")  # fmt: skip

    def naming(self, schema: TypeSchema) -> Name | None:
        return Name("name") if _optional_text(schema, "name") else None

    def words(self, refusal: Refusal, draft: Draft, verb: str) -> str:
        _, module, name = draft.type.split(":")
        service = module.partition("/")[0]
        return (
            f"{verb} {service.upper()} {name} ({draft.name}): operation error, https response error "
            f"StatusCode: {refusal.status}, api error {refusal.code}: {refusal.message}"
        )

    def taken(self, draft: Draft, names: str) -> Refusal:
        return Refusal(draft.model.exists or "AlreadyExistsException", f"{names} already exists", 409)

    def missing(self, draft: Draft, path: str, value: str, code: str) -> Refusal:
        return Refusal(code or "InvalidParameterValue", f"The {path} '{value}' does not exist")

    def held(self, draft: Draft, user: Record) -> Refusal:
        noun = draft.type.rpartition(":")[2]
        return Refusal(
            draft.model.in_use or "DependencyViolation",
            f"The {noun} '{draft.id}' has dependencies and cannot be deleted ({user.id} refers to it)",
        )


class Azure(Package):
    """Azure Resource Manager: ids are paths, names compare without case, everything lies in a resource group."""

    outputs: Mapping[str, Output] = {
        "name": "{name}",
        "type": lambda draft: _arm_type(draft.type),
        "provisioningState": "Succeeded",
        "etag": 'W/"{hex8}-{hex4}-{hex4}-{hex4}-{hex12}"',
        "resourceGuid": "{hex8}-{hex4}-4{hex3}-8{hex3}-{hex12}",
        "azureApiVersion": "",
        "location": _group_location,
    }
    immutable = ("location", "resourceGroupName", "zones", "zone")

    def configure(self, config: Mapping[str, Value]) -> Iterable[Failure]:
        subscription = config.get("subscriptionId")
        if isinstance(subscription, str) and not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
                                                              subscription):  # fmt: skip
            yield Failure("subscriptionId", f"'{subscription}' is not a subscription id (a UUID)")

    def scope(self, word: str, config: Mapping[str, Value]) -> str:
        given = {"subscription": "subscriptionId", "tenant": "tenantId", "location": "location"}.get(word, "")
        found = config.get(given)
        if isinstance(found, str) and found:
            return found
        return {"subscription": AZURE_SUBSCRIPTION, "tenant": AZURE_TENANT}.get(word, "")

    def fold(self, handle: str) -> str:
        return handle.lower()

    def identify(self, draft: Draft, schema: TypeSchema) -> str:
        """`/subscriptions/…/resourceGroups/…/providers/Microsoft.X/parents/parent/kinds/name`."""
        path = draft.fill("/subscriptions/{subscription}/resourceGroups/{resourceGroupName}")
        if path is None:
            path = draft.inputs.get("scope") or draft.fill("/subscriptions/{subscription}") or ""
        own = draft.model.name.property if draft.model.name else ""
        parents = [item for item in schema.required if item.endswith("Name") and item not in ("resourceGroupName", own)]
        steps = [f"{item.removesuffix('Name')}s/{draft.inputs.get(item)}" for item in parents]
        provider, _, kind = _arm_type(draft.type).partition("/")
        return "/".join([str(path), "providers", provider, *steps, kind, draft.name])

    def naming(self, schema: TypeSchema) -> Name | None:
        """The optional input that is called after the type: `diskName` of Disk, `vmName` where there is only one."""
        noun = schema.type.rpartition(":")[2]
        own = noun[0].lower() + noun[1:] + "Name"
        others = [name for name in schema.inputs if name.endswith("Name") and _optional_text(schema, name)]
        found = own if own in others else others[0] if len(others) == 1 else None
        return Name(found, separator="") if found else None

    def fixed(self, schema: TypeSchema) -> tuple[str, ...]:
        names = tuple(name for name, shape in schema.inputs.items()
                      if name.endswith("Name") and shape["kind"] == "string")  # fmt: skip
        return (*self.immutable, *names)

    def words(self, refusal: Refusal, draft: Draft, verb: str) -> str:
        return (
            f"autorest/azure: Service returned an error. Status={refusal.status} "
            f'Code="{refusal.code}" Message="{refusal.message}"'
        )

    def taken(self, draft: Draft, names: str) -> Refusal:
        message = f"A resource with the ID '{names}' already exists; to be managed it needs to be imported"
        return Refusal(draft.model.exists or "ResourceAlreadyExists", message, 409)

    def missing(self, draft: Draft, path: str, value: str, code: str) -> Refusal:
        if path == "resourceGroupName":
            return Refusal(code or "ResourceGroupNotFound", f"Resource group '{value}' could not be found.", 404)
        message = f"Resource {value} referenced by {path} of resource {draft.name} was not found."
        return Refusal(code or "InvalidResourceReference", message)

    def held(self, draft: Draft, user: Record) -> Refusal:
        message = f"{draft.id} is in use by {user.id} and cannot be deleted."
        return Refusal(draft.model.in_use or "InUseCannotBeDeleted", message)


class Gcp(Package):
    """Google Cloud: ids are paths under a project; the self link is the id under the API's address."""

    outputs: Mapping[str, Output] = {
        "project": "{project}",
        "selfLink": lambda draft: (
            f"https://www.googleapis.com/{draft.type.split(':')[1].partition('/')[0]}/v1/{draft.id}"
        ),
        "effectiveLabels": lambda draft: {"goog-pulumi-provisioned": "true", **(draft.get("labels") or {})},
        "pulumiLabels": lambda draft: draft.get("labels") or {},
        "labelFingerprint": "{hex8}=",
        "creationTimestamp": lambda _: _now(),
        "createTime": lambda _: _now(),
    }
    keeps_dropped = True
    immutable = ("name", "project", "region", "zone", "location")

    def configure(self, config: Mapping[str, Value]) -> Iterable[Failure]:
        project = config.get("project")
        if isinstance(project, str) and not re.fullmatch(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", project):
            yield Failure("project", f"'{project}' is not a project id: 6 to 30 lower-case letters, digits, hyphens")

    def scope(self, word: str, config: Mapping[str, Value]) -> str:
        found = config.get(word)
        if word == "location":
            found = config.get("region")
        if word == "projectNumber":
            return GCP_PROJECT_NUMBER
        return found if isinstance(found, str) else ""

    def identify(self, draft: Draft, schema: TypeSchema) -> str:
        """The canonical form in the provider's documentation of import."""
        if schema.formats:
            found = draft.fill(_template(max(schema.formats, key=lambda form: form.count("/"))))
            if found is not None:
                return found
        return draft.fill("projects/{project}/{name}") or draft.name

    def naming(self, schema: TypeSchema) -> Name | None:
        found = Name("name", max=63, lower=True, characters="a-z0-9-")
        return found if _optional_text(schema, "name") else None

    def fixed(self, schema: TypeSchema) -> tuple[str, ...]:
        named = re.findall(r"\{(\w+)\}", _template(schema.formats[0])) if schema.formats else []
        return (*self.immutable, *(name for name in named if name in schema.inputs))

    def words(self, refusal: Refusal, draft: Draft, verb: str) -> str:
        return (
            f"Error {verb} {draft.type.rpartition(':')[2]}: googleapi: Error {refusal.status}: "
            f"{refusal.message}, {refusal.code}"
        )

    def taken(self, draft: Draft, names: str) -> Refusal:
        return Refusal(draft.model.exists or "alreadyExists", f"The resource '{names}' already exists", 409)

    def missing(self, draft: Draft, path: str, value: str, code: str) -> Refusal:
        message = f"Invalid value for field 'resource.{path}': '{value}'. The referenced resource cannot be found."
        return Refusal(code or "invalid", message)

    def held(self, draft: Draft, user: Record) -> Refusal:
        message = f"The resource '{draft.id}' is already being used by '{user.id}'"
        return Refusal(draft.model.in_use or "resourceInUseByAnotherResource", message)


_PACKAGES: Final[dict[str, Package]] = {"aws": Aws(), "azure-native": Azure(), "gcp": Gcp()}
_PLAIN: Final = Package()


def package(name: str) -> Package:
    """The rules of a package."""
    return _PACKAGES.get(name, _PLAIN)
