from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Change, Held, Stack, StackCase, changed, joined, without

_LABELS = {"app": "vault", "tier.example.com/raft": "yes"}
_POD = {
    "metadata": {"labels": _LABELS},
    "spec": {"containers": [{"name": "server", "image": "hashicorp/vault", "command": ["vault"], "args": ["server"]}]},
}
_VAULT = Held(
    "kubernetes:apps/v1:StatefulSet",
    "vault",
    {
        "metadata": {"namespace": "vault"},
        "spec": {"replicas": 3, "selector": {"matchLabels": _LABELS}, "serviceName": "vault", "template": _POD},
    },
)
_BUDGET = Held(
    "kubernetes:policy/v1:PodDisruptionBudget",
    "budget",
    {"metadata": {"namespace": "vault"}, "spec": {"selector": {"matchLabels": {"app": "vault"}}, "maxUnavailable": 1}},
)
_ALONE = Held(
    "kubernetes:apps/v1:Deployment",
    "alone",
    {
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}},
        }
    },
)


def _least(number: object) -> Change:
    return lambda stack: changed("budget", "spec.minAvailable", number)(
        changed("budget", "spec.maxUnavailable", ABSENT)(stack)
    )


def _ways(*ways: tuple[str, str, tuple[str, ...]]) -> dict[str, object]:
    return {
        "matchExpressions": [
            {"key": key, "operator": operator, "values": list(values)} for key, operator, values in ways
        ]
    }


def _others(**budget: object) -> Stack:
    """Two pods that do not vote, in the namespace that is meant where none is named."""
    template = {"metadata": {"labels": {"app": "ui"}}, "spec": {"containers": [{"image": "grafana/grafana"}]}}
    return (
        Held("kubernetes:apps/v1:Deployment", "ui", {"spec": {"replicas": 2, "template": template}}),
        Held(
            "kubernetes:policy/v1:PodDisruptionBudget",
            "budget",
            {"metadata": {"namespace": "default"}, "spec": {"selector": {"matchLabels": {"app": "ui"}}, **budget}},
        ),
    )


_STUCK = {
    "no pod may go": changed("budget", "spec.maxUnavailable", 0),
    "no pod may go, as a text": changed("budget", "spec.maxUnavailable", "0"),
    "none of a hundred may go": changed("budget", "spec.maxUnavailable", "0%"),
    "all must stay": changed("budget", "spec.minAvailable", 2),
    "all must stay, as a share": changed("budget", "spec.minAvailable", "100%"),
    "all must stay, as a share that is rounded up": changed("budget", "spec.minAvailable", "51%"),
}

CASES = (
    StackCase(
        ("kubernetes",),
        (_VAULT, _BUDGET, _ALONE),
        breaks={
            "no budget": without("budget"),
            "a budget of other pods": changed("budget", "spec.selector.matchLabels", {"app": "consul"}),
            "a budget of more labels": changed("budget", "spec.selector.matchLabels", {**_LABELS, "a": "b"}),
            "a budget of no pods": changed("budget", "spec.selector", ABSENT),
            "a budget elsewhere": changed("budget", "metadata.namespace", "other"),
            "a budget in the default namespace": changed("budget", "metadata.namespace", ABSENT),
            "two budgets": joined(Held(_BUDGET.type, "second", _BUDGET.props)),
            "no pod may go": changed("budget", "spec.maxUnavailable", 0),
            "a share may go": changed("budget", "spec.maxUnavailable", "50%"),
            "two may go": changed("budget", "spec.maxUnavailable", 2),
            "two may go, said the other way": _least(1),
            "none may go, said the other way": _least(3),
            "nothing said": changed("budget", "spec.maxUnavailable", ABSENT),
            "a second pod of a deployment": changed("alone", "spec.replicas", 2),
        },
        defers={
            "a namespace that is not known": changed("budget", "metadata.namespace", UNKNOWN),
            "labels that are not known": changed("vault", "spec.template.metadata.labels", UNKNOWN),
            "a label that is not known": changed("vault", "spec.template.metadata.labels.app", UNKNOWN),
            "a selector that is not known": changed("budget", "spec.selector.matchLabels.app", UNKNOWN),
            "replicas that are not known": changed("vault", "spec.replicas", UNKNOWN),
        },
    ),
    StackCase(("kubernetes",), _least(2)((_VAULT, _BUDGET)), breaks={"a share": _least("67%")}),
    StackCase(("kubernetes",), changed("budget", "spec.selector.matchLabels", _LABELS)((_VAULT, _BUDGET))),
    # An empty selector means every pod of the namespace.
    StackCase(("kubernetes",), changed("budget", "spec.selector", {})((_VAULT, _BUDGET))),
    StackCase(
        ("kubernetes",),
        changed(
            "budget",
            "spec.selector",
            _ways(
                ("app", "In", ("consul", "vault")),
                ("app", "NotIn", ("nomad",)),
                ("app", "Exists", ()),
                ("gone", "DoesNotExist", ()),
                ("gone", "NotIn", ("app",)),
            ),
        )((_VAULT, _BUDGET)),
        breaks={
            f"{key} {operator}": changed("budget", "spec.selector", _ways((key, operator, values)))
            for key, operator, values in (
                ("app", "In", ("consul",)),
                ("gone", "In", ("vault",)),
                ("app", "NotIn", ("vault",)),
                ("gone", "Exists", ()),
                ("app", "DoesNotExist", ()),
                ("app", "Like", ("vault",)),
            )
        },
    ),
    StackCase(("kubernetes",), (_ALONE, Held("kubernetes:apps/v1:StatefulSet", "one", {"spec": {"template": _POD}}))),
    StackCase(
        ("kubernetes",),
        _others(maxUnavailable="50%"),
        breaks={
            **_STUCK,
            "no budget": without("budget"),
            "nothing said": changed("budget", "spec.maxUnavailable", ABSENT),
        },
    ),
    StackCase(("kubernetes",), _others(minAvailable=1), breaks=_STUCK),
    StackCase(("kubernetes",), _others(minAvailable="50%"), breaks=_STUCK),
    StackCase(
        ("kubernetes",),
        changed("ui", "spec.replicas", 3)(_others(minAvailable="66%")),
        breaks={"all must stay, by a hundredth": changed("budget", "spec.minAvailable", "67%")},
    ),
)
