"""Groups of machines that nothing passes to or from: a table of its own in the switch's packet filter.

Owns the table. It lies beside the lab's filter, which is loaded anew with every change of the cloud and must leave it
alone. Machines of one group reach each other, as far as the lab's filter lets them.

Dangerous edge: nothing passes means nothing: no metadata, no name server, no balancer either.

Source: nft(8).
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines.lab import SWITCH
from sandbox.templating import templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.mesh.namespaces import Namespaces

TABLE = "apart"
_TEMPLATES = templates(Path(__file__).parent / "templates")


def ruleset(groups: Iterable[Iterable[str]]) -> str:
    """The table for groups of addresses; empty groups set nothing apart."""
    lists = [sorted(set(group)) for group in groups]
    return _TEMPLATES.get_template("apart.nft.j2").render(table=TABLE, groups=[group for group in lists if group])


def set_apart(namespaces: Namespaces, groups: Sequence[Sequence[str]]) -> None:
    """Gives the switch the table for these groups, and none where there are none.

    Raises:
        SandboxError: the kernel refuses it, and goes on with the one that it has.
    """
    if not groups and not stands(namespaces):
        return
    text = ruleset(groups) if groups else f"delete table inet {TABLE}\n"
    done = subprocess.run(
        namespaces.command(SWITCH, ["nft", "--file", "-"]), input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise SandboxError(
            f"The switch cannot set machines apart: {done.stderr.strip()[:1000]}",
            "It needs nftables with sets, and a lab whose network stands.",
        )


def stands(namespaces: Namespaces) -> bool:
    """Whether the switch has the table."""
    command = namespaces.command(SWITCH, ["nft", "list", "table", "inet", TABLE])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
