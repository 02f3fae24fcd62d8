"""Boundary's PostgreSQL on RDS: two zones, any second of the last weeks, a copy of its backups in the recovery region.

Owns the instance and what belongs to it alone: subnets without a way out, firewall, parameters, logs, monitoring.
Version, names and port come from the plan. Tables and roles inside are Boundary's own, daily dumps the agent's
(`templates/backup/boundary`).

Dangerous edges:
- The instance is lineage: a destroyed region keeps it, and with it the network that it stands in.
- Minor versions are not raised by Amazon. The configured version is what runs, so an update raises it: an instance that
  moved alone would be ahead of its configuration, and the next update would be refused as a downgrade.
- What restarts the instance waits for its maintenance window; until then an update still announces it.
- A replaced instance needs `protect` lifted and leaves a final snapshot, named after the security group: whoever
  deletes twice with the same group is refused by the name, and loses nothing.
- Statements are not logged: `CREATE ROLE` would show a password.

Source: RDS user guide, "Working with parameters", "Replicating automated backups", "Setting up Enhanced Monitoring".
"""

from __future__ import annotations

import hashlib

import pulumi
import pulumi_aws as aws

from components.clouds.aws.identity import document
from components.clouds.aws.logs import kept_days
from components.clouds.aws.seal import answers
from components.clouds.contract import DatabaseArgs, type_token
from components.clouds.specs import database_spec
from components.plan.addressing import database_subnet
from components.plan.database import NAME, USER, engine_version, family
from components.plan.flows import POSTGRESQL
from components.plan.objectives import PITR_DAYS
from components.plan.sizing import DATABASE

_PURPOSE = "boundary"
_CLIENT = "consul-server"
"""Role whose machines dump the database."""
_BACKUP_WINDOW, _MAINTENANCE_WINDOW = "08:00-09:00", "sun:09:30-sun:10:30"
"""UTC: night in the Americas, apart from each other and from the dump at midnight."""
_PARAMETERS = {
    "rds.force_ssl": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_lock_waits": "1",
    "log_statement": "none",
}
_LOGS = ("postgresql", "upgrade")
_INSIGHTS_DAYS = 7
_MONITORING_SECONDS = 60
_AUTHORITY = "rds-ca-rsa2048-g1"


def _edition(password: str) -> int:
    """A number that changes with the password: a value that is only ever written cannot be compared."""
    return int(hashlib.sha256(password.encode()).hexdigest()[:7], 16)


class Database(pulumi.ComponentResource):
    """The instance, what it stands in, and the copy of its backups."""

    id: pulumi.Output[str]
    address: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        platform = args.site.stack.platform
        spec = database_spec(args, engine_version(platform), PITR_DAYS)
        super().__init__(type_token("Database"), name, spec, opts)
        self._prefix, self._args = name, args
        self._called = args.site.names.thing(_PURPOSE)
        self._child = pulumi.ResourceOptions(parent=self)
        instance = self._instance()
        self._copied(instance)
        self.id, self.address = instance.identifier, instance.address
        self.register_outputs({"spec": spec, "id": self.id, "address": self.address})

    def _kept(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, protect=True, depends_on=after)

    def _instance(self) -> aws.rds.Instance:
        args, size = self._args, DATABASE[self._args.site.stack.platform.profile]
        group, password = self._firewall(), pulumi.Output.secret(args.password)
        return aws.rds.Instance(
            self._prefix,
            identifier=self._called,
            engine="postgres",
            engine_version=engine_version(args.site.stack.platform),
            auto_minor_version_upgrade=False,
            allow_major_version_upgrade=False,
            apply_immediately=False,
            instance_class=size.instance_class,
            allocated_storage=size.gib,
            max_allocated_storage=size.most_gib,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args.key.id,
            multi_az=True,
            db_name=NAME,
            username=USER,
            password_wo=password,
            password_wo_version=password.apply(_edition),
            iam_database_authentication_enabled=False,
            ca_cert_identifier=_AUTHORITY,
            port=POSTGRESQL.first,
            db_subnet_group_name=self._subnets(),
            vpc_security_group_ids=[group],
            publicly_accessible=False,
            network_type="IPV4",
            parameter_group_name=self._parameters(),
            backup_retention_period=PITR_DAYS,
            backup_window=_BACKUP_WINDOW,
            maintenance_window=_MAINTENANCE_WINDOW,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=args.site.stack.guarded,
            skip_final_snapshot=False,
            final_snapshot_identifier=group.apply(lambda sg: f"{self._called}-final-{sg.removeprefix('sg-')}"),
            enabled_cloudwatch_logs_exports=list(_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.key.id,
            performance_insights_retention_period=_INSIGHTS_DAYS,
            monitoring_interval=_MONITORING_SECONDS,
            monitoring_role_arn=self._monitoring(),
            tags={"Name": self._called},
            opts=self._kept(*args.key.ready, *self._logs()),
        )

    def _copied(self, instance: aws.rds.Instance) -> None:
        """The same points in time in the recovery region, under the key's replica there."""
        args = self._args
        recovery = args.site.stack.region.recovery
        aws.rds.InstanceAutomatedBackupsReplication(
            self._prefix,
            region=recovery,
            source_db_instance_arn=instance.arn,
            kms_key_id=args.key.id.apply(lambda arn: answers(arn, [recovery])[0]),
            retention_period=PITR_DAYS,
            opts=self._kept(*args.key.ready),
        )

    def _subnets(self) -> pulumi.Output[str]:
        """A subnet in each zone. Their routes end at the network: whoever takes the database over can tell nobody."""
        args = self._args
        region, names = args.site.stack.region, args.site.names
        table = aws.ec2.RouteTable(
            self._prefix, vpc_id=args.network.id, tags={"Name": names.thing("database")}, opts=self._child
        )
        placed: list[pulumi.Output[str]] = []
        for index, zone in enumerate(region.zones):
            subnet = aws.ec2.Subnet(
                f"{self._prefix}-{zone}",
                vpc_id=args.network.id,
                cidr_block=database_subnet(region, index),
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags={"Name": names.thing(f"database-{zone}")},
                opts=self._child,
            )
            association = aws.ec2.RouteTableAssociation(
                f"{self._prefix}-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
            placed.append(pulumi.Output.all(subnet.id, association.id).apply(lambda ids: ids[0]))
        return aws.rds.SubnetGroup(
            self._prefix,
            name=self._called,
            description="Zones of Boundary's database",
            subnet_ids=placed,
            opts=self._child,
        ).name

    def _firewall(self) -> pulumi.Output[str]:
        """Only those who dump it may speak to it, and it speaks to nobody."""
        args = self._args
        group = aws.ec2.SecurityGroup(
            self._prefix,
            name=args.site.names.thing("database"),
            description="Boundary's database",
            vpc_id=args.network.id,
            revoke_rules_on_delete=False,
            tags={"Name": args.site.names.thing("database")},
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-{_CLIENT}",
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=POSTGRESQL.first,
            to_port=POSTGRESQL.last,
            referenced_security_group_id=args.firewall.groups[_CLIENT],
            description="postgresql: the daily dump",
            opts=self._child,
        )
        return group.id

    def _parameters(self) -> pulumi.Output[str]:
        """The name tells the major version: a new one needs a new group beside the old one."""
        made = family(self._args.site.stack.platform)
        return aws.rds.ParameterGroup(
            self._prefix,
            name=f"{self._called}-{made}",
            family=made,
            description="Boundary's database: TLS only, connections logged",
            parameters=[{"name": name, "value": value} for name, value in _PARAMETERS.items()],
            opts=self._child,
        ).name

    def _logs(self) -> list[aws.cloudwatch.LogGroup]:
        """Made before the instance, which would make them without an end."""
        return [
            aws.cloudwatch.LogGroup(
                f"{self._prefix}-{log}",
                name=f"/aws/rds/instance/{self._called}/{log}",
                retention_in_days=kept_days(self._args.site.stack.platform.audit_days),
                opts=self._kept(),
            )
            for log in _LOGS
        ]

    def _monitoring(self) -> pulumi.Output[str]:
        """The role by which RDS writes the machine's own metrics, for this instance alone."""
        site = self._args.site
        account, region = site.account, site.stack.region.name
        instance = f"arn:{account.tenant}:rds:{region}:{account.id}:db:{self._called}"
        role = aws.iam.Role(
            self._prefix,
            name=f"{site.names.thing('database-monitoring')}-{region}",
            description="Metrics of Boundary's database",
            assume_role_policy=document(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "monitoring.rds.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": account.id, "aws:SourceArn": instance}},
                }
            ),
            opts=self._child,
        )
        attached = aws.iam.RolePolicyAttachment(
            self._prefix,
            role=role.name,
            policy_arn=f"arn:{account.tenant}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
            opts=self._child,
        )
        return pulumi.Output.all(role.arn, attached.id).apply(lambda known: known[0])
