"""What the values of a configuration mean together.

Owns every rule that needs more than one value, over whatever could be read: a value that is unreadable
silences the rules that need it and no others, so that all mistakes of a file show at once. Forms of single
values are `values`; mesh, backups and the audit trail are `resilience`; nothing here reads configuration or asks a cloud.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations

from . import certificates, geography, naming, resilience, secrets, values, versions
from .facts import Facts, Problem, suggestion
from .sizing import LEAST_SERVERS
from .spec import (
    CLOUDS,
    PRIMARY,
    PRODUCTS,
    RAFT_PRODUCTS,
    Artifacts,
    Backup,
    Clients,
    Cloud,
    Platform,
    Region,
    server_name,
)


def _clouds(facts: Facts) -> Iterator[Problem]:
    if facts.clouds is None:
        return
    if PRIMARY not in facts.clouds:
        yield Problem(
            f"regions.{PRIMARY}",
            "the primary region is missing.",
            f"{PRIMARY} makes the roots, leads Consul's federation and holds the key of worker authentication.",
            f"Add the region of {PRIMARY}.",
        )
    if facts.cloud and facts.cloud not in facts.clouds:
        yield Problem(
            "cloud",
            f"{facts.cloud} has no region.",
            "The stack would build nothing, or something that no peer knows of.",
            f"Add regions.{facts.cloud}, or name one of: {', '.join(c for c in CLOUDS if c in facts.clouds)}.",
        )


def _stack(facts: Facts) -> Iterator[Problem]:
    if not facts.stack or not facts.cloud:
        return
    named = [cloud for cloud in CLOUDS if cloud in re.split(r"[^a-z]+", facts.stack.lower())]
    if named and facts.cloud not in named:
        yield Problem(
            "cloud",
            f"the stack {facts.stack} would build the region of {facts.cloud}.",
            f"Whatever stands in the state of {facts.stack} would be deleted and built again in {facts.cloud}.",
            f"Write {named[0]}, or choose another stack.",
        )


_ACCOUNTS: Mapping[Cloud, tuple[str, str]] = {
    "aws": (r"\d{12}", "an account id of twelve digits, in quotes"),
    "azure": (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a subscription id, 32 lower-case hexadecimal digits"),
    "gcp": (r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project id of 6 to 30 lower-case letters, digits and '-'"),
}


def _account(facts: Facts) -> Iterator[Problem]:
    if not facts.cloud or not facts.account:
        return
    pattern, form = _ACCOUNTS[facts.cloud]
    if not re.fullmatch(pattern, facts.account):
        yield Problem(
            "account",
            f"{facts.account!r} is not {form}.",
            "The guard against the wrong credentials would refuse all credentials.",
            f"Write {form}; leave it empty to build wherever the credentials belong.",
        )


_IMAGES: Mapping[Cloud, tuple[str, str]] = {
    "aws": (
        r"ubuntu[a-z-]*/images/[\w./-]*-20\d{6}(\.\d+)?",
        "the exact name of an image of Canonical's, with its date",
    ),
    "azure": (
        r"[\w-]+:[\w-]+:[\w-]+:\d+\.\d+\.\d+",
        "publisher:offer:sku:version with all three numbers of the version",
    ),
    "gcp": (
        r"[a-z][a-z0-9-]+/[a-z][a-z0-9-]*-v?20\d{6}(?!\d)[a-z0-9-]*",
        "project/image with the build's date in the image",
    ),
}


def _image(facts: Facts) -> Iterator[Problem]:
    if not facts.cloud or facts.image is None:
        return
    pattern, form = _IMAGES[facts.cloud]
    if not re.fullmatch(pattern, facts.image):
        yield Problem(
            "image",
            f"{facts.image!r} is not pinned to one build: {facts.cloud} wants {form}.",
            "Machines built on different days would differ, and a rebuild would not be the region that was lost.",
            "Take the newest build by the command in the stack's file and write it out.",
        )
    elif re.search(r"arm64|aarch64", facts.image):
        yield Problem(
            "image",
            f"{facts.image} is built for ARM.",
            "The planned machines and archives are x86-64: no machine would boot.",
            "Take the amd64 build.",
        )


def _rollout(facts: Facts) -> Iterator[Problem]:
    cloud = facts.cloud
    if not cloud or not facts.rollout or set(facts.servers) != set(PRODUCTS):
        return
    ours = {server_name(p, cloud, i): p for p, count in facts.servers.items() for i in range(count)}
    for unknown in sorted(set(facts.rollout) - set(ours)):
        yield Problem(
            "rollout",
            f"{unknown!r} is no server of this stack.{suggestion(unknown, ours)}",
            "Nothing would be replaced, and whoever wrote it believes that it was.",
            f"Name servers of this stack, like {next(iter(ours))}.",
        )
    named = [server for server in dict.fromkeys(facts.rollout) if server in ours]
    for product in PRODUCTS:
        at_once = [server for server in named if ours[server] == product]
        if len(at_once) > 1:
            yield Problem(
                "rollout",
                f"{' and '.join(at_once)} at once.",
                f"An update replaces them together, and {product} of this region may not survive it.",
                f"Name one server of {product} at a time, and the next when that one is healthy.",
            )


def _geography(facts: Facts) -> Iterator[Problem]:
    for cloud, name in facts.regions.items():
        if refusal := geography.region(cloud, name):
            yield Problem.of(f"regions.{cloud}.name", refusal)
            continue
        if cloud in facts.zones and (refusal := geography.zones(cloud, name, facts.zones[cloud])):
            yield Problem.of(f"regions.{cloud}.zones", refusal)
        if cloud in facts.recoveries and (refusal := geography.recovery(cloud, name, facts.recoveries[cloud])):
            yield Problem.of(f"regions.{cloud}.recovery", refusal)


def _ranges(facts: Facts) -> Iterator[Problem]:
    for (one, first), (other, second) in combinations(facts.cidrs.items(), 2):
        if IPv4Network(first).overlaps(IPv4Network(second)):
            yield Problem(
                f"regions.{other}.cidr",
                f"{second} overlaps {first} of {one}.",
                "Regions reach each other by these addresses; no tunnel can route between ranges that overlap.",
                "Give each region a range of its own.",
            )


def _sketch(facts: Facts) -> Platform | None:
    """A platform with what the length of names and certificates depends on; the rest blank."""
    if facts.name is None:
        return None
    return Platform(
        name=facts.name,
        environment="",
        domain=facts.domain or "",
        owner="",
        cost_center="",
        profile="production",
        edition="community",
        seal="cloud",
        regions={cloud: Region(cloud, name, (), "10.0.0.0/16", "") for cloud, name in facts.regions.items()},
        servers={product: facts.servers.get(product, 1) for product in PRODUCTS},
        clients=Clients(1, 1),
        versions={},
        artifacts=Artifacts("", "", "", {}),
        asns={},
        backup=Backup({}, 0, "compliance", 0, 0, {}),
        audit_days=0,
        recipients=(),
    )


def _names(facts: Facts) -> Iterator[Problem]:
    sketch = _sketch(facts)
    longest: dict[tuple[Cloud, str], tuple[str, str]] = {}
    for cloud, kind, name, why in naming.refused_names(sketch) if sketch else ():
        if len(name) > len(longest.get((cloud, kind), ("", ""))[0]):
            longest[cloud, kind] = (name, why)
    for (cloud, _), (name, why) in longest.items():
        yield Problem(
            "name",
            f"{cloud} refuses {name}: {why}.",
            "The update would fail halfway, with a part of the platform built.",
            "Choose a shorter or plainer name.",
        )


_COMMON_NAME = 64
"""X.509's bound on a common name."""


def _certificates(facts: Facts) -> Iterator[Problem]:
    sketch = _sketch(facts)
    if not sketch or not facts.domain:
        return
    subjects = [certificates.subject(sketch, c, role).common_name for c in sketch.clouds for role in secrets.CERTIFIED]
    longest = max(subjects, key=len, default="")
    if len(longest) > _COMMON_NAME:
        yield Problem(
            "domain",
            f"{longest} has {len(longest)} characters; a certificate's name has at most {_COMMON_NAME}.",
            "No certificate could be made for the server.",
            f"Use a domain that is {len(longest) - _COMMON_NAME} characters shorter.",
        )


def _counts(facts: Facts) -> Iterator[Problem]:
    for product, count in facts.servers.items():
        if refusal := values.voters(count) if product in RAFT_PRODUCTS else values.workers(count):
            yield Problem.of(f"servers.{product}", refusal)
            continue
        least = LEAST_SERVERS[facts.profile][product] if facts.profile else 1
        if count < least:
            yield Problem(
                f"servers.{product}",
                f"{count} in the profile {facts.profile}, which wants at least {least}.",
                "The loss of one machine, or its replacement, would stop the cluster.",
                f"Use {least} or more, or the profile small.",
            )
    if facts.clients and facts.clients.minimum > facts.clients.maximum:
        yield Problem(
            "clients.minimum",
            f"{facts.clients.minimum} is more than the maximum of {facts.clients.maximum}.",
            "No cloud builds such a group.",
            "Raise the maximum or lower the minimum.",
        )


def _versions(facts: Facts) -> Iterator[Problem]:
    for artefact, version, line in versions.unsupported(facts.versions):
        yield Problem(
            f"versions.{artefact}",
            f"{version} is not supported.",
            "Its configuration is written for other lines; the server would refuse to start, or understand it otherwise.",
            f"Use a release {line}.",
        )
    for skew in versions.skewed(facts.versions):
        least = ".".join(map(str, skew.least))
        yield Problem(
            f"versions.{skew.needs}",
            f"{facts.versions[skew.needs]} is too old for {skew.product} {facts.versions[skew.product]}.",
            f"From {skew.product} {'.'.join(map(str, skew.since))} on: {skew.why}.",
            f"Use {skew.needs} {least} or newer, or an older {skew.product}.",
        )


def _checksums(facts: Facts) -> Iterator[Problem]:
    if set(facts.versions) != set(versions.ARTIFACTS) or not facts.edition:
        return
    blank = Artifacts("", "", "", {})
    suffix = versions.EDITION_SUFFIX[facts.edition]
    installed = [versions.archive(artefact, facts.versions, blank, suffix).file for artefact in versions.ARTIFACTS]
    for file in facts.checksums:
        if file not in installed:
            yield Problem(
                f"artifacts.checksums.{file}",
                f"no machine installs this archive.{suggestion(file, installed)}",
                "The archive that is installed would go unpinned, and whoever wrote the sum believes that it is pinned.",
                f"Pin one of: {', '.join(installed)}.",
            )


CHECKS: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    _clouds,
    _stack,
    _account,
    _image,
    _rollout,
    _names,
    _certificates,
    _geography,
    _ranges,
    _counts,
    _versions,
    _checksums,
    resilience.addressed,
    resilience.scheduled,
    resilience.kept,
    resilience.copied,
)


def problems(facts: Facts) -> Iterator[Problem]:
    """Every rule that what could be read breaks."""
    for check in CHECKS:
        yield from check(facts)
