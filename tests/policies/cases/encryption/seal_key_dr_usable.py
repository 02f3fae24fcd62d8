from dataclasses import replace
from typing import Any

from policies.resource import ROOT_TYPE
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Change, Held, Stack, StackCase, changed, independent, joined, patched, urn, without

_SEAL_KEY, _DATA_KEY = "hashicorp:clouds:SealKey", "hashicorp:clouds:DataKey"
_PRODUCTS = "hashicorp:products:"


def _key(cloud: str, region: str, *usable: str, purpose: str = "vault-seal") -> Held:
    return Held(
        _SEAL_KEY,
        purpose,
        {
            "spec": {
                "cloud": cloud,
                "region": region,
                "purpose": purpose,
                "keyRef": f"hashicorp-{purpose}-{cloud}",
                "usableFrom": [region, *usable],
            }
        },
    )


def _cluster(product: str, spec: dict[str, Any]) -> Held:
    return Held(f"{_PRODUCTS}{product.title()}Cluster", f"{product}-cluster", {"spec": spec})


def _vault(cloud: str) -> Held:
    return _cluster("vault", {"seal": {"type": "kms", "keyRef": f"hashicorp-vault-seal-{cloud}"}})


def _root(**facts: Any) -> Held:  # noqa: ANN401
    return Held(ROOT_TYPE, "root", {"complianceFacts": {"schema": 1, "peersRequired": False, "peers": {}, **facts}})


def _peer(*usable: str, ref: str = "hashicorp-boundary-worker-auth-aws") -> dict[str, Any]:
    return {"sealKeys": [{"keyRef": ref, "cloud": "aws", "region": "us-west-2", "usableFrom": list(usable)}]}


def _both(*changes: Change) -> Change:
    def made(stack: Stack) -> Stack:
        for change in changes:
            stack = change(stack)
        return stack

    return made


_AWS: Stack = (
    _root(),
    _key("aws", "us-west-2", "us-east-2"),
    Held("aws:kms/key:Key", "key", {"multiRegion": True, "arn": UNKNOWN}, above=(_SEAL_KEY,)),
    Held("aws:kms/key:Key", "disk", {"multiRegion": False, "arn": UNKNOWN}, above=(_DATA_KEY,)),
    Held(
        "aws:kms/replicaKey:ReplicaKey",
        "replica",
        {"primaryKeyArn": UNKNOWN, "region": "us-east-2"},
        {"primaryKeyArn": ["key"]},
        (_SEAL_KEY,),
    ),
    _vault("aws"),
    _cluster("nomad", {"keyring": {"provider": "awskms", "keyRef": "hashicorp-vault-seal-aws"}}),
    _cluster("boundary", {"kms": [{"purpose": "worker-auth", "keyRef": "hashicorp-vault-seal-aws"}]}),
)
_AZURE_VAULT = Held(
    "azure-native:keyvault:Vault",
    "vault",
    {"location": "West US 2", "properties": {"enablePurgeProtection": True}},
)
_AZURE: Stack = (
    _root(peers={"aws": _peer("us-west-2", "us-east-2"), "gcp": {"sealKeys": []}}),
    _key("azure", "westus2", "westcentralus"),
    _AZURE_VAULT,
    Held(
        "azure-native:keyvault:Vault",
        "other",
        {"location": "northpole", "properties": {"enablePurgeProtection": False}},
    ),
    Held("azure-native:keyvault:Key", "key", {"vaultName": UNKNOWN}, {"vaultName": ["vault"]}, (_SEAL_KEY,)),
    Held("azure-native:keyvault:Key", "disk", {"vaultName": UNKNOWN}, {"vaultName": ["other"]}, (_DATA_KEY,)),
    _vault("azure"),
    _cluster("boundary", {"kms": [{"purpose": "worker-auth", "keyRef": "hashicorp-boundary-worker-auth-aws"}]}),
)
_GCP: Stack = (
    _root(),
    _key("gcp", "us-west1", "us-central1"),
    Held("gcp:kms/keyRing:KeyRing", "ring", {"location": "us"}, above=(_SEAL_KEY,)),
    Held("gcp:kms/keyRing:KeyRing", "disk", {"location": "us-west1"}, above=(_DATA_KEY,)),
    _vault("gcp"),
)
_STORE = urn(_SEAL_KEY, "secrets")


def _ring(name: str, location: str, parent: str | None = _STORE) -> Held:
    return Held("gcp:kms/keyRing:KeyRing", name, {"location": location}, above=(_SEAL_KEY,), parent=parent)


# The secret store's copies want one key a region; no cluster opens with them.
_DOUBLED: Stack = (
    *_GCP,
    _key("gcp", "us-west1", "us-central1", purpose="secrets"),
    _ring("here", "us-west1"),
    _ring("there", "us-central1"),
)
_PEERS = "complianceFacts.peers"


def _required(stack: Stack) -> Stack:
    return changed("root", "complianceFacts.peersRequired", value=True)(stack)


def _unsaid(stack: Stack) -> Stack:
    return changed("root", f"{_PEERS}.aws", None)(stack)


def _renamed(stack: Stack) -> Stack:
    return [
        replace(each, props=patched(each.props, "spec.keyRef", "x")) if each.type == _SEAL_KEY else each
        for each in stack
    ]


CASES = (
    StackCase(
        ("component", "aws"),
        _AWS,
        breaks={
            "a key of one region": changed("key", "multiRegion", value=False),
            "a key that says nothing of regions": changed("key", "multiRegion", ABSENT),
            "no replica": without("replica"),
            "a replica at home": changed("replica", "region", "us-west-2"),
            "a replica in no region": changed("replica", "region", ABSENT),
            "a replica of another key": independent("replica", "primaryKeyArn"),
            "a seal key of its region only": changed("vault-seal", "spec.usableFrom", ["us-west-2"]),
            "a seal key of no region": changed("vault-seal", "spec.usableFrom", ABSENT),
            "a seal key without its region": changed("vault-seal", "spec.region", ABSENT),
            "a seal that nobody made": changed("vault-cluster", "spec.seal.keyRef", "another"),
            "a keyring that nobody made": changed("nomad-cluster", "spec.keyring.keyRef", "another"),
            "a key of workers that nobody made": changed("boundary-cluster", "spec.kms[0].keyRef", "another"),
            "no such key": _renamed,
        },
        defers={
            "an unknown replica": changed("replica", "region", UNKNOWN),
            "an unknown kind": changed("key", "multiRegion", UNKNOWN),
            "an unknown region": changed("vault-seal", "spec.region", UNKNOWN),
            "unknown regions": changed("vault-seal", "spec.usableFrom", UNKNOWN),
            "an unknown region of several": changed("vault-seal", "spec.usableFrom", ["us-west-2", UNKNOWN]),
            "an unknown seal": changed("vault-cluster", "spec.seal.keyRef", UNKNOWN),
            "unknown facts": _both(
                changed("vault-cluster", "spec.seal.keyRef", "another"), changed("root", "complianceFacts", UNKNOWN)
            ),
            "unknown peers": _both(
                changed("vault-cluster", "spec.seal.keyRef", "another"), changed("root", _PEERS, UNKNOWN)
            ),
        },
    ),
    StackCase(
        ("component", "azure"),
        _AZURE,
        breaks={
            "no purge protection": changed("vault", "properties.enablePurgeProtection", value=False),
            "a region without a pair": changed("vault", "location", "polandcentral"),
            "a region with another pair": changed("vault", "location", "eastus"),
            "another vault": independent("key", "vaultName"),
            "no vault": without("vault"),
            "another region named": changed("vault-seal", "spec.usableFrom[1]", "eastus"),
            "a peer's key of its region only": changed("root", f"{_PEERS}.aws", _peer("us-west-2")),
            "a peer's other key": changed("root", f"{_PEERS}.aws", _peer("us-west-2", "us-east-2", ref="x")),
            "a key that a silent peer would have to have": _both(_unsaid, _required),
        },
        advises={
            "a peer that said nothing": _unsaid,
            "a peer that said nothing beside one without the key": _both(
                changed("root", f"{_PEERS}.aws", {"sealKeys": []}), changed("root", f"{_PEERS}.gcp", None)
            ),
        },
        defers={
            "an unknown location": changed("vault", "location", UNKNOWN),
            "an unknown protection": changed("vault", "properties.enablePurgeProtection", UNKNOWN),
            "a peer's unknown facts": changed("root", f"{_PEERS}.aws", UNKNOWN),
            "a peer's unknown keys": changed("root", f"{_PEERS}.aws.sealKeys", UNKNOWN),
        },
    ),
    StackCase(
        ("component", "gcp"),
        _GCP,
        breaks={
            "a ring of one region": changed("ring", "location", "us-west1"),
            "a ring of a long-named region": changed("ring", "location", "northamerica-northeast1"),
            "two rings of one region each": _both(
                changed("ring", "location", "us-west1"),
                joined(Held("gcp:kms/keyRing:KeyRing", "second", {"location": "us-central1"}, above=(_SEAL_KEY,))),
            ),
        },
        defers={"an unknown location": changed("ring", "location", UNKNOWN)},
    ),
    *(
        StackCase(("gcp",), changed("ring", "location", location)(_GCP))
        for location in ("global", "europe", "nam4", "nam-eur-asia1")
    ),
    StackCase(
        ("gcp",),
        _DOUBLED,
        breaks={
            "a cluster that opens with one of two keys": changed(
                "vault-cluster", "spec.seal.keyRef", "hashicorp-secrets-gcp"
            ),
            "one ring alone": without("there"),
            "two rings of one region": changed("there", "location", "us-west1"),
            "the second ring of another key": lambda stack: [
                replace(held, parent=urn(_SEAL_KEY, "vault-seal")) if held.name == "there" else held for held in stack
            ],
            "rings of nobody knows which key": lambda stack: [replace(held, parent=None) for held in stack],
        },
    ),
    StackCase(("gcp",), [_root()]),
)
