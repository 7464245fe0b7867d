import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from spotcheck.errors import (
    InvalidInputError,
    KeyRefusedError,
    RecordError,
    RecordStoreFullError,
)
from spotcheck_host.case import EVENT_DOMAIN, leaf_hash
from spotcheck_host.keys import SigningKey, demonstration_key, generate_key
from spotcheck_host.records import RecordStore

Clock = Callable[[], int]
FillCase = Callable[..., None]


def test_events_form_a_signed_chain_by_case(store: RecordStore, fill_case: FillCase) -> None:
    fill_case(store, "a")
    store.append("b", "case_opened", {})
    events = store.events("a")
    assert [event.sequence for event in events] == [0, 1, 2]
    assert [event.previous for event in events] == [
        "",
        events[0].leaf_hash.hex(),
        events[1].leaf_hash.hex(),
    ]
    key = store.signer.public_key
    assert all(key.verifies(e.signature, EVENT_DOMAIN + leaf_hash(e.raw)) for e in events)
    assert store.cases() == ("a", "b")
    assert store.open_cases() == ("b",)
    assert store.has_outcome("a-r1")
    assert not store.has_outcome("b-r1")
    assert store.head("a") == events[-1].leaf_hash.hex()


def test_reopened_store_has_everything_and_says_what_is_open(
    store: RecordStore, fill_case: FillCase, demo_key: SigningKey, clock: Clock
) -> None:
    fill_case(store, "a")
    store.append("b", "case_opened", {})
    store.append("c", "case_opened", {})
    store.append("c", "case_interrupted", {"what": "power"})
    before = store.events()
    store.close()
    with RecordStore(store.path, demo_key, clock, demonstration=True) as again:
        assert again.events() == before
        assert (again.recovery.events, again.recovery.cases) == (6, 3)
        assert again.recovery.open_cases == ("b", "c")
        assert again.recovery.interrupted_cases == ("c",)
        assert again.recovery.reserve_ready
        assert again.has_outcome("a-r1")
        assert again.blob(before[1].blobs[0]).startswith(b"slots")


def test_outcome_is_recorded_once(store: RecordStore, fill_case: FillCase) -> None:
    fill_case(store)
    with pytest.raises(InvalidInputError, match="already"):
        store.append("c1", "outcome", {"kind": "reading", "value": {"reading_id": "c1-r1"}})
    store.append("c1", "outcome", {"kind": "cannot judge", "value": {"outcome_id": "o1"}})
    assert store.has_outcome("o1")


@pytest.mark.parametrize(
    ("case_id", "kind", "body"),
    [
        ("", "notice", {}),
        ("a/b", "notice", {}),
        ("a\n", "notice", {}),
        ("a", "No Kind", {}),
        ("a", "notice", {"x": 0.5}),
        ("a", "notice", {"x": "\ud800"}),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    store: RecordStore, case_id: str, kind: str, body: dict[str, object]
) -> None:
    with pytest.raises(InvalidInputError):
        store.append(case_id, kind, body)
    assert store.events() == ()


def test_blob_under_another_hash_is_refused(store: RecordStore) -> None:
    with pytest.raises(InvalidInputError, match="SHA-256"):
        store.append("a", "notice", {}, {"00" * 32: b"data"})
    with pytest.raises(RecordError, match="no blob"):
        store.blob("00" * 32)


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET raw = x'00'", "DELETE FROM event", "DELETE FROM blob"]
)
def test_database_forbids_update_and_delete(
    store: RecordStore, fill_case: FillCase, statement: str
) -> None:
    fill_case(store)
    with sqlite3.connect(store.path) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    other.close()


@pytest.mark.parametrize(
    "statements",
    [
        "UPDATE event SET raw = CAST(replace(raw, 'true', 'null') AS BLOB) WHERE position = 0",
        "UPDATE event SET signature = zeroblob(64) WHERE position = 1",
        "DELETE FROM event WHERE position = 1",
        "DELETE FROM event WHERE position = 1; UPDATE event SET position = 1 WHERE position = 2",
        "DELETE FROM blob",
        "DELETE FROM key",
    ],
)
def test_alteration_behind_the_triggers_is_found_when_opened(
    store: RecordStore, fill_case: FillCase, demo_key: SigningKey, clock: Clock, statements: str
) -> None:
    fill_case(store)
    store.close()
    other = sqlite3.connect(store.path)
    for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        other.execute(f"DROP TRIGGER {name}")
    other.executescript(f"PRAGMA ignore_check_constraints = 1; {statements}")
    other.commit()
    other.close()
    with pytest.raises(RecordError):
        RecordStore(store.path, demo_key, clock, demonstration=True)


def test_altered_blob_is_found_when_read(store: RecordStore, fill_case: FillCase) -> None:
    fill_case(store)
    name = store.events("c1")[1].blobs[0]
    other = sqlite3.connect(store.path)
    other.execute("DROP TRIGGER blob_no_UPDATE")
    other.execute("UPDATE blob SET data = x'00'")
    other.commit()
    other.close()
    with pytest.raises(RecordError, match="altered"):
        store.blob(name)


def test_cut_tail_is_seen_against_a_checkpoint_kept_elsewhere(
    store: RecordStore, fill_case: FillCase, demo_key: SigningKey, clock: Clock
) -> None:
    fill_case(store)
    note = store.checkpoint()
    store.confirm_checkpoint(note)
    store.append("c2", "case_opened", {})
    store.confirm_checkpoint(note)
    later = store.checkpoint()
    store.close()
    other = sqlite3.connect(store.path)
    other.execute("DROP TRIGGER event_no_DELETE")
    other.execute("DELETE FROM event WHERE position = 3")
    other.commit()
    other.close()
    with RecordStore(store.path, demo_key, clock, demonstration=True) as again:
        again.confirm_checkpoint(note)
        with pytest.raises(RecordError, match="cut off"):
            again.confirm_checkpoint(later)


def test_store_takes_only_keys_of_its_kind(tmp_path: Path, clock: Clock) -> None:
    demo, real = demonstration_key(1, "tester"), generate_key("tester")
    with pytest.raises(KeyRefusedError):
        RecordStore(tmp_path / "a.db", demo, clock, demonstration=False)
    with pytest.raises(KeyRefusedError):
        RecordStore(tmp_path / "a.db", real, clock, demonstration=True)
    RecordStore(tmp_path / "a.db", real, clock, demonstration=False).close()
    with pytest.raises(KeyRefusedError, match="official"):
        RecordStore(tmp_path / "a.db", demo, clock, demonstration=True)


def test_second_writer_is_noticed(store: RecordStore, demo_key: SigningKey, clock: Clock) -> None:
    with RecordStore(store.path, demo_key, clock, demonstration=True) as other:
        other.append("a", "case_opened", {})
        with pytest.raises(RecordError, match="another program"):
            store.append("a", "case_opened", {})


def test_what_is_no_store_is_refused(tmp_path: Path, demo_key: SigningKey, clock: Clock) -> None:
    (tmp_path / "text.db").write_bytes(b"no database at all, " * 50)
    with pytest.raises(RecordError):
        RecordStore(tmp_path / "text.db", demo_key, clock, demonstration=True)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE x (y)")
    other.close()
    with pytest.raises(RecordError, match="no record store"):
        RecordStore(tmp_path / "other.db", demo_key, clock, demonstration=True)


def test_threads_append_one_after_another(store: RecordStore) -> None:
    def work(name: str) -> None:
        for _ in range(10):
            store.append(name, "notice", {})

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(store.events(f"t{n}")) for n in range(4)] == [10] * 4


def fill_up(store: RecordStore) -> int:
    data = os.urandom(20_000)
    for number in range(1000):
        piece = data + number.to_bytes(4)
        try:
            store.append("c1", "notice", {"n": number}, {sha256(piece).hexdigest(): piece})
        except RecordStoreFullError:
            return number
    raise AssertionError("never full")


def check_full_store(store: RecordStore, clock: Clock) -> None:
    stored = fill_up(store)
    with pytest.raises(RecordStoreFullError):
        store.append("c1", "notice", {}, {sha256(bytes(99_999)).hexdigest(): bytes(99_999)})
    store.append_with_reserve("c1", "store_full", {"lost": "r7"})
    store.close()
    with RecordStore(store.path, store.signer, clock, demonstration=True) as again:
        assert len(again.events("c1")) == stored + 1
        assert again.events("c1")[-1].kind == "store_full"
        for event in again.events("c1"):
            for name in event.blobs:
                again.blob(name)


def test_full_quota_leaves_nothing_half_written_and_room_to_say_so(
    tmp_path: Path, demo_key: SigningKey, clock: Clock
) -> None:
    path = tmp_path / "small.db"
    check_full_store(
        RecordStore(path, demo_key, clock, demonstration=True, max_bytes=600_000), clock
    )
    assert path.stat().st_size <= 600_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_leaves_nothing_half_written_and_room_to_say_so(
    small_disk: Path, demo_key: SigningKey, clock: Clock
) -> None:
    check_full_store(
        RecordStore(small_disk / "records.db", demo_key, clock, demonstration=True), clock
    )


def test_file_size_limit_is_a_named_error_and_loses_nothing(
    tmp_path: Path, demo_key: SigningKey, clock: Clock
) -> None:
    path = tmp_path / "limited.db"
    program = f"""
import resource, signal, sys
from pathlib import Path
from spotcheck.errors import RecordError
from spotcheck_host.keys import demonstration_key
from spotcheck_host.records import RecordStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = RecordStore(Path({str(path)!r}), demonstration_key(1, "tester"), lambda: 1, True)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for number in range(1000):
    try:
        store.append("c1", "notice", {{"n": number, "pad": "x" * 20_000}})
    except RecordError:
        print(number)
        sys.exit()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    with RecordStore(path, demo_key, clock, demonstration=True) as again:
        assert len(again.events()) == int(done.stdout)


def test_killed_program_keeps_every_acknowledged_event(
    tmp_path: Path, demo_key: SigningKey, clock: Clock
) -> None:
    path = tmp_path / "killed.db"
    program = f"""
from pathlib import Path
from spotcheck_host.keys import demonstration_key
from spotcheck_host.records import RecordStore
store = RecordStore(Path({str(path)!r}), demonstration_key(1, "tester"), lambda: 1, True)
for number in range(100000):
    print(store.append("c1", "notice", {{"n": number}}).sequence, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        acknowledged = 20 + len(process.stdout.readlines())
    with RecordStore(path, demo_key, clock, demonstration=True) as again:
        assert len(again.events()) >= acknowledged
        assert again.recovery.open_cases == ("c1",)
