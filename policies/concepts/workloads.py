"""What runs in a pod: servers of the products, PostgreSQL.

Owns how an image and a command line tell a server that votes from an agent, a proxy or a command of the same program.
One whose command line does not say is a server. Unknown images and command lines raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.containers import pods
from policies.concepts.containers import serving as running
from policies.concepts.images import image
from policies.resource import Node, Resource

WORKLOAD_READS = tuple(f"spec.template.spec.containers[].{path}" for path in ("image", "command[]", "args[]"))
"""What `voters` reads of a StatefulSet or a Deployment."""

_PRODUCTS: Mapping[str, str] = {
    "consul": "consul", "consul-enterprise": "consul",
    "vault": "vault", "vault-enterprise": "vault", "openbao": "vault", "bao": "vault",
    "nomad": "nomad", "nomad-enterprise": "nomad",
}  # fmt: skip
"""Product by the image's name."""
_POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql-repmgr", "postgis", "timescaledb", "timescaledb-ha"})
_AGENT_SERVES = ("-server", "-dev", "-bootstrap", "-config")
"""Flags of an agent that is a server, or whose configuration says whether it is one."""
_VAULT_CLIENTS = frozenset({"agent", "proxy", "operator", "login", "status", "read", "write", "kv"})


def voters(workload: Resource) -> tuple[str, ...]:
    """Products whose servers run in a workload's pods.

    Raises:
        Undecided: an image or a command line is not known yet.
    """
    found = [product for pod in pods(workload) for product in _served(pod)]
    return tuple(dict.fromkeys(found))


def holds_postgresql(workload: Resource) -> bool:
    """Whether PostgreSQL runs in a workload's pods.

    Raises:
        Undecided: an image is not known yet.
    """
    return any(_image(container) in _POSTGRESQL for pod in pods(workload) for container in running(pod))


def _image(container: Node) -> str:
    return image("", str(container.get("image"))).product


def _served(pod: Node) -> Iterator[str]:
    for container in running(pod):
        product = _PRODUCTS.get(_image(container))
        if product and _serves(product, set(_words(container))):
            yield product


def _words(container: Node) -> Iterator[str]:
    for path in ("command[]", "args[]"):
        for node in container.each(path):
            yield from str(node.known()).split()


def _serves(product: str, words: set[str]) -> bool:
    if not words:
        return True
    if product == "vault":
        return "server" in words or not words & _VAULT_CLIENTS
    flags = {f"-{word.lstrip('-')}" for word in words if word.startswith("-")}
    return "agent" in words and "-server=false" not in flags and any(flag.startswith(_AGENT_SERVES) for flag in flags)
