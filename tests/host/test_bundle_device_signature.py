"""Who holds the laptop can sign any case, but makes no result that a device has signed."""

import json
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from spotcheck_host.bundle import bundle_bytes
from spotcheck_host.keys import demonstration_key, generate_key
from spotcheck_host.records import RecordStore
from spotcheck_host.verify_bundle import BundleReport, BundleVerificationError, verify
from spotcheck_trust.result_signature import SignedResult

DEVICE = demonstration_key(3, "SC-1")
EVIDENCE = b"slots and stamps"
DIGEST = sha256(EVIDENCE).hexdigest()
GOLDEN = Path(__file__).parent / "golden"
RESULT = SignedResult(
    device_id="SC-1",
    boot=4,
    request_id="c1/1",
    kind="reading",
    outcome_id="SC-1-4-1",
    body={"reading_id": "SC-1-4-1", "error_percent": "0x1p-1", "detail": "张三"},
    evidence_sha256=DIGEST,
    correction_set_sha256="ab" * 32,
)


def event_body() -> dict[str, Any]:
    return {
        "kind": RESULT.kind,
        "value": dict(RESULT.body),
        "late": False,
        "device": {
            "device_id": RESULT.device_id,
            "boot": RESULT.boot,
            "request_id": RESULT.request_id,
            "evidence_sha256": RESULT.evidence_sha256,
            "correction_set_sha256": RESULT.correction_set_sha256,
            "public_hex": DEVICE.public_hex,
            "signature_hex": DEVICE.sign(RESULT.message()).hex(),
        },
    }


Verified = Callable[..., BundleReport]


@pytest.fixture
def verified(store: RecordStore, tmp_path: Path) -> Verified:
    """Signs a case with these outcomes, as whoever holds the laptop can, and checks it."""

    def sign_and_check(*bodies: dict[str, Any], device_keys: tuple[str, ...] = ()) -> BundleReport:
        store.append("c1", "case_opened", {"demonstration": True})
        for body in bodies:
            host_itself = body["value"].get("outcome_id") == "c1-host"
            store.append("c1", "outcome", body, {} if host_itself else {DIGEST: EVIDENCE})
        path = tmp_path / "c1.zip"
        path.write_bytes(bundle_bytes(store, "c1", {}))
        return verify(path, (), device_keys)

    return sign_and_check


def test_result_signed_by_a_device_that_was_given(verified: Verified) -> None:
    report = verified(event_body(), device_keys=(DEVICE.public_hex.upper(),))
    assert report.device_trusted
    assert report.device_statement == (
        f"1 results signed by {DEVICE.key_id}, a device that was given: "
        "a demonstration key, which anybody has"
    )


def test_result_signed_by_a_device_that_nobody_gave(verified: Verified) -> None:
    """Whoever holds the laptop can make a key and call it a device's."""
    report = verified(event_body(), device_keys=(demonstration_key(4, "SC-1").public_hex,))
    assert not report.device_trusted
    assert ", a device that is not known: a demonstration key" in report.device_statement


def test_device_with_a_key_of_its_own_is_not_called_a_demonstration(verified: Verified) -> None:
    key = generate_key("SC-1")
    body = event_body()
    body["device"]["public_hex"] = key.public_hex
    body["device"]["signature_hex"] = key.sign(RESULT.message()).hex()
    report = verified(body, device_keys=(key.public_hex,))
    assert report.device_statement == f"1 results signed by {key.key_id}, a device that was given"


def test_result_whose_signature_was_taken_away_is_told(verified: Verified) -> None:
    bare = event_body()
    del bare["device"]
    other = deepcopy(bare)
    other["value"]["reading_id"] = "SC-1-4-2"
    report = verified(event_body(), other, device_keys=(DEVICE.public_hex,))
    assert not report.device_trusted
    assert report.device_statement.startswith("1 of 2 results NOT signed by the device")


def test_case_without_any_device_signature_says_so(verified: Verified) -> None:
    bare = event_body()
    del bare["device"]
    report = verified(bare, device_keys=(DEVICE.public_hex,))
    assert (report.device_trusted, report.device_keys) == (False, ())
    assert report.device_statement == "1 results, not signed by the device"


def test_what_the_host_itself_found_is_no_result_of_a_device(verified: Verified) -> None:
    found = {"kind": "cannot judge", "value": {"outcome_id": "c1-host"}, "late": False}
    report = verified(found)
    assert (report.results, report.device_statement) == (0, "no result of a device")


def test_reading_cannot_pass_for_something_that_the_host_found(verified: Verified) -> None:
    body = {"kind": "reading", "value": {"reading_id": "c1-host"}, "late": False}
    assert verified(body).unsigned_results == 1


def _changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    body = event_body()
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("value", "error_percent"), "0x1p-2"),
        (("value", "detail"), "李四"),
        (("value", "reading_id"), "SC-1-4-2"),
        (("kind",), "cannot judge"),
        (("device", "device_id"), "SC-2"),
        (("device", "boot"), 5),
        (("device", "request_id"), "c2/1"),
        (("device", "correction_set_sha256"), "cd" * 32),
        (("device", "evidence_sha256"), None),
        (("device", "public_hex"), demonstration_key(4, "SC-1").public_hex),
        (("device", "public_hex"), "zz"),
        (("device", "signature_hex"), "00" * 64),
        (("device", "signature_hex"), "00"),
        (("device", "extra"), 1),
    ],
)
def test_forged_result_is_not_accepted(
    verified: Verified, path: tuple[str, ...], value: object
) -> None:
    with pytest.raises(BundleVerificationError, match=r"event 1|result|device"):
        verified(_changed(path, value))


def test_bundle_of_before_still_verifies_and_is_not_signed_by_the_device() -> None:
    report = verify(GOLDEN / "bundle_v1.zip")
    assert report.device_statement == "1 results, not signed by the device"


def test_golden_bundle_with_device_signatures_is_read_for_ever() -> None:
    report = verify(GOLDEN / "bundle_signed_by_device_v1.zip", (), (DEVICE.public_hex,))
    assert (report.results, report.unsigned_results, report.device_trusted) == (2, 0, True)
    assert report.device_statement == (
        f"2 results signed by {DEVICE.key_id}, a device that was given: "
        "a demonstration key, which anybody has"
    )


def test_signed_bytes_are_those_of_the_format() -> None:
    """Spelt out here, so that nothing but the document is behind it."""
    text = json.dumps(
        {
            "body": {"detail": "张三", "error_percent": "0x1p-1", "reading_id": "SC-1-4-1"},
            "boot": 4,
            "correction_set_sha256": "ab" * 32,
            "device_id": "SC-1",
            "evidence_sha256": DIGEST,
            "kind": "reading",
            "outcome_id": "SC-1-4-1",
            "request_id": "c1/1",
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert RESULT.message() == b"spotcheck-device-result-1\0" + text.encode()
