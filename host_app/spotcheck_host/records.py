"""The append-only record of all cases, in SQLite.

One event is one transaction, with its blobs, synced to the disk before `append` returns. Each case
is a chain of signed events; the whole log is a Merkle tree in the order of arrival. Opening a store
verifies all of it. A reserve of disk space is kept so that "the record store is full" can itself
still be recorded.
"""

import contextlib
import errno
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spotcheck.errors import (
    CanonicalFormError,
    InvalidInputError,
    KeyRefusedError,
    RecordError,
    RecordStoreFullError,
)
from spotcheck_host.case import (
    Event,
    checkpoint_claims,
    merkle_root,
    read_event,
    signature_holds,
    signed_checkpoint,
    signed_event,
)
from spotcheck_host.keys import PublicKey, SigningKey

STORE_FORMAT = "spotcheck-records-1"
RESERVE_BYTES = 256 * 1024
"""Space that is kept back for the event that says that the store is full."""
LOG_ORIGIN = "spotcheck/log"
CASE_ORIGIN = "spotcheck/case/"
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE key (key_id TEXT PRIMARY KEY, name TEXT NOT NULL, public BLOB NOT NULL) STRICT;
CREATE TABLE event
    (position INTEGER PRIMARY KEY, raw BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
"""
_FORBID = """
CREATE TRIGGER {table}_no_{action} BEFORE {action} ON {table}
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What was found when the store was opened; all of it verified."""

    events: int
    """Events in the store."""
    cases: int
    """Cases in the store."""
    open_cases: tuple[str, ...]
    """Cases without `case_closed`: the program ended in their midst."""
    interrupted_cases: tuple[str, ...]
    """Those of them whose last event is `case_interrupted`."""
    reserve_ready: bool
    """Whether the reserve for a `store_full` event is there."""


class RecordStore:
    """The record; may be used from several threads of one process."""

    def __init__(
        self,
        path: Path,
        signer: SigningKey,
        clock: Callable[[], int],
        demonstration: bool,
        max_bytes: int | None = None,
    ) -> None:
        """Open or create a store, and verify it.

        Args:
            path: The database file; its reserve lies beside it.
            signer: Signs what is appended.
            clock: UTC now in nanoseconds.
            demonstration: Whether it is a demonstration store. Such a store takes demonstration
                keys only, any other takes none.
            max_bytes: Quota of the database, the reserve included; None for the disk's limit.

        Raises:
            KeyRefusedError: the key or the store is of the other kind.
            RecordError: the store was altered or cannot be read.
            RecordStoreFullError: there is no room to create or open it.
        """
        if signer.demo != demonstration:
            raise KeyRefusedError(
                f"{path} {'takes' if demonstration else 'refuses'} demonstration keys"
                f"{' only' if demonstration else ''}; {signer.key_id} does not fit"
            )
        self.path = path
        self.signer = signer
        self.demonstration = demonstration
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._reserve_path = path.with_name(path.name + ".reserve")
        self._log: list[Event] = []
        self._by_case: dict[str, list[Event]] = {}
        self._outcomes: set[str] = set()
        with self._translated_errors():
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            with self._translated_errors():
                self.recovery = self._recover()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database; the store cannot be used after."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> "RecordStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(
        self,
        case_id: str,
        kind: str,
        body: Mapping[str, Any],
        blobs: Mapping[str, bytes] | None = None,
    ) -> Event:
        """Append an event with its blobs; when this returns, all of it is on the disk.

        Args:
            case_id: The case, letters, digits, '.', '_' and '-'.
            kind: What happened.
            body: What is to be said of it, plain (`spotcheck.plain.to_plain`).
            blobs: Bytes by their SHA-256, hexadecimal.

        Raises:
            RecordStoreFullError: no space is left; nothing of the event is stored.
            RecordError: the disk failed, or another process wrote; nothing of it is stored.
            InvalidInputError: a blob or body that cannot be held, or an outcome stored before.
        """
        blobs = blobs or {}
        for sha256, data in blobs.items():
            if hashlib.sha256(data).hexdigest() != sha256:
                raise InvalidInputError(f"blob {sha256!r:.70} does not have that SHA-256")
        with self._lock:
            outcome_id = _outcome_id(kind, body)
            if outcome_id is not None and outcome_id in self._outcomes:
                raise InvalidInputError(f"outcome {outcome_id!r} is in the record already")
            event = signed_event(self.signer, self._content(case_id, kind, body, sorted(blobs)))
            with self._translated_errors():
                self._store(event, blobs)
            self._remember(event)
            return event

    def append_with_reserve(self, case_id: str, kind: str, body: Mapping[str, Any]) -> Event:
        """Append one small event by giving up the reserve, when the store is full.

        The reserve is made again when the store is next opened with room for it.
        """
        with self._lock:
            self._reserve_path.unlink(missing_ok=True)
            self._limit_pages(self._max_bytes)
            return self.append(case_id, kind, body)

    def events(self, case_id: str | None = None) -> tuple[Event, ...]:
        """Events of a case, or of the whole log, in order; none for an unknown case."""
        with self._lock:
            return tuple(self._log if case_id is None else self._by_case.get(case_id, ()))

    def blob(self, sha256: str) -> bytes:
        """The bytes of that SHA-256.

        Raises:
            RecordError: there is none, or it was altered.
        """
        with self._lock, self._translated_errors():
            query = "SELECT data FROM blob WHERE sha256 = ?"
            row = self._database.execute(query, (sha256,)).fetchone()
        if row is None:
            raise RecordError(f"no blob {sha256} in {self.path}")
        data = bytes(row[0])
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RecordError(f"blob {sha256} in {self.path} was altered")
        return data

    def cases(self) -> tuple[str, ...]:
        """All cases, in order of their first event."""
        with self._lock:
            return tuple(self._by_case)

    def open_cases(self) -> tuple[str, ...]:
        """Cases without a `case_closed`."""
        with self._lock:
            closed = {event.case_id for event in self._log if event.kind == "case_closed"}
            return tuple(case_id for case_id in self._by_case if case_id not in closed)

    def has_outcome(self, outcome_id: str) -> bool:
        """Whether the outcome with that id (reading or cannot judge) is in the record."""
        with self._lock:
            return outcome_id in self._outcomes

    def head(self, case_id: str) -> str:
        """Leaf hash of the case's last event, hexadecimal; empty for an unknown case."""
        events = self.events(case_id)
        return events[-1].leaf_hash.hex() if events else ""

    def keys(self) -> tuple[PublicKey, ...]:
        """Public keys of all who signed in this store, and of the present signer."""
        with self._lock, self._translated_errors():
            rows = self._database.execute("SELECT name, public FROM key ORDER BY key_id")
            return tuple(PublicKey(name=name, public=bytes(public)) for name, public in rows)

    def checkpoint(self, case_id: str | None = None) -> bytes:
        """A signed note on size and root of a case, or of the whole log, to be kept elsewhere."""
        origin = LOG_ORIGIN if case_id is None else CASE_ORIGIN + case_id
        leaves = [event.leaf_hash for event in self.events(case_id)]
        return signed_checkpoint(origin, leaves, self.signer)

    def confirm_checkpoint(self, note: bytes) -> None:
        """Compare the store with a checkpoint that was kept elsewhere.

        Raises:
            RecordError: the store has fewer events than it had, or others.
        """
        origin, size, root = checkpoint_claims(note)
        case_id = None if origin == LOG_ORIGIN else origin.removeprefix(CASE_ORIGIN)
        leaves = [event.leaf_hash for event in self.events(case_id)]
        if len(leaves) < size:
            raise RecordError(
                f"{origin} has {len(leaves)} events, but had {size}: its tail was cut off"
            )
        if merkle_root(leaves[:size]) != root:
            raise RecordError(f"the first {size} events of {origin} are not what they were")

    def _content(
        self, case_id: str, kind: str, body: Mapping[str, Any], blobs: list[str]
    ) -> dict[str, Any]:
        return {
            "sequence": len(self._by_case.get(case_id, ())),
            "case_id": case_id,
            "kind": kind,
            "time_utc_ns": self._clock(),
            "body": dict(body),
            "blobs": blobs,
            "previous": self.head(case_id),
        }

    def _store(self, event: Event, blobs: Mapping[str, bytes]) -> None:
        execute = self._database.execute
        execute("BEGIN IMMEDIATE")
        try:
            self._refuse_other_writers()
            execute(
                "INSERT OR IGNORE INTO key VALUES (?, ?, ?)",
                (self.signer.key_id, self.signer.name, self.signer.public),
            )
            for sha256, data in blobs.items():
                execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (sha256, data))
            row = (len(self._log), event.raw, event.signature)
            execute("INSERT INTO event VALUES (?, ?, ?)", row)
            execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                execute("ROLLBACK")
            raise

    def _refuse_other_writers(self) -> None:
        if self._database.execute("SELECT COUNT(*) FROM event").fetchone()[0] != len(self._log):
            raise RecordError(f"another program wrote to {self.path}; open it again")

    def _remember(self, event: Event) -> None:
        self._log.append(event)
        self._by_case.setdefault(event.case_id, []).append(event)
        outcome_id = _outcome_id(event.kind, event.body)
        if outcome_id is not None:
            self._outcomes.add(outcome_id)

    def _recover(self) -> RecoveryReport:
        execute = self._database.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        if not execute("SELECT 1 FROM sqlite_master").fetchone():
            self._create()
        self._check_kind()
        self._verify()
        reserve_ready = self._make_reserve()
        open_cases = self.open_cases()
        return RecoveryReport(
            events=len(self._log),
            cases=len(self._by_case),
            open_cases=open_cases,
            interrupted_cases=tuple(
                name for name in open_cases if self._by_case[name][-1].kind == "case_interrupted"
            ),
            reserve_ready=reserve_ready,
        )

    def _create(self) -> None:
        triggers = (
            _FORBID.format(table=table, action=action)
            for table in ("event", "blob", "key", "meta")
            for action in ("UPDATE", "DELETE")
        )
        kind = "demonstration" if self.demonstration else "official"
        content = f"INSERT INTO meta VALUES ('format', '{STORE_FORMAT}'), ('kind', '{kind}');"  # noqa: S608 - two constants
        self._database.executescript(f"BEGIN;{_SCHEMA}{''.join(triggers)}{content}COMMIT;")

    def _check_kind(self) -> None:
        try:
            meta = dict(self._database.execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.OperationalError as error:
            raise RecordError(f"{self.path} is no record store: {error}") from error
        if meta.get("format") != STORE_FORMAT:
            raise RecordError(f"{self.path} is not of the format {STORE_FORMAT}")
        if (meta.get("kind") == "demonstration") != self.demonstration:
            raise KeyRefusedError(f"{self.path} is a store of kind {meta.get('kind')!r}")

    def _verify(self) -> None:
        keys = {key.key_id: key for key in self.keys()}
        blobs = {row[0] for row in self._database.execute("SELECT sha256 FROM blob")}
        rows = self._database.execute("SELECT position, raw, signature FROM event ORDER BY 1")
        for expected, (position, raw, signature) in enumerate(rows):
            where = f"event {position} of {self.path}"
            try:
                event = read_event(bytes(raw), bytes(signature))
            except (CanonicalFormError, RecordError, TypeError) as error:
                raise RecordError(f"{where} was altered: {error}") from error
            if position != expected:
                raise RecordError(f"{where} stands where {expected} should: an event was removed")
            self._verify_one(event, keys.get(event.actor), where)
            if missing := set(event.blobs) - blobs:
                raise RecordError(f"{where} has lost its blob {min(missing)}")
            self._remember(event)

    def _verify_one(self, event: Event, key: PublicKey | None, where: str) -> None:
        if key is None or not signature_holds(event, key):
            raise RecordError(f"{where} is not signed by {event.actor}")
        if key.demo != self.demonstration:
            raise KeyRefusedError(f"{where} is signed by {event.actor}, of the other kind")
        if event.sequence != len(self._by_case.get(event.case_id, ())):
            raise RecordError(f"{where} is number {event.sequence}: an event was removed")
        if event.previous != self.head(event.case_id):
            raise RecordError(f"{where} does not follow the event before it")

    def _make_reserve(self) -> bool:
        quota = None if self._max_bytes is None else self._max_bytes - RESERVE_BYTES
        self._limit_pages(quota)
        path = self._reserve_path
        if path.exists() and path.stat().st_size >= RESERVE_BYTES:
            return True
        try:
            with path.open("wb") as file:
                file.write(os.urandom(RESERVE_BYTES))  # a disk may compress zeros away
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            path.unlink(missing_ok=True)
            return False
        return True

    def _limit_pages(self, max_bytes: int | None) -> None:
        if max_bytes is not None:
            page = self._database.execute("PRAGMA page_size").fetchone()[0]
            self._database.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _FULL:
                raise RecordStoreFullError(f"no space is left for {self.path}") from error
            raise RecordError(f"{self.path}: {error}") from error
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise RecordStoreFullError(f"no space is left for {self.path}") from error
            raise


def _outcome_id(kind: str, body: Mapping[str, Any]) -> str | None:
    """Id of the reading or of the cannot-judge that an outcome event holds."""
    value = body.get("value")
    if kind != "outcome" or not isinstance(value, Mapping):
        return None
    found = value.get("reading_id", value.get("outcome_id"))
    return found if isinstance(found, str) else None
