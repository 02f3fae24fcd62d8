"""Customer-managed keys of the lineage: seals, disks, the secret store, buckets.

Owns the key, where it can be used from, and who may use it. A purpose has a key ring of its own in each location:

- a key that must survive the region lies in the multi-region that holds both the region and its recovery region;
- the secret store's lies in both regions, one key each, because Secret Manager encrypts each replica where it is;
- a disk's lies in the region and dies with it, like the disk.

Dangerous edges:
- Google deletes neither a key ring nor a key, ever; what goes is key material, 30 days after it is asked for. Both
  are protected. A state that has lost them gets them back by `pulumi import`; creating them again is refused.
- Disks, entries and objects are encrypted by Google's own agents, not by the machine: machines get no grant on those
  keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import KeyArgs, Site, type_token
from components.clouds.specs import key_spec
from components.plan.server import KeyStanza
from components.plan.spec import Region

_DAY = 86400
_ROTATION = f"{90 * _DAY}s"
_DESTRUCTION = f"{30 * _DAY}s"
_USE, _VIEW = "roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/cloudkms.viewer"
"""The first lacks `cloudkms.cryptoKeys.get`, which a seal asks for at start."""

_DISK, _SECRETS, _BUCKETS = "disk", "secrets", ("backup", "audit")
"""Purposes whose keys are used by an agent of Google's."""


def multi_region(region: Region) -> str:
    """The multi-region that holds the region and its recovery region: `us`, `europe` or `asia`."""
    return region.name.partition("-")[0]


def locations(region: Region, purpose: str, *, recoverable: bool) -> tuple[str, ...]:
    """Locations of the purpose's keys; the first is the one that machines of the region use."""
    if not recoverable:
        return (region.name,)
    if purpose == _SECRETS:
        return region.name, region.recovery
    return (multi_region(region),)


class SealKey(pulumi.ComponentResource):
    """Key rings, keys and grants of one purpose."""

    id: pulumi.Output[str]
    stanza: pulumi.Output[KeyStanza]
    usable_from: tuple[str, ...]
    ready: Sequence[pulumi.Resource]
    ids: Mapping[str, pulumi.Output[str]]
    """Key by location."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site, region = args.site, args.site.stack.region
        places = locations(region, args.purpose, recoverable=args.recoverable)
        spec = key_spec(args)
        super().__init__(type_token(args.kind), name, spec, opts)
        self.usable_from = args.usable_from
        self._name, self._args = name, args
        keys = {place: self._key(place) for place in places}
        self.ready = list(self._grants(keys))
        self.ids = {place: key.id for place, key in keys.items()}
        self.id = self.ids[places[0]]
        self.stanza = keys[places[0]].name.apply(
            lambda key: KeyStanza(
                "gcpckms",
                {
                    "project": site.account.id,
                    "region": places[0],
                    "key_ring": site.names.thing(args.purpose),
                    "crypto_key": key,
                },
            )
        )
        self.register_outputs({"spec": spec, "id": self.id})

    def _grants(self, keys: Mapping[str, gcp.kms.CryptoKey]) -> Iterator[pulumi.Resource]:
        agent = self._agent(self._args.site)
        for place, key in keys.items():
            if agent is not None:
                yield self._grant(f"{place}-agent-use", key, _USE, agent)
                continue
            for user in self._args.users:
                principal = self._args.identities.principals[user]
                yield self._grant(f"{place}-{user}-use", key, _USE, principal)
                yield self._grant(f"{place}-{user}-view", key, _VIEW, principal)

    def _agent(self, site: Site) -> pulumi.Output[str] | None:
        """Google's own identity that encrypts with the key, where it is not the machines that do."""
        if self._args.purpose == _DISK:
            agent = f"serviceAccount:service-{site.account.tenant}@compute-system.iam.gserviceaccount.com"
            return pulumi.Output.from_input(agent)
        if self._args.purpose == _SECRETS:
            # Google makes this identity only when asked to.
            return gcp.projects.ServiceIdentity(
                f"{self._name}-agent",
                project=site.account.id,
                service="secretmanager.googleapis.com",
                opts=pulumi.ResourceOptions(parent=self),
            ).member
        if self._args.purpose in _BUCKETS:
            # This one too: asking for its name is what makes it.
            return gcp.storage.get_project_service_account_output(
                project=site.account.id, opts=pulumi.InvokeOptions(parent=self)
            ).member
        return None

    def _key(self, place: str) -> gcp.kms.CryptoKey:
        name = self._args.site.names.thing(self._args.purpose)
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        ring = gcp.kms.KeyRing(f"{self._name}-{place}", name=name, location=place, opts=kept)
        return gcp.kms.CryptoKey(
            f"{self._name}-{place}",
            name=name,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=_ROTATION,
            destroy_scheduled_duration=_DESTRUCTION,
            deletion_policy="PREVENT",
            import_only=False,
            skip_initial_version_creation=False,
            version_template=gcp.kms.CryptoKeyVersionTemplateArgs(
                algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level="HSM"
            ),
            opts=kept,
        )

    def _grant(
        self, purpose: str, key: gcp.kms.CryptoKey, role: str, member: pulumi.Output[str]
    ) -> gcp.kms.CryptoKeyIAMMember:
        return gcp.kms.CryptoKeyIAMMember(
            f"{self._name}-{purpose}",
            crypto_key_id=key.id,
            role=role,
            member=member,
            opts=pulumi.ResourceOptions(parent=self),
        )
