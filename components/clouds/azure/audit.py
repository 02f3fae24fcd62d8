"""The trail: who did what in the subscription, and who spoke to whom in the network, in a locked account of its own.

Owns the account and what sends to it: the subscription's activity log, the logs of the key vault, the VPN gateway and the
backups, and the flow log of the network; and a second account for what the backups' replica logs in the recovery region. Reading the trail is the security team's, by their own identities; no machine may.

Dangerous edges:
- The activity log and its setting are the subscription's: a second platform in it keeps the same calls twice.
- Azure itself keeps one network watcher a region, in a group of its own, and makes both with the first network.
- With shared keys off, a flow log writes as an identity. Its role could also delete, which the lock refuses.
- The clouds' other two trails are signed; Azure offers none of that. The lock is what a record's truth rests on.

Source: cloud-reference, "Logs and audit trail".
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity, monitor, network, storage

from components.clouds.contract import AuditArgs
from components.clouds.specs import audit_spec
from components.plan.backup import audit_retention

from .bucket import KIND, Doors, Keeping, closes, kept
from .component import Component
from .gateway import Gateway
from .identity import BLOB_CONTRIBUTOR, grant
from .network import Network
from .place import Place, own
from .seal import SealKey
from .storage import Backup

_ACTIVITY = (
    "Administrative",
    "Security",
    "ServiceHealth",
    "Alert",
    "Recommendation",
    "Policy",
    "Autoscale",
    "ResourceHealth",
)
_OBJECTS = ("StorageRead", "StorageWrite", "StorageDelete")
_RECOVERY = "audit-recovery"
_WATCHER_GROUP = "NetworkWatcherRG"


class Audit(Component):
    """The account and its sources."""

    bucket: pulumi.Output[str]
    recovery: pulumi.Output[str]

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        account = place.names.storage_account("audit", place.account.id)
        spec = audit_spec(args, account)
        super().__init__("Audit", name, spec, opts)
        self._place, self._args, self._stem = place, args, name
        self._child = pulumi.ResourceOptions(parent=self)
        key = own(SealKey, args.key)
        encryption = key.service(f"{name}-encryption", "audit-encryption", self)

        def locked(called: str, account: str, location: str, *, standing: bool) -> storage.StorageAccount:
            closed = closes(place.stack, standing=standing)
            keeping = Keeping(key, encryption, audit_retention(place.stack.platform.audit_days), closed, appended=True)
            return kept(called, place, account, location, keeping, Doors(services=True), self).account

        made = locked(name, account, place.location, standing=args.standing)
        self._calls(made)
        # A diagnostic setting writes into its own region only, and the replica stands in another.
        far = place.names.storage_account(_RECOVERY, place.account.id)
        away = locked(f"{name}-recovery", far, place.stack.region.recovery, standing=args.recovery_standing)
        self.recovery = away.name
        self._objects("replica", own(Backup, args.backup).replica, away)
        self._flows(account, made)
        self.bucket = made.name
        self.register_outputs({"spec": spec, "bucket": self.bucket})

    def _calls(self, made: storage.StorageAccount) -> None:
        place = self._place
        monitor.SubscriptionDiagnosticSetting(
            f"{self._stem}-activity",
            name=place.names.thing("audit"),
            storage_account_id=made.id,
            logs=[monitor.SubscriptionLogSettingsArgs(category=category, enabled=True) for category in _ACTIVITY],
            opts=self._child,
        )
        everything = [monitor.DiagnosticsLogSettingsArgs(category_group="allLogs", enabled=True)]
        self._setting("vault", place.vault.id, everything, made)
        self._objects("backups", self._args.backup.name, made)
        self._setting("gateway", own(Gateway, self._args.gateway).id, everything, made)

    def _objects(self, of: str, account: pulumi.Output[str], made: storage.StorageAccount) -> None:
        blobs = account.apply(lambda name: f"{self._place.id(KIND, name)}/blobServices/default")
        logs = [monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in _OBJECTS]
        self._setting(of, blobs, logs, made)

    def _setting(
        self,
        of: str,
        thing: pulumi.Output[str],
        logs: list[monitor.DiagnosticsLogSettingsArgs],
        made: storage.StorageAccount,
    ) -> None:
        monitor.DiagnosticSetting(
            f"{self._stem}-{of}",
            name=self._place.names.thing("audit"),
            resource_uri=thing,
            storage_account_id=made.id,
            logs=logs,
            opts=self._child,
        )

    def _flows(self, account: str, made: storage.StorageAccount) -> None:
        place = self._place
        called = place.names.thing("flow-log")
        identity = managedidentity.UserAssignedIdentity(
            f"{self._stem}-flows",
            resource_group_name=place.group,
            resource_name_=called,
            location=place.location,
            opts=self._child,
        )
        granted = grant(
            f"{self._stem}-flows",
            place,
            BLOB_CONTRIBUTOR,
            on=(place.id(KIND, account), made.id),
            to=(called, identity.principal_id),
            parent=self,
        )
        network.FlowLog(
            f"{self._stem}-flows",
            resource_group_name=_WATCHER_GROUP,
            network_watcher_name=f"NetworkWatcher_{place.location}",
            flow_log_name=place.names.thing("flows"),
            location=place.location,
            target_resource_id=own(Network, self._args.network).id,
            storage_id=made.id,
            enabled=True,
            format=network.FlowLogFormatParametersArgs(type="JSON", version=2),
            identity=network.ManagedServiceIdentityArgs(
                type=network.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[granted]),
        )
