"""A bundle that version 1 wrote is read for ever, and the same case still gives its bytes."""

import zipfile
from pathlib import Path

from spotcheck_host.verify_bundle import canonical_zip, read_canonical_zip, verify

GOLDEN = Path(__file__).parent / "golden" / "bundle_v1.zip"


def test_golden_bundle_verifies_and_holds_what_it_held() -> None:
    report = verify(GOLDEN)
    assert report.case_id == "c1"
    assert (report.events, report.blobs) == (3, 1)
    assert report.demonstration
    assert not report.trusted
    assert report.signers[0].name == "tester"


def test_golden_bundle_is_a_zip_that_any_tool_reads() -> None:
    with zipfile.ZipFile(GOLDEN) as archive:
        assert archive.testzip() is None
        assert {"events.jsonl", "signatures.json", "keys.json", "checkpoint.txt", "MANIFEST.json",
                "MANIFEST.sig"} <= set(archive.namelist())  # fmt: skip
        assert "张三".encode() in archive.read("events.jsonl")
        assert archive.read("attachments/report-en.pdf") == b"%PDF-1.7 report"


def test_same_case_still_gives_the_golden_bytes(bundle: bytes) -> None:
    assert bundle == GOLDEN.read_bytes()


def test_golden_entries_rebuild_the_golden_file() -> None:
    data = GOLDEN.read_bytes()
    assert canonical_zip(read_canonical_zip(data)) == data
