"""From evidence to an `ErrorReading`: the one function that device, host and verifier share."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import spotcheck
from spotcheck.errors import EvidenceError
from spotcheck.evidence import SUMS_PER_PHASE, Evidence
from spotcheck.load import Conditions
from spotcheck.meter import Direction, MeteredQuantity
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CannotJudge, ErrorReading, Method, Reason
from spotcheck.samples import StreamFormat
from spotcheck_calibration.budget import instrument_parts, reading_budget
from spotcheck_calibration.components import components_of
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.pulse_energy import (
    FEWEST_PULSES,
    EnergiesAtPulses,
    bounded_by_tick,
    energy_per_pulse,
    implausible,
    number_pulses,
    too_few_for_any_filter,
)
from spotcheck_calibration.time_base import KnownClock, known_clock
from spotcheck_dsp.slot_sums import UU, Slots

SOFTWARE = f"spotcheck {spotcheck.__version__}"
OUTAGE_FRACTION = 0.1

Array = NDArray[np.float64]


def slots_of(evidence: Evidence) -> Slots:
    """(slots, phases, 6) int64 of the evidence."""
    phases = evidence.head.stream.phases
    flat = np.frombuffer(evidence.slot_sums, "<i8").astype(np.int64)
    return flat.reshape(-1, phases, SUMS_PER_PHASE)


def voltage_missing(
    slots: Slots, slot_length: int, stream: StreamFormat, correction: CorrectionSet,
    nominal_voltage_v: float,
) -> str | None:  # fmt: skip
    """Which voltages are absent (below a tenth of nominal), as a sentence; None if all are there.

    Args:
        slots: (slots, phases, 6) sums.
        slot_length: Samples per slot.
        stream: Rate, phases and ranges.
        correction: The instrument's correction set.
        nominal_voltage_v: Phase voltage of the meter under test.
    """
    for phase in range(1, stream.phases + 1):
        gain = correction.voltage(phase, stream).gain_v_per_code.value
        u_v = gain * float(np.sqrt(slots[:, phase - 1, UU].mean() / slot_length))
        if u_v < OUTAGE_FRACTION * nominal_voltage_v:
            return f"U{phase} is {u_v:.1f} V"
    return None


def evaluate(
    evidence: Evidence, correction: CorrectionSet, reading_id: str
) -> ErrorReading | CannotJudge:
    """The meter's error from uncorrected evidence; the same evidence gives the same reading.

    Args:
        evidence: Slots from a tenth of a second before the first pulse to as much after the last.
        correction: The instrument's correction set.
        reading_id: Name of the outcome.

    Returns:
        The reading, or the reason why there is none.

    Raises:
        CorrectionSetError: the range was not calibrated.
        EvidenceError: pulses lie outside the slots.
    """
    head = evidence.head
    stamps = np.array([p.stamp for p in head.pulses.pulses], np.int64)
    last = int(stamps[-1] // STAMP_SUBDIVISION) if len(stamps) else None
    if obstacle := _obstacle_before(evidence, correction):
        return _cannot(reading_id, *obstacle, last, None)
    clock = known_clock(head, correction)
    if isinstance(clock, str):
        return _cannot(reading_id, Reason.TIME_BASE_DOUBTFUL, clock, last, None)
    load = CorrectedLoad(
        slots_of(evidence),
        first_slot=head.first_slot,
        slot_length=head.slot_length,
        stream=head.stream,
        correction=_with_clock(correction, clock),
        components=components_of(evidence),
    )
    samples = stamps / STAMP_SUBDIVISION
    low, high = load.readable_samples
    if samples[0] < low or samples[-1] > high:
        raise EvidenceError(
            f"pulses from sample {samples[0]:.0f} to {samples[-1]:.0f} lie outside the slots, "
            f"which can be read from {low:.0f} to {high:.0f}"
        )
    conditions = load.conditions(float(samples[0]), float(samples[-1]))
    if conditions.p_w == 0:
        return _cannot(reading_id, Reason.NO_LOAD, "the power is 0 W", last, conditions)
    if conditions.p_w < 0:
        detail = f"the power is {conditions.p_w:.1f} W: export, or a clamp reversed"
        return _cannot(reading_id, Reason.NEGATIVE_POWER, detail, last, conditions)
    return _evaluate_pulses(evidence, correction, clock, reading_id, load, samples, conditions)


def _with_clock(correction: CorrectionSet, clock: KnownClock) -> CorrectionSet:
    return replace(correction, sample_rate_relative_error=clock.relative_error)


def _obstacle_before(evidence: Evidence, correction: CorrectionSet) -> tuple[Reason, str] | None:
    head = evidence.head
    if head.meter.constant.quantity is not MeteredQuantity.ACTIVE_ENERGY:
        detail = f"pulses of {head.meter.constant} need another register than active energy"
        return Reason.QUANTITY_NOT_SUPPORTED, detail
    if len(head.pulses.pulses) < FEWEST_PULSES:
        detail = f"pulses: {len(head.pulses.pulses)}; at least {FEWEST_PULSES} are needed"
        return (Reason.TOO_FEW_PULSES if head.pulses.pulses else Reason.NO_PULSES), detail
    if head.pulses.lost:
        return Reason.DATA_LOST, f"{head.pulses.lost} pulses were counted but never arrived"
    missing = voltage_missing(
        slots_of(evidence),
        head.slot_length,
        head.stream,
        correction,
        float(head.meter.nominal_voltage_v),
    )
    return (Reason.OUTAGE, missing) if missing else None


def _cannot(
    outcome_id: str, reason: Reason, detail: str, sample: int | None, conditions: Conditions | None
) -> CannotJudge:
    return CannotJudge(
        outcome_id=outcome_id,
        reason=reason,
        detail=detail,
        at_sample=sample,
        conditions=conditions,
    )


def _evaluate_pulses(
    evidence: Evidence, correction: CorrectionSet, clock: KnownClock, reading_id: str,
    load: CorrectedLoad, samples: Array, conditions: Conditions,
) -> ErrorReading | CannotJudge:  # fmt: skip
    head = evidence.head
    last = int(samples[-1])
    energies = EnergiesAtPulses(
        smoothed_j=load.energy_j(samples),
        with_ripple_j=load.energy_with_ripple_j(samples),
        pulsation=load.pulsation(samples),
    )
    claimed_j = float(head.meter.constant.energy_per_pulse_j)
    pulses = number_pulses(samples / load.rate_hz, energies, claimed_j)
    if isinstance(pulses, str):
        return _cannot(reading_id, Reason.PULSES_IRREGULAR, pulses, last, conditions)
    if obstacle := too_few_for_any_filter(energies, len(pulses.used), head.meter.pulse_output):
        return _cannot(reading_id, *obstacle, last, conditions)
    of_used = energies.of(pulses.used)
    found = bounded_by_tick(
        energy_per_pulse(of_used, pulses.numbers, head.meter.pulse_output),
        of_used,
        pulses.numbers,
        samples[pulses.used] / load.rate_hz,
    )
    if obstacle := implausible(claimed_j, found.line.energy_per_pulse):
        return _cannot(reading_id, *obstacle, last, conditions)
    used = [head.pulses.pulses[k] for k in pulses.used]
    intervals = int(pulses.numbers[-1])
    duration_s = (used[-1].stamp - used[0].stamp) / STAMP_SUBDIVISION / load.rate_hz
    budget = reading_budget(
        meter_energy_per_pulse_j=claimed_j,
        line=found.line,
        ambiguity_j=found.ambiguity_j,
        tick_j=found.tick_j,
        instrument=instrument_parts(
            conditions, head.stream, _with_clock(correction, clock), duration_s
        ),
    )
    return ErrorReading(
        reading_id=reading_id,
        quantity=head.meter.constant.quantity,
        direction=Direction.IMPORT,
        error_percent=budget.error_percent,
        expanded_uncertainty_percent=budget.expanded_uncertainty_percent,
        coverage_factor=budget.coverage_factor,
        degrees_of_freedom=budget.degrees_of_freedom,
        type_a_percent=budget.type_a_percent,
        type_b_percent=budget.type_b_percent,
        budget=budget.components,
        method=Method.ANY_FILTER_LINE if energies.pulsation else Method.LEAST_SQUARES_LINE,
        pulse_output=found.kind,
        gate_error_percent=100 * (claimed_j / found.gate_j - 1),
        residual_s=found.line.residual / conditions.p_w,
        first_stamp=used[0].stamp,
        last_stamp=used[-1].stamp,
        meter_energy_j=claimed_j * intervals,
        reference_energy_j=found.line.energy_per_pulse * intervals,
        duration_s=duration_s,
        pulses_used=len(used),
        pulses_rejected=pulses.rejected,
        pulses_missing=pulses.missing,
        time_base=clock.state,
        conditions=conditions,
        correction_set_sha256=correction.sha256,
        evidence_sha256=evidence.sha256,
        software=SOFTWARE,
    )
