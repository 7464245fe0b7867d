"""The recording that version 1 froze is replayed for ever (docs/formats/recording.md)."""

import re
from pathlib import Path

import pytest

from spotcheck.canonical_json import parse_canonical
from spotcheck.reading import ErrorReading
from spotcheck_device.replay import replay

FOLDER = Path(__file__).parent / "golden" / "recording_v1"
"""Two readings of a simulated meter of -0.83 % at 4 kS/s, recorded as FLAC by version 0.1.0 from a
stream that the device entered at sample 4003; four outcomes had come before."""
LAST_DIGITS = 1e-9
"""What another version of a library may make of the same integers."""


def differs(difference: str) -> bool:
    """Whether a difference is more than the software's version or a float's last digits."""
    if "body.software:" in difference:
        return False
    numbers = re.search(r"live (-?[\d.e+-]+), now (-?[\d.e+-]+)$", difference)
    if numbers is None:
        return True
    live, now = (float(number) for number in numbers.groups())
    return live != pytest.approx(now, rel=LAST_DIGITS, abs=LAST_DIGITS)


def test_golden_recording_gives_its_outcomes_again() -> None:
    result = replay(FOLDER)
    assert [difference for difference in result.differences if differs(difference)] == []
    found: list[tuple[str, object]] = [
        (outcome.reading_id, pytest.approx(outcome.error_percent, abs=LAST_DIGITS))
        for outcome in result.outcomes
        if isinstance(outcome, ErrorReading)
    ]
    assert found == [("SC-1-7-5", -0.829957162077477), ("SC-1-7-6", -0.8299873909595301)]


def test_golden_recording_says_what_was_recorded() -> None:
    head = replay(FOLDER).head
    assert (head.stream.sample_rate_hz, head.stream.phases) == (4000, 1)
    assert (head.first_sample, head.begin_sample, head.end_sample) == (4003, 5000, 7603)
    assert (head.request.request_id, head.request.readings) == ("golden/1", 2)
    assert (head.record_format, head.waveforms[0].name) == ("flac", "waveforms.flac")
    assert (head.outcome_prefix, head.outcomes_before) == ("SC-1-7", 4)
    assert head.interruption is None


def test_golden_file_is_the_one_that_was_released() -> None:
    plain = parse_canonical((FOLDER / "recording.json").read_bytes())
    assert isinstance(plain, dict)
    assert plain["format"] == "spotcheck-recording-1"
    assert plain["sha256"] == "deb78495b4087524c2c301a4ca2188d8ef9ee5399583e084e0446679a44a9cea"


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        ("outcome 1, body.software: live spotcheck 0.1.0, now spotcheck 9", False),
        ("outcome 1, body.error_percent: live -0.83, now -0.8300000000000001", False),
        ("outcome 1, body.error_percent: live -0.83, now -0.84", True),
        ("outcome 1, evidence_sha256: live 00ff, now 00fe", True),
        ("outcomes: live 2, now 1", True),
    ],
)
def test_only_version_and_last_digits_may_differ(difference: str, expected: bool) -> None:
    assert differs(difference) is expected
