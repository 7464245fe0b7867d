"""Outcomes and evidence written by version 1 are read for ever, and still written so."""

import hashlib
import math
import struct
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import CanonicalFormError, EvidenceError, InvalidInputError
from spotcheck.evidence import ComponentGrid, Evidence, parse_evidence
from spotcheck.meter import (
    AccuracyClass,
    Connection,
    Direction,
    MeteredQuantity,
    PulseOutput,
)
from spotcheck.plain import from_plain, to_plain
from spotcheck.reading import (
    PLAIN_FORMAT,
    CannotJudge,
    ErrorReading,
    Method,
    Reason,
    TimeBase,
)

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_reading_of_version_1() -> None:
    data = golden("error_reading_v1.json")
    reading = from_plain(ErrorReading, parse_canonical(data))
    assert canonical_bytes(to_plain(reading)) == data
    assert PLAIN_FORMAT == "spotcheck-outcome-1"
    assert reading.reading_id == "SC-0001-7-3"
    assert reading.quantity is MeteredQuantity.ACTIVE_ENERGY
    assert reading.direction is Direction.IMPORT
    assert reading.error_percent == -0.8300000000000001
    assert reading.expanded_uncertainty_percent == 0.0234375
    assert (reading.coverage_factor, reading.degrees_of_freedom) == (2.0, 60.5)
    assert (reading.type_a_percent, reading.type_b_percent) == (0.00390625, 0.01171875)
    assert [line.name for line in reading.budget] == ["current gain 1", "pulse scatter (Type A)"]
    assert math.isinf(reading.budget[0].degrees_of_freedom)
    assert reading.budget[1].degrees_of_freedom == 28.0
    assert reading.method is Method.LEAST_SQUARES_LINE
    assert reading.pulse_output is PulseOutput.SMOOTHED
    assert reading.gate_error_percent == -0.8125
    assert reading.residual_s == 2**-19
    assert (reading.first_stamp, reading.last_stamp) == (123_456_789, 15_852_241_944)
    assert (reading.meter_energy_j, reading.reference_energy_j) == (32_625.0, 32_898.0)
    assert (reading.duration_s, reading.pulses_used, reading.pulses_rejected) == (30.0, 30, 0)
    assert reading.time_base is TimeBase.FREE_RUNNING
    assert reading.conditions.frequency_hz == 49.96875
    assert reading.conditions.power_instability_percent == 0.125
    third = reading.conditions.phases[2]
    assert (third.u_v, third.i_a, third.p_w, third.q1_var) == (231.5, 4.75, 545.0625, -944.0)
    assert (third.u_phase_deg, third.i_phase_deg) == (-240.0, -180.0)
    assert (third.thd_u_percent, third.thd_i_percent) == (1.5, 12.25)
    assert reading.correction_set_sha256 == "ab" * 32
    assert reading.evidence_sha256 == "cd" * 32
    assert reading.software == "spotcheck 0.1.0"


def test_cannot_judge_of_version_1() -> None:
    data = golden("cannot_judge_v1.json")
    outcome = from_plain(CannotJudge, parse_canonical(data))
    assert canonical_bytes(to_plain(outcome)) == data
    assert (outcome.outcome_id, outcome.reason) == ("SC-0001-7-4", Reason.NEGATIVE_POWER)
    assert outcome.detail.startswith("the power of phase 2 is -545.1 W")
    assert outcome.at_sample == 240_000
    assert outcome.conditions is not None
    assert outcome.conditions.phases[0].u_v == 229.5


def test_cannot_judge_without_a_stream_of_version_1() -> None:
    data = golden("cannot_judge_without_stream_v1.json")
    assert (
        data
        == (
            '{"at_sample":null,"conditions":null,"detail":"设备不再应答",'
            '"outcome_id":"host-1","reason":"device lost"}'
        ).encode()
    )
    outcome = from_plain(CannotJudge, parse_canonical(data))
    assert canonical_bytes(to_plain(outcome)) == data
    assert outcome.reason is Reason.DEVICE_LOST
    assert outcome.at_sample is outcome.conditions is None


def test_every_reason_of_version_1_is_still_known() -> None:
    assert {reason.value for reason in Reason} >= {
        "no load", "load too small", "power factor too low", "outage", "voltage abnormal",
        "frequency out of range", "overload", "distortion", "unstable load", "negative power",
        "no pulses", "too few pulses", "pulses implausible", "pulses irregular", "data lost",
        "front end lost", "device lost", "reference not calibrated", "calibration expired",
        "uncertainty too large", "no limit at this load", "readings disagree",
        "record store full", "stopped",
    }  # fmt: skip


EVIDENCE_SHA256 = "77544a7f96c561b35f475184f81899df7bc8a0e0e8358235d3204e3df92f662e"


def test_evidence_of_version_1() -> None:
    data = golden("evidence_v1.bin")
    evidence = parse_evidence(data)
    assert evidence.to_bytes() == data
    assert evidence.sha256 == hashlib.sha256(data).hexdigest() == EVIDENCE_SHA256
    head = evidence.head
    assert (head.stream.sample_rate_hz, head.stream.phases) == (8000, 1)
    assert (head.stream.voltage_range, head.stream.current_range) == ("U300", "C5")
    assert (head.slot_length, head.first_slot) == (8, 4711)
    assert head.meter.serial == "31 00012 345678"
    assert head.meter.accuracy_class is AccuracyClass.CLASS_0_5S
    assert head.meter.constant.pulses_per_unit == Fraction(10_000, 3)
    assert head.meter.connection is Connection.TRANSFORMER
    assert str(head.meter.nominal_voltage_v) == "57.70"
    assert head.meter.basic_current_a == Decimal("1.5")
    assert head.meter.max_current_a == 6
    assert head.meter.pulse_output is PulseOutput.PULSATING
    stamps = [(pulse.stamp, pulse.index) for pulse in head.pulses.pulses]
    assert stamps == [(2_469_921_587, 41), (2_469_987_123, 42)]
    assert struct.unpack("<12q", evidence.slot_sums) == (
        2**62, -(2**61) - 1, 3, 4, -5, 6, -1, 0, 2**63 - 1, 7, 8, -(2**63),
    )  # fmt: skip
    assert evidence.slot_bytes == 48


def test_evidence_of_version_2() -> None:
    data = golden("evidence_v2.bin")
    evidence = parse_evidence(data)
    assert evidence.to_bytes() == data
    assert evidence.sha256 == "afcad6a2e80e1c766dd4f4533de2b9b8d40492aa3640ee87e575a858fda2c07f"
    first = parse_evidence(golden("evidence_v1.bin"))
    assert evidence.slot_sums == first.slot_sums
    assert evidence.head.components == ComponentGrid(cycles=10, orders=2)
    assert evidence.window_bytes == 80
    values = struct.unpack("<20d", evidence.components)
    assert values[:6] == (37688.25, 39296.75, 3.0, -4.0, 0.5, 0.25)
    assert values[10:12] == (39296.75, 40905.25)
    assert values[-2:] == (2.5e-3, -3e-3)


def test_evidence_with_line_feeds_among_its_sums_is_read_whole() -> None:
    head = parse_evidence(golden("evidence_v1.bin")).head
    evidence = Evidence(head=head, slot_sums=b"\n" * 48)
    assert parse_evidence(evidence.to_bytes()) == evidence


@pytest.mark.parametrize("cut", [1, 8, 47])
def test_evidence_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(EvidenceError, match="no whole number of 48-byte slots"):
        parse_evidence(golden("evidence_v1.bin")[:-cut])


def test_what_is_no_evidence_is_refused() -> None:
    data = golden("evidence_v1.bin")
    with pytest.raises(EvidenceError, match="head line is missing"):
        parse_evidence(data.replace(b"\n", b""))
    with pytest.raises(EvidenceError, match="no evidence of the format spotcheck-evidence-1 or"):
        parse_evidence(data.replace(b"evidence-1", b"evidence-3"))
    with pytest.raises(EvidenceError, match="no evidence of the format"):
        parse_evidence(b"[]\n")
    with pytest.raises(CanonicalFormError, match="altered"):
        parse_evidence(data.replace(b'"phases":1', b'"phases": 1', 1))
    with pytest.raises(InvalidInputError, match=r"\$\.stream\.phases is '1'; expected int"):
        parse_evidence(data.replace(b'"phases":1,"sample', b'"phases":"1","sample'))
    with pytest.raises(InvalidInputError, match=r"\$ has an unknown field 'extra'"):
        parse_evidence(data.replace(b'"first_slot"', b'"extra":0,"first_slot"', 1))


def test_every_byte_of_evidence_counts_for_its_name() -> None:
    data = golden("evidence_v1.bin")
    for position in range(len(data)):
        altered = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        try:
            found = parse_evidence(altered)
        except InvalidInputError:
            continue
        assert found.sha256 != EVIDENCE_SHA256, position
