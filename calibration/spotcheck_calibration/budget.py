"""The uncertainty budget of a reading, propagated with GTC (GUM, JCGM 100:2008).

Everything is relative to energy. Gains, lags and skews are independent from phase to phase and
weigh with the phase's share of the power; the reference standard's own error is common to all.
Offsets are not carried: what is left of them enters as the product of two residuals, below 1e-9.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from GTC import component, dof, reporting, uncertainty, ureal, value

from spotcheck.load import Conditions
from spotcheck.reading import ErrorReading, UncertaintyComponent
from spotcheck.samples import StreamFormat
from spotcheck.verdict import CombinedError
from spotcheck_calibration.correction_set import CorrectionSet, UncertainValue
from spotcheck_dsp.pulses.pulse_line import PulseLine

TYPE_A = "pulse scatter (Type A)"
_LINE_TO_GATE_NOISE = 6 / 5
"""Variance of a line's slope over that of the gate when energy itself walks at random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A combined error and its lines."""

    error_percent: float
    """Error of the meter under test."""
    expanded_uncertainty_percent: float
    """Half width of the 95 % interval."""
    coverage_factor: float
    """k from Student's t at the effective degrees of freedom."""
    degrees_of_freedom: float
    """Effective degrees of freedom (Welch–Satterthwaite)."""
    type_a_percent: float
    """Standard uncertainty from the pulses' scatter."""
    type_b_percent: float
    """Standard uncertainty of all else."""
    components: tuple[UncertaintyComponent, ...]
    """Lines, largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativePart:
    """A Type B part of the instrument's energy."""

    standard_uncertainty: float
    """Relative to the energy."""
    degrees_of_freedom: float = math.inf
    """inf where the uncertainty is taken as known."""


def reading_budget(
    *, meter_energy_per_pulse_j: float, line: PulseLine, ambiguity_j: float,
    instrument: Mapping[str, RelativePart], tick_j: float = 0.0,
) -> Budget:  # fmt: skip
    """Error and uncertainty of one reading.

    Args:
        meter_energy_per_pulse_j: What one pulse claims.
        line: The instrument's energy per pulse.
        ambiguity_j: Standard uncertainty of the energy per pulse from not knowing the kind of
            pulse output; 0 where it is known.
        instrument: What is not known about the instrument's energy, by name.
        tick_j: Largest error of the energy per pulse that the meter's tick leaves open.
    """
    slope = line.energy_per_pulse
    freedom = max(1, line.degrees_of_freedom)
    scatter = ureal(1.0, line.standard_uncertainty / slope, df=freedom)
    sources = {TYPE_A: scatter} if line.standard_uncertainty else {}
    parts = dict(instrument)
    if ambiguity_j:
        parts["kind of pulse output"] = RelativePart(standard_uncertainty=ambiguity_j / slope)
    if tick_j:
        # Bounds within which nothing is likelier (JCGM 100, 4.3.7).
        size = tick_j / slope / math.sqrt(3)
        parts["meter's tick"] = RelativePart(standard_uncertainty=size)
    relative: Any = 0.0
    for name, part in parts.items():
        if part.standard_uncertainty:
            size = abs(part.standard_uncertainty)
            sources[name] = ureal(0.0, size, df=part.degrees_of_freedom, label=name)
            relative += sources[name]
    error = 100 * (meter_energy_per_pulse_j / (slope * scatter * (1 + relative)) - 1)
    return _budget(error, sources)


def instrument_parts(
    conditions: Conditions, stream: StreamFormat, correction: CorrectionSet, duration_s: float
) -> dict[str, RelativePart]:
    """What a correction set leaves unknown about the instrument's energy.

    Args:
        conditions: What was there.
        stream: Rate and ranges.
        correction: The instrument's correction set.
        duration_s: Time between the first and the last pulse.
    """
    clock = correction.sample_rate_relative_error
    reference = correction.reference_standard_relative_error
    parts = {
        "sample clock": _part(clock.standard_uncertainty, clock),
        "reference standard": _part(reference.standard_uncertainty, reference),
    }
    variance = 0.0
    omega = 2 * math.pi * conditions.frequency_hz
    lag_factor = conditions.frequency_hz / correction.nominal_frequency_hz
    for number, phase in enumerate(conditions.phases, 1):
        u, i = correction.voltage(number, stream), correction.current(number, stream)
        share = phase.p_w / conditions.p_w
        reactive_share = phase.q1_var / conditions.p_w
        lag = i.phase_lag_rad
        for name, weight, entry, size in (
            ("voltage gain", share, u.gain_v_per_code, u.gain_v_per_code.relative_uncertainty),
            ("current gain", share, i.gain_a_per_code, i.gain_a_per_code.relative_uncertainty),
            ("phase lag", reactive_share, lag, lag_factor * lag.standard_uncertainty),
            ("channel skew", reactive_share, i.skew_s, omega * i.skew_s.standard_uncertainty),
        ):
            parts[f"{name} {number}"] = _part(weight * size, entry)
        variance += (u.noise_codes_rms * u.gain_v_per_code.value * phase.i_a) ** 2
        variance += (i.noise_codes_rms * i.gain_a_per_code.value * phase.u_v) ** 2
    samples = duration_s * stream.sample_rate_hz
    noise = math.sqrt(_LINE_TO_GATE_NOISE * variance / samples) / abs(conditions.p_w)
    parts["front-end noise"] = RelativePart(standard_uncertainty=noise)
    return parts


def _part(size: float, entry: UncertainValue) -> RelativePart:
    return RelativePart(standard_uncertainty=size, degrees_of_freedom=entry.degrees_of_freedom)


def _budget(error: Any, sources: Mapping[str, Any]) -> Budget:
    total, freedom = float(uncertainty(error)), float(dof(error))
    coverage = float(reporting.k_factor(freedom)) if total else 0.0
    lines = [
        UncertaintyComponent(
            name=name,
            standard_uncertainty_percent=abs(float(component(error, source))),
            degrees_of_freedom=float(dof(source)),
        )
        for name, source in sources.items()
    ]
    a = sum(line.standard_uncertainty_percent for line in lines if line.name == TYPE_A)
    return Budget(
        error_percent=float(value(error)),
        expanded_uncertainty_percent=coverage * total,
        coverage_factor=coverage,
        degrees_of_freedom=freedom,
        type_a_percent=a,
        type_b_percent=math.sqrt(max(total**2 - a**2, 0.0)),
        components=tuple(sorted(lines, key=lambda x: -x.standard_uncertainty_percent)),
    )


def _type_a_freedom(reading: ErrorReading) -> float:
    """Degrees of freedom of a reading's scatter."""
    lines = [line.degrees_of_freedom for line in reading.budget if line.name == TYPE_A]
    return max(1.0, lines[0]) if lines else max(1, reading.pulses_used - 2)


def _type_b_freedom(reading: ErrorReading) -> float:
    """Degrees of freedom of a reading's Type B part (Welch–Satterthwaite, GUM G.2b)."""
    lines = [line for line in reading.budget if line.name != TYPE_A]
    total = sum(line.standard_uncertainty_percent**2 for line in lines)
    spread = sum(line.standard_uncertainty_percent**4 / line.degrees_of_freedom for line in lines)
    return total**2 / spread if spread else math.inf


def combine_readings(readings: tuple[ErrorReading, ...]) -> CombinedError:
    """Mean of readings of one load point; their Type B parts are common and do not average out.

    Args:
        readings: One or more.
    """
    count = len(readings)
    type_b = sum(r.type_b_percent for r in readings) / count
    common = ureal(0.0, type_b, df=_type_b_freedom(readings[0]))
    mean: Any = common
    for reading in readings:
        own = ureal(reading.error_percent, reading.type_a_percent, df=_type_a_freedom(reading))
        mean += own / count
    freedom = float(dof(mean))
    coverage = float(reporting.k_factor(freedom))
    return CombinedError(
        error_percent=float(value(mean)),
        expanded_uncertainty_percent=coverage * float(uncertainty(mean)),
        coverage_factor=coverage,
        degrees_of_freedom=freedom,
        reading_ids=tuple(reading.reading_id for reading in readings),
    )
