"""The tokens with which commands ask: from the environment or a file descriptor, never from the command line.

Owns their names. `CONSUL_HTTP_TOKEN`, `VAULT_TOKEN` and `NOMAD_TOKEN` hold for every region; with a cloud behind the name
(`VAULT_TOKEN_AZURE`) for that region alone, which Vault needs, since its clusters share nothing. A descriptor holds lines
`NAME=value` of the same names and wins over the environment.

Dangerous edge: no message may repeat a value, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.plan.spec import CLOUDS, Cloud, Product
from runbook import descriptors

VARIABLES: Mapping[Product, str] = {"consul": "CONSUL_HTTP_TOKEN", "vault": "VAULT_TOKEN", "nomad": "NOMAD_TOKEN"}
"""By product: the variable of its own command line."""
_NAMES = frozenset(
    name for variable in VARIABLES.values() for name in (variable, *(f"{variable}_{cloud.upper()}" for cloud in CLOUDS))
)
_EXAMPLE = 'runbook health --tokens-fd 3 3<<<"VAULT_TOKEN=$token"'


@dataclass(frozen=True)
class Tokens:
    """Tokens by variable."""

    values: Mapping[str, str] = field(repr=False)

    def of(self, product: Product, cloud: Cloud) -> str:
        """The token for a cluster; empty where there is none."""
        variable = VARIABLES.get(product, "")
        return self.values.get(f"{variable}_{cloud.upper()}") or self.values.get(variable, "")


def tokens(environment: Mapping[str, str], descriptor: int | None = None) -> Tokens:
    """The tokens that a command was given.

    Raises:
        RunbookError: the descriptor cannot be read or holds something else, or a token cannot be one.
    """
    given = {name: environment[name].strip() for name in _NAMES if name in environment}
    if descriptor is not None:
        given |= descriptors.pairs(descriptor, _NAMES, "token", _EXAMPLE)
    return Tokens({name: descriptors.sendable(name, value) for name, value in given.items() if value})
