"""Who reaches whom in a lab, asked of the machines themselves: packets that programs inside send, and what arrives.

Owns the asking, and what the flow table says should come of it. What is closed is waited for longer than all that is
open took, and both are asked in the same moment: a slow machine makes nothing look closed.
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
from tests.lab.machines.rig import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from components.plan.flows import Protocol
    from components.plan.spec import Cloud, Role
    from tests.lab.proofs.whole import Whole

LONGER_SECONDS = 3.0
"""How much longer than for what is open an answer is waited for where there should be none."""
ECHO_SECONDS = 3.0
"""How long an echo is waited for that is asked for again until it comes."""
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


def ask(lab: Whole, wanted: Mapping[Probe, bool]) -> dict[Probe, str]:
    """What became of each question: `connected` (a datagram: arrived), `refused` or `silent`. All are asked at once.

    Where no program listens on a target's port, one does for as long as this takes.

    Args:
        lab: whose machines ask.
        wanted: whether it should be open.
    """
    sources, targets = ({getattr(probe, side) for probe in wanted} for side in ("source", "target"))
    with ExitStack() as stack, ThreadPoolExecutor(len(sources)) as pool:
        ears = {
            target: stack.enter_context(_listening(lab, target, {p.port for p in wanted if p.target == target} - {0}))
            for target in targets
        }
        for ear in ears.values():
            assert ear.stdout
            assert ear.stdout.readline() == "ready\n", ear.communicate()
        said = list(
            pool.map(lambda one: _asked(lab, one, {p: is_ for p, is_ in wanted.items() if p.source == one}), sources)
        )
        heard = {
            target: {(text, port) for text, port in json.loads(ear.communicate()[0])} for target, ear in ears.items()
        }
    found = {probe: word for each in said for probe, word in each.items()}
    for probe in wanted:
        if probe.protocol == "udp":
            found[probe] = CONNECTED if (probe.source.name, probe.port) in heard[probe.target] else SILENT
    return found


def hops(lab: Whole, source: Member, targets: Sequence[Member]) -> dict[Member, int]:
    """Routers on the way of each target's answer to an echo; 0 if none comes."""
    answers = _inside(
        lab, source, {"patience": ECHO_SECONDS, "longer": 0, "echo": [target.address for target in targets]}
    )["echo"]
    return {target: answers.get(target.address, 0) for target in targets}


def _asked(lab: Whole, source: Member, wanted: Mapping[Probe, bool]) -> dict[Probe, str]:
    """What one machine says of its own questions, without datagrams."""
    kinds: dict[str, list[Probe]] = {"open": [], "closed": [], "udp": [], "icmp": []}
    for probe, is_open in wanted.items():
        kinds[probe.protocol if probe.protocol != "tcp" else "open" if is_open else "closed"].append(probe)
    places = {kind: [(probe.target.address, probe.port) for probe in kinds[kind]] for kind in ("open", "closed", "udp")}
    said = _inside(lab, source, {**places, "echo": [probe.target.address for probe in kinds["icmp"]]})
    found = {p: word for kind in ("open", "closed") for p, word in zip(kinds[kind], said[kind], strict=True)}
    return found | {p: CONNECTED if p.target.address in said["echo"] else SILENT for p in kinds["icmp"]}


def _inside(lab: Whole, source: Member, asked: Mapping[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {"open": [], "closed": [], "udp": [], "echo": []}
    told = {**nothing, "patience": PATIENCE, "longer": LONGER_SECONDS, "text": f"{_MARK}{source.name}", **asked}
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
