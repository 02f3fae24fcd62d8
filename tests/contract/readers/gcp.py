"""Google Cloud's registered resources as a posture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from components.plan.backup import RESTORER
from components.plan.spec import ROLES, Product, Role, Stack
from tests.contract.posture import (
    EVERY_PORT,
    PROBES,
    WORLD,
    Balancer,
    Check,
    Disk,
    Group,
    Key,
    Machine,
    Posture,
    SecretEntry,
    Way,
    Zone,
)
from tests.contract.readers import gcp_keeping, gcp_mesh
from tests.contract.readers.words import ANYWHERE, Words, ways
from tests.contract.state import Resource, State

_KEPT = {"bootDisk.initializeParams.image": "image", "machineType": "size", "metadata": "user data"}
_DAY = 86400
_PROBES = {"35.191.0.0/16", "130.211.0.0/22"}
"""Where Google's health checks come from (its documentation of health checks)."""
_USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_KEY_GRANTS = {_USE, "roles/cloudkms.viewer"}
_READ = "roles/secretmanager.secretAccessor"
_AGENT = re.compile(r"serviceAccount:service-\d+@(compute-system|gs-project-accounts)\.iam\.gserviceaccount\.com")
"""Google's own identities that encrypt disks and objects."""
_GRANT = re.compile(r"gcp:.*/.*I[Aa][Mm](Member|Binding|Policy):")
_KEY, _SECRET = "gcp:kms/cryptoKey:CryptoKey", "gcp:secretmanager/secret:Secret"
_KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_READ_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
_SUBNET = "gcp:compute/subnetwork:Subnetwork"


def read(state: State, plan: Stack) -> Posture:
    """The region."""
    return _Reader(state, Words(plan)).posture()


class _Reader:
    def __init__(self, state: State, words: Words) -> None:
        self._state, self._words = state, words
        self._instances = state.of("gcp:compute/instance:Instance")
        (self._template,) = state.of("gcp:compute/regionInstanceTemplate:RegionInstanceTemplate")
        accounts = {
            account["email"]: words.plain(account["accountId"])
            for account in state.of("gcp:serviceaccount/account:Account")
        }
        self._roles: dict[str, Role] = {
            email: role for email, name in accounts.items() for role in ROLES if role == name
        }
        self._names = {**accounts, **{email: "restorer" for email, name in accounts.items() if name == RESTORER}}

    def posture(self) -> Posture:
        interfaces = [
            interface for found in (*self._instances, self._template) for interface in found["networkInterfaces"]
        ]
        keys: dict[str, list[Resource]] = {}
        for key in self._state.of(_KEY):
            keys.setdefault(self._words.plain(key["name"]), []).append(key)
        keeping = gcp_keeping.Keeping(self._state, self._words, self._purpose, self._who)
        return Posture(
            machines={self._words.plain(found["name"]): self._server(found) for found in self._instances},
            clients=self._clients(),
            keys={purpose: self._key(purpose, places) for purpose, places in keys.items()},
            secrets={entry.name: entry for entry in map(self._entry, self._state.of(_SECRET))},
            balancers={
                found.product: found
                for found in map(
                    self._balancer, self._state.of("gcp:compute/regionBackendService:RegionBackendService")
                )
            },
            zone=self._zone(),
            subnets=frozenset(
                self._state.named(_SUBNET, interface["subnetwork"])["ipCidrRange"] for interface in interfaces
            ),
            tunnels=tuple(gcp_mesh.tunnels(self._state, self._words)),
            alarms=tuple(gcp_mesh.alarms(self._state, self._words)),
            learning=gcp_mesh.learning(self._state),
            backups=keeping.backups(),
            trail=keeping.trail(),
            strays=frozenset(self._strays()),
        )

    def _rules(self, direction: str, account: str) -> list[Resource]:
        """Rules that a machine with the account meets."""
        return [
            rule
            for rule in self._state.of("gcp:compute/firewall:Firewall")
            if rule["direction"] == direction
            and not rule["disabled"]
            and account in rule.inputs.get("targetServiceAccounts", [account])
        ]

    def _ways(self, direction: str, account: str) -> frozenset[Way]:
        rules = self._rules(direction, account)
        far = "destinationRanges" if direction == "EGRESS" else "sourceRanges"
        denied = min(
            (
                rule["priority"]
                for rule in rules
                if ANYWHERE in rule.inputs.get(far, []) and {"protocol": "all"} in rule.inputs.get("denies", [])
            ),
            default=None,
        )
        found: set[Way] = set()
        for rule in rules:
            if denied is None or rule["priority"] < denied:
                found |= self._way(rule, far)
        if denied is None and direction == "EGRESS":
            found |= ways("any", *EVERY_PORT, [WORLD])  # what Google's implied rule lets out
        return frozenset(found)

    def _way(self, rule: Resource, far: str) -> frozenset[Way]:
        ranges = set(rule.inputs.get(far, []))
        accounts = rule.inputs.get("sourceServiceAccounts", [])
        places: set[str] = {inner for cidr in ranges - _PROBES for inner in self._words.places(self._words.place(cidr))}
        places |= {self._who(account) for account in accounts}
        if ranges >= _PROBES:
            places.add(PROBES)
        if not ranges and not accounts:
            places.add(WORLD)
        found: set[Way] = set()
        for allowed in rule.inputs.get("allows", []):
            protocol = allowed["protocol"].replace("all", "any")
            for port in allowed.get("ports") or [None]:
                first, last = _range(port) if port else (0, 0) if protocol == "icmp" else EVERY_PORT
                found |= ways(protocol, first, last, places)
        return frozenset(found)

    def _machine(self, source: Resource, **facts: Any) -> Machine:  # noqa: ANN401 - passed on
        account = source["serviceAccount"]["email"]
        public = any(
            interface.get("accessConfigs") or interface.get("ipv6AccessConfigs")
            for interface in source.inputs["networkInterfaces"]
        )
        return Machine(
            **facts,
            role=self._roles[account],
            instance_type=source["machineType"],
            public=public,
            exposures=frozenset(_exposures(source)),
            ways_in=self._ways("INGRESS", account),
            ways_out=self._ways("EGRESS", account),
            user_data=source["metadata"]["user-data"],
        )

    def _purpose(self, key: str | None) -> str | None:
        return self._words.plain(self._state.named(_KEY, key)["name"]) if key else None

    def _server(self, instance: Resource) -> Machine:
        boot, (interface,) = instance["bootDisk"], instance["networkInterfaces"]
        root = Disk(
            purpose="root",
            gib=boot["initializeParams"]["size"],
            key=self._purpose(boot.get("kmsKeySelfLink")),
            zone=None,
            outlives=not boot["autoDelete"],
            protected=False,
        )
        return self._machine(
            instance,
            name=self._words.plain(instance["name"]),
            zone=self._words.zone(instance["zone"]),
            address=interface["networkIp"],
            image=boot["initializeParams"]["image"],
            guarded=instance["deletionProtection"],
            disks=(root, *(self._disk(attached) for attached in instance.inputs.get("attachedDisks", []))),
            kept=frozenset(_KEPT[path] for path in instance.ignores if path in _KEPT),
        )

    def _disk(self, attached: Mapping[str, Any]) -> Disk:
        disk = self._state.named("gcp:compute/disk:Disk", attached["source"])
        return Disk(
            purpose=attached["deviceName"],
            gib=disk["size"],
            key=self._purpose(disk.inputs.get("diskEncryptionKey", {}).get("kmsKeySelfLink")),
            zone=self._words.zone(disk["zone"]),
            outlives=True,
            protected=disk.protected,
        )

    def _clients(self) -> Group:
        (manager,) = self._state.of("gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager")
        (autoscaler,) = self._state.of("gcp:compute/regionAutoscaler:RegionAutoscaler")
        bounds, (boot,) = autoscaler["autoscalingPolicy"], self._template["disks"]
        root = Disk(
            purpose="root",
            gib=boot["diskSizeGb"],
            key=self._purpose(boot.get("diskEncryptionKey", {}).get("kmsKeySelfLink")),
            zone=None,
            outlives=not boot["autoDelete"],
            protected=False,
        )
        template = self._machine(
            self._template,
            name=self._words.plain(manager["baseInstanceName"]),
            zone=None,
            address=None,
            image=boot["sourceImage"],
            guarded=None,
            disks=(root,),
            kept=frozenset(),
        )
        zones = frozenset(self._words.zone(zone) for zone in manager["distributionPolicyZones"])
        return Group(bounds["minReplicas"], bounds["maxReplicas"], zones, template)

    def _who(self, member: str) -> str:
        return self._names.get(member.removeprefix("serviceAccount:"), member)

    def _agents(self) -> set[str]:
        """Google's own identities, which encrypt where machines do not."""
        return {identity["member"] for identity in self._state.of("gcp:projects/serviceIdentity:ServiceIdentity")}

    def _key(self, purpose: str, places: list[Resource]) -> Key:
        agents = self._agents()
        users = {
            self._who(grant["member"])
            for grant in self._state.of(_KEY_GRANT)
            if self._state.named(_KEY, grant["cryptoKeyId"]) in places
            and grant["role"] == _USE
            and grant["member"] not in agents
            and not _AGENT.fullmatch(grant["member"])
        }
        return Key(
            purpose=purpose,
            users=frozenset(users),
            rotates=all(key.inputs.get("rotationPeriod") for key in places),
            delay_days=min(_days(key["destroyScheduledDuration"]) for key in places),
            protected=all(key.protected and key["deletionPolicy"] == "PREVENT" for key in places),
        )

    def _entry(self, entry: Resource) -> SecretEntry:
        readers = {
            self._who(grant["member"])
            for grant in self._state.of(_READ_GRANT)
            if self._state.named(_SECRET, grant["secretId"]) == entry and grant["role"] == _READ
        }
        replicas = entry["replication"].get("userManaged", {}).get("replicas", [{}])
        keys = {self._purpose(one.get("customerManagedEncryption", {}).get("kmsKeyName")) for one in replicas}
        return SecretEntry(
            name=self._words.plain(entry["secretId"]),
            readers=frozenset(readers),
            key=next(iter(keys)) if len(keys) == 1 else None,
            delay_days=_days(entry.inputs.get("versionDestroyTtl", "0s")),
            protected=entry.protected and entry["deletionProtection"],
        )

    def _strays(self) -> Iterator[str]:
        for grant in self._state.resources:
            if not _GRANT.match(grant.type):
                continue
            # Which of them on which bucket is a question of the bucket's creators and powers.
            buckets = {gcp_keeping.CREATE, gcp_keeping.READ}
            known = {_KEY_GRANT: _KEY_GRANTS, _READ_GRANT: {_READ}, gcp_keeping.MEMBER: buckets}.get(grant.type, set())
            if grant["role"] not in known:
                yield f"{grant['member'] or grant['members']}: {grant['role']} by {grant.type}"

    def _balancer(self, service: Resource) -> Balancer:
        groups = [
            self._state.named("gcp:compute/instanceGroup:InstanceGroup", backend["group"])
            for backend in service["backends"]
        ]
        fronts = [
            rule for rule in self._state.of("gcp:compute/forwardingRule:ForwardingRule") if self._leads(rule, service)
        ]
        addresses = [self._state.named("gcp:compute/address:Address", rule["ipAddress"]) for rule in fronts]
        check = self._state.named("gcp:compute/regionHealthCheck:RegionHealthCheck", service["healthChecks"])
        return Balancer(
            product=cast("Product", self._words.plain(service["name"])),
            internal=service["loadBalancingScheme"].startswith("INTERNAL")
            and all(address["addressType"] == "INTERNAL" for address in addresses),
            addresses=tuple(sorted({address["address"] for address in addresses})),
            listeners={front: back for rule in fronts for front, back in self._ports(rule, service, groups)},
            checks=frozenset({_check(check)}),
            members=frozenset(self._joined(groups)),
            ways_in=None,
        )

    def _leads(self, rule: Resource, service: Resource) -> bool:
        """Whether a forwarding rule ends at a backend service, straight or by a proxy."""
        if target := rule.inputs.get("target"):
            rule = self._state.named("gcp:compute/regionTargetTcpProxy:RegionTargetTcpProxy", target)
        return self._state.named(service.type, rule["backendService"]) == service

    def _ports(self, rule: Resource, service: Resource, groups: list[Resource]) -> Iterator[tuple[int, int]]:
        if not rule.inputs.get("target"):
            yield from ((int(port), int(port)) for port in rule["ports"])  # the packet goes on as it is
            return
        ports = {
            named["port"] for group in groups for named in group["namedPorts"] if named["name"] == service["portName"]
        }
        (back,) = ports
        yield int(rule["portRange"]), back

    def _joined(self, groups: list[Resource]) -> Iterator[str]:
        for membership in self._state.of("gcp:compute/instanceGroupMembership:InstanceGroupMembership"):
            if self._state.named(groups[0].type, membership["instanceGroup"]) in groups:
                instance = self._state.named("gcp:compute/instance:Instance", membership["instance"])
                yield self._words.plain(instance["name"])

    def _zone(self) -> Zone:
        (zone,) = self._state.of("gcp:dns/managedZone:ManagedZone")
        (network,) = self._state.of("gcp:compute/network:Network")
        domain = zone["dnsName"].rstrip(".")
        seen_by = [found["networkUrl"] for found in zone["privateVisibilityConfig"]["networks"]]
        records = {
            record["name"].removesuffix(f".{domain}."): (tuple(record["rrdatas"]), record["ttl"])
            for record in self._state.of("gcp:dns/recordSet:RecordSet")
            if record["managedZone"] == zone["name"] and record["type"] == "A"
        }
        return Zone(domain, zone["visibility"] == "private" and seen_by == [network.id], records)


def _range(port: str) -> tuple[int, int]:
    first, _, last = port.partition("-")
    return int(first), int(last or first)


def _days(duration: str) -> int:
    return int(duration.removesuffix("s")) // _DAY


def _exposures(source: Resource) -> Iterator[str]:
    shield, metadata = source.inputs.get("shieldedInstanceConfig", {}), source["metadata"]
    for protection in ("enableSecureBoot", "enableVtpm", "enableIntegrityMonitoring"):
        if shield.get(protection) is not True:
            yield f"{protection} is off"
    for setting, wanted in {
        "enable-oslogin": "TRUE",
        "block-project-ssh-keys": "TRUE",
        "serial-port-enable": "FALSE",
    }.items():
        if metadata.get(setting) != wanted:
            yield f"{setting} is {metadata.get(setting)}"
    if source["canIpForward"]:
        yield "the machine may send as others"


def _check(check: Resource) -> Check:
    asked = check["httpsHealthCheck"]
    return Check(
        protocol="https",
        port=asked["port"],
        path=asked["requestPath"],
        interval=check["checkIntervalSec"],
        unhealthy=check["unhealthyThreshold"],
        reads_body=bool(asked.get("response")),
    )
