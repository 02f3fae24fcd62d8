"""Every way to get the configuration wrong: refused at its key, with what, why and how; the neighbour is accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from components.plan.spec import Cloud
from config import ConfigError, parse
from tests.config.files import ABSENT, merged

GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SUM = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Wrong:
    """One mistake: `value` at the key path `at`; `says` is in what the error says about it."""

    title: str
    at: str
    value: object
    says: str
    right: object = ABSENT
    """The least different value that is accepted; absent: taking the key out is."""
    where: str = ""
    """Key path that the error names, where it is another."""
    stack: Cloud = "aws"
    given: Mapping[str, object] = field(default_factory=dict)
    """Settings around it, right and wrong alike."""
    along: Mapping[str, object] = field(default_factory=dict)
    """Settings that the mistake takes along, so that it is the only one."""

    @property
    def changes(self) -> dict[str, object]:
        """What makes the committed configuration the wrong one."""
        return {**self.given, self.at: self.value, **self.along}


SHARED = merged("aws")
UBUNTU = "ubuntu/images/hvm-ssd/ubuntu-noble-24.04-amd64-server-20250610"
REGION = {"name": "us-west-2", "zones": ["us-west-2a", "us-west-2b", "us-west-2c"]}
AZURE, GCP = "regions.azure", "regions.gcp"
YES = True
SMALL = {"profile": "small"}

KEYS = (
    Wrong("a mistyped key", "domian", "hashicorp.example.com", "Did you mean domain?"),
    Wrong("a key in another spelling", "cost_center", "platform", "Did you mean costCenter?"),
    Wrong("a key of nothing", "vpnSharedSecretFile", "x", "no such key."),
    Wrong("a mistyped key of a region", "regions.aws.zone", ["us-west-2a"], "Did you mean zones?"),
    Wrong("a mistyped product", "servers.boundry", 3, "Did you mean boundary?"),
    Wrong("a bound that does not exist", "clients.max", 9, "Did you mean maximum?"),
    Wrong("a version of nothing", "versions.terraform", "1.9.0", "no such key."),
    Wrong("a mistyped source of archives", "artifacts.baseURL", "https://example.com", "Did you mean baseUrl?"),
    Wrong("a cloud that is not built", "regions.ibm", REGION, "no such key."),
)
MISSING = (
    Wrong("no cloud", "cloud", "", "is missing.", "aws"),
    Wrong("no cloud key", "cloud", ABSENT, "is missing.", "aws"),
    Wrong("no image", "image", "", "is not pinned", UBUNTU),
    Wrong("no domain", "domain", "", "is missing.", "hashicorp.example.org"),
    Wrong("a domain without value", "domain", None, "is missing.", "hashicorp.example.org"),
    Wrong("no owner", "owner", "", "is missing.", "platform"),
    Wrong("no cost center", "costCenter", "", "is missing.", "4711"),
    Wrong("no environment", "environment", ABSENT, "is missing.", "production"),
    Wrong("no zones", "regions.aws.zones", ABSENT, "is missing.", REGION["zones"]),
    Wrong("no range", "regions.gcp.cidr", ABSENT, "is missing.", "10.3.0.0/16"),
    Wrong("no recovery region", "regions.gcp.recovery", ABSENT, "is missing.", "us-central1"),
    Wrong("a number left empty", "servers.consul", None, "is missing.", 3),
    Wrong("no version of a product", "versions.boundary", ABSENT, "is missing.", "0.21.3"),
    Wrong("no version of the exporter", "versions.node_exporter", ABSENT, "is missing.", "1.9.1"),
    Wrong("no sums", "artifacts.checksums", None, "is missing.", {}),
    Wrong(
        "no primary region",
        "regions.aws",
        ABSENT,
        "the primary region is missing",
        SHARED["regions"]["aws"],
        stack="azure",
        along={"mesh.asns.aws": ABSENT, "backup.copies": {"gcp": "azure", "azure": "gcp"}},
    ),
    Wrong(
        "no region of the stack",
        "regions.gcp",
        ABSENT,
        "gcp has no region.",
        SHARED["regions"]["gcp"],
        where="cloud",
        stack="gcp",
        along={"mesh.asns.gcp": ABSENT, "backup.copies": {"azure": "aws"}},
    ),
)
TYPES = (
    Wrong("a list of regions", "regions", [REGION], "is a list where a map belongs.", SHARED["regions"]),
    Wrong("a list as a region", "regions.gcp", [REGION], "is a list where a map belongs.", SHARED["regions"]["gcp"]),
    Wrong("zones as text", "regions.aws.zones", "us-west-2a", "where a list belongs.", REGION["zones"]),
    Wrong(
        "zones as numbers",
        "regions.azure.zones",
        ["1", 2, "3"],
        "is the number 2 where text belongs.",
        ["1", "2", "3"],
        where="regions.azure.zones[1]",
    ),
    Wrong("a quoted number", "servers.consul", "3", "is the text '3' where a whole number belongs.", 3),
    Wrong("a fraction", "servers.nomad", 3.0, "is the number 3.0 where a whole number belongs.", 3),
    Wrong("a truth value as number", "servers.vault", YES, "is the truth value true", 3),
    Wrong("a truth value as name", "name", YES, "is the truth value true where text belongs.", "true"),
    Wrong("a version without quotes", "versions.consul", 1.21, "is the number 1.21 where text belongs.", "1.21.0"),
    Wrong("an account without quotes", "account", 123456789012, "is the number", "123456789012"),
    Wrong("one server to roll out, not a list", "rollout", "consul-aws-1", "where a list belongs.", ["consul-aws-1"]),
    Wrong("versions as list", "versions", ["consul 1.21.0"], "is a list where a map belongs.", SHARED["versions"]),
    Wrong("sums as list", "artifacts.checksums", [SUM], "is a list where a map belongs.", {}),
    Wrong("servers as number", "servers", 5, "is the number 5 where a map belongs.", {}),
)
CHOICES = (
    Wrong("an unknown cloud", "cloud", "amazon", "'amazon' is not known.", "aws"),
    Wrong("a cloud in capitals", "cloud", "AWS", "'AWS' is not known.", "aws"),
    Wrong("an unknown profile", "profile", "prod", "Did you mean production?", "production"),
    Wrong("an unknown edition", "edition", "oss", "'oss' is not known.", "enterprise"),
    Wrong("an unknown seal", "seal", "awskms", "'awskms' is not known.", "shamir"),
    Wrong("an unknown state of the guards", "deletion", "off", "'off' is not known.", "open"),
)
NAMES = (
    Wrong("a name with capitals", "name", "Hashicorp", "lower-case letters", "hashicorp"),
    Wrong("a name that starts with a digit", "name", "1hashicorp", "starting with a letter", "hashicorp1"),
    Wrong("a name with an underscore", "name", "hashi_corp", "lower-case letters", "hashi-corp"),
    Wrong("a name with two hyphens", "name", "hashi--corp", "single '-'", "hashi-corp"),
    Wrong("a name with a blank", "name", "hashicorp ", "lower-case letters", "hashicorp"),
    Wrong("a name that Google keeps for itself", "name", "googol", "gcp refuses googol-", "gogol"),
    Wrong("a name one character too long", "name", "a" * 15, "gcp refuses", "a" * 14),
    Wrong("an environment with capitals", "environment", "Production", "lower-case letters", "production"),
    Wrong("an environment of 64 characters", "environment", "e" * 64, "at most 63", "e" * 63),
    Wrong("an owner with a comma", "owner", "me, you", "1 to 63 letters", "me and you"),
    Wrong("an owner of 64 characters", "owner", "o" * 64, "1 to 63 letters", "o" * 63),
    Wrong("an owner that is a blank", "owner", " ", "1 to 63 letters", "o"),
    Wrong("a cost center that GCP would empty", "costCenter", "@@", "between two letters or digits", "a@b"),
    Wrong("a domain of one label", "domain", "hashicorp", "no fully qualified domain", "hashicorp.com"),
    Wrong("a domain with a final dot", "domain", "example.com.", "without a final dot", "example.com"),
    Wrong("a domain with capitals", "domain", "Example.com", "lower-case labels", "example.com"),
    Wrong("a domain with an underscore", "domain", "my_domain.com", "lower-case labels", "my-domain.com"),
    Wrong("a domain with a scheme", "domain", "https://example.com", "lower-case labels", "example.com"),
    Wrong("an address as domain", "domain", "10.1.0.1", "no fully qualified domain", "10.1.0.com"),
    Wrong("a label of 64 characters", "domain", f"{'d' * 64}.com", "labels of at most 63", f"{'d' * 48}.com"),
    Wrong(
        "a domain that no certificate can carry",
        "domain",
        f"{'d' * 49}.com",
        "a certificate's name has at most 64",
        f"{'d' * 48}.com",
    ),
    Wrong("Consul's own domain", "domain", "hashicorp.consul", "ends in .consul", "consul.hashicorp.com"),
    Wrong("the domain of multicast", "domain", "hashicorp.local", "ends in .local", "hashicorp.lan"),
    Wrong("the clouds' own domain", "domain", "corp.internal", "ends in .internal", "internal.corp"),
)
REGIONS = (
    Wrong("a region of another cloud", "regions.aws.name", "westus2", "no region of aws but of azure", "us-west-2"),
    Wrong("AWS's spelling on Azure", f"{AZURE}.name", "us-west-2", "no region of azure but of aws", "westus2"),
    Wrong("AWS's spelling on GCP", f"{GCP}.name", "us-west-1", "no region of gcp but of aws", "us-west1"),
    Wrong("a mistyped region", "regions.aws.name", "us-wset-2", "no region of aws.", "us-west-2"),
    Wrong("a zone as region", f"{GCP}.name", "us-west1-a", "no region of gcp.", "us-west1"),
    Wrong("a region of two zones", "regions.aws.name", "us-west-1", "fewer than three zones", "us-west-2"),
    Wrong("an Azure region without zones", f"{AZURE}.name", "westus", "fewer than three zones", "westus2"),
    Wrong("two zones", "regions.aws.zones", REGION["zones"][:2], "2 zones instead of 3.", REGION["zones"]),
    Wrong("no zone", f"{AZURE}.zones", [], "0 zones instead of 3.", ["3", "1", "2"]),
    Wrong("four zones", f"{AZURE}.zones", ["1", "2", "3", "4"], "4 zones instead of 3.", ["1", "2", "3"]),
    Wrong("a zone twice", f"{AZURE}.zones", ["1", "2", "2"], "zone 2 is named twice.", ["1", "2", "3"]),
    Wrong("a zone of another region", "regions.aws.zones", ["us-east-2a", "us-west-2b", "us-west-2c"],
          "'us-east-2a': no zone of us-west-2.", ["us-west-2d", "us-west-2b", "us-west-2c"]),
    Wrong("another cloud's zones", f"{AZURE}.zones", ["westus2-1", "westus2-2", "westus2-3"], "no zone of westus2.",
          ["1", "2", "3"]),
    Wrong("a zone without its letter", f"{GCP}.zones", ["us-west1-a", "us-west1-b", "c"], "no zone of us-west1.",
          ["us-west1-a", "us-west1-b", "us-west1-c"]),
    Wrong("recovery in the region itself", "regions.aws.recovery", "us-west-2", "the region itself", "us-west-1"),
    Wrong("recovery in another cloud", "regions.aws.recovery", "us-central1", "no region of aws", "us-east-1"),
    Wrong("recovery in another partition", "regions.aws.recovery", "us-gov-west-1", "another partition", "eu-west-1"),
    Wrong("recovery where Azure copies nothing", f"{AZURE}.recovery", "eastus", "paired with westus2", "westcentralus"),
    Wrong("an Azure region without a pair", f"{AZURE}.name", "italynorth", "paired with italynorth", "northeurope",
          where=f"{AZURE}.recovery", given={f"{AZURE}.recovery": "westeurope"}),
    Wrong("recovery outside the key's multi-region", f"{GCP}.recovery", "europe-west1", "multi-regions", "us-east1"),
)  # fmt: skip
RANGES = (
    Wrong("no range at all", "regions.aws.cidr", "ten", "is no IPv4 range", "10.9.0.0/16"),
    Wrong("an address", "regions.aws.cidr", "10.1.0.0", "too small", "10.1.0.0/16"),
    Wrong("host bits", "regions.aws.cidr", "10.1.0.1/16", "host bits set", "10.1.0.0/16"),
    Wrong("IPv6", "regions.aws.cidr", "fd00::/16", "is no IPv4 range", "10.1.0.0/16"),
    Wrong("a range too small", "regions.aws.cidr", "10.1.0.0/20", "too small", "10.1.0.0/19"),
    Wrong("a range too large", "regions.aws.cidr", "10.32.0.0/15", "larger than /16", "10.32.0.0/16"),
    Wrong("public addresses", "regions.aws.cidr", "11.1.0.0/16", "is not inside", "10.11.0.0/16"),
    Wrong("link-local addresses", "regions.aws.cidr", "169.254.0.0/16", "is not inside", "192.168.0.0/16"),
    Wrong("loopback", "regions.aws.cidr", "127.0.0.0/16", "is not inside", "172.16.0.0/16"),
    Wrong("beside the private block", "regions.aws.cidr", "172.32.0.0/16", "is not inside", "172.31.0.0/16"),
    Wrong("Docker's bridge", "regions.aws.cidr", "172.17.0.0/16", "Docker's bridge", "172.18.0.0/16"),
    Wrong("Nomad's bridge", "regions.aws.cidr", "172.26.64.0/19", "Nomad's bridge", "172.26.96.0/19"),
    Wrong("a peer's range", f"{AZURE}.cidr", "10.1.0.0/16", "overlaps 10.1.0.0/16 of aws", "10.4.0.0/16"),
    Wrong("a part of a peer's range", f"{GCP}.cidr", "10.2.64.0/19", "overlaps 10.2.0.0/16 of azure", "10.4.64.0/19"),
)
COUNTS = (
    Wrong("four voters", "servers.consul", 4, "4 is an even number of voters", 5),
    Wrong("two voters", "servers.vault", 2, "2 is an even number of voters", 3, given=SMALL),
    Wrong("no voter", "servers.nomad", 0, "0 voters", 1, given=SMALL),
    Wrong("fewer than no voter", "servers.nomad", -1, "-1 voters", 1, given=SMALL),
    Wrong("nine voters", "servers.consul", 9, "9 voters; possible are 1 to 7", 7),
    Wrong("one voter in production", "servers.vault", 1, "1 in the profile production", 3),
    Wrong(
        "one voter outside the profile small",
        "profile",
        "production",
        "1 in the profile production",
        "small",
        where="servers.consul",
        given={"servers.consul": 1},
    ),
    Wrong("no worker", "servers.boundary", 0, "0 workers", 1, given=SMALL),
    Wrong("one worker in production", "servers.boundary", 1, "1 in the profile production", 2),
    Wrong("more workers than addresses", "servers.boundary", 31, "31 workers; possible are 1 to 30", 30),
    Wrong("no client", "clients.minimum", 0, "0 clients", 1),
    Wrong("more clients than addresses", "clients.maximum", 249, "249 clients", 248),
    Wrong("a minimum above the maximum", "clients.minimum", 7, "more than the maximum of 6", 6, given=SMALL),
)
VERSIONS = (
    Wrong("the latest version", "versions.consul", "latest", "not an exact version", "1.21.0"),
    Wrong("a line", "versions.consul", "1.21", "not an exact version", "1.21.0"),
    Wrong("a version with its v", "versions.vault", "v1.21.0", "not an exact version", "1.21.0"),
    Wrong("a range", "versions.nomad", ">=1.10.0", "not an exact version", "1.11.1"),
    Wrong("a release candidate", "versions.consul", "1.21.0-rc1", "not an exact version", "1.21.0"),
    Wrong("an enterprise release as version", "versions.consul", "1.21.0+ent", "not an exact version", "1.21.0"),
    Wrong("a Consul not yet supported", "versions.consul", "1.22.0", "not supported", "1.21.5"),
    Wrong("a Vault not yet supported", "versions.vault", "1.22.0", "not supported", "1.21.5"),
    Wrong("a Nomad not yet supported", "versions.nomad", "1.12.0", "not supported", "1.11.2"),
    Wrong("a version no longer supported", "versions.boundary", "0.18.9", "not supported", "0.19.0"),
    Wrong("a PostgreSQL of the next major version", "versions.postgresql", "17.0.0", "not supported", "16.10.0"),
    Wrong("a PostgreSQL of the last major version", "versions.postgresql", "15.13.0", "not supported", "16.0.0"),
    Wrong("PostgreSQL's own two numbers", "versions.postgresql", "16.9", "not an exact version", "16.9.0"),
    Wrong("an exporter no longer supported", "versions.node_exporter", "1.7.0", "not supported", "1.8.0"),
    Wrong(
        "a Consul too old for Vault",
        "versions.consul",
        "1.20.6",
        "too old for vault 1.21.0",
        "1.21.0",
        given={"versions.nomad": "1.10.3"},
    ),
    Wrong("a Vault too old for Nomad", "versions.vault", "1.20.4", "too old for nomad 1.11.1", "1.21.1"),
    Wrong(
        "a Nomad too new for Vault",
        "versions.nomad",
        "1.11.0",
        "too old for nomad 1.11.0",
        "1.10.3",
        where="versions.vault",
        given={"versions.vault": "1.20.4"},
    ),
)
SOURCES = (
    Wrong("plain HTTP", "artifacts.baseUrl", "http://example.com", "no https:// address", "https://example.com"),
    Wrong("no scheme", "artifacts.exporterUrl", "example.com/x", "no https:// address", "https://example.com/x"),
    Wrong("no host", "artifacts.baseUrl", "https:///x", "no https:// address", "https://x"),
    Wrong("a port that is none", "artifacts.baseUrl", "https://x:99999", "is no address", "https://x:9999"),
    Wrong("a user name", "artifacts.baseUrl", "https://me@x", "a user name", "https://x"),
    Wrong("a query", "artifacts.baseUrl", "https://x/?a=b", "a query", "https://x"),
    Wrong("no address of PostgreSQL", "artifacts.postgresqlUrl", ABSENT, "is missing.", "https://example.com/x"),
    Wrong(
        "PostgreSQL by HTTP", "artifacts.postgresqlUrl", "http://example.com/x", "no https://", "https://example.com/x"
    ),
    Wrong("a final slash", "artifacts.baseUrl", "https://x/y/", "a final slash", "https://x/y"),
    Wrong("a blank in an address", "artifacts.baseUrl", "https://x/ y", "no https:// address", "https://x/y"),
    Wrong(
        "a sum cut short",
        "artifacts/checksums/consul_1.21.0_linux_amd64.zip",
        SUM[1:],
        "no SHA-256 sum",
        SUM,
        where="artifacts.checksums.consul_1.21.0_linux_amd64.zip",
    ),
    Wrong(
        "a sum in capitals",
        "artifacts/checksums/consul_1.21.0_linux_amd64.zip",
        SUM.upper(),
        "no SHA-256 sum",
        SUM,
        where="artifacts.checksums.consul_1.21.0_linux_amd64.zip",
    ),
    Wrong(
        "a sum of another version",
        "artifacts/checksums/consul_1.20.6_linux_amd64.zip",
        SUM,
        "no machine installs this archive. Did you mean consul_1.21.0_linux_amd64.zip?",
        where="artifacts.checksums.consul_1.20.6_linux_amd64.zip",
    ),
    Wrong(
        "a sum of another PostgreSQL",
        "artifacts/checksums/postgresql-16.8.0-x86_64-unknown-linux-gnu.tar.gz",
        SUM,
        "Did you mean postgresql-16.9.0-x86_64-unknown-linux-gnu.tar.gz?",
        where="artifacts.checksums.postgresql-16.8.0-x86_64-unknown-linux-gnu.tar.gz",
    ),
    Wrong(
        "a sum of the other edition",
        "edition",
        "enterprise",
        "no machine installs this archive.",
        "community",
        where="artifacts.checksums.consul_1.21.0_linux_amd64.zip",
        given={"artifacts/checksums/consul_1.21.0_linux_amd64.zip": SUM},
    ),
)
ASN_16, ASN_32 = 64534, 4_294_967_294
MESH = (
    Wrong("no number of a gateway", "mesh.asns.gcp", ABSENT, "is missing.", ASN_16),
    Wrong("a quoted number of a gateway", "mesh.asns.gcp", "64630", "where a whole number belongs.", 64630),
    Wrong("a number twice", "mesh.asns.gcp", 64610, "64610 is the number of aws too.", 64611),
    Wrong("a public number", "mesh.asns.aws", 7224, "no private autonomous system number", 64512),
    Wrong("one below the private numbers", "mesh.asns.aws", 64511, "no private", 64512),
    Wrong("the last 16-bit number", "mesh.asns.aws", 65535, "no private", 65534),
    Wrong("one below the private 32-bit numbers", "mesh.asns.aws", 4_199_999_999, "no private", 4_200_000_000),
    Wrong("the last 32-bit number", "mesh.asns.aws", ASN_32 + 1, "no private", ASN_32),
    Wrong("a negative number of a gateway", "mesh.asns.aws", -64512, "no private", 64512),
    Wrong("Azure's own number", "mesh.asns.azure", 65515, "Azure keeps for itself", 65516),
    Wrong("the first of Azure's other numbers", "mesh.asns.gcp", 65517, "Azure keeps for itself", 65516),
    Wrong("the last of Azure's other numbers", "mesh.asns.aws", 65520, "Azure keeps for itself", 65521),
    Wrong(
        "a number of no region",
        "mesh.asns.gcp",
        64630,
        "stands for a region that does not exist.",
        given={"regions.gcp": ABSENT, "mesh.asns": {"aws": 64610, "azure": 64620}, "backup.copies": {"azure": "aws"}},
    ),
    Wrong("a number of a cloud that is not built", "mesh.asns.ibm", 64640, "no such key."),
)
EVERY_MINUTES = "backup.intervalMinutes"
COPIES = "backup.copies"
BACKUPS = (
    Wrong("an interval that divides no day", f"{EVERY_MINUTES}.vault", 45, "do not divide a day", 30),
    Wrong("an interval of a week", f"{EVERY_MINUTES}.boundary", 10080, "do not divide a day", 1440),
    Wrong("no interval at all", f"{EVERY_MINUTES}.boundary", 0, "do not divide a day", 15),
    Wrong("a mistyped interval", f"{EVERY_MINUTES}.nomadd", 30, "Did you mean nomad?"),
    Wrong("no schedule of a product", f"{EVERY_MINUTES}.nomad", ABSENT, "is missing.", 30),
    Wrong("a schedule that loses more than it may", f"{EVERY_MINUTES}.consul", 60, "loses up to 75; rpoMinutes", 30),
    Wrong(
        "an objective that the schedule misses by a minute",
        "backup.rpoMinutes",
        44,
        "every 30 minutes loses up to 45; rpoMinutes allows 44.",
        45,
        where=f"{EVERY_MINUTES}.vault",
        given={f"{EVERY_MINUTES}.consul": 15, f"{EVERY_MINUTES}.nomad": 20},
    ),
    Wrong(
        "an objective that no schedule meets",
        "backup.rpoMinutes",
        29,
        "29 minutes; possible are 30 to 2880.",
        30,
        given={f"{EVERY_MINUTES}.{product}": 15 for product in ("consul", "vault", "nomad")},
    ),
    Wrong("an objective of days", "backup.rpoMinutes", 2881, "possible are 30 to 2880", 2880),
    Wrong("an objective in hours", "backup.rpoMinutes", 1.5, "is the number 1.5 where a whole number", 90),
    Wrong("an unknown lock", "backup.lock", "complience", "Did you mean compliance?", "compliance"),
    Wrong("no lock", "backup.lock", ABSENT, "is missing.", "governance"),
    Wrong("a lock of no day", "backup.lockDays", 0, "0 days; possible are 1 to 3650.", 1),
    Wrong("a lock for life", "backup.lockDays", 3651, "possible are 1 to 3650.", 3650, given={"backup.keepDays": 3651}),
    Wrong("retention shorter than the lock", "backup.keepDays", 34, "34 days are shorter than the lock of 35.", 35),
    Wrong(
        "a lock longer than retention",
        "backup.lockDays",
        401,
        "400 days are shorter than the lock of 401.",
        400,
        where="backup.keepDays",
    ),
    Wrong("backups that are not kept", "backup.keepDays", 0, "0 days; possible are 1 to 7300.", 35),
    Wrong("backups for ever", "backup.keepDays", 7301, "possible are 1 to 7300.", 7300),
    Wrong("a second cloud that is the first", f"{COPIES}.gcp", "gcp", "gcp is the region's own cloud.", "aws"),
    Wrong("a second cloud that cannot be convinced", f"{COPIES}.aws", "azure", "no proof of identity", "gcp"),
    Wrong("no second cloud", f"{COPIES}.azure", ABSENT, "is missing.", "gcp"),
    Wrong("a second cloud that is none", f"{COPIES}.azure", "ibm", "'ibm' is not known.", "aws"),
    Wrong(
        "a second cloud without a region",
        f"{COPIES}.azure",
        "gcp",
        "gcp has no region.",
        "aws",
        given={"regions.gcp": ABSENT, "mesh.asns": {"aws": 64610, "azure": 64620}, COPIES: {}},
    ),
    Wrong(
        "a second cloud where none can be convinced",
        f"{COPIES}.aws",
        "azure",
        "no proof of identity",
        where=f"{COPIES}.aws",
        given={"regions.gcp": ABSENT, "mesh.asns": {"aws": 64610, "azure": 64620}, COPIES: {"azure": "aws"}},
    ),
    Wrong(
        "copies of no region",
        f"{COPIES}.gcp",
        "aws",
        "stands for a region that does not exist.",
        given={"regions.gcp": ABSENT, "mesh.asns": {"aws": 64610, "azure": 64620}, COPIES: {"azure": "aws"}},
    ),
    Wrong("an audit trail of less than a year", "audit.keepDays", 364, "364 days; possible are 365 to 3650.", 365),
    Wrong("an audit trail for life", "audit.keepDays", 3651, "possible are 365 to 3650.", 3650),
    Wrong("an audit trail without an end", "audit.keepDays", ABSENT, "is missing.", 365),
)
STACK = (
    Wrong("an account of eleven digits", "account", "12345678901", "twelve digits", "123456789012"),
    Wrong("a project as account", "account", "my-project", "twelve digits", ""),
    Wrong("a subscription by name", "account", "Pay-As-You-Go", "a subscription id", GUID, stack="azure"),
    Wrong("a subscription in capitals", "account", GUID.upper(), "a subscription id", GUID, stack="azure"),
    Wrong("a project by number", "account", "123456789012", "a project id", "my-project-12", stack="gcp"),
    Wrong(
        "an image by wildcard",
        "image",
        UBUNTU.replace("20250610", "*"),
        "not pinned",
        UBUNTU,
    ),
    Wrong("an image of nobody in particular", "image", "debian-12-amd64-20250530", "of Canonical's", UBUNTU),
    Wrong("an image by id", "image", "ami-0123456789abcdef0", "not pinned", UBUNTU),
    Wrong(
        "the latest image",
        "image",
        "Canonical:ubuntu-24_04-lts:server:latest",
        "not pinned",
        "Canonical:ubuntu-24_04-lts:server:24.04.202506100",
        stack="azure",
    ),
    Wrong(
        "an image of three parts",
        "image",
        "Canonical:ubuntu-24_04-lts:24.04.202506100",
        "not pinned",
        "Canonical:ubuntu-24_04-lts:server:24.04.202506100",
        stack="azure",
    ),
    Wrong(
        "an image family",
        "image",
        "ubuntu-os-cloud/ubuntu-2404-lts-amd64",
        "not pinned",
        "ubuntu-os-cloud/ubuntu-2404-noble-amd64-v20250606",
        stack="gcp",
    ),
    Wrong(
        "an image without its project",
        "image",
        "ubuntu-2404-noble-amd64-v20250606",
        "not pinned",
        "ubuntu-os-cloud/ubuntu-2404-noble-amd64-v20250606",
        stack="gcp",
    ),
    Wrong(
        "another cloud's image",
        "image",
        "ubuntu-os-cloud/ubuntu-2404-noble-amd64",
        "not pinned",
        UBUNTU,
    ),
    Wrong(
        "an image for ARM",
        "image",
        UBUNTU.replace("amd64", "arm64"),
        "built for ARM",
        UBUNTU,
    ),
    Wrong("a server that is not planned", "rollout", ["consul-aws-6"], "no server of this stack", ["consul-aws-5"]),
    Wrong(
        "a server beyond the profile's",
        "rollout",
        ["consul-aws-4"],
        "no server of this stack",
        ["consul-aws-3"],
        given=SMALL,
    ),
    Wrong("a server of another region", "rollout", ["vault-azure-1"], "Did you mean vault-aws-1?", ["vault-aws-1"]),
    Wrong("a cluster instead of a server", "rollout", ["nomad-aws"], "no server of this stack", ["nomad-aws-1"]),
    Wrong(
        "two voters at once",
        "rollout",
        ["vault-aws-1", "vault-aws-2"],
        "vault-aws-1 and vault-aws-2 at once",
        ["vault-aws-1", "consul-aws-2", "boundary-aws-3"],
    ),
    Wrong("two workers at once", "rollout", ["boundary-aws-1", "boundary-aws-2"], "at once", ["boundary-aws-1"]),
    Wrong("a server twice", "rollout", ["vault-aws-1", "vault-aws-1"], "vault-aws-1 is named twice", ["vault-aws-1"]),
)
SECRETS = (
    Wrong("an AWS key", "owner", "AKIAIOSFODNN7EXAMPLE", "an AWS access key", "AKIA"),
    Wrong("an AWS key on a line of its own", "owner", "me\nAKIAIOSFODNN7EXAMPLE", "an AWS access key", "me"),
    Wrong("a private key", "costCenter", "-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key", "RSA"),
    Wrong("a Vault token", "image", "hvs.CAESIJ-0123456789abcdefgh", "a Vault token", UBUNTU),
    Wrong("a GitHub token", "account", "ghp_" + "a1B2" * 9, "a GitHub token", ""),
    Wrong("a Google key", "owner", "AIza" + "Sy5" * 12, "a Google key", "AIza"),
    Wrong("a web token", "owner", "eyJhbGciOi.eyJzdWIiOi.c2ln", "a signed web token", "eyJ"),
    Wrong("a password in an address", "artifacts.baseUrl", "https://me:hunter2@x", "a password in a URL", "https://x",
          where="artifacts"),
    Wrong("a signed address", "artifacts.baseUrl", "https://x/?sig=abc", "an Azure storage key or signature",
          "https://x", where="artifacts"),
    Wrong("a secret as a key", "labels", {"hvs.CAESIJ-0123456789abcdefgh": 1}, "a Vault token"),
    Wrong("a secret below an unknown key", "gossipKey", {"vault": ["hvs.CAESIJ-0123456789abcdefgh"]}, "a Vault token"),
)  # fmt: skip
EVERY = (
    *KEYS,
    *MISSING,
    *TYPES,
    *CHOICES,
    *NAMES,
    *REGIONS,
    *RANGES,
    *COUNTS,
    *VERSIONS,
    *SOURCES,
    *MESH,
    *BACKUPS,
    *STACK,
    *SECRETS,
)


@pytest.mark.parametrize("wrong", EVERY, ids=lambda wrong: wrong.title.replace(" ", "-"))
def test_refused_at_its_key_with_what_why_and_how(wrong: Wrong) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(merged(wrong.stack, wrong.changes))

    (problem,) = refused.value.problems
    assert problem.where == (wrong.where or wrong.at)
    assert wrong.says in problem.what
    for sentence in (problem.what, problem.why, problem.fix):
        assert sentence.strip().endswith((".", "?"))
    assert f"1. {problem.where}: {problem.what}" in str(refused.value)


@pytest.mark.parametrize("wrong", EVERY, ids=lambda wrong: wrong.title.replace(" ", "-"))
def test_the_least_different_configuration_is_accepted(wrong: Wrong) -> None:
    change = {} if wrong.right is ABSENT else {wrong.at: wrong.right}
    parse(merged(wrong.stack, {**wrong.given, **change}))


def test_no_two_rows_make_the_same_mistake() -> None:
    assert len(EVERY) >= 60
    assert max(Counter(wrong.title for wrong in EVERY).values()) == 1
    assert max(Counter((wrong.at, repr(wrong.value), wrong.stack) for wrong in EVERY if not wrong.where).values()) == 1
