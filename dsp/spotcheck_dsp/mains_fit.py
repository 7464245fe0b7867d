"""Frequency and phase of the mains over a window of samples, by least squares on its phase.

The voltage is turned back by a first guess of its frequency and averaged with an edge kernel
around instants one cycle apart; the unwrapped phases of these averages lie on a line, or on a
parabola where the frequency drifts. The kernel's zeros then lie on the harmonics, so a few rounds
leave nothing of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import EdgeKernel

Array = NDArray[np.float64]

LOWEST_HZ, HIGHEST_HZ = 40.0, 70.0
LEAST_SHARE = 0.3
"""What the fundamental must have of the voltage's RMS, or it is no mains voltage."""
_PARABOLA_CYCLES = 16
_ROUNDS = 12
_GRID_HZ = 0.25
_SETTLED_RELATIVE = 2e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class MainsFit:
    """Phase of the fundamental voltage as a polynomial of time."""

    sample_rate_hz: float
    """Samples per second."""
    centre_sample: float
    """Centre of the window."""
    phase_rad: float
    """Phase of the fundamental (cosine) at the centre."""
    frequency_hz: float
    """Frequency at the centre."""
    drift_hz_per_s: float
    """Its rate of change; 0 for short windows."""

    def phases_rad(self, samples: Array) -> Array:
        """Phase of the fundamental at instants given in samples."""
        seconds = (samples - self.centre_sample) / self.sample_rate_hz
        turns = seconds * (self.frequency_hz + seconds * self.drift_hz_per_s / 2)
        # Whole turns go first: radians of an hour would eat the digits of the phase.
        rest: Array = self.phase_rad + 2 * np.pi * (turns - np.rint(turns))
        return rest

    def cycle_samples(self, sample: float) -> float:
        """Length of the mains cycle around an instant, in samples."""
        seconds = (sample - self.centre_sample) / self.sample_rate_hz
        return self.sample_rate_hz / (self.frequency_hz + seconds * self.drift_hz_per_s)


def fit_mains(voltage: Array, first_sample: float, sample_rate_hz: float) -> MainsFit:
    """Frequency, drift and phase of the fundamental.

    Args:
        voltage: (n,) equidistant values, two cycles at least.
        first_sample: Instant of the first, in samples.
        sample_rate_hz: Samples per second.

    Raises:
        ValueError: too short, or no mains between 40 and 70 Hz in it.
    """
    local = voltage - voltage.mean()
    frequency = _strongest_hz(local, sample_rate_hz)
    middle = (len(local) - 1) / 2
    phase = drift = 0.0
    for _ in range(_ROUNDS):
        before = frequency
        instants, phasors = _phasors(local, sample_rate_hz, frequency)
        phases = np.unwrap(np.angle(phasors))
        seconds = (instants - middle) / sample_rate_hz
        parabola = seconds[-1] - seconds[0] >= _PARABOLA_CYCLES / frequency
        line = np.polynomial.polynomial.polyfit(seconds, phases, 2 if parabola else 1)
        phase = float(line[0])
        frequency += float(line[1]) / (2 * np.pi)
        drift = float(line[2]) / np.pi if parabola else 0.0
        if not LOWEST_HZ <= frequency <= HIGHEST_HZ:
            break
        if abs(frequency - before) <= _SETTLED_RELATIVE * frequency:
            break
    level = float(np.mean(np.abs(phasors)) / np.sqrt(2))
    _refuse_no_mains(level, float(np.sqrt(np.mean(local**2))), frequency)
    return MainsFit(
        sample_rate_hz=sample_rate_hz,
        centre_sample=first_sample + middle,
        phase_rad=phase,
        frequency_hz=frequency,
        drift_hz_per_s=drift,
    )


def _strongest_hz(voltage: Array, sample_rate_hz: float) -> float:
    """The strongest frequency between 40 and 70 Hz over at most a second, to about 1 %."""
    piece = voltage[: int(sample_rate_hz)]
    if len(piece) * LOWEST_HZ < 1.2 * sample_rate_hz or sample_rate_hz < 4 * HIGHEST_HZ:
        raise ValueError(
            f"{len(piece)} samples at {sample_rate_hz:g} S/s are too few to find the mains"
        )
    size = 1 << int(np.ceil(np.log2(max(len(piece), sample_rate_hz / _GRID_HZ))))
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece) + 2)[1:-1], size))
    first, last = (int(np.ceil(f * size / sample_rate_hz)) for f in (LOWEST_HZ, HIGHEST_HZ))
    return (first + int(np.argmax(spectrum[first:last]))) * sample_rate_hz / size


def _phasors(
    voltage: Array, sample_rate_hz: float, frequency_hz: float
) -> tuple[Array, NDArray[np.complex128]]:
    """Instants and amplitudes of the fundamental there, in the frame that turns at a frequency."""
    cycle = sample_rate_hz / frequency_hz
    cycles = len(voltage) / cycle
    kernel = EdgeKernel(boxes=max(1, min(4, int(cycles / 2))), box_cycles=1)
    half = kernel.half_width_cycles * cycle
    low, high = half - 0.5, len(voltage) - 0.5 - half
    if high - low < 0.5 * cycle:
        raise ValueError(f"{cycles:.4g} mains cycles are too few; two and a half are needed")
    centres = np.linspace(low, high, max(2, 1 + int((high - low) / cycle)))
    middle = (len(voltage) - 1) / 2
    turned = voltage * np.exp(
        -2j * np.pi / cycle * (np.arange(len(voltage), dtype=np.float64) - middle)
    )
    reach = int(np.ceil(half)) + 1
    index = np.rint(centres).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    inside = (index >= 0) & (index < len(voltage))
    weights = np.where(inside, kernel.window((index - centres[:, None]) / cycle), 0.0)
    values = turned[np.clip(index, 0, len(voltage) - 1)]
    return centres, 2 * np.sum(weights * values, axis=1) / np.sum(weights, axis=1)


def _refuse_no_mains(fundamental_rms: float, total_rms: float, frequency_hz: float) -> None:
    if total_rms == 0:
        raise ValueError("there is no mains voltage: it is 0 V, or does not change")
    if not fundamental_rms > LEAST_SHARE * total_rms:
        raise ValueError(
            f"there is no mains voltage: its fundamental is {fundamental_rms:.3g} of "
            f"{total_rms:.3g} RMS"
        )
    if not LOWEST_HZ <= frequency_hz <= HIGHEST_HZ:
        raise ValueError(f"the voltage has {frequency_hz:.2f} Hz; 40 to 70 Hz can be measured")
