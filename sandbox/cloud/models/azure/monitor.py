"""Azure Monitor and Network Watcher: diagnostic settings, metric alerts, flow logs.

Source: Microsoft Learn, "Diagnostic settings in Azure Monitor", "Supported metrics for
Microsoft.Network/virtualNetworkGateways", "Create or edit metric alert rules", "Virtual network flow logs".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.identity import IDENTITY, attached, granted
from sandbox.cloud.models.azure.keyvault import VAULT
from sandbox.cloud.models.azure.parts import GATEWAY, VIRTUAL_NETWORK
from sandbox.cloud.models.azure.storage import ACCOUNT
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

_BLOBS: Final = "/blobServices/default"
_CATEGORIES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "/microsoft.keyvault/vaults/": (
        frozenset({"AuditEvent", "AzurePolicyEvaluationDetails"}),
        frozenset({"audit", "allLogs"}),
    ),
    _BLOBS.lower(): (frozenset({"StorageRead", "StorageWrite", "StorageDelete"}), frozenset({"audit", "allLogs"})),
    "/microsoft.network/virtualnetworkgateways/": (
        frozenset(f"{kind}DiagnosticLog" for kind in ("Gateway", "Tunnel", "Route", "IKE", "P2S")),
        frozenset({"allLogs"}),
    ),
}
"""By part of the resource's id: categories and groups of them."""
_ACTIVITY: Final = frozenset(
    {"Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth"}
)
_DIMENSIONS: Final[dict[str, frozenset[str]]] = {
    "BgpPeerStatus": frozenset({"BgpPeerAddress", "Instance"}),
    "BgpRoutesLearned": frozenset({"BgpPeerAddress", "Instance"}),
    "TunnelAverageBandwidth": frozenset({"ConnectionName", "RemoteIP", "Instance"}),
    "TunnelEgressBytes": frozenset({"ConnectionName", "RemoteIP", "Instance"}),
    "TunnelIngressBytes": frozenset({"ConnectionName", "RemoteIP", "Instance"}),
}
"""Metrics of a VPN gateway that are known here, with their dimensions."""
_MINUTES: Final = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT6H": 360, "PT12H": 720, "P1D": 1440}
_FREQUENCIES: Final = frozenset({"PT1M", "PT5M", "PT15M", "PT30M", "PT1H"})
_OPERATORS: Final = frozenset({"Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"})
_CONTRIBUTORS: Final = ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b")
"""Storage Blob Data Contributor, Storage Blob Data Owner."""

setting = model(
    "azure-native:monitor:DiagnosticSetting",
    id="{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    name=Name("name", max=260, separator=""),
    references=(Ref("storageAccountId", (ACCOUNT,)),),
    immutable=("resourceUri", "name"),
    handles=(),
)
activity = model(
    "azure-native:monitor:SubscriptionDiagnosticSetting",
    id="/subscriptions/{subscription}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    name=Name("name", max=260, separator=""),
    references=(Ref("storageAccountId", (ACCOUNT,)),),
    immutable=("name",),
    handles=(),
)
alert = model(
    "azure-native:monitor:MetricAlert",
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Insights/metricAlerts"
    "/{ruleName}",
    name=Name("ruleName", max=260, separator=""),
    references=(IN_GROUP, Ref("scopes[*]", (GATEWAY,))),
    immutable=("ruleName",),
)
flow_log = model(
    "azure-native:network:FlowLog",
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/networkWatchers"
    "/{networkWatcherName}/flowLogs/{flowLogName}",
    name=Name("flowLogName", max=80, separator=""),
    unique=(("targetResourceId",),),
    references=(
        Ref("targetResourceId", (VIRTUAL_NETWORK,)),
        Ref("storageId", (ACCOUNT,)),
        Ref("identity.userAssignedIdentities[*]", (IDENTITY,)),
    ),
    immutable=("targetResourceId", "networkWatcherName"),
    reshaped=("identity",),
)


def _somewhere(draft: Draft) -> Iterator[Failure]:
    targets = ("storageAccountId", "workspaceId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    if all(draft.get(name) is None for name in targets):
        yield draft.fail("storageAccountId", "at least one data sink needs to be specified")
    if not draft.get("logs") and not draft.get("metrics"):
        yield draft.fail("logs", "at least one log or metric must be enabled")


def _writable(draft: Draft) -> None:
    """Azure Monitor must get into the account, and append to what it wrote there before."""
    account = draft.find(ACCOUNT, draft.get("storageAccountId"))
    if account is None:
        return
    rules = account["networkRuleSet"] or {}
    if rules.get("defaultAction") == "Deny" and "AzureServices" not in str(rules.get("bypass")):
        raise draft.refuse("StorageAccountFirewall", f"{account.id} lets no trusted service of Azure in.", 403)
    lock = account["immutableStorageWithVersioning"] or {}
    if lock.get("enabled") and not (lock.get("immutabilityPolicy") or {}).get("allowProtectedAppendWrites"):
        raise draft.refuse(
            "StorageAccountImmutable", f"{account.id} is locked and allows no protected append writes.", 409
        )


setting.check(_somewhere)
activity.check(_somewhere)
setting.admit(_writable)
activity.admit(_writable)


@setting.check
def _categories(draft: Draft) -> Iterator[Failure]:
    of = draft.known("resourceUri")
    known = next((said for part, said in _CATEGORIES.items() if isinstance(of, str) and part in of.lower()), None)
    for path, log in draft.each("logs[*]"):
        category, group = log.get("category"), log.get("categoryGroup")
        if (category is None) == (group is None):
            yield draft.fail(path, "exactly one of category and categoryGroup must be given")
        elif known and (category or group) not in known[0 if category else 1]:
            yield draft.fail(path, f"Category '{category or group}' is not supported.")
        if (log.get("retentionPolicy") or {}).get("enabled"):
            yield draft.fail(f"{path}.retentionPolicy", "retention in diagnostic settings is retired; use a lifecycle")


@setting.admit
def _of_something(draft: Draft) -> None:
    of = str(draft.get("resourceUri"))
    holder = of.removesuffix(_BLOBS)
    if not any(draft.find(type_, holder) for type_ in (VAULT, ACCOUNT, GATEWAY)):
        raise draft.refuse("ResourceNotFound", f"The resource {of} was not found.", 404)


@activity.check
def _activity(draft: Draft) -> Iterator[Failure]:
    for path, log in draft.each("logs[*]"):
        if log.get("category") not in _ACTIVITY:
            yield draft.fail(f"{path}.category", f"Category '{log.get('category')}' is not supported.")


@alert.check
def _rule(draft: Draft) -> Iterator[Failure]:
    if draft.known("location") not in (None, "global"):
        yield draft.fail("location", "a metric alert is 'global'")
    every, within = draft.known("evaluationFrequency"), draft.known("windowSize")
    if every not in _FREQUENCIES:
        yield draft.fail("evaluationFrequency", f"expected one of {sorted(_FREQUENCIES)}, got {every}")
    if within not in _MINUTES:
        yield draft.fail("windowSize", f"expected one of {sorted(_MINUTES)}, got {within}")
    elif _MINUTES.get(str(every), 0) > _MINUTES[within]:
        yield draft.fail("windowSize", f"must not be shorter than the evaluation frequency {every}")
    severity = draft.known("severity")
    if severity is not None and severity not in range(5):
        yield draft.fail("severity", f"expected 0 to 4, got {severity}")
    if not draft.get("criteria.allOf"):
        yield draft.fail("criteria.allOf", "an alert needs a criterion")
    for path, criterion in draft.each("criteria.allOf[*]"):
        yield from _criterion(draft, path, criterion)


def _criterion(draft: Draft, path: str, criterion: dict[str, Value]) -> Iterator[Failure]:
    if criterion.get("operator") not in _OPERATORS:
        yield draft.fail(f"{path}.operator", f"expected one of {sorted(_OPERATORS)}, got {criterion.get('operator')}")
    known = _DIMENSIONS.get(str(criterion.get("metricName")))
    if known is None:
        yield draft.fail(f"{path}.metricName", f"a VPN gateway has no metric {criterion.get('metricName')}")
    dimensions: list[dict[str, Value]] = criterion.get("dimensions") or []
    for place, dimension in enumerate(dimensions):
        at = f"{path}.dimensions[{place}]"
        if known is not None and dimension.get("name") not in known:
            yield draft.fail(f"{at}.name", f"{criterion.get('metricName')} has the dimensions {sorted(known)} only")
        if not dimension.get("values"):
            yield draft.fail(f"{at}.values", "a dimension needs values")


@flow_log.check
def _watched(draft: Draft) -> Iterator[Failure]:
    if draft.known("resourceGroupName") not in (None, "NetworkWatcherRG"):
        yield draft.fail("resourceGroupName", "Azure keeps its network watchers in NetworkWatcherRG")
    watcher, location = draft.known("networkWatcherName"), draft.known("location")
    if isinstance(watcher, str) and isinstance(location, str) and watcher != f"NetworkWatcher_{location}":
        yield draft.fail("networkWatcherName", f"the watcher of {location} is NetworkWatcher_{location}, not {watcher}")
    target = draft.known("targetResourceId")
    if isinstance(target, str) and "/networkSecurityGroups/" in target:
        yield draft.fail("targetResourceId", "flow logs of security groups can no longer be made; name the network")
    if draft.known("format.version") not in (None, 1, 2):
        yield draft.fail("format.version", "expected 1 or 2")


@flow_log.admit
def _reaches_its_account(draft: Draft) -> None:
    network, account = (
        draft.find(VIRTUAL_NETWORK, draft.get("targetResourceId")),
        draft.find(ACCOUNT, draft.get("storageId")),
    )
    if network is None or account is None:
        return
    for what, found in (("network", network), ("storage account", account)):
        if found["location"] != draft.get("location"):
            raise draft.refuse("FlowLogRegionMismatch", f"The {what} {found.id} is not in {draft.get('location')}.")
    rules = account["networkRuleSet"] or {}
    if rules.get("defaultAction") == "Deny" and "AzureServices" not in str(rules.get("bypass")):
        raise draft.refuse("StorageAccountFirewall", f"{account.id} lets no trusted service of Azure in.", 403)
    if account["allowSharedKeyAccess"] is not False:
        return
    identities = [draft.find(IDENTITY, id_) for id_ in draft.get("identity.userAssignedIdentities") or ()]
    if not any(one and granted(draft, one["principalId"], _CONTRIBUTORS, (account.id,)) for one in identities):
        raise draft.refuse(
            "FlowLogStorageAccessDenied",
            f"{account.id} takes no shared keys and the flow log no identity that may write to it.",
            403,
        )


@flow_log.compute
def _identity(draft: Draft) -> dict[str, Value]:
    return attached(draft)
