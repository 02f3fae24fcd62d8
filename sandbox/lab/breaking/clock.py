"""The clock that one process sees: shifted while it runs, and taken back.

Owns the patch of a process's own vDSO, the page of the kernel's through which programs ask for the time. Time namespaces
do not shift the real-time clock, and a preloaded library does not reach programs in Go; every program asks the vDSO,
and a write to its page makes a copy that this process alone sees. Which processes are shifted is said by whoever asks.

The real-time clocks move; the monotonic ones, by which programs wait, do not: as when a machine's clock is set.

Dangerous edges:
- A process keeps the shift until it ends; its forks inherit it. A program that it becomes (exec), and a process that is
  started again, have the true time: nothing puts the shift back.
- Whoever asks the kernel itself sees the true time. Files get their times from the kernel.
- A thread that stood in the middle of what is overwritten would run into half an instruction: the process is halted,
  and let go on again until none does.
- x86-64 alone.

Source: vdso(7), proc_pid_mem(5), proc_pid_syscall(5); System V ABI, AMD64 supplement.
"""

from __future__ import annotations

import os
import platform
import signal
import struct
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MACHINE = "x86_64"
MOST_SECONDS = 2**31 - 1
"""What fits into an instruction."""
_HALT_SECONDS = 10.0
_JUMP = struct.Struct("<Bi")
_JUMP_CODE = 0xE9
_SHIFT = struct.Struct("<i")
_DYNAMIC_SYMBOLS = 11
_SYMBOL = struct.Struct("<IBBHQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")


@dataclass(frozen=True)
class _Routine:
    """What takes the place of a function: asks the kernel and adds the shift, which lies between the two parts."""

    before: bytes
    after: bytes

    def code(self, seconds: int) -> bytes:
        return self.before + _SHIFT.pack(seconds) + self.after

    def __len__(self) -> int:
        return len(self.before) + _SHIFT.size + len(self.after)


_ROUTINES: Mapping[str, _Routine] = {
    # mov eax, 228; syscall; test eax, eax; jnz ret; test edi, edi (CLOCK_REALTIME); jz add; cmp edi, 5
    # (CLOCK_REALTIME_COARSE); jnz ret; add: add qword [rsi], shift; ret: ret
    "__vdso_clock_gettime": _Routine(bytes.fromhex("b8e4000000 0f05 85c0 7510 85ff 7405 83ff05 7507 488106"), b"\xc3"),
    # mov eax, 96; syscall; test eax, eax; jnz ret; test rdi, rdi; jz ret; add qword [rdi], shift; ret: ret
    "__vdso_gettimeofday": _Routine(bytes.fromhex("b860000000 0f05 85c0 750c 4885ff 7407 488107"), b"\xc3"),
    # mov eax, 201; syscall; add rax, shift; test rdi, rdi; jz ret; mov [rdi], rax; ret: ret
    "__vdso_time": _Routine(bytes.fromhex("b8c9000000 0f05 4805"), bytes.fromhex("4885ff 7403 488907 c3")),
}


@dataclass(frozen=True)
class _Page:
    """The vDSO of a process: where it lies, and what it holds now."""

    base: int
    content: bytes

    def entries(self) -> dict[str, int]:
        """Where each function begins, from the beginning of the page."""
        sections = self._sections()
        (symbols,) = (section for section in sections if section[1] == _DYNAMIC_SYMBOLS)
        names = sections[symbols[6]][4]
        found: dict[str, int] = {}
        for offset in range(symbols[4], symbols[4] + symbols[5], _SYMBOL.size):
            name, _, _, _, value, _ = _SYMBOL.unpack_from(self.content, offset)
            text = self.content[names + name : self.content.index(0, names + name)]
            found[text.decode("ascii", "replace")] = value
        return {name: found[name] for name in _ROUTINES}

    def room(self) -> dict[str, int]:
        """Where each routine has its place: behind all that the page holds."""
        end = max(section[4] + section[5] for section in self._sections())
        at = (max(end, self._table() + len(self._sections()) * _SECTION.size) + 15) & ~15
        places: dict[str, int] = {}
        for name, routine in _ROUTINES.items():
            places[name] = at
            at += (len(routine) + 15) & ~15
        if at > len(self.content):
            raise SandboxError(
                "This kernel's vDSO has no room for a shifted clock: a process would lose part of it.",
                "Break something else on this machine; clocks can be shifted under another kernel.",
            )
        return places

    def _table(self) -> int:
        return struct.unpack_from("<Q", self.content, 40)[0]

    def _sections(self) -> list[tuple[int, ...]]:
        count = struct.unpack_from("<H", self.content, 60)[0]
        return [_SECTION.unpack_from(self.content, self._table() + _SECTION.size * number) for number in range(count)]


def shift(pid: int, seconds: int) -> None:
    """Makes a process see a clock that is so many seconds ahead, or behind if negative; 0 is the true time again.

    Raises:
        SandboxError: another processor, a shift that does not fit, or a process that does not let itself be halted.
        ProcessLookupError: the process is gone.
    """
    if platform.machine() != MACHINE:
        raise SandboxError(
            f"Clocks of processes cannot be shifted on {platform.machine()}: the patch is made of x86-64's instructions.",
            "Use an x86-64 machine for this one; everything else can be broken here.",
        )
    if abs(seconds) > MOST_SECONDS:
        raise SandboxError(
            f"A clock cannot be shifted by {seconds} s: it has to fit into 32 bits.", "Take at most 68 years."
        )
    true = _page(os.getpid())
    entries, room = true.entries(), true.room()
    page = _page(pid)
    if len(page.content) != len(true.content) or page.entries() != entries:
        raise SandboxError(
            f"Process {pid} has another vDSO than this one: where its clock is cannot be told.",
            "Shift programs of 64 bits only.",
        )
    with _halted(pid, {page.base + at for at in entries.values()}):
        for name, at in entries.items():
            if seconds:
                # First: nobody jumps to where nothing is yet. Whoever is there already meets the same instructions.
                _write(pid, page.base + room[name], _ROUTINES[name].code(seconds))
                _write(pid, page.base + at, _jump(at, room[name]))
            else:
                _write(pid, page.base + at, true.content[at : at + _JUMP.size])


def shifted(pid: int) -> int:
    """By how many seconds a process's clock is shifted now; 0 where nothing is, or nobody is there."""
    if platform.machine() != MACHINE:
        return 0
    try:
        page = _page(pid)
    except (OSError, ProcessLookupError):
        return 0
    name = "__vdso_clock_gettime"
    with suppress(struct.error, ValueError, KeyError, SandboxError):
        at, place = page.entries()[name], page.room()[name]
        if page.content[at : at + _JUMP.size] == _jump(at, place):
            return _SHIFT.unpack_from(page.content, place + len(_ROUTINES[name].before))[0]
    return 0


def _jump(at: int, to: int) -> bytes:
    return _JUMP.pack(_JUMP_CODE, to - at - _JUMP.size)


def _page(pid: int) -> _Page:
    try:
        lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
        span = next(line for line in lines if line.endswith("[vdso]")).split()[0]
        base, end = (int(part, 16) for part in span.split("-"))
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(base)
            return _Page(base, memory.read(end - base))
    except (FileNotFoundError, StopIteration) as error:
        # The kernel's own threads have none either.
        raise ProcessLookupError(f"process {pid} is gone or asks no clock") from error


def _write(pid: int, address: int, content: bytes) -> None:
    try:
        with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(content)
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error


@contextmanager
def _halted(pid: int, entries: set[int]) -> Iterator[None]:
    """Halts a process at a moment when no thread stands where a jump is about to be written, or taken away."""
    if _states(pid) == {"T"}:
        raise SandboxError(f"Process {pid} is stopped: to shift its clock would let it go on.", "Let it go on first.")

    def clear() -> bool:
        os.kill(pid, signal.SIGSTOP)
        if until(lambda: _states(pid) <= {"T", "Z", "X"}, _HALT_SECONDS) and not any(
            begin < at < begin + _JUMP.size for at in _places(pid) for begin in entries
        ):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    try:
        if not until(clear, _HALT_SECONDS):
            raise SandboxError(f"Process {pid} cannot be halted between two questions for the time.", "Try again.")
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _states(pid: int) -> set[str]:
    """What the threads of a process do: T is halted."""
    found: set[str] = set()
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            found.add((task / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0])
    return found


def _places(pid: int) -> Iterator[int]:
    """Where each halted thread goes on."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            words = (task / "syscall").read_text(encoding="ascii").split()
            if len(words) > 1:
                yield int(words[-1], 16)
