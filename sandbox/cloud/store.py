"""State of the simulated cloud: what exists, who refers to it, and where it survives a restart.

One process owns the state, so it keeps every record in memory and writes each change through to SQLite before it
answers. One lock makes "look, then create" one step, also between stacks that run at the same time. Whether something
else changed the file (the command line's `rm`) is asked before each look; then everything is read again.

Durability: WAL with synchronous=NORMAL. A killed process loses nothing; a power cut may lose the last operations but
not the file's integrity, which is enough for a sandbox and saves a disk sync on each of a thousand creations.

Secrets are encrypted in the file (AES-256-GCM; the key lies beside it, readable by its owner only), so that a search
of the state folder finds none. This keeps secrets out of copies and listings; it is no vault.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.cloud import wire
from sandbox.cloud.wire import Secret, Value

Key = tuple[str, str]  # (type, id)
_SEALED: Final = "sealed"  # in the file, a secret is {signature: secret, "sealed": base64}
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resource (
    type TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL, stack TEXT NOT NULL, name TEXT NOT NULL,
    created TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (type, id)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Record:
    """One thing that exists. `inputs` and `outputs` are values; `record["x"]` is the plain output, else input, x."""

    type: str
    id: str
    urn: str
    inputs: dict[str, Value]
    outputs: dict[str, Value]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def key(self) -> Key:
        """What tells records apart."""
        return (self.type, self.id)

    @property
    def stack(self) -> str:
        """The stack that made it."""
        return stack_of(self.urn)

    @property
    def name(self) -> str:
        """Its logical name in the program."""
        return self.urn.rpartition("::")[2]

    @cached_property
    def plain(self) -> dict[str, Value]:
        """Inputs overlaid by outputs, without secret wrappers. Not for logs."""
        return wire.plain({**self.inputs, **self.outputs})

    def __getitem__(self, name: str) -> Value:
        return self.id if name == "id" else self.plain.get(name)


def stack_of(urn: str) -> str:
    """`aws` of `urn:pulumi:aws::project::type::name`."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


@dataclass(frozen=True)
class Entry:
    """How a record is found: what it answers to, what it occupies, what it refers to.

    Attributes:
        handles: (type, value) pairs under which others may refer to it.
        claims: names that nobody else may have.
        uses: values by which it refers to others, with the property that holds each and the types it may mean.
    """

    handles: frozenset[tuple[str, str]] = frozenset()
    claims: frozenset[tuple[str, ...]] = frozenset()
    uses: tuple[tuple[str, str, frozenset[str]], ...] = ()


class Store:
    """All records, in memory and in `cloud.db` of the state folder."""

    def __init__(self, folder: Path, index: Callable[[Record], Entry]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._index = index
        self._cipher = AESGCM(_key(folder / "cloud.key"))
        self._db = connect(folder)
        self._version = -1
        self._records: dict[Key, Record] = {}
        self._entries: dict[Key, Entry] = {}
        self._by_type: defaultdict[str, dict[Key, Record]] = defaultdict(dict)
        self._by_handle: defaultdict[tuple[str, str], set[Key]] = defaultdict(set)
        self._by_claim: dict[tuple[str, ...], Key] = {}
        self._by_use: defaultdict[str, set[Key]] = defaultdict(set)
        self._columns: dict[tuple[str, str], defaultdict[str | int, dict[Key, Record]]] = {}

    def close(self) -> None:
        """Give the file back."""
        with self.lock:
            self._db.close()

    def get(self, key: Key) -> Record | None:
        """The record with this type and id."""
        with self.lock:
            self._follow()
            return self._records.get(key)

    def everything(self) -> list[Record]:
        """All that exists, oldest first where times differ."""
        with self.lock:
            self._follow()
            return sorted(self._records.values(), key=lambda record: (record.created, record.key))

    def of_type(self, type_: str) -> list[Record]:
        """All records of a type, over all stacks."""
        with self.lock:
            self._follow()
            return list(self._by_type[type_].values())

    def matching(self, type_: str, same: Mapping[str, Value]) -> list[Record]:
        """Records of a type whose properties equal the given ones; the most telling of them is looked up by index."""
        with self.lock:
            self._follow()
            columns = [
                self._column(type_, name).get(value, {})
                for name, value in same.items()
                if isinstance(value, (str, int))
            ]
            found = min([self._by_type[type_], *columns], key=len)
            return [record for record in found.values() if all(record[name] == same[name] for name in same)]

    def find(self, type_: str, value: str) -> list[Record]:
        """Records that `value` names as something of `type_`."""
        with self.lock:
            self._follow()
            return [self._records[key] for key in self._by_handle.get((type_, value), ())]

    def claimed(self, claim: tuple[str, ...]) -> Record | None:
        """Who holds a name."""
        with self.lock:
            self._follow()
            key = self._by_claim.get(claim)
            return self._records[key] if key else None

    def users(self, record: Record) -> Iterator[tuple[Record, str]]:
        """(user, property) for all that refer to a record and would break without it."""
        with self.lock:
            self._follow()
            for type_, value in self._entries[record.key].handles:
                for key in sorted(self._by_use.get(value, ())):
                    for used, path, types in self._entries[key].uses:
                        if used == value and type_ in types and key != record.key:
                            yield self._records[key], path

    def entry_of(self, record: Record) -> Entry:
        """How a record, stored or not, would be found."""
        return self._index(record)

    def put(self, record: Record) -> None:
        """Add or replace a record; on disk when this returns."""
        with self.lock:
            self._follow()
            self._db.execute(
                "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.type, record.id, record.urn, record.stack, record.name, record.created,
                    self._dump(record.inputs), self._dump(record.outputs),
                ),
            )  # fmt: skip
            self._forget(record.key)
            self._remember(record)

    def remove(self, key: Key) -> None:
        """Drop a record; no error if it is not there."""
        with self.lock:
            self._follow()
            self._db.execute("DELETE FROM resource WHERE type = ? AND id = ?", key)
            self._forget(key)

    def _column(self, type_: str, name: str) -> defaultdict[str | int, dict[Key, Record]]:
        """Records of a type by the value of one property; made when it is first asked for, then kept up to date."""
        column = self._columns.get((type_, name))
        if column is None:
            column = self._columns[type_, name] = defaultdict(dict)
            for record in self._by_type[type_].values():
                _file(column, name, record)
        return column

    def _follow(self) -> None:
        """Read everything again if another connection changed the file."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        for collection in (
            self._records, self._entries, self._by_type, self._by_handle, self._by_claim, self._by_use, self._columns,
        ):  # fmt: skip
            collection.clear()
        for row in self._db.execute("SELECT type, id, urn, inputs, outputs, created FROM resource"):
            type_, id_, urn, inputs, outputs, created = row
            self._remember(Record(type_, id_, urn, self._load(inputs), self._load(outputs), created))

    def _remember(self, record: Record) -> None:
        entry = self._index(record)
        self._records[record.key] = self._by_type[record.type][record.key] = record
        self._entries[record.key] = entry
        for (type_, name), column in self._columns.items():
            if type_ == record.type:
                _file(column, name, record)
        for handle in entry.handles:
            self._by_handle[handle].add(record.key)
        for claim in entry.claims:
            self._by_claim[claim] = record.key
        for value, _, _ in entry.uses:
            self._by_use[value].add(record.key)

    def _forget(self, key: Key) -> None:
        record = self._records.pop(key, None)
        if record is None:
            return
        del self._by_type[record.type][key]
        for (type_, name), column in self._columns.items():
            if type_ == record.type and isinstance(record[name], (str, int)):
                del column[record[name]][key]
        entry = self._entries.pop(key)
        for handle in entry.handles:
            self._by_handle[handle].discard(key)
        for claim in entry.claims:
            if self._by_claim.get(claim) == key:
                del self._by_claim[claim]
        for value, _, _ in entry.uses:
            self._by_use[value].discard(key)

    def _dump(self, values: dict[str, Value]) -> str:
        return json.dumps(values, separators=(",", ":"), default=self._seal)

    def _seal(self, value: Value) -> Value:
        if not isinstance(value, Secret):
            return wire.unsigned(value)
        nonce = secrets.token_bytes(12)
        text = json.dumps(value.value, default=wire.unsigned).encode()
        sealed = base64.b64encode(nonce + self._cipher.encrypt(nonce, text, None)).decode()
        return {wire.SIGNATURE: wire.SECRET, _SEALED: sealed}

    def _load(self, text: str) -> dict[str, Value]:
        return json.loads(text, object_hook=self._open)

    def _open(self, fields: dict[str, Value]) -> Value:
        if _SEALED not in fields or fields.get(wire.SIGNATURE) != wire.SECRET:
            return wire.signed(fields)
        raw = base64.b64decode(fields[_SEALED])
        return Secret(json.loads(self._cipher.decrypt(raw[:12], raw[12:], None), object_hook=wire.signed))


def _file(column: defaultdict[str | int, dict[Key, Record]], name: str, record: Record) -> None:
    value = record[name]
    if isinstance(value, (str, int)):
        column[value][record.key] = record


def connect(folder: Path) -> sqlite3.Connection:
    """Open the file of a state folder; shared by the process that serves and the one that lists."""
    db = sqlite3.connect(folder / "cloud.db", isolation_level=None, check_same_thread=False, timeout=10)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(_SCHEMA)
    return db


def rows(folder: Path, *, type_glob: str = "*", stack_glob: str = "*") -> Iterable[dict[str, Value]]:
    """What exists, for people: secrets stay sealed. Works beside a running process."""
    db = connect(folder)
    try:
        cursor = db.execute(
            "SELECT type, id, stack, name, urn, created, inputs, outputs FROM resource"
            " WHERE type GLOB ? AND stack GLOB ? ORDER BY stack, type, name",
            (type_glob, stack_glob),
        )
        names = [column[0] for column in cursor.description]
        for row in cursor:
            found = dict(zip(names, row, strict=True))
            yield {**found, **{key: wire.masked(json.loads(found[key], object_hook=wire.signed))
                               for key in ("inputs", "outputs")}}  # fmt: skip
    finally:
        db.close()


def delete_row(folder: Path, key: Key) -> bool:
    """Take a record away behind everybody's back; whether it was there."""
    db = connect(folder)
    try:
        return db.execute("DELETE FROM resource WHERE type = ? AND id = ?", key).rowcount > 0
    finally:
        db.close()


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key := AESGCM.generate_key(bit_length=256))
        return key
