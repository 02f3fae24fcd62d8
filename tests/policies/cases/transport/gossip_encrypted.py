from policies.values import ABSENT
from tests.policies.case import Case

_LITERAL = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
_SECRET = {"chart": "consul", "values": {"global": {"gossipEncryption": {"secretName": "gossip", "secretKey": "key"}}}}
_IN = "values.global.gossipEncryption"

CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"gossipEncryption": True, "gossipKeyRef": "consul/gossip"},
            {"gossipEncryption": (False, ABSENT), "gossipKeyRef": (_LITERAL, "cg8StVXbQJ0gPvMd9o7yrg==", "", ABSENT)},
        )
        for product in ("Consul", "Nomad")
    ),
    Case(
        "kubernetes:helm.sh/v3:Release", _SECRET, {f"{_IN}.secretName": ("", ABSENT), f"{_IN}.secretKey": ("", ABSENT)}
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "consul", "values": {"global": {"gossipEncryption": {"autoGenerate": True}}}},
        {f"{_IN}.autoGenerate": (False, ABSENT)},
    ),
    Case("kubernetes:helm.sh/v3:Release", {"chart": "vault"}, {"chart": ("consul",)}),
    Case("random:index/randomBytes:RandomBytes", {"length": 32}, {"length": (16, 31, 33)}, name="consul-gossip"),
    Case("random:index/randomBytes:RandomBytes", {"length": 16}, name="other", indifferent=("length",)),
    Case("random:index/randomId:RandomId", {"byteLength": 32}, {"byteLength": (16, 33)}, name="nomad-gossip"),
)
