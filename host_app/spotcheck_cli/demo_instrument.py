"""The simulated instrument: its correction set, and a front end drawn from what that set states.

The draw is what makes coverage testable: each front end has gains, lags, skews and a clock that
differ from the correction set's values by errors of just the distributions that its budget claims.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from spotcheck.errors import ConfigurationError
from spotcheck.samples import FULL_SCALE_CODE, StreamFormat
from spotcheck_calibration.correction_set import (
    CorrectionSet,
    CurrentCorrection,
    Distribution,
    UncertainValue,
    VoltageCorrection,
)
from spotcheck_sim.front_end import Channel, FrontEnd

SAMPLE_RATE_HZ: Final = 8000
VOLTAGE_RANGE: Final = "480V"
CLAMPS: Final = ("C5", "C100")
_PEAK_V = 680.0
_PEAK_A = {"C5": 8.5, "C100": 170.0}
_RMS_A = {"C5": 5.0, "C100": 100.0}
_GAIN_UNCERTAINTY = {"C5": 120e-6, "C100": 150e-6}
_LAG_RAD = {"C5": (4.1e-3, 80e-6), "C100": (2.7e-3, 60e-6)}


def clamp_for(current_a: float) -> str:
    """The smallest clamp that carries a current.

    Raises:
        ConfigurationError: no clamp does.
    """
    for name in CLAMPS:
        if current_a <= _RMS_A[name]:
            return name
    raise ConfigurationError(f"{current_a:g} A is too much; the largest clamp carries 100 A")


def stream_format(phases: int, clamp: str) -> StreamFormat:
    """The stream of the simulated front end."""
    return StreamFormat(
        sample_rate_hz=SAMPLE_RATE_HZ,
        phases=phases,
        voltage_range=VOLTAGE_RANGE,
        current_range=clamp,
    )


def demonstration_correction_set() -> CorrectionSet:
    """The correction set of the simulated instrument, for three phases and both clamps."""
    return CorrectionSet(
        instrument="SC-DEMO-1",
        certificate="DEMO-2026-001 (simulated calibration)",
        issued_on="2026-01-01",
        valid_until="2027-01-01",
        nominal_frequency_hz=50.0,
        sample_rate_relative_error=UncertainValue(
            value=3e-6,
            standard_uncertainty=5e-6 / math.sqrt(3),
            distribution=Distribution.RECTANGULAR,
        ),
        reference_standard_relative_error=UncertainValue(value=0.0, standard_uncertainty=25e-6),
        voltages=tuple(_voltage(phase) for phase in (1, 2, 3)),
        currents=tuple(_current(phase, clamp) for phase in (1, 2, 3) for clamp in CLAMPS),
        demonstration=True,
    )


def _voltage(phase: int) -> VoltageCorrection:
    gain = _PEAK_V / FULL_SCALE_CODE * (1 + 1.2e-3 * phase)
    return VoltageCorrection(
        phase=phase,
        range_name=VOLTAGE_RANGE,
        gain_v_per_code=UncertainValue(value=gain, standard_uncertainty=40e-6 * gain),
        offset_codes=UncertainValue(value=200.0 * phase, standard_uncertainty=10.0),
        noise_codes_rms=30.0,
    )


def _current(phase: int, clamp: str) -> CurrentCorrection:
    gain = _PEAK_A[clamp] / FULL_SCALE_CODE * (1 - 0.9e-3 * phase)
    lag_rad, lag_uncertainty_rad = _LAG_RAD[clamp]
    return CurrentCorrection(
        phase=phase,
        range_name=clamp,
        gain_a_per_code=UncertainValue(
            value=gain, standard_uncertainty=_GAIN_UNCERTAINTY[clamp] * gain
        ),
        offset_codes=UncertainValue(value=-150.0 * phase, standard_uncertainty=10.0),
        noise_codes_rms=40.0,
        phase_lag_rad=UncertainValue(value=lag_rad, standard_uncertainty=lag_uncertainty_rad),
        skew_s=UncertainValue(value=1.5e-6 * phase, standard_uncertainty=20e-9),
    )


def exact_front_end(correction: CorrectionSet, stream: StreamFormat) -> FrontEnd:
    """A front end that is exactly what the correction set says."""
    return _front_end(correction, stream, lambda entry: entry.value, 0.0)


def drawn_front_end(
    correction: CorrectionSet, stream: StreamFormat, rng: np.random.Generator
) -> FrontEnd:
    """A front end whose errors are drawn from the distributions that the correction set states.

    Args:
        correction: The set.
        stream: Phases and ranges.
        rng: Source of the draw.
    """

    def draw(entry: UncertainValue) -> float:
        if entry.distribution is Distribution.RECTANGULAR:
            half = math.sqrt(3) * entry.standard_uncertainty
            return float(rng.uniform(entry.value - half, entry.value + half))
        return float(rng.normal(entry.value, entry.standard_uncertainty))

    return _front_end(correction, stream, draw, draw(correction.reference_standard_relative_error))


def _front_end(
    correction: CorrectionSet,
    stream: StreamFormat,
    draw: Callable[[UncertainValue], float],
    reference_error: float,
) -> FrontEnd:
    voltage, current = [], []
    for phase in range(1, stream.phases + 1):
        u, i = correction.voltage(phase, stream), correction.current(phase, stream)
        voltage.append(
            Channel(
                gain_per_code=draw(u.gain_v_per_code),
                offset_codes=draw(u.offset_codes),
                noise_codes_rms=u.noise_codes_rms,
            )
        )
        current.append(
            Channel(
                # What the reference standard was wrong by at calibration is wrong in every gain.
                gain_per_code=draw(i.gain_a_per_code) * (1 + reference_error),
                offset_codes=draw(i.offset_codes),
                noise_codes_rms=i.noise_codes_rms,
                phase_error_rad=draw(i.phase_lag_rad),
                skew_s=draw(i.skew_s),
            )
        )
    return FrontEnd(
        stream_format=stream,
        voltage=tuple(voltage),
        current=tuple(current),
        sample_clock_relative_error=draw(correction.sample_rate_relative_error),
        nominal_frequency_hz=correction.nominal_frequency_hz,
    )
