"""The region's backups: a locked account, its replica in the paired region, and the few who may touch either.

Owns both accounts' container, the replication between them, the way in from this network, and the identities of those who
are no machine here: other clouds' writers and the restorer.

A writer may add objects whose names begin as his own sets do, and nothing else. `add` lets a new object be made in one
request and refuses one that exists; it reads nothing, lists nothing, and cannot write in blocks. Machines of another
cloud come as identities of this tenant that believe their cloud's tokens.

Dangerous edges:
- The account is named in the world, closed to it but for the peers' own addresses; this region's machines come by the
  private endpoint. Whoever restores from elsewhere is admitted by hand for the time.
- Azure replicates soon, but says of no object when. A backup counts as replicated once it is read there.
- The destination's replication policy comes first: it makes the id under which the source's is known.

Source: cloud-reference, "Backup bucket".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import authorization, managedidentity, storage

from components.clouds.contract import BackupArgs
from components.clouds.specs import backup_bucket_spec
from components.plan.backup import RESTORER, WRITING_ROLES, prefixes, retention
from components.plan.federation import TRUSTED, Federated
from components.plan.spec import Cloud, Role

from .bucket import KIND, Doors, Keeping, Kept, closes, kept
from .component import Component
from .endpoint import endpoint
from .identity import BLOB_READER, Identities, grant
from .network import Network
from .place import Place, own
from .seal import SealKey

CONTAINER = "backups"
_REPLICA = "backups-replica"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_ADD = f"{_BLOBS}/add/action"
_EVERYTHING = "1601-01-01T00:00:00Z"
"""Azure's own word for objects of any age; otherwise only later ones are replicated."""


class Backup(Component):
    """Account, replica, writers, restorer."""

    # No `name` among these: it is a key of the spec, and Pulumi would take the one for the other.
    attributes: pulumi.Output[Mapping[str, str]]
    replica: pulumi.Output[str]
    restorer: pulumi.Output[str]
    writers: Mapping[Cloud, Mapping[Role, pulumi.Output[Mapping[str, str]]]]

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        account = place.names.backups(place.account.id)
        spec = backup_bucket_spec(args, account)
        super().__init__("BackupBucket", name, spec, opts)
        self._place, self._args, self._stem = place, args, name
        self._child = pulumi.ResourceOptions(parent=self)
        key = own(SealKey, args.key)
        keeping = Keeping(
            key,
            key.service(f"{name}-encryption", "backup-encryption", self),
            retention(place.stack.platform.backup),
            closes(place.stack, standing=args.standing),
        )
        made = kept(name, place, account, place.location, keeping, Doors(args.admitted), self)
        replica_name = place.names.storage_account(_REPLICA, place.account.id)
        copy = kept(f"{name}-replica", place, replica_name, place.stack.region.recovery, keeping, Doors(), self)
        container, replicated = self._container(name, made), self._container(f"{name}-replica", copy)
        self._replicate((made, container), (copy, replicated))
        endpoint(name, place, own(Network, args.network).blobs, made.account.id, self)
        self._let_write(account, container)
        self.restorer = self._restorer({"own": (account, container), "replica": (replica_name, replicated)})
        self.name: pulumi.Output[str] = made.account.name
        self.attributes = self.name.apply(lambda known: {"account": known, "container": CONTAINER})
        self.replica = copy.account.name
        self.register_outputs({"spec": spec, "attributes": self.attributes, "replica": self.replica})

    def _container(self, name: str, where: Kept) -> storage.BlobContainer:
        return storage.BlobContainer(
            name,
            resource_group_name=self._place.group,
            account_name=where.account.name,
            container_name=CONTAINER,
            public_access=storage.PublicAccess.NONE,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def _replicate(
        self, source: tuple[Kept, storage.BlobContainer], destination: tuple[Kept, storage.BlobContainer]
    ) -> None:
        (made, container), (copy, replicated) = source, destination
        # Both ends keep versions first, else Azure refuses.
        opts = pulumi.ResourceOptions(parent=self, depends_on=[made.versions, copy.versions])

        def policy(
            name: str, of: Kept, called: pulumi.Input[str], rule: pulumi.Output[str] | None
        ) -> storage.ObjectReplicationPolicy:
            return storage.ObjectReplicationPolicy(
                name,
                resource_group_name=self._place.group,
                account_name=of.account.name,
                object_replication_policy_id=called,
                source_account=made.account.id,
                destination_account=copy.account.id,
                rules=[
                    storage.ObjectReplicationPolicyRuleArgs(
                        rule_id=rule,
                        source_container=container.name,
                        destination_container=replicated.name,
                        filters=storage.ObjectReplicationPolicyFilterArgs(min_creation_time=_EVERYTHING),
                    )
                ],
                opts=opts,
            )

        arriving = policy(f"{self._stem}-arriving", copy, "default", None)
        rule = arriving.rules.apply(lambda rules: (rules[0].rule_id or "") if rules else "")
        policy(f"{self._stem}-leaving", made, arriving.policy_id, rule)

    def _let_write(self, account: str, container: storage.BlobContainer) -> None:
        """Own machines by their own identities, others by one that stands for each."""
        identities, own_cloud = own(Identities, self._args.identities), self._place.stack.cloud
        role = self._writer_role()
        for writer in WRITING_ROLES:
            who = (self._place.names.identity(writer), identities.principals[writer])
            self._may_add(writer, role, (account, container), who, prefixes(writer, own_cloud))
        self.writers = {
            cloud: {
                writer: self._foreign(cloud, writer, workload, role, (account, container))
                for writer, workload in roles.items()
            }
            for cloud, roles in self._args.foreign.items()
        }

    def _writer_role(self) -> tuple[str, authorization.RoleDefinition]:
        """(id, role) of those who add."""
        place = self._place
        scope = f"/subscriptions/{place.account.id}/resourceGroups/{place.names.resource_group()}"
        role_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|backup-writer".lower()))
        made = authorization.RoleDefinition(
            f"{self._stem}-writer",
            scope=place.group.apply(lambda _: scope),
            role_definition_id=role_id,
            # One tenant may hold many platforms, and a role's name is the tenant's.
            role_name=f"{place.names.thing('backup-writer')} {place.account.id}",
            role_type="CustomRole",
            description="Adds backups; reads, replaces and deletes none.",
            assignable_scopes=[scope],
            permissions=[
                authorization.PermissionArgs(actions=[], not_actions=[], data_actions=[_ADD], not_data_actions=[])
            ],
            opts=self._child,
        )
        return role_id, made

    def _may_add(
        self,
        purpose: str,
        role: tuple[str, authorization.RoleDefinition],
        where: tuple[str, storage.BlobContainer],
        who: tuple[str, pulumi.Output[str]],
        names: Sequence[str],
    ) -> None:
        role_id, definition = role
        account, container = where
        grant(
            f"{self._stem}-{purpose}",
            self._place,
            role_id,
            on=(_scope(self._place, account), container.id),
            to=who,
            parent=self,
            condition=only_below(names),
            after=[definition],
        )

    def _foreign(
        self,
        cloud: Cloud,
        writer: Role,
        workload: Federated,
        role: tuple[str, authorization.RoleDefinition],
        where: tuple[str, storage.BlobContainer],
    ) -> pulumi.Output[Mapping[str, str]]:
        """An identity that a machine of another cloud becomes, for one token at a time."""
        place, name = self._place, f"{cloud}-{writer}"
        called = place.names.thing(f"{name}-backups")
        identity = managedidentity.UserAssignedIdentity(
            f"{self._stem}-{name}",
            resource_group_name=place.group,
            resource_name_=called,
            location=place.location,
            opts=self._child,
        )
        managedidentity.FederatedIdentityCredential(
            f"{self._stem}-{name}",
            resource_group_name=place.group,
            resource_name_=identity.name,
            federated_identity_credential_resource_name=place.names.thing(name),
            issuer=workload.issuer,
            subject=workload.subject,
            audiences=[workload.audience],
            opts=self._child,
        )
        self._may_add(name, role, where, (called, identity.principal_id), prefixes(writer, cloud))
        facts = {"tenant": place.account.tenant, "audience": TRUSTED[cloud, "azure"]}
        return identity.client_id.apply(lambda client: {**facts, "client_id": client})

    def _restorer(self, places: Mapping[str, tuple[str, storage.BlobContainer]]) -> pulumi.Output[str]:
        place = self._place
        called = place.names.thing(RESTORER)
        identity = managedidentity.UserAssignedIdentity(
            f"{self._stem}-restorer",
            resource_group_name=place.group,
            resource_name_=called,
            location=place.location,
            opts=self._child,
        )
        for which, (account, container) in places.items():
            grant(
                f"{self._stem}-restorer-{which}",
                place,
                BLOB_READER,
                on=(_scope(place, account), container.id),
                to=(called, identity.principal_id),
                parent=self,
            )
        return identity.id


def _scope(place: Place, account: str) -> str:
    return f"{place.id(KIND, account)}/blobServices/default/containers/{CONTAINER}"


def only_below(names: Sequence[str]) -> str:
    """Azure's condition that what is added begins with one of these names."""
    begins = " OR ".join(f"@Resource[{_BLOBS}:path] StringStartsWith '{name}'" for name in names)
    return f"((!(ActionMatches{{'{_ADD}'}})) OR ({begins}))"
