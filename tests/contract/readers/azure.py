"""Azure's registered resources as a posture."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from components.plan.spec import Product, Role, Stack
from tests.contract.posture import (
    Balancer,
    Check,
    Disk,
    Group,
    Key,
    Machine,
    Posture,
    SecretEntry,
    Zone,
)
from tests.contract.readers.azure_firewall import Firewall, groups_of
from tests.contract.readers.azure_keeping import ACCOUNT, GRANT, IDENTITY, Keeping
from tests.contract.readers.azure_mesh import alarms, learning, tunnels
from tests.contract.readers.words import Words
from tests.contract.state import Resource, State

_KEPT = {
    "storageProfile.imageReference": "image",
    "hardwareProfile.vmSize": "size",
    "hardwareProfile": "size",
    "osProfile.customData": "user data",
}
_READ = "4633458b-17de-408a-b874-0445c86b69e6"
"""Key Vault Secrets User."""
_USE = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Key Vault Crypto Service Encryption User."""
_KEY, _SECRET = "azure-native:keyvault:Key", "azure-native:keyvault:Secret"
_VM, _NIC = "azure-native:compute:VirtualMachine", "azure-native:network:NetworkInterface"


def read(state: State, plan: Stack) -> Posture:
    """The region."""
    return _Reader(state, Words(plan)).posture()


class _Reader:
    def __init__(self, state: State, words: Words) -> None:
        self._state, self._words = state, words
        self._machines = state.of(_VM)
        (self._scale_set,) = state.of("azure-native:compute:VirtualMachineScaleSet")
        (self._network,) = state.of("azure-native:network:VirtualNetwork")
        inside = f"{self._network.id}/subnets"
        self._subnets = {f"{inside}/{subnet['name']}".lower(): subnet for subnet in self._network["subnets"]}
        (self._vault,) = state.of("azure-native:keyvault:Vault")
        self._firewall = Firewall(state, words, self._subnets, self._memberships())

    def posture(self) -> Posture:
        inside = [self._configuration(vm)[1] for vm in self._machines] + [self._group_configuration()[1]]
        keeping = Keeping(self._state, self._words, lambda identity: identity.lower() in self._carried())
        return Posture(
            machines={self._words.plain(vm["vmName"]): self._server(vm) for vm in self._machines},
            clients=self._clients(),
            keys={key.purpose: key for key in map(self._key, self._state.of(_KEY))},
            secrets={entry.name: entry for entry in map(self._entry, self._state.of(_SECRET))},
            balancers={
                found.product: found
                for found in map(self._balancer, self._state.of("azure-native:network:LoadBalancer"))
            },
            zone=self._zone(),
            subnets=frozenset(self._subnets[found["subnet"]["id"].lower()]["addressPrefix"] for found in inside),
            tunnels=tuple(tunnels(self._state, self._words)),
            alarms=tuple(alarms(self._state, self._words)),
            learning=frozenset(learning(self._state, self._network)),
            backups=keeping.backups(),
            trail=keeping.trail(),
            strays=frozenset(self._strays()),
        )

    def _configuration(self, vm: Resource) -> tuple[Resource, Mapping[str, Any]]:
        """The one interface of a machine and the one address on it."""
        (reference,) = vm["networkProfile"]["networkInterfaces"]
        interface = self._state.named(_NIC, reference["id"])
        (configuration,) = interface.inputs["ipConfigurations"]
        return interface, configuration

    def _group_configuration(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        profile = self._scale_set["virtualMachineProfile"]["networkProfile"]
        (interface,) = profile["networkInterfaceConfigurations"]
        (configuration,) = interface["ipConfigurations"]
        return interface, configuration

    def _role(self, machine: Resource) -> Role:
        (identity,) = _identities(machine)
        return self._words.role(self._state.named(IDENTITY, identity)["resourceName"])

    def _memberships(self) -> dict[str, set[str]]:
        """Roles of the machines in each application group."""
        members: dict[str, set[str]] = {}
        places = [(self._role(vm), self._configuration(vm)[1]) for vm in self._machines]
        for role, configuration in [*places, (self._role(self._scale_set), self._group_configuration()[1])]:
            for group in groups_of(configuration):
                members.setdefault(group, set()).add(role)
        return members

    def _machine(
        self,
        profile: Mapping[str, Any],
        interface: Mapping[str, Any],
        configuration: Mapping[str, Any],
        **facts: Any,  # noqa: ANN401 - passed on
    ) -> Machine:
        image = profile["storageProfile"]["imageReference"]
        public = configuration.get("publicIPAddress") or configuration.get("publicIPAddressConfiguration")
        return Machine(
            **facts,
            image=":".join(image[part] for part in ("publisher", "offer", "sku", "version")),
            public=bool(public),
            exposures=frozenset(_exposures(profile, interface)),
            guarded=None,
            ways_in=self._firewall.ways_in(interface, configuration),
            ways_out=self._firewall.ways_out(interface, configuration),
            user_data=gzip.decompress(base64.b64decode(profile["osProfile"]["customData"])).decode(),
        )

    def _purpose(self, encryption_set: Mapping[str, Any] | None) -> str | None:
        if not encryption_set:
            return None
        found = self._state.named("azure-native:compute:DiskEncryptionSet", encryption_set["id"])
        return self._words.plain(found["activeKey"]["keyUrl"].split("/keys/")[1].split("/")[0])

    def _root(self, storage: Mapping[str, Any]) -> Disk:
        disk = storage["osDisk"]
        return Disk(
            purpose="root",
            gib=disk["diskSizeGB"],
            key=self._purpose(disk["managedDisk"].get("diskEncryptionSet")),
            zone=None,
            outlives=disk["deleteOption"] != "Delete",
            protected=False,
        )

    def _server(self, vm: Resource) -> Machine:
        interface, configuration = self._configuration(vm)
        storage, name = vm["storageProfile"], self._words.plain(vm["vmName"])
        return self._machine(
            vm.inputs,
            interface.inputs,
            configuration,
            name=name,
            role=self._role(vm),
            zone=self._words.zone(vm["zones"][0]),
            address=configuration["privateIPAddress"],
            instance_type=vm["hardwareProfile"]["vmSize"],
            disks=(self._root(storage), *(self._disk(name, attached) for attached in storage.get("dataDisks", []))),
            kept=frozenset(_KEPT[path] for path in vm.ignores if path in _KEPT),
        )

    def _disk(self, machine: str, attached: Mapping[str, Any]) -> Disk:
        disk = self._state.named("azure-native:compute:Disk", attached["managedDisk"]["id"])
        open_ = disk["publicNetworkAccess"] != "Disabled" or disk["networkAccessPolicy"] != "DenyAll"
        encryption = disk.inputs.get("encryption", {}).get("diskEncryptionSetId")
        return Disk(
            purpose=self._words.plain(disk["diskName"]).removeprefix(f"{machine}-") + ("-exported" if open_ else ""),
            gib=disk["diskSizeGB"],
            key=self._purpose({"id": encryption} if encryption else None),
            zone=self._words.zone(disk["zones"][0]),
            outlives=attached["deleteOption"] == "Detach",
            protected=disk.protected,
        )

    def _clients(self) -> Group:
        (autoscale,) = self._state.of("azure-native:monitor:AutoscaleSetting")
        capacity = autoscale["profiles"][0]["capacity"]
        group, profile = self._scale_set, self._scale_set["virtualMachineProfile"]
        interface, configuration = self._group_configuration()
        template = self._machine(
            profile,
            interface,
            configuration,
            name=self._words.plain(group["vmScaleSetName"]),
            role=self._role(group),
            zone=None,
            address=None,
            instance_type=group["sku"]["name"],
            disks=(self._root(profile["storageProfile"]),),
            kept=frozenset(),
        )
        zones = frozenset(self._words.zone(zone) for zone in group["zones"])
        return Group(int(capacity["minimum"]), int(capacity["maximum"]), zones, template)

    def _granted(self, role: str, thing: Resource) -> Iterator[str]:
        """Who has a built-in role on exactly this thing."""
        people: dict[str, str] = {}
        for identity in self._state.of(IDENTITY):
            people[identity["principalId"]] = self._words.plain(identity["resourceName"])
        for grant in self._state.of(GRANT):
            if grant["scope"].lower() == thing.id.lower() and grant["roleDefinitionId"].endswith(role):
                principal: str = grant["principalId"]
                yield people.get(principal, principal)

    def _key(self, key: Resource) -> Key:
        properties, vault = key["properties"], self._vault["properties"]
        rotation = properties.get("rotationPolicy", {}).get("lifetimeActions", [])
        kept = vault["softDeleteRetentionInDays"] if vault.get("enablePurgeProtection") else 0
        return Key(
            purpose=self._words.plain(key["keyName"]),
            users=frozenset(self._granted(_USE, key)) - self._encrypting(),
            rotates=any(action["action"]["type"].lower() == "rotate" for action in rotation),
            delay_days=kept if vault.get("enableSoftDelete") else 0,
            protected=key.protected and self._vault.protected,
        )

    def _encrypting(self) -> set[str]:
        """Identities by which services of Azure encrypt, unless a machine has one of them too."""
        services = [*self._state.of("azure-native:compute:DiskEncryptionSet"), *self._state.of(ACCOUNT)]
        own = [self._state.named(IDENTITY, found) for service in services for found in _identities(service)]
        return {self._words.plain(found["resourceName"]) for found in own if found.id.lower() not in self._carried()}

    def _carried(self) -> set[str]:
        """Identities that machines have."""
        return {found.lower() for vm in (*self._machines, self._scale_set) for found in _identities(vm)}

    def _entry(self, entry: Resource) -> SecretEntry:
        vault = self._vault["properties"]
        return SecretEntry(
            name=self._words.plain(entry["secretName"]),
            readers=frozenset(self._granted(_READ, entry)),
            key="service" if vault["sku"]["name"] == "premium" else None,
            delay_days=vault["softDeleteRetentionInDays"] if vault.get("enablePurgeProtection") else 0,
            protected=entry.protected and self._vault.protected,
        )

    def _strays(self) -> Iterator[str]:
        things = {_READ: self._state.of(_SECRET), _USE: self._state.of(_KEY)}
        # Who may touch what lies in an account is the buckets' to say.
        accounts = tuple(f"{account.id}/".lower() for account in self._state.of(ACCOUNT))
        for grant in self._state.of(GRANT):
            definition = grant["roleDefinitionId"].rpartition("/")[2]
            if f"{grant['scope']}/".lower().startswith(accounts):
                continue
            if grant["scope"].lower() not in {thing.id.lower() for thing in things.get(definition, [])}:
                yield f"{grant['principalId']}: {definition} on {grant['scope']}"
        vault = self._vault["properties"]
        if not vault.get("enableRbacAuthorization"):
            yield "the vault's access policies grant beside the roles"
        if vault["publicNetworkAccess"] != "Disabled":
            yield "the vault is open to the world's networks"

    def _balancer(self, balancer: Resource) -> Balancer:
        fronts, probes = balancer["frontendIPConfigurations"], balancer["probes"]
        rules = balancer["loadBalancingRules"]
        pools = {
            f"{balancer.id}/backendAddressPools/{pool['name']}".lower() for pool in balancer["backendAddressPools"]
        }
        used = {rule["probe"]["id"].rpartition("/")[2] for rule in rules}
        members = {
            self._words.plain(vm["vmName"]) for vm in self._machines if pools <= _pools(self._configuration(vm)[1])
        }
        return Balancer(
            product=cast("Product", self._words.plain(balancer["loadBalancerName"])),
            internal=all(not front.get("publicIPAddress") for front in fronts),
            addresses=tuple(sorted(front["privateIPAddress"] for front in fronts)),
            listeners={rule["frontendPort"]: rule["backendPort"] for rule in rules},
            checks=frozenset(_check(probe) for probe in probes if probe["name"] in used),
            members=frozenset(members),
            ways_in=None,
        )

    def _zone(self) -> Zone:
        domain = self._words.plan.platform.domain
        link_type = "azure-native:privatedns:VirtualNetworkLink"
        links = [link for link in self._state.of(link_type) if link["privateZoneName"] == domain]
        (zone,) = [found for found in self._state.of("azure-native:privatedns:PrivateZone") if found.name == "zone"]
        records = {
            record["relativeRecordSetName"]: (
                tuple(found["ipv4Address"] for found in record["aRecords"]),
                record["ttl"],
            )
            for record in self._state.of("azure-native:privatedns:PrivateRecordSet")
            if record["privateZoneName"] == zone["privateZoneName"] and record["recordType"] == "A"
        }
        seen_by = [link["virtualNetwork"]["id"] for link in links]
        return Zone(zone["privateZoneName"], seen_by == [self._network.id], records)


def _identities(thing: Resource) -> list[str]:
    return thing.inputs["identity"].get("userAssignedIdentities", [])


def _pools(configuration: Mapping[str, Any]) -> set[str]:
    return {pool["id"].lower() for pool in configuration.get("loadBalancerBackendAddressPools") or []}


def _exposures(profile: Mapping[str, Any], interface: Mapping[str, Any]) -> Iterable[str]:
    security, system = profile.get("securityProfile", {}), profile["osProfile"]
    boot = security.get("uefiSettings", {})
    if security.get("securityType") != "TrustedLaunch" or not boot.get("secureBootEnabled"):
        yield "secure boot is off"
    if not boot.get("vTpmEnabled"):
        yield "there is no measured boot"
    if not security.get("encryptionAtHost"):
        yield "the host's caches are not encrypted"
    if system["linuxConfiguration"].get("disablePasswordAuthentication") is not True:
        yield "passwords open the machine"
    if interface.get("enableIPForwarding"):
        yield "the machine may send as others"


def _check(probe: Mapping[str, Any]) -> Check:
    return Check(
        protocol=probe["protocol"].lower(),
        port=probe["port"],
        path=probe["requestPath"],
        interval=probe["intervalInSeconds"],
        unhealthy=probe["probeThreshold"],
        reads_body=None,
    )
