"""Who reaches whom in a lab, asked of the machines themselves: packets that programs inside send, and what arrives.

Owns the asking, and what the flow table says should come of it. A wait that is long enough for everything that is open
is long enough to call the rest closed, so both are asked in the same moment.
"""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.plan.flows import FLOWS, SSH
from tests.lab.proofs.whole import Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from components.plan.flows import Protocol
    from components.plan.spec import Cloud, Role

SECONDS = 10.0
"""How long an answer is waited for."""
ECHO_SECONDS = 3.0
"""The same, where the question is asked again until it is answered as it should be."""
_INSIDE = Path(__file__).parent / "inside"
_MARK = "proof of reach: "
CONNECTED, SILENT = "connected", "silent"


@dataclass(frozen=True, order=True)
class Member:
    """A machine and its place in the platform."""

    cloud: Cloud
    role: Role
    name: str
    address: str


@dataclass(frozen=True, order=True)
class Probe:
    """A question of one machine to another."""

    source: Member
    target: Member
    protocol: Protocol
    port: int

    def __str__(self) -> str:
        return f"{self.source.name} to {self.target.name} {self.protocol}/{self.port}"


def allowed(probe: Probe) -> bool:
    """Whether the flow table has a row for it."""
    near = probe.source.cloud == probe.target.cloud
    return any(
        probe.protocol in flow.protocols
        and flow.port.first <= probe.port <= flow.port.last
        and probe.target.role in flow.targets
        and (
            (near and probe.source.role in flow.roles)
            or "mesh" in flow.sources
            or (not near and "peers" in flow.sources)
        )
        for flow in FLOWS
    )


def questions(ports: Iterable[int] = ()) -> Iterator[tuple[Protocol, int]]:
    """Every port of the table with its neighbours, in both protocols, and ports that are in no flow; and an echo.

    Args:
        ports: others to be asked too.
    """
    edges = {port for flow in FLOWS for port in (flow.port.first, flow.port.last) if port}
    for port in sorted({port + step for port in edges for step in (-1, 0, 1)} | {SSH.first, *ports}):
        yield "tcp", port
        yield "udp", port
    yield "icmp", 0


def members(lab: Whole) -> tuple[list[Member], list[Member]]:
    """One machine of each region and role that is asked, and another one that asks."""
    found = lab.members().items()
    asked = [Member(cloud, role, ones[0].name, ones[0].address) for (cloud, role), ones in found]
    asking = [Member(cloud, role, ones[-1].name, ones[-1].address) for (cloud, role), ones in found]
    assert not set(asked) & set(asking), "a role with a single machine has nobody who asks it"
    return asked, asking


def ask(lab: Whole, probes: Sequence[Probe]) -> dict[Probe, str]:
    """What became of each: `connected` (a datagram: arrived), `refused` or `silent`. All at once.

    Where no program listens on a target's port, one does for as long as this takes.
    """
    sources, targets = ({getattr(probe, side) for probe in probes} for side in ("source", "target"))
    with ExitStack() as stack, ThreadPoolExecutor(len(sources | targets)) as pool:
        ears = {
            target: stack.enter_context(_listening(lab, target, {p.port for p in probes if p.target == target} - {0}))
            for target in targets
        }
        for ear in ears.values():
            assert ear.stdout
            assert ear.stdout.readline() == "ready\n", ear.communicate()
        said = list(pool.map(lambda source: _asked(lab, [p for p in probes if p.source == source]), sources))
        heard = {
            target: {(text, port) for text, port in json.loads(ear.communicate()[0])} for target, ear in ears.items()
        }
    found = {probe: word for each in said for probe, word in each.items()}
    for probe in probes:
        if probe.protocol == "udp":
            found[probe] = CONNECTED if (probe.source.name, probe.port) in heard[probe.target] else SILENT
    return found


def hops(lab: Whole, source: Member, targets: Sequence[Member]) -> dict[Member, int]:
    """Routers on the way of each target's answer to an echo; 0 if none comes."""
    answers = _inside(lab, source, {"seconds": ECHO_SECONDS, "echo": [target.address for target in targets]})["echo"]
    return {target: answers.get(target.address, 0) for target in targets}


def _asked(lab: Whole, probes: Sequence[Probe]) -> dict[Probe, str]:
    by = {kind: [probe for probe in probes if probe.protocol == kind] for kind in ("tcp", "udp", "icmp")}
    places = {kind: [(probe.target.address, probe.port) for probe in by[kind]] for kind in ("tcp", "udp")}
    source = probes[0].source
    said = _inside(lab, source, {**places, "echo": [probe.target.address for probe in by["icmp"]]})
    found = dict(zip(by["tcp"], said["tcp"], strict=True))
    return found | {probe: CONNECTED if probe.target.address in said["echo"] else SILENT for probe in by["icmp"]}


def _inside(lab: Whole, source: Member, asked: dict[str, Any]) -> dict[str, Any]:
    told = {"seconds": SECONDS, "tcp": [], "udp": [], "echo": [], "text": f"{_MARK}{source.name}", **asked}
    command = lab.fleet.instance(source.name).command(_program("ask"))
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{source.name}: {done.stderr}"
    return json.loads(done.stdout)


@contextmanager
def _listening(lab: Whole, target: Member, ports: set[int]) -> Iterator[subprocess.Popen[str]]:
    """Somebody listens at ports of a machine, as `inside/listen.py` says."""
    command = lab.fleet.instance(target.name).command(_program("listen"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin
            told = {"address": target.address, "ports": sorted(ports), "mark": _MARK}
            process.stdin.write(f"{json.dumps(told)}\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def _program(name: str) -> list[str]:
    return ["python3", "-c", (_INSIDE / f"{name}.py").read_text(encoding="utf-8")]
