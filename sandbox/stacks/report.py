"""What a person reads after an operation: the table of regions, or why it failed and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from components.plan.manifest import Manifest
from components.plan.spec import RAFT_PRODUCTS
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from policies.report.evaluate import Report
    from sandbox.stacks.operation import Result
    from sandbox.stacks.passes import Outcome

# What the engine adds below the real diagnostics.
NOISE = frozenset({"update failed", "preview failed", "destroy failed", "refresh failed"})


def manifest_of(result: Result) -> Manifest:
    """The manifest among a stack's outputs.

    Raises:
        SandboxError: there is none, or it does not fit the schema.
    """
    try:
        return Manifest.model_validate(result.outputs["manifest"])
    except (KeyError, ValidationError) as error:
        raise SandboxError(
            f"The stack {result.stack} is up, but its `manifest` output is missing or does not fit its schema: {error}",
            "The program must export it; see components/plan/manifest.py.",
        ) from error


def regions(manifests: Sequence[Manifest], outcome: Outcome) -> Table:
    """One row a region: what it holds and where it answers."""
    table = Table(title="hashicorp-multicloud in the sandbox", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Region", "Resources", "Seconds", "Cluster", "Servers", "Endpoint"):
        numbers = heading in {"Resources", "Seconds", "Servers"}
        table.add_column(
            heading, justify="right" if numbers else "left", overflow="fold", no_wrap=heading != "Endpoint"
        )
    for manifest in manifests:
        stack = manifest.cloud
        clusters = [
            (cluster.product, str(len(cluster.servers)), cluster.endpoint or "") for cluster in manifest.clusters
        ]
        clusters.append(("nomad clients", f"{manifest.clients.minimum}-{manifest.clients.maximum}", ""))
        products, sizes, endpoints = ("\n".join(column) for column in zip(*clusters, strict=True))
        table.add_row(
            f"{manifest.cloud}\n{manifest.region}",
            str(outcome.latest(stack).resources),
            f"{outcome.seconds(stack):.0f}",
            products,
            sizes,
            escape(endpoints),
            end_section=True,
        )
    return table


def mesh(manifests: Sequence[Manifest]) -> Table:
    """One row a pair: how many of its tunnels both stacks have declared, and through which gateways."""
    table = _table("Mesh", ("Pair", "Tunnels", "Declared", "Gateways"))
    tunnels = [(manifest.cloud, tunnel) for manifest in manifests if manifest.mesh for tunnel in manifest.mesh.tunnels]
    for pair in sorted({tunnel.pair for _, tunnel in tunnels}):
        sides = {
            cloud: [tunnel for side, tunnel in tunnels if (side, tunnel.pair) == (cloud, pair)]
            for cloud in pair.split("-")
        }
        states = [tunnel.status for side in sides.values() for tunnel in side]
        declared = next(state for state in ("planned", "half", "up") if state in states)
        gateways = [
            f"{cloud} {' '.join(dict.fromkeys(tunnel.own for tunnel in side if tunnel.own)) or 'unknown yet'}"
            for cloud, side in sides.items()
        ]
        table.add_row(pair, str(len(states) // len(sides)), _DECLARED[declared], "\n".join(gateways), end_section=True)
    return table


_DECLARED = {"planned": "[red]on no side[/]", "half": "[yellow]on one side[/]", "up": "[green]on both sides[/]"}


def backups(manifests: Sequence[Manifest]) -> Table:
    """Where each region's backups lie, and for how long nobody can take them away."""
    table = _table("Backups", ("Of", "Every", "Where", "Region", "Name", "Locked"))
    buckets = {manifest.cloud: (manifest.region, manifest.backup.bucket) for manifest in manifests if manifest.backup}
    for manifest in manifests:
        if manifest.backup is None:
            continue
        bucket, sets = manifest.backup.bucket, manifest.backup.sets
        places = [
            ("bucket", manifest.region, bucket.name, bucket.lock_days),
            ("replica", bucket.replica_region, bucket.replica, bucket.lock_days),
        ]
        for cloud in dict.fromkeys(cloud for saved in sets for cloud in saved.targets[1:]):
            region, second = buckets.get(cloud, ("", None))
            where = f"second cloud, {cloud}"
            places.append(
                (where, region, second.name, second.lock_days) if second else (where, "", "[red]none yet[/]", 0)
            )
        often = ", ".join(sorted({f"{saved.interval_minutes} min" for saved in sets if saved.saved in RAFT_PRODUCTS}))
        for index, (where, region, name, days) in enumerate(places):
            own = (manifest.cloud, often) if index == 0 else ("", "")
            table.add_row(*own, where, region, name, f"{days} days", end_section=index == len(places) - 1)
    return table


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def compliance(reports: Sequence[Report]) -> Table:
    """One row a stack: how much the policy pack really judged, and what it found."""
    table = _table("Compliance", ("Stack", "Rules that judged", "Resources", "Violations", "Undecided", "Exemptions"))
    for made in reports:
        judged = [outcome for outcome in made.outcomes if outcome.evaluated]
        blocking = len(made.blocking)
        exempted = [f"{each.entry.ticket} {each.entry.rule}, {each.days_left} days left" for each in made.exemptions]
        table.add_row(
            made.state.stack,
            f"{len(judged)} of {len(made.outcomes)}",
            str(len({urn for outcome in judged for urn in outcome.evaluated})),
            f"[{'red' if blocking else 'green'}]{blocking or 'none'}[/]",
            str(sum(len(outcome.undecided) for outcome in made.outcomes) or "none"),
            escape("\n".join(exempted) or "none"),
        )
    return table


def explain(result: Result, console: Console) -> None:
    """Prints why an operation failed: each error once, with the resource it is about, without the engine's refrain."""
    console.print(f"[bold red]{result.verb} {escape(result.stack)} failed[/]")
    told: set[str] = set()
    for error in result.errors:
        if error.message in NOISE or error.message in told:
            continue
        told.add(error.message)
        about = error.urn.split("::", 2)[-1].rpartition("$")[2]
        console.print(escape(f"  {about}: {error.message}" if about else f"  {error.message}"), soft_wrap=True)
    for violation in result.violations:
        if violation.level == "mandatory":
            about = violation.urn.split("::", 2)[-1].rpartition("$")[2]
            told.add(violation.message)
            console.print(escape(f"  {about}: {violation.message.strip()}"), soft_wrap=True)
    if result.complaint and not told:
        console.print(escape(f"  {result.complaint}"), soft_wrap=True)


def summary(result: Result) -> str:
    """One line: what the operation did."""
    counts = ", ".join(f"{count} {operation}" for operation, count in sorted(result.changes.items()))
    said = counts if result.changed else "nothing changes"
    return f"{result.verb} {result.stack}: {said} ({result.seconds:.0f} s)"
