"""What is backed up, where to, by whom: one plan a set, and the ways of another cloud's machines into this bucket.

Owns the plans as policies read them, and who of the peers is admitted. The bucket is the cloud's (`clouds.*.storage`),
the work is the agent's (`templates/backup`), and the agent learns its targets from the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from components.clouds.contract import Site
from components.plan.backup import RESTORER, WRITING_ROLES, Saved, raft, retention
from components.plan.federation import Federated, federated
from components.plan.manifest import Manifest, sets
from components.plan.naming import Names
from components.plan.spec import Cloud, Role, Stack, cluster_name


class BackupPlan(pulumi.ComponentResource):
    """One set of the region. Type token `hashicorp:backup:BackupPlan`; registers a statement and no resource."""

    def __init__(self, spec: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("hashicorp:backup:BackupPlan", f"backup-{spec['product']}", dict(spec), opts)
        self.register_outputs({"spec": dict(spec)})


def plans(site: Site, peers: Mapping[Cloud, Manifest]) -> Iterator[dict[str, Any]]:
    """The spec of each plan (policy catalogue, `hashicorp:backup:BackupPlan`); buckets of peers as far as they exist."""
    stack = site.stack
    platform, names = stack.platform, site.names
    own = {"cloud": stack.cloud, "bucket": names.backups(site.account.id), "keyRef": names.key_ref("backup")}
    for saved in sets(stack):
        copies = [_copy(Names(platform, cloud), peers.get(cloud)) for cloud in saved.targets[1:]]
        yield {
            "product": saved.saved,
            "cluster": _cluster(saved.saved, stack),
            "cloud": stack.cloud,
            "intervalMinutes": saved.interval_minutes,
            "rpoMinutes": platform.backup.rpo_minutes if _bounded(saved.saved) else saved.interval_minutes,
            # What is promised: later the bucket still keeps it, but anybody with the right to may delete it.
            "retentionDays": retention(platform.backup).lock_days,
            "targets": [own, *copies],
            "writer": names.identity(saved.role),
            "restorer": names.thing(RESTORER),
            "contents": _CONTENTS[saved.saved],
        }


def _copy(names: Names, peer: Manifest | None) -> dict[str, Any]:
    """A second copy's place; without its bucket until the peer has named it."""
    bucket = peer.backup.bucket.name if peer and peer.backup else None
    planned = {"cloud": names.cloud, "keyRef": names.key_ref("backup")}
    return {**planned, "bucket": bucket} if bucket else planned


_CONTENTS: Mapping[Saved, list[str]] = {
    "consul": ["raft-snapshot"],
    "vault": ["raft-snapshot"],
    "nomad": ["raft-snapshot", "keyring"],
    "boundary": ["database-dump"],
    "platform": ["manifest"],
}


def _bounded(saved: Saved) -> bool:
    return saved != "platform" and raft(saved)


def _cluster(saved: Saved, stack: Stack) -> str:
    return f"platform-{stack.cloud}" if saved == "platform" else cluster_name(saved, stack.cloud)


def foreign(stack: Stack, peers: Mapping[Cloud, Manifest]) -> dict[Cloud, dict[Role, Federated]]:
    """The machines of other clouds whose second copies lie in this region's bucket, as far as their stacks exist."""
    return {
        cloud: {
            role: federated(cloud, peer.account, peer.tenant, peer.identities[role], stack.cloud)
            for role in WRITING_ROLES
        }
        for cloud, peer in _sources(stack, peers)
    }


def admitted(stack: Stack, peers: Mapping[Cloud, Manifest]) -> tuple[str, ...]:
    """The public addresses from which those machines come."""
    return tuple(address for _, peer in _sources(stack, peers) for address in peer.network.egress)


def _sources(stack: Stack, peers: Mapping[Cloud, Manifest]) -> Iterator[tuple[Cloud, Manifest]]:
    for source, target in stack.platform.backup.copies.items():
        if target == stack.cloud and source in peers:
            yield source, peers[source]
