from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case
from tests.policies.cases.pods import pod_cases

_DIGEST = f"@sha256:{'0' * 64}"
_IMAGE = f"docker.io/hashicorp/vault:1.21.0{_DIGEST}"
_BAD = (
    "docker.io/hashicorp/vault:1.21.0",
    f"docker.io/evil/vault{_DIGEST}",
    f"evil.io/hashicorp/vault{_DIGEST}",
    "vault:1.15.0",
    f"{_IMAGE}0",
    f"hashicorp{_DIGEST}",
    f"docker.io/hashicorp{_DIGEST}",
    f"docker.io/hashicorpx/vault{_DIGEST}",
    f"localhost/hashicorp/vault{_DIGEST}",
    f"evil:5000/hashicorp/vault{_DIGEST}",
    _IMAGE.replace("sha256:0", "sha256:g"),
    "",
)
_POD = {
    "containers": [{"name": "a", "image": _IMAGE}],
    "initContainers": [{"name": "b", "image": f"quay.io/a/b{_DIGEST}"}],
}
_CHART = {"chart": "vault", "version": "0.30.0", "repositoryOpts": {"repo": "https://registry.k8s.io/charts"}}
_CHART_BREAKS = {
    "version": ("", ">=0.30.0", "^0.30.0", "0.30", "0.30.x", "latest", ABSENT),
    "repositoryOpts.repo": (
        "https://evil.example.com",
        "http://registry.k8s.io/charts",
        "https://registry.k8s.io.evil.example.com/charts",
        "https://docker.io/evil",
        "https://docker.io",
        "registry.k8s.io",
        "",
        ABSENT,
    ),
}


def _job(image: str, artifact: str = 'checksum = "sha256:0"', driver: str = "docker") -> str:
    return f"""
job "a" {{
  group "g" {{
    task "t" {{
      driver = "{driver}"
      config {{
        image = "{image}"
      }}
      artifact {{
        source = "x"
        options {{
          {artifact}
        }}
      }}
    }}
  }}
}}
"""


CASES = (
    *pod_cases(
        _POD,
        {
            "containers[0].image": (*_BAD, ABSENT),
            "initContainers[0].image": _BAD[:1],
            # What is not known of one does not hide the other.
            "initContainers[0]": ({"name": "b", "image": "vault:1.15.0"},),
        },
    ),
    *pod_cases({"containers": [{"name": "a", "image": f"hashicorp/vault{_DIGEST}"}]})[:1],
    Case(
        "kubernetes:core/v1:Pod",
        {"spec": {"containers": [{"name": "a", "image": f"registry.example.com:5000/vault{_DIGEST}"}]}},
        {"spec.containers[0].image": (f"registry.example.com:5001/vault{_DIGEST}", f"vault{_DIGEST}")},
        settings=Settings(approved_registries=("registry.example.com:5000",)),
    ),
    Case(
        "kubernetes:core/v1:Pod",
        {"spec": {"containers": [{"name": "a", "image": f"vault{_DIGEST}"}]}},
        settings=Settings(approved_registries=("docker.io/library/",)),
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {**_CHART, "values": {"server": {"image": _IMAGE}, "replicas": 3, "pullPolicy": "Always"}},
        {
            **_CHART_BREAKS,
            "values.server.image": [image for image in _BAD if image],
            "values.global": ({"imageK8S": "hashicorp/consul-k8s:1.7.0"}, {"image": "vault"}),
            "values.sidecars": (
                [{"image": _BAD[0]}],
                {"repository": "hashicorp/vault", "tag": "1.21.0"},
                {"repository": "hashicorp/vault", "digest": UNKNOWN},
                {"repository": "hashicorp/vault", "tag": "1.21.0", "digest": "", "sha": ""},
                {"registry": "evil.io", "repository": "hashicorp/vault", "digest": _DIGEST[1:]},
                {"repository": "hashicorp/vault", "sha": "0"},
            ),
        },
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {
            **_CHART,
            "version": "v1.2.3-rc.1+build",
            "values": {
                "imageRegistry": "quay.io",
                "imagePullPolicy": "Always",
                "image": {"repository": "hashicorp/vault", "tag": "1.21.0", "digest": _DIGEST[1:]},
                "csi": {"image": {"registry": "quay.io", "repository": "a/b", "tag": f"1{_DIGEST}", "digest": "x"}},
                "ui": [{"repository": "quay.io/a/b", "sha": "0" * 64}],
                "source": {"repository": "https://github.com/hashicorp/vault"},
                "extra": {"repository": "", "imageTag": "1.21.0", "images": "quay.io/a/b"},
            },
        },
        {"values.image.repository": ("vault",), "values.image.digest": (ABSENT,)},
    ),
    Case(
        "kubernetes:helm.sh/v4:Chart",
        {"chart": "oci://ghcr.io/charts/vault", "version": "0.30.0"},
        {"chart": ("oci://evil.io/charts/vault", "vault")},
    ),
    Case("kubernetes:helm.sh/v4:Chart", {**_CHART, "repositoryOpts": {"repo": "oci://ghcr.io/charts"}}, _CHART_BREAKS),
    Case(
        "nomad:index/job:Job",
        {"jobspec": _job(_IMAGE)},
        {
            "jobspec": (
                *(_job(image) for image in _BAD),
                _job(_IMAGE, ""),
                _job(_IMAGE, 'checksum = ""'),
                _job("vault", driver="podman"),
            )
        },
    ),
    Case("nomad:index/job:Job", {"jobspec": _job("any", driver="exec")}, {"jobspec": (_job("any"),)}),
    Case("nomad:index/job:Job", {"jobspec": _job(_IMAGE, "").replace('"x"', '"https://x?checksum=sha256:0"')}),
    Case(
        "nomad:index/job:Job",
        {"jobspec": "{}", "json": True},
        {"jobspec": ('{"Job": {"TaskGroups": [{"Tasks": [{"Driver": "docker", "Config": {"image": "vault"}}]}]}}',)},
    ),
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"runsOn": "kubernetes", "server": {"image": {"digest": "sha256:0"}}},
            {"server.image.digest": ("", ABSENT)},
        )
        for product in ("Consul", "Vault", "Nomad", "Boundary")
    ),
    Case("hashicorp:products:VaultCluster", {"runsOn": "vm"}, {"runsOn": ("kubernetes",)}),
)
