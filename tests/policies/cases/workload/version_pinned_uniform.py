from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Change, Held, Stack, StackCase, changed, joined

_PRODUCTS = ("Consul", "Vault", "Nomad", "Boundary")
_FACTS = {
    "complianceFacts": {
        "peersRequired": False,
        "peers": {
            "azure": {"clusters": [{"product": "vault", "version": "1.21.0"}]},
            "gcp": {"clusters": [{"product": "consul", "version": "1.21.0"}]},
        },
    }
}
_STACK = (
    Held("hashicorp:products:VaultCluster", "vault", {"spec": {"version": "1.21.0"}}),
    Held("hashicorp:compliance:Facts", "facts", {"spec": {}}),
    Held("pulumi:pulumi:Stack", "root", _FACTS),
)


def _all(*changes: Change) -> Change:
    def change(stack: Stack) -> Stack:
        for each in changes:
            stack = each(stack)
        return stack

    return change


_ROLLING = changed("facts", "spec.change", {"category": "normal", "impact": "Vault restarts, one server at a time."})
_OTHER = changed("facts", "spec.change", {"category": "normal", "impact": "Consul restarts; hashivaulted is not it."})
_UNSAID = changed("facts", "spec.change", {"impact": "Vault restarts."})
_REQUIRED = changed("root", "complianceFacts.peersRequired", value=True)
_SECOND = Held("hashicorp:products:VaultCluster", "second", {"spec": {"version": "1.21.0"}})
_CONSUL = Held("hashicorp:products:ConsulCluster", "consul", {"spec": {"version": "1.21.0"}})
_CHART = (
    *_STACK,
    Held(
        "kubernetes:helm.sh/v3:Release",
        "vault-chart",
        {
            "chart": "hashicorp/vault",
            "values": {
                "server": {"image": {"repository": "hashicorp/vault", "tag": "1.21.0"}},
                "agent": {"image": "docker.io/hashicorp/vault-enterprise:1.21.0-ent"},
                "injector": {"image": {"repository": "hashicorp/vault-k8s", "tag": "1.7.0"}},
                "replicas": 3,
            },
        },
    ),
    Held("kubernetes:helm.sh/v3:Release", "other", {"chart": "grafana", "values": {"image": "grafana/vault:11"}}),
)

CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"version": "1.21.0", "edition": edition},
            {
                "version": ("latest", "1.21", ">=1.21.0", "1.21.0-rc1", "v1.21.0", "1.21.0.1", ABSENT),
                "edition": ("free", ABSENT),
            },
        )
        for product, edition in zip(_PRODUCTS, ("community", "enterprise", "community", "enterprise"), strict=True)
    ),
    StackCase(
        ("component",),
        _STACK,
        breaks={
            "another patch": changed("vault", "spec.version", "1.21.1"),
            "no version": changed("vault", "spec.version", ABSENT),
            "a rollout of another product": _all(_OTHER, changed("vault", "spec.version", "1.22.0")),
            "a rollout without a category": _all(_UNSAID, changed("vault", "spec.version", "1.22.0")),
            "no version in a rollout": _all(_ROLLING, changed("vault", "spec.version", "latest")),
            "a peer without a version in a rollout": _all(
                _ROLLING, changed("root", "complianceFacts.peers.azure.clusters[0].version", "latest")
            ),
            "another in the same stack": _all(joined(_SECOND), changed("second", "spec.version", "1.20.0")),
            "another minor in a rollout of two steps": _all(_ROLLING, changed("vault", "spec.version", "1.19.0")),
            "another major in a rollout": _all(_ROLLING, changed("vault", "spec.version", "2.21.0")),
            "another beside one that is not known yet": _all(
                joined(_CONSUL), changed("consul", "spec.version", UNKNOWN), changed("vault", "spec.version", "1.21.1")
            ),
            "another in the same stack beside peers that are not known yet": _all(
                joined(_SECOND),
                changed("second", "spec.version", "1.20.0"),
                changed("root", "complianceFacts.peers", UNKNOWN),
            ),
            "a peer that must have said something": _all(_REQUIRED, changed("root", "complianceFacts.peers.gcp", None)),
            "a peer that must have said anything": _all(_REQUIRED, changed("root", "complianceFacts.peers.gcp", {})),
        },
        advises={
            "a declared rollout": _all(_ROLLING, changed("vault", "spec.version", "1.22.0")),
            "a declared rollout of a patch": _all(_ROLLING, changed("vault", "spec.version", "1.21.3")),
            "a declared way back": _all(_ROLLING, changed("vault", "spec.version", "1.20.9")),
            "a declared rollout in the same stack": _all(
                _ROLLING, joined(_CONSUL), joined(_SECOND), changed("second", "spec.version", "1.22.0")
            ),
            "a peer that has said nothing yet": changed("root", "complianceFacts.peers.gcp", None),
            "a peer that has said nothing at all": changed("root", "complianceFacts.peers.gcp", {}),
        },
        defers={
            "an unknown version": changed("vault", "spec.version", UNKNOWN),
            "a peer's unknown version": changed("root", "complianceFacts.peers.azure.clusters[0].version", UNKNOWN),
            "a peer's unknown facts": changed("root", "complianceFacts.peers.azure", UNKNOWN),
            "unknown peers": changed("root", "complianceFacts.peers", UNKNOWN),
            "unknown facts": changed("root", "complianceFacts", UNKNOWN),
        },
    ),
    StackCase(("component",), (*_STACK, _SECOND, Held(_CONSUL.type, "consul", {"spec": {"version": "1.21.0"}}))),
    StackCase(("component",), _STACK[:1]),
    StackCase(
        ("kubernetes",),
        _CHART,
        breaks={
            "another tag": changed("vault-chart", "values.server.image.tag", "1.15.0"),
            "no tag": changed("vault-chart", "values.server.image.tag", ABSENT),
            "another tag of the enterprise": changed(
                "vault-chart", "values.agent.image", "hashicorp/vault-enterprise:1.20.0-ent"
            ),
        },
        defers={
            "an unknown tag": changed("vault-chart", "values.server.count", UNKNOWN),
            "unknown values": changed("vault-chart", "values", UNKNOWN),
            "an unknown chart": changed("vault-chart", "chart", UNKNOWN),
            "an unknown version": changed("vault", "spec.version", UNKNOWN),
        },
    ),
)
