"""Links as running tunnels: what both sides declare is built, kept and said.

Owns the order in which gateways, IPsec and BGP come and go, and what is said of each link. Everything that it makes
lies in the lab's namespaces and below the lab's folder, outlives the process, and is found there by the next one.

What is applied is a whole: what is not in it goes. What stays the same is not touched. It has to be applied often, because
a side that refused is asked again only then, and what died is started again; so where nothing was to be done the last
time, and everything that was made then is still there, only the daemons are asked how their tunnels stand.

Dangerous edges:
- A gateway that was killed leaves its peers believing in what they had agreed. It opens its tunnels itself when it is
  back, whoever opened them before: that is how the peers learn of it.
- Without IPsec (`plain`) nothing would fail that IKE refuses. Such a link's interfaces stay down.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from components.plan.mesh import HOLD_SECONDS
from components.plan.spec import Cloud
from sandbox.mesh.namespaces import Namespaces

from . import rendering
from .charon import Charon, digests
from .daemons import Bird
from .ends import End, Link, links
from .layout import Gateway, Layout, Region, initiates, layout, session
from .wires import Wires

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab.machines.lab import Lab

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_AT_ONCE = 8
_UP = "Established"
_LAST_ERROR = re.compile(r"^\s*Last error:\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Status:
    """How a link stands.

    Attributes:
        up: traffic passes: IPsec where there is one, and BGP at both ends.
        why: why not, as the declarations and the daemons say it.
    """

    link: Link
    up: bool
    why: str


class Tunnels:
    """A lab's tunnels; any process may hold them, and all see the same.

    Args:
        regions: the networks that gateways stand at; their routers are there already.
        plain: without IPsec.
        hold: BGP hold time that each cloud's gateways offer.
    """

    def __init__(
        self,
        lab: Lab,
        regions: Iterable[Region],
        *,
        plain: bool = False,
        hold: Mapping[Cloud, int] = HOLD_SECONDS,
    ) -> None:
        self._namespaces = Namespaces(lab.stem, lasting=True)
        self._folder = lab.folder / "links"
        self.regions = tuple(regions)
        self._plain = plain
        self._hold = hold
        self._wires = Wires(self._namespaces, plain=plain)
        self._settled: tuple[Layout, tuple[object, ...] | None] | None = None

    def apply(self, ends: Iterable[End]) -> tuple[str, ...]:
        """Makes the tunnels what these ends declare.

        Returns:
            What was done, in words; nothing where all was so already.

        Raises:
            SandboxError: something cannot be built, or a daemon does not run.
        """
        declared = tuple(ends)
        plan = layout(declared, self.regions)
        with self._locked():
            whole = self._whole(plan)
            if whole and self._settled == (plan, whole):
                done = () if self._plain else tuple(self._opened(plan, declared, set()))
            else:
                done = tuple(self._converged(plan, declared))
            self._settled = None if done else (plan, self._whole(plan))
        return done

    def status(self, ends: Iterable[End]) -> tuple[Status, ...]:
        """How each of the links stands, in the order of `links`."""
        declared = tuple(ends)
        gateways = {gateway.outside: gateway for gateway in layout(declared, self.regions).gateways}
        speaking = {outside: self._bird(gateway).sessions() for outside, gateway in gateways.items()}
        carrying = {outside: self._carried(gateway) for outside, gateway in gateways.items()}
        cuts = self._wires.cuts()
        found: list[Status] = []
        for link in links(declared):
            said: list[str] = [link.why] if link.why else []
            if frozenset((link.ends[0].outside, link.ends[0].peer_outside)) in cuts:
                said.append("cut in the lab")
            troubles = [
                trouble
                for end in link.ends
                for trouble in self._troubles(gateways[end.outside], end, carrying[end.outside], speaking[end.outside])
            ]
            up = len(link.ends) > 1 and not troubles
            found.append(Status(link, up, "" if up else "; ".join([*said, *troubles])))
        return tuple(found)

    def cut(self, link: Link) -> None:
        """Lets everything vanish that the link's gateways send each other; what was applied stays as it is."""
        self._wires.cut(link.ends[0].outside, link.ends[0].peer_outside)

    def mend(self, link: Link) -> None:
        """Undoes `cut`; the tunnel comes back by itself, or with the next that is applied."""
        self._wires.mend(link.ends[0].outside, link.ends[0].peer_outside)

    def remove(self) -> None:
        """Removes all of it, whatever state it is in; nothing happens where there is nothing."""
        with self._locked():
            for region in self.regions:
                self._router(region).end()
            _at_once(self._end, self._wires.standing())
            self._wires.unguide(self.regions)
            self._wires.remove_internet()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _whole(self, plan: Layout) -> tuple[object, ...] | None:
        """What stands and runs of a layout: another answer where some was made anew, and None where some is not there."""
        daemons = [self._router(region) for region in plan.regions if plan.of(region)]
        for gateway in plan.gateways:
            daemons += [self._bird(gateway), *([] if self._plain else [self._charon(gateway)])]
        if not all(daemon.lives for daemon in daemons):
            return None
        return (self._wires.identities(plan), *(daemon.identity for daemon in daemons))

    def _converged(self, plan: Layout, declared: tuple[End, ...]) -> Iterator[str]:
        yield from self._placed(plan)
        fresh = set[str]()
        if not self._plain:
            begun = _at_once(self._secured, plan.gateways)
            fresh = {gateway.outside for gateway, begins in zip(plan.gateways, begun, strict=True) if begins}
            yield from (f"{gateway.name}: IPsec started" for gateway in plan.gateways if gateway.outside in fresh)
            self._wait_no_more(plan, fresh)
        for gateway in plan.gateways:
            yield from self._loaded(gateway, fresh)
        yield from self._spoken(plan)
        if self._plain:
            self._raise_plain(plan, declared)
        else:
            yield from self._opened(plan, declared, fresh)

    def _placed(self, plan: Layout) -> Iterator[str]:
        """Takes away the gateways that are not declared any more, and puts the others in their places."""
        gone = sorted(self._wires.standing() - {gateway.name for gateway in plan.gateways})
        _at_once(self._end, gone)
        yield from (f"{name} removed" for name in gone)
        self._wires.internet()
        for gateway in plan.gateways:
            self._wires.gateway(gateway)
            _folder(self._folder / gateway.name)
        self._wires.guide(plan)

    def _spoken(self, plan: Layout) -> Iterator[str]:
        """Lets gateways and networks speak BGP as is declared."""

        def spoken(gateway: Gateway) -> bool:
            return self._bird(gateway).speak(rendering.gateway_speech(gateway, self._hold))

        told = _at_once(spoken, plan.gateways)
        yield from (f"{gateway.name}: BGP configured" for gateway, new in zip(plan.gateways, told, strict=True) if new)
        for region in plan.regions:
            text, router = rendering.router_speech(plan, region, self._hold), self._router(region)
            if not text:
                router.end()
                continue
            _folder(self._room(region))
            if router.speak(text):
                yield f"network of {region.cloud}: BGP configured"

    def _secured(self, gateway: Gateway) -> bool:
        """Starts a gateway's charon unless it runs; says whether all its tunnels have yet to be opened."""
        charon = self._charon(gateway)
        if charon.lives:
            return not charon.known
        # Nothing takes down what a killed one had brought up.
        self._wires.down(gateway)
        charon.begin()
        return True

    def _wait_no_more(self, plan: Layout, fresh: set[str]) -> None:
        """Whoever asked in vain for a peer that is there at last lets that one open, or they would have two.

        Before that one knows its tunnels: what it had half agreed to would stay for a while, and be nobody's.
        """
        for gateway in plan.gateways:
            awaited = [session(end) for end in gateway.ends if end.peer_outside in fresh and not initiates(end)]
            if awaited and gateway.outside not in fresh:
                self._charon(gateway).close(awaited, only_attempts=True)

    def _loaded(self, gateway: Gateway, fresh: set[str]) -> Iterator[str]:
        """Brings interfaces and charon's tunnels to what is declared; closes what was agreed otherwise."""
        self._wires.tunnels(gateway)
        if self._plain:
            return
        charon, wanted = self._charon(gateway), digests(gateway)
        known = charon.known
        if known == wanted and gateway.outside not in fresh:
            return
        # Loaded first: whoever hears that a tunnel is closed opens it again at once, and must find the new one.
        charon.load(gateway)
        if changed := [name for name, digest in known.items() if wanted.get(name) != digest]:
            charon.close(changed)
        if gateway.outside not in fresh:
            charon.remember(gateway)
            yield f"{gateway.name}: {', '.join(sorted({*changed, *(wanted.keys() - known.keys())}))} loaded"

    def _opened(self, plan: Layout, declared: tuple[End, ...], fresh: set[str]) -> Iterator[str]:
        """Opens every tunnel that is not open, from one side, and lets those carry that are."""
        alone = {(link.ends[0].outside, link.ends[0].peer_outside) for link in links(declared) if len(link.ends) == 1}
        for gateway in plan.gateways:
            charon = self._charon(gateway)
            there = charon.associations()
            open_ = {name for name, found in there.items() if found.carries or found.tries}
            missing = [
                end
                for end in gateway.ends
                if session(end) not in open_
                and (
                    initiates(end)
                    or (end.outside, end.peer_outside) in alone
                    or (gateway.outside in fresh and end.peer_outside not in fresh)
                )
            ]
            charon.open([session(end) for end in missing])
            self._wires.up(gateway, [e for e in gateway.ends if session(e) in there and there[session(e)].carries])
            if gateway.outside in fresh:
                charon.remember(gateway)
            for end in missing:
                yield f"{gateway.name}: opens {session(end)}"

    def _raise_plain(self, plan: Layout, declared: tuple[End, ...]) -> None:
        sound = {end for link in links(declared) if not link.why for end in link.ends}
        for gateway in plan.gateways:
            self._wires.up(gateway, [end for end in gateway.ends if end in sound])

    def _troubles(
        self, gateway: Gateway, end: End, carried: set[str] | None, speaking: Mapping[str, str]
    ) -> Iterator[str]:
        """What keeps one end down, as its daemons say it."""
        name = session(end)
        if carried is not None and name not in carried:
            charon = self._charon(gateway)
            said = charon.complaint(name) if charon.lives else "charon does not run"
            yield f"{end.cloud} {end.outside}: IPsec is down" + (f", {said}" if said else "")
        state = speaking.get(name, "not running")
        if state != _UP:
            error = _LAST_ERROR.search(self._bird(gateway).details(name))
            yield f"{end.cloud} {end.outside}: BGP is {state}" + (f", {error[1]}" if error else "")

    def _carried(self, gateway: Gateway) -> set[str] | None:
        """Names of the tunnels that IPsec carries; None without IPsec."""
        if self._plain:
            return None
        return {name for name, found in self._charon(gateway).associations().items() if found.carries}

    def _end(self, name: str) -> None:
        """Removes a gateway; its peers hear of it."""
        folder = self._folder / name
        Bird(self._namespaces, name, folder).end()
        Charon(self._namespaces, name, folder).end()
        self._wires.remove(name)
        shutil.rmtree(folder, ignore_errors=True)

    def _charon(self, gateway: Gateway) -> Charon:
        return Charon(self._namespaces, gateway.name, self._folder / gateway.name)

    def _bird(self, gateway: Gateway) -> Bird:
        return Bird(self._namespaces, gateway.name, self._folder / gateway.name)

    def _router(self, region: Region) -> Bird:
        return Bird(self._namespaces, region.router, self._room(region))

    def _room(self, region: Region) -> Path:
        return self._folder / f"network-{region.cloud}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time: what one has begun, another would take for broken."""
        _folder(self._folder)
        with (self._folder / "lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def _at_once(work: Callable[[_Given], _Made], over: Iterable[_Given]) -> list[_Made]:
    """Does the same in many places side by side: mostly it waits for daemons."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, over))
