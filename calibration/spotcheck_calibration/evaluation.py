"""From evidence to an `ErrorReading`: the one function that device, host and verifier share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import spotcheck
from spotcheck.errors import EvidenceError
from spotcheck.evidence import SUMS_PER_PHASE, Evidence
from spotcheck.load import Conditions
from spotcheck.meter import Direction, MeteredQuantity, PulseOutput
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CannotJudge, ErrorReading, Method, Reason, TimeBase
from spotcheck.samples import StreamFormat
from spotcheck_calibration.budget import reading_budget
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_dsp.pulse_fit import PulseLine, gate, least_squares_line
from spotcheck_dsp.slot_sums import UU, Slots

SOFTWARE = f"spotcheck {spotcheck.__version__}"
FEWEST_PULSES = 3
"""Two pulses leave no residual: nothing would say how well they were stamped."""
DECISIVE_RESIDUAL_RATIO = 3.0
"""One kind of pulse output is taken as found when its residual is this much the smaller."""
LARGEST_INTERVAL_RATIO = 1.5
"""Energies of single intervals may differ by this; a missed or a double pulse makes it 2."""
PLAUSIBLE_METER_TO_REFERENCE = (0.2, 5.0)
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
    load = CorrectedLoad(
        slots_of(evidence),
        first_slot=head.first_slot,
        slot_length=head.slot_length,
        stream=head.stream,
        correction=correction,
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
    return _evaluate_pulses(evidence, correction, reading_id, load, samples, conditions)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _PulseEnergy:
    """The line taken, and what is not known about it."""

    line: PulseLine
    kind: PulseOutput
    ambiguity_j: float
    gate_j: float


def _pulse_energy(load: CorrectedLoad, samples: Array, declared: PulseOutput) -> _PulseEnergy:
    """Energy per pulse by the declared kind of pulse output, or by the kind that fits better."""
    candidates = {
        PulseOutput.SMOOTHED: load.energy_j(samples),
        PulseOutput.PULSATING: load.energy_with_ripple_j(samples),
    }
    lines = {kind: least_squares_line(energy) for kind, energy in candidates.items()}
    smoothed, pulsating = lines[PulseOutput.SMOOTHED], lines[PulseOutput.PULSATING]
    kind = declared
    if declared is PulseOutput.UNKNOWN:
        if smoothed.residual * DECISIVE_RESIDUAL_RATIO < pulsating.residual:
            kind = PulseOutput.SMOOTHED
        elif pulsating.residual * DECISIVE_RESIDUAL_RATIO < smoothed.residual:
            kind = PulseOutput.PULSATING
    if kind is not PulseOutput.UNKNOWN:
        return _PulseEnergy(
            line=lines[kind], kind=kind, ambiguity_j=0.0, gate_j=gate(candidates[kind])
        )
    middle = (smoothed.energy_per_pulse + pulsating.energy_per_pulse) / 2
    wider = max(lines.values(), key=lambda line: line.standard_uncertainty)
    return _PulseEnergy(
        line=PulseLine(
            energy_per_pulse=middle,
            standard_uncertainty=wider.standard_uncertainty,
            residual=wider.residual,
            degrees_of_freedom=wider.degrees_of_freedom,
        ),
        kind=PulseOutput.UNKNOWN,
        # The truth lies at one of two known points: their half distance is its deviation.
        ambiguity_j=abs(smoothed.energy_per_pulse - pulsating.energy_per_pulse) / 2,
        gate_j=(gate(candidates[PulseOutput.SMOOTHED]) + gate(candidates[PulseOutput.PULSATING]))
        / 2,
    )


def _implausible(
    load: CorrectedLoad, samples: Array, claimed_j: float, found_j: float
) -> tuple[Reason, str] | None:
    low, high = PLAUSIBLE_METER_TO_REFERENCE
    ratio = claimed_j / found_j
    if not low <= ratio <= high:
        return Reason.PULSES_IMPLAUSIBLE, (
            f"the pulses claim {ratio:.3g} times the energy measured; "
            f"with this load the constant would be {3.6e6 / found_j:.0f} imp/kWh"
        )
    intervals = np.diff(load.energy_j(samples))
    if intervals.min() <= 0 or intervals.max() / intervals.min() > LARGEST_INTERVAL_RATIO:
        worst = int(np.argmax(np.abs(intervals - np.median(intervals))))
        return Reason.PULSES_IRREGULAR, (
            f"the energy between pulses {worst} and {worst + 1} is "
            f"{intervals[worst] / np.median(intervals):.2f} times the median: "
            "a pulse was missed or came double"
        )
    return None


def _evaluate_pulses(
    evidence: Evidence, correction: CorrectionSet, reading_id: str, load: CorrectedLoad,
    samples: Array, conditions: Conditions,
) -> ErrorReading | CannotJudge:  # fmt: skip
    head = evidence.head
    found = _pulse_energy(load, samples, head.meter.pulse_output)
    claimed_j = float(head.meter.constant.energy_per_pulse_j)
    obstacle = _implausible(load, samples, claimed_j, found.line.energy_per_pulse)
    if obstacle:
        return _cannot(reading_id, *obstacle, int(samples[-1]), conditions)
    intervals = len(samples) - 1
    duration_s = float(samples[-1] - samples[0]) / load.rate_hz
    budget = reading_budget(
        meter_energy_per_pulse_j=claimed_j,
        line=found.line,
        ambiguity_j=found.ambiguity_j,
        duration_s=duration_s,
        conditions=conditions,
        stream=head.stream,
        correction=correction,
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
        method=Method.LEAST_SQUARES_LINE,
        pulse_output=found.kind,
        gate_error_percent=100 * (claimed_j / found.gate_j - 1),
        residual_s=found.line.residual / conditions.p_w,
        first_stamp=head.pulses.pulses[0].stamp,
        last_stamp=head.pulses.pulses[-1].stamp,
        meter_energy_j=claimed_j * intervals,
        reference_energy_j=found.line.energy_per_pulse * intervals,
        duration_s=duration_s,
        pulses_used=len(samples),
        pulses_rejected=0,
        time_base=TimeBase.FREE_RUNNING,
        conditions=conditions,
        correction_set_sha256=correction.sha256,
        evidence_sha256=evidence.sha256,
        software=SOFTWARE,
    )
