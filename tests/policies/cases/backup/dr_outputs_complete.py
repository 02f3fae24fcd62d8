from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Held, StackCase, changed, joined, without

_PARTS = ("networks", "clusters", "sealKeys", "backupPlans", "buckets", "identities", "endpoints", "versions")
_SPEC = {"schema": 1, "stack": "aws", "cloud": "aws", "region": "us-west-2"}
_CLUSTERS = (
    ("Consul", "consul-aws"),
    ("Vault", "vault-aws"),
    ("Nomad", "nomad-aws"),
    ("Boundary", "boundary-aws"),
)
_FACTS = {
    **_SPEC,
    **{part: [{"name": part}] for part in _PARTS if part not in ("clusters", "versions")},
    "versions": {"vault": "1.21.0"},
    "clusters": [{"cluster": name, "cloud": "aws"} for _, name in _CLUSTERS],
}
_OUTPUT = "complianceFacts"

CASES = (
    StackCase(
        ("stack", "component"),
        (
            Held("pulumi:pulumi:Stack", "root", {"manifest": {"cloud": "aws"}, _OUTPUT: _FACTS}),
            Held("hashicorp:compliance:Facts", "facts", {"spec": _SPEC}),
            *(
                Held(f"hashicorp:products:{product}Cluster", product, {"spec": {"cluster": name, "cloud": "aws"}})
                for product, name in _CLUSTERS
            ),
        ),
        breaks={
            "no outputs": without("root"),
            "no manifest": changed("root", "manifest", ABSENT),
            "an empty manifest": changed("root", "manifest", {}),
            "no facts": changed("root", _OUTPUT, ABSENT),
            "another schema of the output": changed("root", _OUTPUT, {**_FACTS, "schema": 2}),
            **{f"no {part}": changed("root", f"{_OUTPUT}.{part}", ABSENT) for part in _PARTS},
            **{f"empty {part}": changed("root", f"{_OUTPUT}.{part}", []) for part in _PARTS},
            **{
                f"{product} left out": changed("root", f"{_OUTPUT}.clusters[{index}]", {"cluster": "other"})
                for index, (product, _) in enumerate(_CLUSTERS)
            },
            "a cluster of another cloud": changed("Vault", "spec.cloud", "gcp"),
            "no component": without("facts"),
            "two components": joined(Held("hashicorp:compliance:Facts", "more", {"spec": _SPEC})),
            **{f"another {name}": changed("facts", f"spec.{name}", "other") for name in _SPEC},
            **{f"no {name}": changed("facts", f"spec.{name}", ABSENT) for name in _SPEC},
            "no region in either": lambda stack: changed("facts", "spec.region", ABSENT)(
                changed("root", f"{_OUTPUT}.region", ABSENT)(stack)
            ),
        },
        defers={
            "a manifest that is not known yet": changed("root", "manifest", UNKNOWN),
            "a part of it that is not known yet": changed("root", "manifest.cloud", UNKNOWN),
            "facts that are not known yet": changed("root", _OUTPUT, UNKNOWN),
            "a list that is not known yet": changed("root", f"{_OUTPUT}.networks", UNKNOWN),
            "a cluster that is not known yet": changed("Vault", "spec.cluster", UNKNOWN),
            "a region that is not known yet": changed("facts", "spec.region", UNKNOWN),
        },
    ),
)
