"""AWS's registered resources as a posture."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Mapping
from typing import Any, cast

from components.plan.backup import RESTORER
from components.plan.spec import ROLES, Product, Role, Stack
from tests.contract.posture import (
    EVERY_PORT,
    PROBES,
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
from tests.contract.readers import aws_keeping, aws_mesh
from tests.contract.readers.words import Words, statements, ways
from tests.contract.state import Resource, State

_KEPT = {"ami": "image", "instanceType": "size", "userDataBase64": "user data"}
_SESSIONS = "policy/AmazonSSMManagedInstanceCore"
_USE = {"kms:Encrypt", "kms:Decrypt"}
_WRITING = {"s3:PutObject", "kms:GenerateDataKey"}
_SERVICE = "a service"
_ISSUERS = {"sts.windows.net": "azure", "accounts.google.com": "gcp"}


def read(state: State, plan: Stack) -> Posture:
    """The region."""
    return _Reader(state, Words(plan)).posture()


class _Reader:
    def __init__(self, state: State, words: Words) -> None:
        self._state, self._words = state, words
        self._keys = {key["arn"]: words.plain(key["tags"]["Name"]) for key in state.of("aws:kms/key:Key")}
        self._subnets = {subnet.id: subnet for subnet in state.of("aws:ec2/subnet:Subnet")}
        self._instances = state.of("aws:ec2/instance:Instance")
        (self._template,) = state.of("aws:ec2/launchTemplate:LaunchTemplate")
        self._balancers = state.of("aws:lb/loadBalancer:LoadBalancer")
        self._members = self._memberships()
        self._who = {role["name"]: self._whose(role) for role in state.of("aws:iam/role:Role")}
        arns = {role["name"]: role["arn"] for role in state.of("aws:iam/role:Role")}
        self._grants = tuple(
            (self._who[policy["role"]], arns[policy["role"]], statement)
            for policy in state.of("aws:iam/rolePolicy:RolePolicy")
            for statement in statements(policy["policy"])
            if self._who[policy["role"]] != _SERVICE
        )

    def posture(self) -> Posture:
        machines = {self._name(found): self._server(found) for found in self._instances}
        inside = [subnet for instance in self._instances if (subnet := self._subnets[instance["subnetId"]])]
        (group,) = self._state.of("aws:autoscaling/group:Group")
        inside += [self._subnets[subnet] for subnet in group["vpcZoneIdentifiers"]]
        keeping = aws_keeping.Keeping(self._state, self._words, self._grants, self._purpose)
        return Posture(
            machines=machines,
            clients=self._clients(group),
            keys={key.purpose: key for key in map(self._key, self._state.of("aws:kms/key:Key"))},
            secrets={
                entry.name: entry for entry in map(self._entry, self._state.of("aws:secretsmanager/secret:Secret"))
            },
            balancers={found.product: found for found in map(self._balancer, self._balancers)},
            zone=self._zone(),
            subnets=frozenset(subnet["cidrBlock"] for subnet in inside),
            tunnels=tuple(aws_mesh.tunnels(self._state, self._words)),
            alarms=tuple(aws_mesh.alarms(self._state, self._words)),
            learning=aws_mesh.learning(self._state, self._words),
            backups=keeping.backups(),
            trail=keeping.trail(),
            strays=frozenset(self._strays()),
        )

    def _purpose(self, key: str) -> str | None:
        """Purpose of a key by its ARN; a replica's differs in the region alone."""
        places = {found["arn"]: found["primaryKeyArn"] for found in self._state.of("aws:kms/replicaKey:ReplicaKey")}
        return self._keys.get(places.get(key, key))

    def _whose(self, role: Resource) -> str:
        """Who has a role, by whom it trusts: a machine of the region or of another cloud, people, a service."""
        name = self._words.plain(role["name"])
        trusted = list(statements(role["assumeRolePolicy"]))
        kinds = {kind for statement in trusted for kind in statement["Principal"]}
        if kinds == {"Federated"}:
            return self._federated(name, trusted)
        if kinds == {"AWS"} and name == f"{RESTORER}-{self._words.plan.region.name}":
            root = {"AWS": f"arn:aws:iam::{role['arn'].split(':')[4]}:root"}
            return "restorer" if all(statement["Principal"] == root for statement in trusted) else "anybody"
        if kinds != {"Service"}:
            return "anybody"
        machines = all(statement["Principal"] == {"Service": "ec2.amazonaws.com"} for statement in trusted)
        return self._words.role(role["name"]) if machines else _SERVICE

    def _federated(self, name: str, trusted: list[dict[str, Any]]) -> str:
        """`peers` for boundary workers, `<cloud>/<role>` for who writes backups; each bound to one machine's name."""
        clouds: set[str] = set()
        for statement in trusted:
            claims = statement.get("Condition", {}).get("StringEquals", {})
            issuer = statement["Principal"]["Federated"].rpartition("oidc-provider/")[2].rstrip("/")
            if not any(key.endswith(":sub") for key in claims) or not any(key.endswith("aud") for key in claims):
                return "anybody of another cloud"
            clouds.add(_ISSUERS.get(str(issuer).partition("/")[0], str(issuer)))
        if name.endswith("-peers"):
            return "peers"
        role = next((role for role in ROLES if name.startswith(f"{role}-")), name)
        return f"{'+'.join(sorted(clouds))}/{role}"

    def _name(self, instance: Resource) -> str:
        return self._words.plain(instance["tags"]["Name"])

    def _role_of_profile(self, profile: str) -> Role:
        (made,) = [found for found in self._state.of("aws:iam/instanceProfile:InstanceProfile") if found.id == profile]
        return self._words.role(made["role"])

    def _memberships(self) -> dict[str, set[str]]:
        """Whose traffic comes from a security group: the roles of the machines in it, or the balancers'."""
        members: dict[str, set[str]] = {}
        for instance in self._instances:
            for group in instance["vpcSecurityGroupIds"]:
                members.setdefault(group, set()).add(self._role_of_profile(instance["iamInstanceProfile"]))
        for group in self._template["vpcSecurityGroupIds"]:
            role = self._role_of_profile(self._template["iamInstanceProfile"]["name"])
            members.setdefault(group, set()).add(role)
        for balancer in self._balancers:
            for group in balancer["securityGroups"]:
                members.setdefault(group, set()).add(PROBES)
        return members

    def _ways(self, direction: str, groups: list[str]) -> frozenset[Way]:
        rules = self._state.of(f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule")
        found: set[Way] = set()
        for rule in rules:
            if rule["securityGroupId"] in groups:
                found |= self._way(rule)
        for group in self._state.of("aws:ec2/securityGroup:SecurityGroup"):
            # Rules written inline would count beside the standalone ones.
            if group.id in groups and group.inputs.get(direction.lower()):
                found |= ways("any", *EVERY_PORT, ["inline rules"])
        return frozenset(found)

    def _way(self, rule: Resource) -> frozenset[Way]:
        protocol, first, last = rule["ipProtocol"], rule["fromPort"], rule["toPort"]
        if protocol == "-1":
            protocol, (first, last) = "any", EVERY_PORT
        elif protocol == "icmp":
            first = last = 0
        if referenced := rule.inputs.get("referencedSecurityGroupId"):
            places = self._members.get(referenced, set())
        elif cidr := rule.inputs.get("cidrIpv4"):
            places = set(self._words.places(self._words.place(cidr)))
        else:
            places = {"unreadable source"}
        return ways(protocol, first, last, places)

    def _server(self, instance: Resource) -> Machine:
        zone = self._words.zone(self._subnets[instance["subnetId"]]["availabilityZone"])
        public = instance["associatePublicIpAddress"] or self._subnets[instance["subnetId"]]["mapPublicIpOnLaunch"]
        root = instance["rootBlockDevice"]
        disks = [
            Disk(
                "root",
                root["volumeSize"],
                self._encryption(root),
                None,
                outlives=not root["deleteOnTermination"],
                protected=False,
            ),
            *self._volumes(instance),
        ]
        return self._machine(
            instance,
            name=self._name(instance),
            role=self._role_of_profile(instance["iamInstanceProfile"]),
            zone=zone,
            address=instance["privateIp"],
            image=instance["ami"],
            public=bool(public),
            guarded=instance["disableApiTermination"],
            disks=tuple(disks),
            user_data=instance["userDataBase64"],
            kept=frozenset(_KEPT[path] for path in instance.ignores if path in _KEPT),
        )

    def _machine(self, source: Resource, *, user_data: str, **facts: Any) -> Machine:  # noqa: ANN401 - passed on
        groups = source["vpcSecurityGroupIds"]
        return Machine(
            **facts,
            instance_type=source["instanceType"],
            exposures=frozenset(_exposures(source["metadataOptions"])),
            ways_in=self._ways("Ingress", groups),
            ways_out=self._ways("Egress", groups),
            user_data=gzip.decompress(base64.b64decode(user_data)).decode(),
        )

    def _encryption(self, disk: Mapping[str, Any]) -> str | None:
        return self._keys.get(disk.get("kmsKeyId", "")) if disk.get("encrypted") in (True, "true") else None

    def _volumes(self, instance: Resource) -> Iterator[Disk]:
        volumes = {volume.id: volume for volume in self._state.of("aws:ebs/volume:Volume")}
        for attachment in self._state.of("aws:ec2/volumeAttachment:VolumeAttachment"):
            if attachment["instanceId"] != instance.id:
                continue
            volume = volumes[attachment["volumeId"]]
            yield Disk(
                purpose=self._words.plain(volume["tags"]["Name"]).removeprefix(f"{self._name(instance)}-"),
                gib=volume["size"],
                key=self._encryption(volume.inputs),
                zone=self._words.zone(volume["availabilityZone"]),
                outlives=True,
                protected=volume.protected,
            )

    def _clients(self, group: Resource) -> Group:
        template = self._template
        (device,) = template["blockDeviceMappings"]
        root = device["ebs"]
        subnets = [self._subnets[subnet] for subnet in group["vpcZoneIdentifiers"]]
        interfaces = template.inputs.get("networkInterfaces", [])
        public = any(subnet["mapPublicIpOnLaunch"] for subnet in subnets) or any(
            interface.get("associatePublicIpAddress") != "false" for interface in interfaces
        )
        machine = self._machine(
            template,
            name=self._words.plain(group["name"]),
            role=self._role_of_profile(template["iamInstanceProfile"]["name"]),
            zone=None,
            address=None,
            image=template["imageId"],
            public=public,
            guarded=None,
            disks=(Disk("root", root["volumeSize"], self._encryption(root), None, outlives=False, protected=False),),
            user_data=template["userData"],
            kept=frozenset(),
        )
        zones = frozenset(self._words.zone(subnet["availabilityZone"]) for subnet in subnets)
        return Group(group["minSize"], group["maxSize"], zones, machine)

    def _key(self, key: Resource) -> Key:
        # Whoever decrypts through the secret store alone reads entries, and cannot use the key.
        users = {
            who
            for who, _, statement in self._grants
            if key["arn"] in statement["Resource"]
            and _USE & set(statement["Action"])
            and "kms:ViaService" not in str(statement.get("Condition"))
        }
        users |= {
            "anyone"
            for statement in statements(key["policy"])
            if "Condition" not in statement
            and (statement["Principal"] in ("*", {"AWS": "*"}) or "Service" in statement["Principal"])
        }
        return Key(
            purpose=self._keys[key["arn"]],
            users=frozenset(users),
            rotates=key["enableKeyRotation"],
            delay_days=key["deletionWindowInDays"],
            protected=key.protected,
        )

    def _entry(self, entry: Resource) -> SecretEntry:
        readers = {
            who
            for who, _, statement in self._grants
            if "secretsmanager:GetSecretValue" in statement["Action"] and entry["arn"] in statement["Resource"]
        }
        return SecretEntry(
            name=self._words.plain(entry["name"]),
            readers=frozenset(readers),
            key=self._keys.get(entry["kmsKeyId"]),
            delay_days=entry["recoveryWindowInDays"],
            protected=entry.protected,
        )

    def _strays(self) -> Iterator[str]:
        """Grants to machines that neither read an entry, nor use a key, nor write a backup, nor open a session."""
        known = {*self._keys, *(entry["arn"] for entry in self._state.of("aws:secretsmanager/secret:Secret"))}
        anywhere = {":".join(arn.split(":")[:3] + arn.split(":")[4:]) for arn in known}
        # Which names of which bucket is a question of the bucket's creators and powers.
        buckets = tuple(f"{bucket['arn']}/" for bucket in self._state.of("aws:s3/bucket:Bucket"))
        for who, _, statement in self._grants:
            if who == "restorer":
                continue
            objects = {thing for thing in statement["Resource"] if thing.startswith(buckets)}
            things = {":".join(arn.split(":")[:3] + arn.split(":")[4:]) for arn in set(statement["Resource"]) - objects}
            actions = set(statement["Action"])
            uses = {*_USE, *_WRITING, "kms:DescribeKey", "secretsmanager:GetSecretValue"}
            if not things <= anywhere or not actions <= uses or (objects and not actions <= _WRITING):
                yield f"{who}: {sorted(actions)} on {sorted(things | objects)}"
        for attachment in self._state.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
            who = self._who.get(attachment["role"])
            if who != _SERVICE and not attachment["policyArn"].endswith(_SESSIONS):
                yield f"{who}: {attachment['policyArn']}"

    def _balancer(self, balancer: Resource) -> Balancer:
        groups = {group["arn"]: group for group in self._state.of("aws:lb/targetGroup:TargetGroup")}
        listeners: dict[int, int] = {}
        checks: set[Check] = set()
        members: list[set[str]] = []
        for listener in self._state.of("aws:lb/listener:Listener"):
            if listener["loadBalancerArn"] != balancer["arn"]:
                continue
            (action,) = listener["defaultActions"]
            group = groups[action["targetGroupArn"]]
            listeners[listener["port"]] = group["port"]
            checks.add(_check(group["healthCheck"]))
            members.append(set(self._targets(group)))
        places = self._ways("Ingress", balancer["securityGroups"])
        return Balancer(
            product=cast("Product", self._words.plain(balancer["name"])),
            internal=balancer["internal"],
            addresses=tuple(mapping["privateIpv4Address"] for mapping in balancer["subnetMappings"]),
            listeners=listeners,
            checks=frozenset(checks),
            members=frozenset(set.intersection(*members)),
            ways_in=frozenset(way for way in places if way.first in listeners),
        )

    def _targets(self, group: Resource) -> Iterator[str]:
        names = {instance.id: self._name(instance) for instance in self._instances}
        for attachment in self._state.of("aws:lb/targetGroupAttachment:TargetGroupAttachment"):
            if attachment["targetGroupArn"] == group["arn"]:
                yield names[attachment["targetId"]]

    def _zone(self) -> Zone:
        (zone,) = self._state.of("aws:route53/zone:Zone")
        (vpc,) = self._state.of("aws:ec2/vpc:Vpc")
        records = {
            record["name"].removesuffix(f".{zone['name']}"): (tuple(record["records"]), record["ttl"])
            for record in self._state.of("aws:route53/record:Record")
            if record["zoneId"] == zone["zoneId"] and record["type"] == "A"
        }
        return Zone(zone["name"], [found["vpcId"] for found in zone.inputs.get("vpcs", [])] == [vpc.id], records)


def _exposures(metadata: Mapping[str, Any]) -> Iterator[str]:
    if metadata.get("httpTokens") != "required":
        yield "the metadata service answers without a session token"
    if metadata.get("httpPutResponseHopLimit") != 1:
        yield "the metadata service answers beyond the machine"


def _check(check: Mapping[str, Any]) -> Check:
    return Check(
        protocol=check["protocol"].lower(),
        port=int(check["port"]),
        path=check["path"],
        interval=check["interval"],
        unhealthy=check["unhealthyThreshold"],
        reads_body=None,
    )
