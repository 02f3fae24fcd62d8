"""A file that is not exactly one whole snapshot of this cluster is refused, whatever is wrong with it."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_FILE = Path(__file__).parents[2] / "components" / "templates" / "backup" / "archive.py"
SERVERS = ["10.1.1.10", "10.1.2.10", "10.1.3.10"]
STATE = bytes(range(256)) * 40


def _loaded() -> Any:  # noqa: ANN401
    spec = importlib.util.spec_from_file_location("archive_of_raft", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


archive = _loaded()


def meta(**changes: object) -> bytes:
    servers = [{"Suffrage": 0, "ID": address, "Address": f"{address}:8300"} for address in SERVERS]
    known = {
        "Version": 1,
        "ID": "2-17-1",
        "Index": 17,
        "Term": 2,
        "Configuration": {"Servers": servers},
        "Size": len(STATE),
    }
    return json.dumps({**known, **changes}).encode()


def summed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    return {**files, "SHA256SUMS": sums.encode()}


def tarred(files: Mapping[str, bytes], after: bytes = b"") -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(plain.getvalue() + after, mtime=0)


def good(**changes: object) -> dict[str, bytes]:
    return summed({"meta.json": meta(**changes), "state.bin": STATE})


WHOLE = tarred(good())


def judged(folder: Path, content: bytes, *, sealed: bool = False) -> dict[str, Any]:
    file = folder / "snapshot"
    file.write_bytes(content)
    return archive.verified(file, SERVERS, sealed=sealed)


def test_a_whole_snapshot_is_taken_with_and_without_a_seals_sums(tmp_path: Path) -> None:
    assert judged(tmp_path, WHOLE)["Index"] == 17
    assert judged(tmp_path, tarred({**good(), "SHA256SUMS.sealed": b"x"}), sealed=True)["Term"] == 2


def _servers(*addresses: str) -> dict[str, object]:
    return {"Servers": [{"Address": f"{address}:8300"} for address in addresses]}


@pytest.mark.parametrize(
    ("content", "sealed", "why"),
    [
        pytest.param(b"", False, "empty or cut off", id="empty"),
        pytest.param(gzip.compress(b"", mtime=0), False, "it cannot be unpacked", id="an empty gzip"),
        pytest.param(b"not a snapshot", False, "it cannot be unpacked", id="no gzip"),
        pytest.param(WHOLE[: len(WHOLE) // 2], False, "empty or cut off", id="half"),
        pytest.param(WHOLE[:-1], False, "empty or cut off", id="a byte short"),
        pytest.param(WHOLE + b"garbage", False, "something follows", id="garbage after"),
        pytest.param(WHOLE + b"\0", False, "something follows", id="a zero after"),
        pytest.param(WHOLE + gzip.compress(b"more", mtime=0), False, "something follows", id="a gzip after"),
        pytest.param(tarred(good(), after=b"more"), False, "something follows", id="garbage inside"),
        pytest.param(tarred({**good(), "state.bin": STATE[:-1] + b"!"}), False, "differs from its own sums", id="another state"),
        pytest.param(tarred({**good(), "meta.json": meta(Term=3)}), False, "differs from its own sums", id="another meta"),
        pytest.param(tarred({"meta.json": meta(), "state.bin": STATE}), False, "and not", id="no sums"),
        pytest.param(tarred({**good(), "extra": b"x"}), False, "and not", id="a file more"),
        pytest.param(tarred({**good(), "SHA256SUMS": good()["SHA256SUMS"] + b"00  gone\n"}), False, "differs from its own sums", id="a sum more"),
        pytest.param(WHOLE, True, "SHA256SUMS.sealed", id="not sealed"),
        pytest.param(tarred({**good(), "SHA256SUMS.sealed": b"x"}), False, "and not", id="sealed unasked"),
        pytest.param(tarred(summed({"meta.json": meta(Size=0), "state.bin": b""})), False, "its state has 0 bytes", id="no state"),
        pytest.param(tarred(good(Size=len(STATE) + 1)), False, "its state has", id="a short state"),
        pytest.param(tarred(good(Version=2)), False, "its form is 2", id="another form"),
        pytest.param(tarred(good(Index=0)), False, "its index 0", id="no index"),
        pytest.param(tarred(good(Configuration=_servers("10.9.9.9"))), False, "of another cluster", id="another cluster"),
        pytest.param(tarred(good(Configuration=_servers(*SERVERS, "10.9.9.9"))), False, "of another cluster", id="a server more"),
        pytest.param(tarred(good(Configuration=_servers())), False, "of another cluster", id="no servers"),
    ],
)  # fmt: skip
def test_what_is_no_whole_snapshot_of_this_cluster_is_refused(
    content: bytes,
    sealed: bool,  # noqa: FBT001
    why: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match=why):
        judged(tmp_path, content, sealed=sealed)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(at=st.integers(0, len(WHOLE) - 1), cut=st.booleans())
def test_no_cut_and_no_changed_byte_of_the_content_passes_unseen(at: int, cut: bool, tmp_path: Path) -> None:  # noqa: FBT001
    changed = WHOLE[:at] if cut else WHOLE[:at] + bytes([WHOLE[at] ^ 0x55]) + WHOLE[at + 1 :]
    try:
        found = judged(tmp_path, changed)
    except ValueError:
        return
    # Time and system of origin in a gzip's header are covered by no sum.
    assert not cut
    assert 3 < at < 10
    assert found["Index"] == 17
