"""PPS in the evidence: what the sample clock rests on, and what that does to error and U."""

import re
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from spotcheck.evidence import Evidence, parse_evidence
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CannotJudge, ErrorReading, Reason, TimeBase
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import evaluate
from spotcheck_calibration.time_base import seconds_of

FAST = "12800 imp/kWh"
RATE_HZ = 8000
CLOCK_ERROR = 120e-6
"""What the synthesised instrument's clock is fast by."""


def pps(first_s: float, last_s: float, clock_error: float = CLOCK_ERROR) -> tuple[int, ...]:
    """Stamps of whole seconds between two true times, with 1 µs of jitter."""
    true_s = np.arange(np.ceil(first_s), last_s)
    jitter_s = np.random.default_rng(8).normal(0, 1e-6, len(true_s))
    stamps = (true_s + jitter_s) * RATE_HZ * (1 + clock_error) * STAMP_SUBDIVISION
    return tuple(int(stamp) for stamp in np.rint(stamps))


def evidence(synthesis: ModuleType, stamps: tuple[int, ...], clock_error: float) -> Evidence:
    """A meter that is 0.5 % fast, seen by an instrument whose clock is fast by `clock_error`."""
    true = with_clock(synthesis.correction_set(), clock_error, 0.0)
    found: Evidence = synthesis.Plant().evidence(
        error_percent=0.5, constant=FAST, seconds=12.0, correction=true
    )
    return replace(found, head=replace(found.head, pps_stamps=stamps))


def with_clock(correction: CorrectionSet, value: float, u: float) -> CorrectionSet:
    clock = replace(correction.sample_rate_relative_error, value=value, standard_uncertainty=u)
    return replace(correction, sample_rate_relative_error=clock)


def clock_line_percent(reading: ErrorReading) -> float:
    return next(
        line.standard_uncertainty_percent for line in reading.budget if line.name == "sample clock"
    )


def test_pps_takes_out_an_error_of_the_clock_that_calibration_does_not_know(
    synthesis: ModuleType,
) -> None:
    believed = with_clock(synthesis.correction_set(), CLOCK_ERROR, 15e-6)
    off = CLOCK_ERROR + 30e-6
    blind = evaluate(evidence(synthesis, (), off), believed, "id")
    seeing = evaluate(evidence(synthesis, pps(-100, 12, off), off), believed, "id")
    assert isinstance(blind, ErrorReading)
    assert isinstance(seeing, ErrorReading)
    assert blind.time_base is TimeBase.FREE_RUNNING
    assert seeing.time_base is TimeBase.PPS_DISCIPLINED
    # 30 ppm of rate are 30 ppm of energy.
    assert blind.error_percent - 0.5 == pytest.approx(-3e-3, abs=2e-5)
    assert abs(seeing.error_percent - 0.5) < 1e-5
    assert clock_line_percent(blind) == pytest.approx(15e-4, rel=1e-2)
    assert clock_line_percent(seeing) < 1e-5
    assert seeing.expanded_uncertainty_percent < blind.expanded_uncertainty_percent


def test_holdover_is_named_and_its_uncertainty_grows_until_calibration_is_better(
    synthesis: ModuleType,
) -> None:
    believed = with_clock(synthesis.correction_set(), CLOCK_ERROR, 4e-6)
    lines, states = [], []
    for last_s in (12.0, 1.0, -30.0, -110.0, -3000.0):
        stamps = pps(last_s - 60, last_s)
        reading = evaluate(evidence(synthesis, stamps, CLOCK_ERROR), believed, "id")
        assert isinstance(reading, ErrorReading)
        assert abs(reading.error_percent - 0.5) < reading.expanded_uncertainty_percent
        lines.append(clock_line_percent(reading))
        states.append(reading.time_base)
    held = TimeBase.PPS_HOLDOVER
    free = TimeBase.FREE_RUNNING
    assert states == [TimeBase.PPS_DISCIPLINED, held, held, held, free]
    assert lines == sorted(lines)
    assert lines[-1] == pytest.approx(4e-4, rel=1e-2)


def test_pps_that_contradicts_the_calibration_gives_no_reading(synthesis: ModuleType) -> None:
    believed = with_clock(synthesis.correction_set(), CLOCK_ERROR, 0.5e-6)
    off = CLOCK_ERROR + 30e-6
    outcome = evaluate(evidence(synthesis, pps(-100, 12, off), off), believed, "id")
    assert isinstance(outcome, CannotJudge)
    assert outcome.reason is Reason.TIME_BASE_DOUBTFUL
    said = re.fullmatch(
        r"by PPS the sample clock is (\S+) ppm off, by calibration (\S+) ppm; .*", outcome.detail
    )
    assert said is not None
    assert float(said[1]) == pytest.approx(150.0, abs=0.1)
    assert said[2] == "+120.000"


def test_few_marks_leave_the_clock_to_its_calibration(synthesis: ModuleType) -> None:
    believed = synthesis.correction_set()
    outcome = evaluate(evidence(synthesis, pps(0, 12), CLOCK_ERROR), believed, "id")
    assert isinstance(outcome, ErrorReading)
    assert outcome.time_base is TimeBase.FREE_RUNNING


def test_stray_edges_and_missing_seconds_are_told_from_pps() -> None:
    rng = np.random.default_rng(4)
    true_s = np.delete(np.arange(100.0), [7, 8, 50])
    marks_s = 0.25 + true_s * (1 + 30e-6)
    strays_s = rng.uniform(0, 100, 15)
    found_s, seconds = seconds_of(np.sort(np.concatenate([marks_s, strays_s])))
    assert np.array_equal(seconds, true_s)
    assert np.array_equal(found_s, marks_s)


def test_receiver_that_changes_its_mind_counts_from_the_longer_part_only() -> None:
    before, after = np.arange(0.0, 40.0), np.arange(40.0, 100.0) + 0.3
    found_s, seconds = seconds_of(np.concatenate([before, after]))
    assert np.array_equal(found_s, after)
    assert np.array_equal(seconds, np.arange(60.0))


def test_evidence_keeps_its_marks_and_evidence_without_any_its_bytes(
    synthesis: ModuleType,
) -> None:
    without = evidence(synthesis, (), CLOCK_ERROR)
    marked = evidence(synthesis, (5, 7, 2**40), CLOCK_ERROR)
    assert b"pps" not in without.to_bytes()
    assert parse_evidence(marked.to_bytes()) == marked
