"""One platform, every machine of it, and what the clouds add: the material of the tests of products and rendered files."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from components.plan.server import Guest, KeyStanza, ServerSpec
from components.plan.spec import (
    CLOUDS,
    ROLES,
    Artifacts,
    Clients,
    Cloud,
    Platform,
    Product,
    Role,
    Stack,
    product_of,
)
from components.plan.userdata import render
from components.products import boundary, consul, nomad, vault
from tests.regions import ASNS, AUDIT_DAYS, BACKUP, RECIPIENTS, REGIONS

PLATFORM = Platform(
    name="hmc",
    environment="production",
    domain="hashicorp.example.com",
    owner="platform-engineering",
    cost_center="",
    profile="production",
    edition="community",
    seal="cloud",
    regions=REGIONS,
    servers={"consul": 5, "vault": 3, "nomad": 5, "boundary": 3},
    clients=Clients(3, 12),
    versions={
        "consul": "1.21.0",
        "vault": "1.21.0",
        "nomad": "1.11.1",
        "boundary": "0.21.3",
        "node_exporter": "1.9.0",
        "postgresql": "16.9.0",
    },
    artifacts=Artifacts(
        "https://releases.hashicorp.com",
        "https://github.com/prometheus/node_exporter/releases/download",
        "https://postgresql.example.com",
        {},
    ),
    asns=ASNS,
    backup=BACKUP,
    audit_days=AUDIT_DAYS,
    recipients=RECIPIENTS,
)
STANZAS: Mapping[Cloud, KeyStanza] = {
    "aws": KeyStanza("awskms", {"region": "us-west-2", "kms_key_id": "mrk-0123456789abcdef0123456789abcdef"}),
    "azure": KeyStanza(
        "azurekeyvault",
        {
            "tenant_id": "99999999-8888-7777-6666-555555555555",
            "client_id": "11111111-2222-3333-4444-555555555555",
            "vault_name": "hmc-0a1b2c3d",
            "key_name": "hmc-vault-seal",
        },
    ),
    "gcp": KeyStanza(
        "gcpckms",
        {"project": "hmc-production", "region": "us-west1", "key_ring": "hmc", "crypto_key": "hmc-vault-seal"},
    ),
}
"""Shapes of the stanzas that the clouds give: `clouds/*/seal.py`."""
DEVICES: Mapping[Cloud, Mapping[str, str]] = {
    "aws": {
        "data": "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0",
        "audit": "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0fedcba9876543210",
    },
    "azure": {"data": "/dev/disk/azure/scsi1/lun0", "audit": "/dev/disk/azure/scsi1/lun1"},
    "gcp": {"data": "/dev/disk/by-id/google-data", "audit": "/dev/disk/by-id/google-audit"},
}
PRODUCT_MODULES: Mapping[Product, Any] = {"consul": consul, "vault": vault, "nomad": nomad, "boundary": boundary}
LATE = {**vault.LATE, **nomad.LATE, **boundary.LATE}


@dataclass(frozen=True)
class Case:
    """One kind of machine in one cloud."""

    cloud: Cloud
    role: Role

    def __str__(self) -> str:
        return f"{self.cloud}-{self.role}"


CASES = tuple(Case(cloud, role) for cloud in CLOUDS for role in ROLES)


def platform(**changes: Any) -> Platform:  # noqa: ANN401
    """The platform with fields changed."""
    return replace(PLATFORM, **changes)


def stack(cloud: Cloud, of: Platform = PLATFORM) -> Stack:
    """The stack of one region."""
    return Stack(of, cloud, account="", image="an-image", rollout=())


def guest(of: Stack) -> Guest:
    """The cloud's own guest."""
    from components.clouds.contract import Account, Site  # noqa: PLC0415 - imports the engine's SDK, seldom needed

    with warnings.catch_warnings():
        # A cloud's package imports its SDK, some of whose modules warn of their own deprecation as they are loaded.
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(f"components.clouds.{of.cloud}.guest")
    return module.guest(Site(of, Account("account", "tenant")))


def machines(of: Stack) -> Iterator[ServerSpec]:
    """Every machine of a region, the template of the clients last."""
    given = guest(of)
    for product in PRODUCT_MODULES.values():
        yield from product.servers(of, given)
    yield nomad.clients(of, given)


def machine(case: Case, of: Platform = PLATFORM) -> ServerSpec:
    """The first machine of a kind."""
    given = stack(case.cloud, of)
    if case.role == "nomad-client":
        return nomad.clients(given, guest(given))
    return PRODUCT_MODULES[product_of(case.role)].servers(given, guest(given))[0]


def late_facts(spec: ServerSpec, cloud: Cloud) -> dict[str, str]:
    """The content of the machine's late files, as the products render them. Workers use the primary's key."""
    return {
        late.fact: LATE[late.fact](STANZAS["aws" if late.fact == boundary.WORKER_AUTH else cloud]) for late in spec.late
    }


def document(spec: ServerSpec, cloud: Cloud) -> str:
    """The machine's user data."""
    return render(spec, late_facts(spec, cloud), DEVICES[cloud])


def contents(spec: ServerSpec, cloud: Cloud) -> dict[str, str]:
    """Content by path of every file of the machine, late ones among them."""
    facts = late_facts(spec, cloud)
    return {file.path: file.content for file in spec.files} | {late.path: facts[late.fact] for late in spec.late}
