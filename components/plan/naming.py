"""Names and tags of everything in the clouds, and each cloud's limits on them.

Owns how a name is composed and which names a cloud accepts (cloud-reference, "Names and tags"). Every name
starts with the platform's own `name`, which is what keeps two platforms in one account apart.

Names are fixed by the plan, not by the engine's random suffix: a rebuild finds the same names, and a
configuration can be refused before anything is created.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .addressing import all_servers
from .flows import BALANCERS
from .spec import ROLES, Cloud, Platform, Product, Role, cluster_name

PROJECT = "hashicorp-multicloud"
MANAGED_BY = "pulumi"
BUCKETS = ("backups", "backups-replica", "audit")
"""Purposes of buckets and storage accounts. A cloud whose own replica needs no second bucket makes none."""
_ACCOUNTS: dict[Cloud, str] = {
    "aws": "000000000000",
    "azure": "00000000-0000-0000-0000-000000000000",
    "gcp": "a-project",
}
"""An account of each cloud: names take its hash, which is as long for every one."""


@dataclass(frozen=True)
class Limit:
    """What a cloud accepts as the name of one kind of thing."""

    cloud: Cloud
    kind: str
    least: int
    most: int
    pattern: str
    describes: str

    def refuses(self, name: str) -> str | None:
        """Why the cloud refuses the name, or None."""
        if not self.least <= len(name) <= self.most:
            return f"has {len(name)} characters; {self.kind} names have {self.least} to {self.most}"
        if not re.fullmatch(self.pattern, name):
            return f"does not fit: {self.describes}"
        return None


_RFC1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_LOWER = "lower-case letters, digits and '-', starting with a letter"
_AZURE = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_])?"

LIMITS: dict[str, Limit] = {
    f"{limit.cloud}/{limit.kind}": limit
    for limit in (
        Limit(
            "aws",
            "load balancer",
            1,
            32,
            r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
            "letters, digits, '-'",
        ),
        Limit("aws", "IAM role", 1, 64, r"[\w+=,.@-]+", "letters, digits and _+=,.@-"),
        Limit(
            "aws", "security group", 1, 255, r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+", "must not start with sg-"
        ),
        Limit("aws", "KMS alias", 7, 256, r"alias/(?!aws/)[A-Za-z0-9/_-]+", "alias/ and letters, digits, / _ -"),
        Limit("aws", "secret", 1, 512, r"[A-Za-z0-9/_+=.@-]+", "letters, digits and /_+=.@-"),
        Limit(
            "azure",
            "resource group",
            1,
            90,
            r"[A-Za-z0-9._()-]*[A-Za-z0-9_()-]",
            "letters, digits, ._()-, no final '.'",
        ),
        Limit("azure", "network resource", 1, 80, _AZURE, "letters, digits, ._-"),
        Limit("azure", "virtual machine", 1, 64, r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "letters, digits, '-'"),
        Limit(
            "azure",
            "key vault",
            3,
            24,
            r"[A-Za-z](-?[A-Za-z0-9])*",
            "letters, digits, single '-', starting with a letter",
        ),
        Limit("azure", "secret", 1, 127, r"[A-Za-z0-9-]+", "letters, digits, '-'"),
        Limit("azure", "managed identity", 3, 128, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, - _"),
        Limit("gcp", "compute resource", 1, 63, _RFC1035, _LOWER),
        Limit("gcp", "service account", 6, 30, _RFC1035, _LOWER),
        Limit("gcp", "key ring", 1, 63, r"[A-Za-z0-9_-]+", "letters, digits, _ -"),
        Limit("gcp", "secret", 1, 255, r"[A-Za-z0-9_-]+", "letters, digits, _ -"),
        Limit("gcp", "DNS zone", 1, 63, _RFC1035, _LOWER),
        Limit("aws", "bucket", 3, 63, r"[a-z0-9][a-z0-9-]*[a-z0-9]", "lower-case letters, digits, '-'"),
        Limit("azure", "storage account", 3, 24, r"[a-z0-9]+", "lower-case letters and digits"),
        Limit(
            "gcp",
            "bucket",
            3,
            63,
            r"(?!goog)(?!.*google)[a-z0-9][a-z0-9-]*[a-z0-9]",
            "lower-case letters, digits, '-', not `google`",
        ),
    )
}


@dataclass(frozen=True)
class Names:
    """The names of one region's things. The kinds are those of `LIMITS`."""

    platform: Platform
    cloud: Cloud

    def thing(self, purpose: str) -> str:
        """A network, key, disk, balancer …: unique within the account's region."""
        return f"{self.platform.name}-{purpose}"

    def key_ref(self, purpose: str) -> str:
        """A key as specs and facts refer to it: keys of one purpose differ between clouds."""
        return f"{self.thing(purpose)}-{self.cloud}"

    def identity(self, role: Role) -> str:
        """A workload identity. AWS roles are global over regions, so they carry the region."""
        stem = self.thing(role)
        return f"{stem}-{self.platform.regions[self.cloud].name}" if self.cloud == "aws" else stem

    def secret(self, entry: str) -> str:
        """An entry of the region's secret store."""
        return self.thing(entry)

    def resource_group(self) -> str:
        """Azure's resource group; the runbook looks for `rg-hashicorp-multicloud`."""
        return f"rg-{PROJECT}-{self.platform.name}"

    def key_vault(self, account: str) -> str:
        """Azure's key vault: global, so the subscription is hashed in; 24 characters at most."""
        return f"{self.platform.name}-{self._digest(account)}"

    def bucket(self, purpose: str, account: str) -> str:
        """A bucket, `backups` or `audit` or their replicas: names are the world's, so the account is hashed in."""
        return f"{self.thing(purpose)}-{self.cloud}-{self._digest(account)}"

    def storage_account(self, purpose: str, account: str) -> str:
        """Azure's storage account: the world's, 24 lower-case letters and digits at most."""
        stem = self.platform.name.replace("-", "")[:8] + purpose.replace("-", "")
        return f"{stem[:16]}{self._digest(account)}"

    def backups(self, account: str) -> str:
        """What holds the region's backups: a storage account in Azure, a bucket elsewhere."""
        return (self.storage_account if self.cloud == "azure" else self.bucket)("backups", account)

    def _digest(self, account: str) -> str:
        text = f"{account}/{self.platform.name}/{self.platform.environment}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def key_alias(self, purpose: str) -> str:
        """AWS key alias."""
        return f"alias/{self.thing(purpose)}"

    def dns_zone(self) -> str:
        """GCP's name of the private zone (not the domain itself)."""
        return self.thing("private")

    def every(self) -> Iterator[tuple[str, str]]:
        """Each (kind in `LIMITS`, name) whose length depends on the configuration."""
        cloud = self.cloud
        balancers = [self.thing(product) for product in BALANCERS]
        identities = [self.identity(role) for role in ROLES]
        account = _ACCOUNTS[cloud]
        if cloud == "azure":
            yield from (("azure/storage account", self.storage_account(purpose, account)) for purpose in BUCKETS)
        else:
            yield from ((f"{cloud}/bucket", self.bucket(purpose, account)) for purpose in BUCKETS)
        if cloud == "aws":
            yield from (("aws/load balancer", name) for name in balancers)
            yield from (("aws/IAM role", name) for name in identities)
        elif cloud == "azure":
            yield "azure/resource group", self.resource_group()
            yield "azure/key vault", self.key_vault(account)
            yield from (("azure/network resource", name) for name in balancers)
            yield from (("azure/managed identity", name) for name in identities)
        else:
            yield "gcp/DNS zone", self.dns_zone()
            yield from (("gcp/compute resource", name) for name in balancers)
            yield from (("gcp/service account", name) for name in identities)


def tags(platform: Platform, cloud: Cloud, product: Product | None = None) -> dict[str, str]:
    """The common tags in their plain form (AWS, Azure); a product adds its own two."""
    common = {
        "Project": PROJECT,
        "Environment": platform.environment,
        "Cloud": cloud,
        "Region": platform.regions[cloud].name,
        "Cluster": cluster_name(product, cloud) if product else platform.name,
        "Product": product or "platform",
        "Owner": platform.owner,
        "CostCenter": platform.cost_center,
        "ManagedBy": MANAGED_BY,
    }
    return {key: value for key, value in common.items() if value}


def labels(plain: dict[str, str]) -> dict[str, str]:
    """Tags in GCP's form: lower-case keys, values of at most 63 lower-case letters, digits, `_` and `-`.

    Words are joined by `-` where Google allows neither a dot nor a colon.
    """
    return {
        key.lower(): re.sub(r"[^a-z0-9_-]+", "-", value.lower()).strip("-")[:63].rstrip("-")
        for key, value in plain.items()
    }


def service_label(product: Product, cloud: Cloud, primary: Cloud) -> str:
    """The label under which a cluster is known: `vault` on the primary, `vault-azure` elsewhere."""
    return product if cloud == primary else cluster_name(product, cloud)


def certificate_names(platform: Platform, cloud: Cloud, product: Product) -> tuple[str, ...]:
    """DNS names that a cluster's server certificate must answer to, beside the product's own role names."""
    labels_of = [cluster_name(product, cloud), *(s.name for s in all_servers(platform, cloud) if s.product == product)]
    if cloud == platform.primary:
        labels_of += [product, f"{product}-primary"]
    return tuple(f"{label}.{platform.domain}" for label in labels_of)


def check(kind: str, name: str) -> str | None:
    """Why `name` is refused as `kind` (a key of `LIMITS`), or None."""
    return LIMITS[kind].refuses(name)


def refused_names(platform: Platform) -> Iterator[tuple[Cloud, str, str, str]]:
    """(cloud, kind, name, why) for each name of the platform that its cloud would refuse."""
    for cloud in platform.clouds:
        for kind, name in Names(platform, cloud).every():
            if why := check(kind, name):
                yield cloud, kind, name, why
