"""What a single value of the configuration must look like.

Owns the form of names, domains, ranges, counts, versions and addresses of archives, each judged alone. Mesh,
backups and the audit trail are `resilience`; what other values mean together is `checks`; where regions lie is `geography`. Reads no configuration.

Dangerous edge: a refusal is shown to people and kept in logs. It quotes the value, so whoever calls asks
`secret_like` first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from urllib.parse import urlsplit

from . import versions
from .addressing import LARGEST_PREFIX, MAX_CLIENTS, MAX_SERVERS, SMALLEST_PREFIX, ZONES


@dataclass(frozen=True)
class Refusal:
    """Why a value cannot stand: what is wrong with it, why that hurts, how to fix it. Each a sentence."""

    what: str
    why: str
    fix: str


_SECRETS: Mapping[str, str] = {
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a Vault token": r"\bhv[bsr]\.[\w-]{20,}",
    "a GitHub token": r"\b(gh[oprsu]_|github_pat_)\w{20,}",
    "a Google key or token": r"\bAIza[\w-]{35}|\bya29\.[\w-]+",
    "an Azure storage key or signature": r"AccountKey=|[?&]sig=",
    "a signed web token": r"\beyJ[\w-]{5,}\.eyJ[\w-]{5,}\.",
    "a password in a URL": r"://[^/\s:@]*:[^/\s@]+@",
}


def secret_like(text: str) -> str | None:
    """What kind of secret the text seems to hold, or None."""
    return next((kind for kind, pattern in _SECRETS.items() if re.search(pattern, text)), None)


def name(text: str) -> Refusal | None:
    """The platform's name, in the form that the strictest cloud accepts."""
    if re.fullmatch(r"[a-z](-?[a-z0-9])*", text):
        return None
    return Refusal(
        f"{text!r} is no name of lower-case letters, digits and single '-', starting with a letter.",
        "Every name in every cloud starts with it, and the strictest of them would refuse it halfway through.",
        "Use a short word like hashicorp.",
    )


def label(text: str) -> Refusal | None:
    """The environment: a tag that must read the same in the cloud with the narrowest form."""
    if re.fullmatch(r"[a-z](-?[a-z0-9]){0,62}", text):
        return None
    return Refusal(
        f"{text!r} is not lower-case letters, digits and single '-', starting with a letter, at most 63.",
        "It is a tag that people and policies search by; GCP would store it in another spelling than AWS and Azure.",
        "Use a word like production.",
    )


def tag(text: str) -> Refusal | None:
    """A tag's free value: what all clouds accept, once GCP's form is made of it."""
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9 _.:/=+@-]{0,61}[A-Za-z0-9])?", text):
        return None
    return Refusal(
        f"{text!r} is not 1 to 63 letters, digits, spaces and _.:/=+@- between two letters or digits.",
        "A cloud would refuse the tag of the first resource, or GCP would cut it.",
        "Shorten it or drop the characters.",
    )


def recipients(addresses: list[str]) -> Refusal | None:
    """Whom alarms reach: mail addresses, at least one."""
    wrong = [
        text for text in addresses if not re.fullmatch(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text)
    ]
    if addresses and not wrong and len(set(addresses)) == len(addresses):
        return None
    return Refusal(
        f"{addresses!r} is not one mail address or several, all different.",
        "Nobody would hear of a tunnel that is down.",
        "Name the mailing list of who is on call, like on-call@example.com.",
    )


_DOMAIN_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_TAKEN_SUFFIXES: Mapping[str, str] = {
    "consul": "Consul's own DNS answers for every name below it",
    "local": "machines ask for it by multicast instead of DNS",
    "localhost": "it always means the machine itself",
    "internal": "AWS and GCP name their own machines and the metadata service in it",
}


def domain(text: str) -> Refusal | None:
    """The private domain: fully qualified, lower-case, no final dot."""
    fix = "Use a domain that your organisation owns, like hashicorp.example.com."
    labels = text.split(".")
    if len(labels) < 2 or not all(re.fullmatch(_DOMAIN_LABEL, part) for part in labels) or labels[-1].isdigit():
        return Refusal(
            f"{text!r} is no fully qualified domain of lower-case labels of at most 63, without a final dot.",
            "Certificates, records and the configuration of every server carry it; agents compare it byte by byte.",
            fix,
        )
    if taken := _TAKEN_SUFFIXES.get(labels[-1]):
        return Refusal(f"{text!r} ends in .{labels[-1]}.", f"Its names would never resolve: {taken}.", fix)
    return None


_PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_TAKEN_RANGES: Mapping[str, str] = {
    "172.17.0.0/16": "Docker's bridge",
    "172.26.64.0/20": "Nomad's bridge network",
}


def cidr(text: str) -> Refusal | None:
    """A region's range: private IPv4, large enough for the address plan, not larger than a cloud takes."""
    fix = f"Use a private IPv4 range of /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}, like 10.1.0.0/16."
    try:
        network = IPv4Network(text)
    except ValueError as error:
        return Refusal(f"{text!r} is no IPv4 range ({error}).", "No subnet can be planned in it.", fix)
    if "/" not in text or network.prefixlen > LARGEST_PREFIX:
        return Refusal(
            f"{text} is too small: the address plan fills a /{LARGEST_PREFIX}.",
            "Subnets of servers, clients and gateways would not fit, and a network cannot be moved later.",
            fix,
        )
    if network.prefixlen < SMALLEST_PREFIX:
        return Refusal(
            f"{text} is larger than /{SMALLEST_PREFIX}.",
            "AWS accepts no larger network, and all three regions are built alike.",
            fix,
        )
    if not any(network.subnet_of(block) for block in _PRIVATE):
        return Refusal(
            f"{text} is not inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
            "Machines could no longer reach whoever owns these addresses.",
            fix,
        )
    for block, owner in _TAKEN_RANGES.items():
        if network.overlaps(IPv4Network(block)):
            return Refusal(
                f"{text} overlaps {block}, which is {owner} on every Nomad client.",
                "A client would send traffic for these servers to its own containers.",
                fix,
            )
    return None


def zones(names: Sequence[str]) -> Refusal | None:
    """A region's zones: as many as the plan spreads over, all different."""
    fix = f"Name {ZONES} different zones of the region."
    if len(names) != ZONES:
        why = (
            "A zone would hold a quorum: its loss would stop every cluster of the region."
            if len(names) < ZONES
            else f"The address plan has subnets for {ZONES}; machines in the others would have no address."
        )
        return Refusal(f"{len(names)} zones instead of {ZONES}.", why, fix)
    if twice := sorted({zone for zone in names if names.count(zone) > 1}):
        return Refusal(
            f"zone {', '.join(twice)} is named twice.",
            "Two of the three zones would be one building, which then holds a quorum.",
            fix,
        )
    return None


def rollout(servers: Sequence[str]) -> Refusal | None:
    """Servers to replace: each once."""
    if twice := sorted({server for server in servers if servers.count(server) > 1}):
        return Refusal(
            f"{', '.join(twice)} is named twice.",
            "One of the two was meant to be another server.",
            "Name each server once.",
        )
    return None


MOST_VOTERS = 7


def voters(count: int) -> Refusal | None:
    """Servers of a product whose servers vote."""
    fix = "Use 3, which survive the loss of one, or 5, which survive the loss of two."
    if not 1 <= count <= MOST_VOTERS:
        return Refusal(
            f"{count} voters; possible are 1 to {MOST_VOTERS}.",
            "Without a voter there is no cluster; with more, every write waits for more machines and none is safer.",
            fix,
        )
    if count % 2 == 0:
        return Refusal(
            f"{count} is an even number of voters.",
            f"{count} voters survive no more losses than {count - 1}, and can split into two equal halves.",
            fix,
        )
    return None


def workers(count: int) -> Refusal | None:
    """Boundary workers of a region."""
    if 1 <= count <= MAX_SERVERS:
        return None
    return Refusal(
        f"{count} workers; possible are 1 to {MAX_SERVERS}.",
        "Without a worker nobody reaches the region through Boundary; the address plan holds no more.",
        f"Use 1 to {MAX_SERVERS}.",
    )


def clients(count: int) -> Refusal | None:
    """A bound of the group of Nomad clients."""
    if 1 <= count <= MAX_CLIENTS:
        return None
    return Refusal(
        f"{count} clients; possible are 1 to {MAX_CLIENTS}.",
        "Without a client no job runs; with more, two zones have no addresses for all of them when the third is lost.",
        f"Use 1 to {MAX_CLIENTS}.",
    )


def version(text: str) -> Refusal | None:
    """An exact version."""
    try:
        versions.parse(text)
    except ValueError:
        return Refusal(
            f"{text!r} is not an exact version.",
            "Machines built on different days would run different versions, and a snapshot restores only to its own line.",
            "Name one release by three numbers without a prefix, like 1.21.0.",
        )
    return None


def url(text: str) -> Refusal | None:
    """A base address of archives: HTTPS, nothing after the path, no final slash."""
    fix = "Use an address like https://releases.hashicorp.com."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return Refusal(f"{text!r} is no address ({error}).", "No machine could install anything.", fix)
    if parts.scheme != "https" or not host or port == 0 or re.search(r"\s", text):
        return Refusal(
            f"{text!r} is no https:// address.",
            "Archives and the sums that vouch for them would come from whoever is on the way.",
            fix,
        )
    if "@" in parts.netloc:
        return Refusal(
            "the address holds a user name.",
            "User data carries the address, and everybody who may look at a machine can read it.",
            "Serve the archives without credentials inside the network.",
        )
    if re.search(r"[?#]|/$", text):
        return Refusal(
            f"{text!r} has a query, a fragment or a final slash.",
            "Paths of archives are appended to it and would miss the server's.",
            fix,
        )
    return None


def sha256(text: str) -> Refusal | None:
    """A checksum as `sha256sum` prints it."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return None
    return Refusal(
        f"{text!r} is no SHA-256 sum of 64 lower-case hexadecimal digits.",
        "No archive would ever match it, so no machine would boot.",
        "Copy the sum from the release's SHA256SUMS file.",
    )
