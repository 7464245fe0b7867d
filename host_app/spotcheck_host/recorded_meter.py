"""The meter's error from a recording and its pulses, with what the uncertainty covers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.meter import Meter, MeteredQuantity, PulseOutput
from spotcheck.reading import CURES, Reason
from spotcheck.rule import Rule
from spotcheck.verdict import CombinedError, Verdict, cannot_judge, judge
from spotcheck_calibration.budget import Budget, RelativePart, reading_budget
from spotcheck_calibration.pulse_energy import (
    FEWEST_PULSES,
    EnergiesAtPulses,
    bounded_by_tick,
    energy_per_pulse,
    implausible,
    number_pulses,
)
from spotcheck_dsp.window_quantities import WindowQuantities
from spotcheck_host.recorded_measurement import RecordedMeasurement

SCOPE_ALGORITHM = "algorithm and pulses"
SCOPE_REFERENCE = "reference, algorithm and pulses"
SCOPE_INSTRUMENT = "instrument, algorithm and pulses"
LEAST_POWER_FACTOR = 1e-4
"""Below it, what is left of the power is rounding and noise."""
LARGEST_LIKELY_ERROR_PERCENT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What is known of the instrument that made the recording."""

    scope: str
    """What the expanded uncertainty covers."""
    parts: Mapping[str, RelativePart]
    """Type B parts by name; empty when nothing was stated."""

    @property
    def may_be_judged(self) -> bool:
        """A verdict needs the uncertainty of the reference."""
        return self.scope != SCOPE_ALGORITHM


def stated_reference(expanded_uncertainty_percent: float | None) -> Reference:
    """A reference whose expanded uncertainty (k = 2) a person states, or of which none is known.

    Args:
        expanded_uncertainty_percent: U of its energy in percent.
    """
    if expanded_uncertainty_percent is None:
        return Reference(scope=SCOPE_ALGORITHM, parts={})
    half = expanded_uncertainty_percent / 100 / 2
    part = RelativePart(standard_uncertainty=half)
    return Reference(scope=SCOPE_REFERENCE, parts={"reference standard": part})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedError:
    """The meter's error."""

    budget: Budget
    """Error, U and its lines."""
    uncertainty_scope: str
    """What U covers."""
    gate_error_percent: float
    """The classic gate from the first to the last pulse."""
    pulses_used: int
    """Pulses in the evaluation."""
    pulses_rejected: int
    """Edges in the window that are no pulses of the meter."""
    pulses_missing: int
    """Pulses that nobody saw; their energy is counted."""
    pulses_outside: int
    """Pulses before, after or too near to the ends of the window."""
    duration_s: float
    """From the first to the last pulse used."""
    kind: str
    """Kind of pulse output that it rests on."""
    hint: str
    """What a person should check; mostly empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRecordedError:
    """Why the meter's error cannot be told."""

    reason: Reason
    """The reason's code."""
    detail: str
    """What was found."""
    pulses_outside: int
    """Pulses before, after or too near to the ends of the window."""

    @property
    def cure(self) -> str:
        """What a person can do."""
        return CURES[self.reason]


def conditions_of(quantities: WindowQuantities) -> Conditions:
    """The quantities in the words of a reading."""
    fundamental = quantities.fundamental
    # Mean squares over the pieces, as the RMS is: the magnitude of the mean phasor would make
    # distortion of a level or an angle that changes from piece to piece.
    square = quantities.harmonics_rms[:, 0] ** 2
    phases = []
    for p in range(len(quantities.power_w)):
        u, i = fundamental[2 * p], fundamental[2 * p + 1]
        phases.append(
            PhaseQuantities(
                u_v=float(quantities.rms_u_v[p]),
                i_a=float(quantities.rms_i_a[p]),
                p_w=float(quantities.power_w[p]),
                q1_var=float(quantities.q1_var[p]),
                u_phase_deg=float(np.degrees(np.angle(u))),
                i_phase_deg=float(np.degrees(np.angle(i))),
                thd_u_percent=_distortion_percent(quantities.rms_u_v[p], square[2 * p]),
                thd_i_percent=_distortion_percent(quantities.rms_i_a[p], square[2 * p + 1]),
            )
        )
    return Conditions(
        phases=tuple(phases),
        frequency_hz=quantities.frequency_hz,
        power_instability_percent=None,
    )


def _distortion_percent(rms: float, fundamental_square: float) -> float:
    if fundamental_square <= 0:
        return 0.0
    return float(100 * np.sqrt(max(rms**2 / fundamental_square - 1.0, 0.0)))


def meter_error(
    measured: RecordedMeasurement,
    meter: Meter,
    reference: Reference,
    *,
    resolution_s: float = 0.0,
    export: bool = False,
) -> RecordedError | NoRecordedError:
    """The error of the meter whose pulses were read.

    Args:
        measured: A measurement with pulses.
        meter: Nameplate of the meter under test.
        reference: What is known of the instrument.
        resolution_s: How finely the pulses' times were written.
        export: Whether the pulses count exported energy.
    """
    sign = -1 if export else 1
    energies = EnergiesAtPulses(
        smoothed_j=sign * measured.energies.smoothed_j,
        with_ripple_j=sign * measured.energies.with_ripple_j,
    )
    obstacle = _obstacle(measured, meter, sign)
    if obstacle is not None:
        return _none(measured, *obstacle)
    claimed_j = float(meter.constant.energy_per_pulse_j)
    pulses = number_pulses(measured.pulses_s, energies, claimed_j)
    if isinstance(pulses, str):
        return _none(measured, Reason.PULSES_IRREGULAR, pulses)
    times_s = measured.pulses_s[pulses.used]
    used = energies.of(pulses.used)
    found = energy_per_pulse(used, pulses.numbers, meter.pulse_output)
    found = bounded_by_tick(found, used, pulses.numbers, times_s)
    if obstacle := implausible(claimed_j, found.line.energy_per_pulse):
        return _none(measured, *obstacle)
    budget = reading_budget(
        meter_energy_per_pulse_j=claimed_j,
        line=found.line,
        ambiguity_j=found.ambiguity_j,
        tick_j=found.tick_j,
        instrument=dict(reference.parts) | _own_parts(measured, found.kind, resolution_s),
    )
    return RecordedError(
        budget=budget,
        uncertainty_scope=reference.scope,
        gate_error_percent=100 * (claimed_j / found.gate_j - 1),
        pulses_used=len(times_s),
        pulses_rejected=pulses.rejected,
        pulses_missing=pulses.missing,
        pulses_outside=measured.pulses_outside,
        duration_s=float(times_s[-1] - times_s[0]),
        kind=found.kind.value,
        hint=_hint(budget.error_percent, found.line.energy_per_pulse),
    )


def _none(measured: RecordedMeasurement, reason: Reason, detail: str) -> NoRecordedError:
    return NoRecordedError(reason=reason, detail=detail, pulses_outside=measured.pulses_outside)


def _hint(error_percent: float, found_j: float) -> str:
    """An error that no meter has is mostly a constant that was entered wrongly."""
    if abs(error_percent) < LARGEST_LIKELY_ERROR_PERCENT:
        return ""
    return (
        f"check the meter constant: with this load {3.6e6 / found_j:.4g} imp/kWh would fit the "
        "pulses"
    )


def _own_parts(
    measured: RecordedMeasurement, kind: PulseOutput, resolution_s: float
) -> dict[str, RelativePart]:
    """What the arithmetic itself leaves unknown, however regular the pulses are.

    The times are rounded: at worst both ends of the gate are (JCGM 100:2008, F.2.2.1). The
    running integral with its ripple is read between samples: what the second difference leaves
    of it is 17/5760 (ωT)⁴ of the ripple's amplitude S/(2ω), ω being that of the ripple.
    """
    span_s = float(measured.pulses_s[-1] - measured.pulses_s[0])
    parts = {
        "resolution of the pulses' times": RelativePart(
            standard_uncertainty=resolution_s / math.sqrt(6) / span_s
        )
    }
    if kind is not PulseOutput.SMOOTHED:
        quantities = measured.quantities
        ripple_rad_per_s = 4 * math.pi * quantities.frequency_hz
        step_rad = ripple_rad_per_s / measured.window.segment.sample_rate_hz
        apparent_va = float(np.sum(quantities.rms_u_v * quantities.rms_i_a))
        amplitude_j = apparent_va / ripple_rad_per_s
        energy_j = abs(float(quantities.power_w.sum())) * span_s
        left = 17 / 5760 * step_rad**4 * 2 * amplitude_j / energy_j
        parts["ripple between samples"] = RelativePart(standard_uncertainty=left / math.sqrt(3))
    return parts


def _obstacle(measured: RecordedMeasurement, meter: Meter, sign: int) -> tuple[Reason, str] | None:
    if meter.constant.quantity is not MeteredQuantity.ACTIVE_ENERGY:
        detail = f"pulses of {meter.constant} need another register than active energy"
        return Reason.QUANTITY_NOT_SUPPORTED, detail
    count = len(measured.pulses_s)
    if count < FEWEST_PULSES:
        detail = (
            f"pulses within the window: {count}, at or beyond its ends: "
            f"{measured.pulses_outside}; at least {FEWEST_PULSES} are needed"
        )
        return (Reason.TOO_FEW_PULSES if count else Reason.NO_PULSES), detail
    quantities = measured.quantities
    power_w = float(quantities.power_w.sum())
    apparent_va = float(np.sum(quantities.rms_u_v * quantities.rms_i_a))
    if apparent_va == 0:
        return Reason.NO_LOAD, "the power is 0 W"
    if abs(power_w) < LEAST_POWER_FACTOR * apparent_va:
        detail = f"the active power is {abs(power_w) / apparent_va:.1g} of the apparent power"
        return Reason.POWER_FACTOR_TOO_LOW, detail
    if sign * power_w < 0:
        detail = f"the power is {power_w:.1f} W: export, or a clamp reversed"
        if sign < 0:
            detail = f"the power is {power_w:.1f} W, but the pulses are said to count export"
        return Reason.NEGATIVE_POWER, detail
    return None


def judge_recorded(
    rule: Rule, meter: Meter, error: RecordedError, conditions: Conditions
) -> Verdict:
    """The verdict on one long reading: it must hold as much as all readings that the rule wants.

    Args:
        rule: The rule profile.
        meter: Nameplate data.
        error: The meter's error, of a reference that is known.
        conditions: What was there over the window.
    """
    plan = rule.readings
    pulses, duration_s = plan.minimum * plan.minimum_pulses, plan.minimum * plan.minimum_duration_s
    if error.pulses_used < pulses or error.duration_s < duration_s:
        detail = (
            f"the recording has {error.pulses_used} pulses in {error.duration_s:.1f} s; "
            f"{rule.id} wants {plan.minimum} readings, together {pulses} pulses and {duration_s} s"
        )
        return cannot_judge(rule, Reason.TOO_FEW_PULSES, detail)
    budget = error.budget
    combined = CombinedError(
        error_percent=budget.error_percent,
        expanded_uncertainty_percent=budget.expanded_uncertainty_percent,
        coverage_factor=budget.coverage_factor,
        degrees_of_freedom=budget.degrees_of_freedom,
        reading_ids=("recording",),
    )
    return judge(rule, meter, combined, conditions)
