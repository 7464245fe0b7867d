"""The correction set's file: read for ever, and refused when it is not what it was."""

import datetime
import hashlib
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spotcheck.errors import CorrectionSetError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import (
    Distribution,
    UncertainValue,
    load_correction_set,
    parse_correction_set,
)

GOLDEN = Path(__file__).parent / "golden" / "correction_set_v1.json"
STREAM = StreamFormat(sample_rate_hz=8000, phases=1, voltage_range="U300", current_range="C5")


def test_set_of_version_1() -> None:
    data = GOLDEN.read_bytes()
    found = load_correction_set(GOLDEN)
    assert found.to_bytes() == data
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.sha256 == "f7a531bc6db2c1b98359c6aea7c9c5c87997da13627f4005c4ad94590a46bb11"
    assert (found.instrument, found.certificate) == ("SC-0001", "CNAS-2026-0042")
    assert (found.issued_on, found.valid_until) == ("2026-03-01", "2027-02-28")
    assert found.nominal_frequency_hz == 50.0
    clock = found.sample_rate_relative_error
    assert clock.value == 3.0517578125e-05
    assert clock.standard_uncertainty == 2.86102294921875e-06
    assert clock.distribution is Distribution.RECTANGULAR
    assert math.isinf(clock.degrees_of_freedom)
    reference = found.reference_standard_relative_error
    assert (reference.value, reference.standard_uncertainty) == (0.0, 2.5e-05)
    assert reference.degrees_of_freedom == 60.0
    voltage = found.voltage(1, STREAM)
    assert voltage.gain_v_per_code.value == 5.0067901611328125e-05
    assert voltage.offset_codes.value == 200.0
    assert voltage.noise_codes_rms == 30.0
    current = found.current(1, STREAM)
    assert current.gain_a_per_code.value == 9.5367431640625e-07
    assert current.gain_a_per_code.standard_uncertainty == 1e-10
    assert current.gain_a_per_code.degrees_of_freedom == 12.0
    assert current.offset_codes.value == -150.0
    assert current.phase_lag_rad.value == 0.00390625
    assert current.skew_s.value == 1.5e-06
    assert not found.demonstration


def test_what_is_written_is_read_back(synthesis: ModuleType) -> None:
    written = synthesis.correction_set()
    assert parse_correction_set(written.to_bytes()) == written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"correction-set-1", b"correction-set-2", "format is 'spotcheck-correction-set-2', not"),
        (b'"phase":1', b'"phase": 1', "not in canonical form"),
        (b'"phase":1', b'"phase":"1"', r"currents\[0\]\.phase is '1'; expected int"),
        (b'"instrument"', b'"instrumenu"', "unknown field 'instrumenu'"),
        (b'"instrument":"SC-0001",', b"", "lacks the field 'instrument'"),
        (b"2026-03-01", b"2026-02-30", "issued_on is no ISO date"),
        (b"2027-02-28", b"next year", "valid_until is no ISO date"),
        (b'"value":"0x1.0000000000000p-20"', b'"value":"0x0.0p+0"', "gain is not positive"),
        (b'"value":"0x1.0000000000000p-20"', b'"value":"nan"', "is no uncertain value"),
        (b"0x1.a36e2eb1c432dp-16", b"-0x1.a36e2eb1c432dp-16", "is no uncertain value"),
        (b'"degrees_of_freedom":"0x1.8000000000000p+3"', b'"degrees_of_freedom":"0x0.0p+0"',
         "is no uncertain value"),
        (b'"nominal_frequency_hz":"0x1.9000000000000p+5"', b'"nominal_frequency_hz":"0x1.9p+6"',
         "nominal_frequency_hz is 100.0; 45 to 65 is possible"),
        (b'"normal"', b'"triangular"', "expected a Distribution"),
        (b"}", b"", "not JSON"),
    ],
)  # fmt: skip
def test_altered_file_is_refused_with_its_name(
    tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    data = GOLDEN.read_bytes()
    assert old in data
    path = tmp_path / "set.json"
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(CorrectionSetError, match=message) as caught:
        load_correction_set(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("data", [b"", b"[]", b'"x"', b"\xff\xfe"])
def test_what_is_no_set_is_refused(data: bytes) -> None:
    with pytest.raises(CorrectionSetError):
        parse_correction_set(data)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorrectionSetError, match=r"none\.json: No such file or directory"):
        load_correction_set(tmp_path / "none.json")


def test_range_that_was_not_calibrated_is_named() -> None:
    found = load_correction_set(GOLDEN)
    with pytest.raises(CorrectionSetError, match="no correction of voltage 2 in range 'U300'"):
        found.voltage(2, STREAM)
    with pytest.raises(CorrectionSetError, match="no correction of current 1 in range 'C100'"):
        found.current(1, replace(STREAM, current_range="C100"))


def utc_ns(*when: int) -> int:
    moment = datetime.datetime(*when, tzinfo=datetime.UTC)  # type: ignore[arg-type, misc]
    return int(moment.timestamp()) * 10**9


@pytest.mark.parametrize(
    ("when", "expired"),
    [
        ((2026, 3, 1, 0, 0, 0), False),
        ((2027, 2, 28, 23, 59, 59), False),
        ((2027, 3, 1, 0, 0, 0), True),
        ((2030, 1, 1, 0, 0, 0), True),
    ],
)
def test_set_holds_through_its_last_day(when: tuple[int, ...], expired: bool) -> None:
    assert load_correction_set(GOLDEN).expired_on(utc_ns(*when)) is expired
    assert load_correction_set(GOLDEN).expired_on(utc_ns(*when) + 999_999_999) is expired


@pytest.mark.parametrize(
    "values",
    [
        {"value": math.inf, "standard_uncertainty": 1.0},
        {"value": 1.0, "standard_uncertainty": math.nan},
        {"value": 1.0, "standard_uncertainty": -1e-9},
        {"value": 1.0, "standard_uncertainty": 0.1, "degrees_of_freedom": 0.0},
        {"value": 1.0, "standard_uncertainty": 0.1, "degrees_of_freedom": math.nan},
    ],
)
def test_impossible_uncertainty_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(CorrectionSetError, match="is no uncertain value"):
        UncertainValue(**values)


def test_relative_uncertainty_is_of_the_magnitude() -> None:
    assert UncertainValue(value=-4.0, standard_uncertainty=1.0).relative_uncertainty == 0.25


def test_every_altered_byte_is_refused_or_changes_the_identity() -> None:
    data = GOLDEN.read_bytes()
    identity = hashlib.sha256(data).hexdigest()
    for position in range(len(data)):
        altered = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        try:
            found = parse_correction_set(altered)
        except CorrectionSetError:
            continue
        assert found.sha256 != identity, position
