import io
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from spotcheck.errors import InvalidInputError, VerificationError
from spotcheck_host import verify_bundle
from spotcheck_host.bundle import bundle_bytes, check_bundle, export_bundle
from spotcheck_host.case import EVENT_DOMAIN, leaf_hash, signed_checkpoint
from spotcheck_host.keys import SigningKey, demonstration_key, generate_key
from spotcheck_host.records import RecordStore
from spotcheck_host.verify_bundle import (
    BundleReport,
    BundleVerificationError,
    canonical_zip,
    read_canonical_zip,
    verify,
)

FillCase = Callable[..., None]
Entries = dict[str, bytes]


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., BundleReport]:
    def check_bytes(data: bytes, *trusted: str) -> BundleReport:
        path = tmp_path / "checked.zip"
        path.write_bytes(data)
        return verify(path, trusted)

    return check_bytes


Check = Callable[..., BundleReport]


def test_untouched_bundle_is_unchanged(bundle: bytes, check: Check, demo_key: SigningKey) -> None:
    report = check(bundle)
    assert report.statement.startswith("unchanged, signer unknown")
    assert "demonstration key" in report.statement
    assert (report.case_id, report.events, report.blobs) == ("c1", 3, 1)
    assert report.attachments == ("attachments/report-en.pdf",)
    trusted = check(bundle, demo_key.public_hex)
    assert trusted.trusted
    assert trusted.statement == f"unchanged, signed by tester (demonstration key {demo_key.key_id})"


def test_real_key_is_unknown_until_trusted(
    tmp_path: Path, clock: Callable[[], int], fill_case: FillCase, check: Check
) -> None:
    key = generate_key("李四")
    with RecordStore(tmp_path / "real.db", key, clock, demonstration=False) as store:
        fill_case(store)
        data = bundle_bytes(store, "c1", {})
    assert check(data).statement == "unchanged, signer unknown"
    assert check(data, key.public_hex.upper()).statement == (
        f"unchanged, signed by 李四 ({key.key_id})"
    )
    assert not check(data, generate_key("x").public_hex).trusted


def test_bundle_with_an_untrusted_second_signer_is_not_called_trusted(
    store: RecordStore,
    fill_case: FillCase,
    demo_key: SigningKey,
    clock: Callable[[], int],
    check: Check,
) -> None:
    fill_case(store)
    store.close()
    checker = demonstration_key(1, "checker")
    with RecordStore(store.path, checker, clock, demonstration=True) as again:
        again.append("c1", "notice", {})
        data = bundle_bytes(again, "c1", {})
    assert not check(data, demo_key.public_hex).trusted
    assert not check(data, checker.public_hex).trusted
    assert check(data, demo_key.public_hex, checker.public_hex).trusted


def test_same_store_gives_the_same_bytes_and_any_zip_tool_reads_them(
    store: RecordStore, fill_case: FillCase, tmp_path: Path
) -> None:
    fill_case(store)
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    assert export_bundle(store, "c1", first) == export_bundle(store, "c1", second)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time[:3] for info in archive.infolist()} == {(1980, 1, 1)}
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_unknown_case_and_bad_attachment_names_are_refused(
    store: RecordStore, fill_case: FillCase
) -> None:
    with pytest.raises(InvalidInputError, match="no case"):
        bundle_bytes(store, "nowhere", {})
    fill_case(store)
    for name in ("../x", "a/b", "", "报告.pdf", ".hidden"):
        with pytest.raises(InvalidInputError, match="attachment"):
            bundle_bytes(store, "c1", {name: b""})


def test_every_flipped_bit_is_reported(bundle: bytes) -> None:
    """All bits: those that still parse as the canonical ZIP must then fail by their content."""
    passed_the_zip = 0
    for bit in range(8 * len(bundle)):
        flipped = bytearray(bundle)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            read_canonical_zip(bytes(flipped))
        except BundleVerificationError:
            continue
        passed_the_zip += 1
    assert passed_the_zip == 0


def test_flipped_bits_are_reported_by_the_whole_verifier(bundle: bytes, check: Check) -> None:
    for bit in random.Random(1).sample(range(8 * len(bundle)), 2000):
        flipped = bytearray(bundle)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BundleVerificationError):
            check(bytes(flipped))


def test_every_flipped_content_bit_under_repaired_zip_headers_is_reported(
    bundle: bytes, check: Check
) -> None:
    entries = read_canonical_zip(bundle)
    for name, data in entries.items():
        for bit in random.Random(name).sample(range(8 * len(data)), min(300, 8 * len(data))):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(BundleVerificationError):
                check(canonical_zip({**entries, name: bytes(flipped)}))


def test_truncation_at_every_length_is_reported(bundle: bytes, check: Check) -> None:
    for length in range(len(bundle)):
        with pytest.raises(BundleVerificationError):
            check(bundle[:length])


@pytest.mark.parametrize("added", [b"\0", b"\n", b"PK\5\6" + bytes(18), b"x" * 4096])
def test_appended_and_prepended_bytes_are_reported(
    bundle: bytes, check: Check, added: bytes
) -> None:
    for data in (bundle + added, added + bundle):
        with pytest.raises(BundleVerificationError):
            check(data)


def test_reordered_removed_and_added_entries_are_reported(bundle: bytes, check: Check) -> None:
    entries = read_canonical_zip(bundle)
    names = list(entries)
    for n in range(len(names) - 1):
        swapped = [*names[:n], names[n + 1], names[n], *names[n + 2 :]]
        with pytest.raises(BundleVerificationError):
            check(canonical_zip({name: entries[name] for name in swapped}))
    for name in names:
        with pytest.raises(BundleVerificationError):
            check(canonical_zip({n: d for n, d in entries.items() if n != name}))
    with pytest.raises(BundleVerificationError):
        check(canonical_zip({"attachments/more.txt": b"", **entries}))


def test_bundle_zipped_again_is_reported(bundle: bytes, check: Check) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, data in read_canonical_zip(bundle).items():
                archive.writestr(name, data)
        with pytest.raises(BundleVerificationError):
            check(buffer.getvalue())


def test_zip_bomb_and_oversized_file_are_refused_unread(check: Check, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.jsonl", bytes(50_000_000))
    with pytest.raises(BundleVerificationError):
        check(buffer.getvalue())
    sparse = tmp_path / "huge.zip"
    with sparse.open("wb") as file:
        file.truncate(verify_bundle.LARGEST_BUNDLE + 1)
    with pytest.raises(BundleVerificationError, match="larger"):
        verify(sparse)


def repacked(entries: Entries, key: SigningKey) -> bytes:
    """The bundle of altered entries, with a manifest that fits, signed by `key`."""
    contents = {n: d for n, d in entries.items() if not n.startswith("MANIFEST")}
    listed = [
        {"name": n, "sha256": verify_bundle.hashlib.sha256(d).hexdigest(), "size": len(d)}
        for n, d in contents.items()
    ]
    manifest = dump(
        {"case_id": "c1", "entries": listed, "format": "spotcheck-bundle-1", "signer": key.key_id}
    )
    signature = key.sign(verify_bundle.MANIFEST_DOMAIN + manifest)
    return canonical_zip({**contents, "MANIFEST.json": manifest, "MANIFEST.sig": signature})


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def test_repacking_helper_makes_bundles_that_pass(
    bundle: bytes, check: Check, demo_key: SigningKey
) -> None:
    assert repacked(read_canonical_zip(bundle), demo_key) == bundle


def test_signature_of_another_key_is_reported(bundle: bytes, check: Check) -> None:
    other = generate_key("other")
    entries = read_canonical_zip(bundle)
    message = verify_bundle.MANIFEST_DOMAIN + entries["MANIFEST.json"]
    with pytest.raises(BundleVerificationError, match="signature of MANIFEST"):
        check(canonical_zip({**entries, "MANIFEST.sig": other.sign(message)}))
    with pytest.raises(BundleVerificationError, match="lacks the key"):
        check(repacked(entries, other))


def test_event_removed_from_the_tail_is_seen_by_the_checkpoint(
    bundle: bytes, check: Check, demo_key: SigningKey
) -> None:
    """Even when the signer itself packs it again, as long as the checkpoint is the old one."""
    entries = read_canonical_zip(bundle)
    lines = entries["events.jsonl"].split(b"\n")
    entries["events.jsonl"] = b"\n".join([*lines[:-2], b""])
    entries["signatures.json"] = dump(json.loads(entries["signatures.json"])[:-1])
    with pytest.raises(BundleVerificationError, match="checkpoint"):
        check(repacked(entries, demo_key))


def test_events_of_another_order_or_unsigned_are_reported(
    bundle: bytes, check: Check, demo_key: SigningKey
) -> None:
    entries = read_canonical_zip(bundle)
    a, b, c, rest = entries["events.jsonl"].split(b"\n")
    with pytest.raises(BundleVerificationError, match="event 1"):
        check(repacked({**entries, "events.jsonl": b"\n".join([a, c, b, rest])}, demo_key))
    forged = b.replace(b"0x1p-1", b"0x1p-2")
    with pytest.raises(BundleVerificationError, match="signature of event 1"):
        check(repacked({**entries, "events.jsonl": b"\n".join([a, forged, c, rest])}, demo_key))


def test_attachment_and_blob_swapped_by_another_are_reported(
    bundle: bytes, check: Check, demo_key: SigningKey
) -> None:
    entries = read_canonical_zip(bundle)
    blob = next(name for name in entries if name.startswith("blobs/"))
    with pytest.raises(BundleVerificationError, match="SHA-256"):
        check(repacked({**entries, blob: b"other"}, demo_key))
    renamed = {("blobs/" + "0" * 64 if n == blob else n): d for n, d in entries.items()}
    with pytest.raises(BundleVerificationError, match="blobs"):
        check(repacked(renamed, demo_key))


HOSTILE = [
    None, True, 0, -1, 10**30, "", "\ud800", "x" * 1000, [], [[]], [None], {}, {"a": {}}, [{}],
    [{"public_hex": 1, "name": 2, "key_id": 3}], [{"public_hex": "zz", "name": "", "key_id": ""}],
]  # fmt: skip


@pytest.mark.parametrize("name", ["events.jsonl", "signatures.json", "keys.json"])
@pytest.mark.parametrize("value", HOSTILE, ids=[f"{value!r:.20}" for value in HOSTILE])
def test_hostile_json_gives_the_named_error_only(
    bundle: bytes, check: Check, demo_key: SigningKey, name: str, value: object
) -> None:
    data = json.dumps(value, separators=(",", ":")).encode()
    for content in (data, data + b"\n", b"[" * 200_000, b"9" * 5000, b"\xff\xfe", b"1.5", b"NaN"):
        with pytest.raises(BundleVerificationError):
            check(repacked({**read_canonical_zip(bundle), name: content}, demo_key))


@pytest.mark.parametrize("field", verify_bundle.EVENT_FIELDS)
@pytest.mark.parametrize("value", HOSTILE[:6] + HOSTILE[7:14])
def test_hostile_event_that_the_signer_signed_gives_the_named_error_only(
    bundle: bytes, check: Check, demo_key: SigningKey, field: str, value: object
) -> None:
    entries = read_canonical_zip(bundle)
    event = json.loads(entries["events.jsonl"].split(b"\n")[0])
    line = dump({**event, field: value})
    leaf = leaf_hash(line)
    altered = {
        **entries,
        "events.jsonl": line + b"\n",
        "signatures.json": dump([demo_key.sign(EVENT_DOMAIN + leaf).hex()]),
        "checkpoint.txt": signed_checkpoint("spotcheck/case/c1", [leaf], demo_key),
    }
    altered = {n: d for n, d in altered.items() if not n.startswith("blobs/")}
    try:
        check(repacked(altered, demo_key))
    except BundleVerificationError:
        return
    assert field in ("body", "time_utc_ns", "kind", "blobs") or value == event[field]


def test_check_bundle_raises_the_error_of_this_software(bundle: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(bundle[:-1])
    with pytest.raises(VerificationError, match=r"cut\.zip"):
        check_bundle(path)


def test_verifier_runs_alone_without_spotcheck(
    bundle: bytes, tmp_path: Path, demo_key: SigningKey
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    script = alone / "verify_bundle.py"
    shutil.copy(verify_bundle.__file__, script)
    block = "import sys; sys.modules['spotcheck'] = sys.modules['spotcheck_host'] = None; "
    run = block + f"import runpy; sys.argv = sys.argv[1:]; runpy.run_path({str(script)!r}, "
    run += "run_name='__main__')"
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(bundle)
    bad.write_bytes(bundle[:-1] + b"\1")

    def said(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", run, "verify_bundle.py", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert said(str(good))[0] == 0
    code, text = said(str(good), "--trusted-key", demo_key.public_hex)
    assert (code, text.splitlines()[0][:27]) == (0, "unchanged, signed by tester")
    code, text = said(str(bad))
    assert code == 1
    assert text.startswith("NOT ACCEPTED: ")
    assert said(str(tmp_path / "nowhere.zip"))[0] == 1
