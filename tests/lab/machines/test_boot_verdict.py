"""How a boot went, from what is left of it: no start is judged by an earlier one's marks, and no failure is lost."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from sandbox.lab.machines.boot import UNIT, Boot, Verdict, judge, plain
from tests.lab.machines.rig import BOOT

if TYPE_CHECKING:
    from pathlib import Path

FINISHED = f"[  OK  ] Finished {UNIT}.\r\r\n"
SAID = "platform-boot: FAILED at step disks: disk /dev/x is neither blank nor a file system; attach the right disk"


class Remains:
    """What a machine leaves."""

    def __init__(self, folder: Path) -> None:
        self.files, self.console = folder / "upper", folder / "console.log"
        self.files.mkdir()
        self.console.touch()

    def cloud_init(self, *errors: str, at: float = 1000.0) -> Remains:
        result = self.files / "var/lib/cloud/data/result.json"
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(json.dumps({"v1": {"datasource": "x", "errors": list(errors)}}), encoding="utf-8")
        os.utime(result, (at, at))
        return self

    def platform(self) -> Remains:
        unit = self.files / "etc/systemd/system" / UNIT
        unit.parent.mkdir(parents=True)
        unit.touch()
        return self

    def says(self, text: str) -> Remains:
        with self.console.open("a", encoding="utf-8", newline="") as log:
            log.write(text)
        return self

    def verdict(self, began: float = 900.0, console_from: int = 0) -> Verdict:
        return judge(Boot(began, console_from), self.files, self.console)


@pytest.fixture
def remains(tmp_path: Path) -> Remains:
    return Remains(tmp_path)


def test_a_machine_boots_until_cloud_init_has_ended(remains: Remains) -> None:
    assert remains.verdict().phase == "booting"
    assert remains.cloud_init().verdict().phase == "ready"


def test_a_platform_machine_boots_until_the_platform_has_booted_too(remains: Remains) -> None:
    remains.platform().cloud_init()
    assert remains.verdict().phase == "booting"
    assert remains.says(FINISHED).verdict().phase == "ready"


def test_marks_of_an_earlier_start_do_not_count(remains: Remains) -> None:
    remains.platform().cloud_init(at=1000).says(FINISHED + SAID)
    assert remains.verdict(began=1001, console_from=remains.console.stat().st_size).phase == "booting"


def test_the_platforms_own_line_is_the_reason_even_among_a_terminals_codes(remains: Remains) -> None:
    remains.platform().cloud_init().says(f"[   12.3] boot.sh[7]: \x1b[0;1;31m{SAID}\x1b[0m\r\n[FAILED] …")
    verdict = remains.verdict()
    assert verdict == Verdict("failed", SAID.replace("FAILED at step ", ""))


def test_a_platform_boot_that_failed_without_a_word_has_failed(remains: Remains) -> None:
    remains.platform().cloud_init().says(f"[FAILED] Failed to start {UNIT}.\r\n")
    assert remains.verdict().phase == "failed"


def test_what_fails_after_the_boot_does_not_undo_it(remains: Remains) -> None:
    remains.platform().cloud_init().says(FINISHED + SAID)
    assert remains.verdict().phase == "ready"


def test_cloud_inits_own_errors_are_the_reason(remains: Remains) -> None:
    verdict = remains.cloud_init("('scripts_user', RuntimeError('Runparts: 1 failures'))").verdict()
    assert verdict.phase == "failed"
    assert "scripts_user" in verdict.reason


def test_half_a_result_is_no_result(remains: Remains) -> None:
    remains.cloud_init()
    (remains.files / "var/lib/cloud/data/result.json").write_text("{", encoding="utf-8")
    assert remains.verdict().phase == "booting"


def test_codes_of_a_terminal_vanish_and_text_stays() -> None:
    assert plain(b"a\x1b[2J\x1b]0;title\x07b\x1b(B\r\nc\xff\r") == "ab\nc�"


def test_the_words_are_those_that_the_platform_says() -> None:
    log = (BOOT / "log.sh").read_text(encoding="utf-8")
    assert "platform-boot: FAILED at step $step: $1; $2" in log
    assert (BOOT.parent / "systemd" / f"{UNIT}.j2").exists()
