"""Pods and images are found wherever Kubernetes and charts let people write them."""

from __future__ import annotations

import pytest

from policies.concepts.containers import POD_KINDS, containers, pods, serving
from policies.concepts.images import chart_images, image
from policies.resource import Node, Resource
from policies.values import UNKNOWN
from sandbox.cloud.schema import SchemaBook
from tests.policies.cases.pods import objects

_DIGEST = f"sha256:{'0' * 64}"


def _resource(token: str, props: dict[str, object]) -> Resource:
    return Resource("urn:pulumi:aws::p::t::n", token, "n", props)


def test_every_kind_yields_its_pod() -> None:
    seen: list[str] = []
    for token, inputs, place in objects({"containers": [{"name": "a"}], "initContainers": [{"name": "b"}]}):
        (pod,) = pods(_resource(token, inputs))
        assert pod.path == place
        assert [node.path for node in containers(pod)] == [f"{place}.containers[0]", f"{place}.initContainers[0]"]
        assert [node.path for node in serving(pod)] == [f"{place}.containers[0]"]
        seen.append(token)
    assert sorted(seen) == sorted(POD_KINDS)


def test_every_kind_with_containers_that_the_sdk_has_is_known() -> None:
    book = SchemaBook()
    assert all(book.get(kind).inputs for kind in POD_KINDS)


def test_patches_and_older_versions_are_the_same_kinds() -> None:
    _, inputs, _ = next(objects({"containers": []}))
    for token in ("kubernetes:apps/v1:StatefulSetPatch", "kubernetes:apps/v1beta2:StatefulSet"):
        assert len(list(pods(_resource(token, inputs)))) == 1


def test_what_holds_no_pod_yields_none_and_an_unknown_one_is_one_unknown() -> None:
    assert not list(pods(_resource("kubernetes:core/v1:ConfigMap", {"spec": {"containers": []}})))
    assert not list(pods(_resource("kubernetes:apps/v1:Deployment", {"metadata": {}})))
    (pod,) = pods(_resource("kubernetes:apps/v1:Deployment", {"spec": UNKNOWN}))
    assert pod.unknown
    assert [node.unknown for node in containers(pod)] == [True, True]


@pytest.mark.parametrize(
    ("text", "name", "tag", "pinned", "product"),
    [
        ("vault", "docker.io/library/vault", "", False, "vault"),
        ("vault:1.15.0", "docker.io/library/vault", "1.15.0", False, "vault"),
        ("hashicorp/vault:1.21.0", "docker.io/hashicorp/vault", "1.21.0", False, "vault"),
        (f"ghcr.io/a/b:1@{_DIGEST}", "ghcr.io/a/b", "1", True, "b"),
        (f"localhost/b@{_DIGEST}", "localhost/b", "", True, "b"),
        (f"registry:5000/b:2@{_DIGEST}0", "registry:5000/b", "2", False, "b"),
        ("a/b@sha256:0", "docker.io/a/b", "", False, "b"),
    ],
)
def test_a_reference_falls_into_its_parts(text: str, name: str, tag: str, *, pinned: bool, product: str) -> None:
    found = image("x", text)
    assert (found.path, found.name, found.tag, found.pinned, found.product) == ("x", name, tag, pinned, product)


def test_charts_name_images_in_many_ways() -> None:
    values = {
        "image": "vault",
        "imageK8S": "hashicorp/consul-k8s:1",
        "imagePullPolicy": "Always",
        "images": "a/b:1",
        "deep": [{"image": {"registry": "quay.io", "repository": "a/b", "tag": 1, "digest": _DIGEST}}],
        "old": {"repository": "a/c", "tag": "2", "sha": "0" * 64},
        "both": {"repository": "a/d", "tag": f"3@{_DIGEST}", "digest": "sha256:1"},
        "source": {"repository": "https://github.com/a/b"},
        "none": {"repository": ""},
        "later": {"repository": UNKNOWN},
    }
    assert [(each.path, each.name, each.tag, each.pinned) for each in chart_images(Node("values", values))] == [
        ("values.image", "docker.io/library/vault", "", False),
        ("values.imageK8S", "docker.io/hashicorp/consul-k8s", "1", False),
        ("values.deep[0].image", "quay.io/a/b", "", True),
        ("values.old", "docker.io/a/c", "2", True),
        ("values.both", "docker.io/a/d", "3", True),
    ]


def test_trust_ends_at_the_end_of_a_name() -> None:
    found = image("x", "docker.io/hashicorp/vault:1")
    assert found.within(("quay.io", "docker.io/hashicorp"))
    assert found.within(("docker.io/",))
    assert not found.within(("docker.io/hashi", "docker.io/hashicorp/vault"))
    assert not found.within(())
