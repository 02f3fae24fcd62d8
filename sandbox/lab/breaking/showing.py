"""What a person sees of a lab: tables on a terminal, or the same as a document; nothing is decided here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from sandbox.lab.breaking.labs import Found
    from sandbox.lab.breaking.looking import View

_COLOURS = {"ready": "green", "booting": "yellow", "failed": "bold red", "dead": "bold red", "stopped": "dim"}
_MIB = 1024**2


def document(view: View) -> str:
    """The lab as JSON: `name`, `failed`, `followed`, `trouble`, `machines`, `tunnels`, `broken`; memory in bytes."""
    tunnels = [{"between": between, "why": why} for between, why in view.tunnels]
    return json.dumps({**asdict(view), "tunnels": tunnels, "failed": view.failed}, indent=2)


def shown(view: View) -> RenderableType:
    """The lab as tables."""
    parts: list[RenderableType] = [_machines(view)]
    if view.tunnels:
        parts.append(_tunnels(view))
    parts += [Text(f"broken on purpose: {what}", "yellow") for what in view.broken]
    if view.trouble:
        parts.append(Text(f"trouble: {view.trouble}", "bold red"))
    if not view.followed:
        parts.append(
            Text(
                "Nobody follows the cloud: machines run on, their cloud does not answer. `make lab` follows it.",
                "yellow",
            )
        )
    return Group(*parts)


def listing(found: Iterable[Found]) -> str:
    """The labs as JSON."""
    return json.dumps([{**asdict(each), "folder": str(each.folder)} for each in found], indent=2)


def listed(found: Iterable[Found]) -> Table:
    """The labs of this machine."""
    table = Table(title="Labs")
    for column in ("lab", "machines", "ready", "memory", "followed", "folder"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(
            each.name,
            str(each.machines),
            str(each.ready),
            f"{each.memory // _MIB} MiB",
            "yes" if each.followed else "no",
            escape(str(each.folder)),
        )
    return table


def _machines(view: View) -> Table:
    total = sum(row.memory for row in view.machines) // _MIB
    table = Table(title=f"Lab {view.name}: {len(view.machines)} machines, {total} MiB")
    for column in ("machine", "cloud", "zone", "address", "phase"):
        table.add_column(column, no_wrap=True)
    table.add_column("MiB", justify="right")
    for column in ("why", "broken on purpose"):
        table.add_column(column, overflow="fold")
    for row in view.machines:
        table.add_row(
            row.name,
            row.cloud,
            row.zone,
            row.address,
            Text(row.phase, _COLOURS.get(row.phase, "")),
            str(row.memory // _MIB),
            escape(row.reason),
            escape("; ".join(row.broken)),
        )
    return table


def _tunnels(view: View) -> Table:
    table = Table(title="Tunnels")
    for column in ("between", "state", "why"):
        table.add_column(column, overflow="fold")
    for between, why in view.tunnels:
        table.add_row(escape(between), Text("down", "bold red") if why else Text("up", "green"), escape(why))
    return table
