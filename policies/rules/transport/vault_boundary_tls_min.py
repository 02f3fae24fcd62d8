"""Listeners speak TLS 1.2 or later, and nobody skips verification."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.clusters import BOUNDARY, VAULT
from policies.concepts.containers import containers, in_pods
from policies.conditions import FALSE, NOT_TRUE, matching, one_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, each, need, on
from policies.values import as_bool

_TLS = one_of("tls12", "tls13")
_OPERATIONS = "ops"
_HTTPS = matching(lambda address: address.startswith("https://"), "must start with https://")
_SWITCHES = {
    "VAULT_SKIP_VERIFY": True,
    "NOMAD_SKIP_VERIFY": True,
    "BOUNDARY_TLS_INSECURE": True,
    "CONSUL_HTTP_SSL_VERIFY": False,
}
"""Environment variables, with the value that skips verification."""
_FLAGS = re.compile(r"(?<![\w-])(?:-{1,2}(?:tls-skip-verify|tls-insecure|insecure|no-check-certificate)|-k)(?![\w-])")
_IN_TEXT = re.compile(
    r"(?:(?:VAULT_SKIP_VERIFY|NOMAD_SKIP_VERIFY|BOUNDARY_TLS_INSECURE)\"?\s*[=:]\s*\"?(?:true|t|1)(?!\w)"
    r"|CONSUL_HTTP_SSL_VERIFY\"?\s*[=:]\s*\"?(?:false|f|0)(?!\w))",
    re.IGNORECASE,
)
_SAYS = "skips the verification of certificates"


def _listener(listener: Node, _: Resource, __: Context) -> Iterator[Finding]:
    if listener.get("purpose") == _OPERATIONS:
        return
    if as_bool(listener.get("tlsDisable")) is not False:
        yield Finding(f"{listener.path}.tlsDisable", FALSE.says)
    if not _TLS.holds(listener.get("tlsMinVersion")):
        yield Finding(f"{listener.path}.tlsMinVersion", _TLS.says)


def _pod(pod: Node, _: Resource, __: Context) -> Iterator[Finding]:
    for container in containers(pod):
        for variable in container.each("env[]"):
            name = variable.get("name")
            if name in _SWITCHES and as_bool(variable.get("value")) is _SWITCHES[name]:
                yield Finding(variable.path, _SAYS)
        for path in ("command[]", "args[]"):
            for word in container.each(path):
                if _skips(str(word.known())):
                    yield Finding(word.path, _SAYS)


def _skips(text: str) -> bool:
    return bool(_FLAGS.search(text) or _IN_TEXT.search(text))


def _job(job: Resource, _: Context) -> Iterator[Finding]:
    if _skips(str(job.get("jobspec"))):
        yield Finding("jobspec", _SAYS)


RULE = Rule(
    "vault-boundary-tls-min",
    (
        on(VAULT, need("listener.tlsDisable", FALSE), need("listener.tlsMinVersion", _TLS), unknown="fail"),
        each(BOUNDARY, "listeners[]", _listener, ("purpose", "tlsDisable", "tlsMinVersion"), "fail"),
        on("pulumi:providers:vault", need("skipTlsVerify", NOT_TRUE), unknown="fail"),
        on("pulumi:providers:vault", need("address", _HTTPS)),
        on("pulumi:providers:consul", need("insecureHttps", NOT_TRUE), unknown="fail"),
        on("pulumi:providers:consul", need("scheme", one_of("https"))),
        on("pulumi:providers:nomad", need("skipVerify", NOT_TRUE), unknown="fail"),
        on("pulumi:providers:nomad", need("address", _HTTPS)),
        *in_pods(_pod, of_containers=("env[].name", "env[].value?", "command[]", "args[]")),
        Check(("nomad:index/job:Job",), _job, ("jobspec",)),
    ),
)
