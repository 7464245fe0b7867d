"""Frequency and phase of the mains over a window of samples, by least squares on its phase.

The voltage is turned back by a first guess of its frequency and averaged with an edge kernel
around instants one cycle apart; the unwrapped phases of these averages lie on a line, or on a
parabola where the frequency drifts. The frame follows both in a few rounds; then the kernel's zeros
lie on the harmonics and leave nothing of them. Where the phases scatter by interharmonics rather
than by noise, a longer kernel with a stopband takes over, and the fit names it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import (
    FEWEST_CYCLES_FOR_STOPBAND,
    STOPBAND_KERNEL,
    EdgeKernel,
    Kernel,
)

Array = NDArray[np.float64]

LOWEST_HZ, HIGHEST_HZ = 40.0, 70.0
LEAST_SHARE = 0.3
"""What the fundamental must have of the voltage's RMS, or it is no mains voltage."""
_LIVE_SHARE = 0.1
"""Of its highest level the fundamental has so much wherever there is a voltage."""
_PARABOLA_CYCLES = 16
_ROUNDS = 12
_GRID_HZ = 0.25
_SETTLED_RELATIVE = 2e-15
_NEARLY_SETTLED_RELATIVE = 1e-12
_CLEAN_RAD = 1e-11
"""Phases that scatter less have nothing to be quietened."""
_INTERHARMONIC_SHARE = 0.03
"""Of its scatter noise keeps a quarter to a half under the long kernel, a ripple keeps 1e-7."""


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
    kernel: Kernel
    """What the voltage's phases were averaged with."""

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
        ValueError: too short, no mains between 40 and 70 Hz in it, or in less than half of it.
    """
    local = voltage - voltage.mean()
    start = _Frame(frequency_hz=_strongest_hz(local, sample_rate_hz))
    cycles = len(local) * start.frequency_hz / sample_rate_hz
    found = _fitted(local, sample_rate_hz, start, _quick_kernel(cycles))
    long_enough = cycles >= FEWEST_CYCLES_FOR_STOPBAND
    if long_enough and found.live_throughout and found.residual_rad > _CLEAN_RAD:
        # Interharmonics pass the short kernel. The long one costs noise a factor of two, so it
        # serves only where it quietens the phases far more than it would quieten noise.
        steady = _fitted(local, sample_rate_hz, found.frame, STOPBAND_KERNEL, rounds=1)
        if steady.residual_rad < _INTERHARMONIC_SHARE * found.residual_rad:
            found = _fitted(local, sample_rate_hz, steady.frame, STOPBAND_KERNEL)
    frame = found.frame
    level = found.amplitude / np.sqrt(2)
    _refuse_no_mains(level, float(np.sqrt(np.mean(local**2))), frame.frequency_hz)
    return MainsFit(
        sample_rate_hz=sample_rate_hz,
        centre_sample=first_sample + (len(local) - 1) / 2,
        phase_rad=found.phase_rad,
        frequency_hz=frame.frequency_hz,
        drift_hz_per_s=frame.drift_hz_per_s,
        kernel=found.kernel,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A frame that turns, with phase 0 at the window's centre."""

    frequency_hz: float
    drift_hz_per_s: float = 0.0

    def turns(self, seconds: Array) -> Array:
        """Turns at times from the centre."""
        return seconds * (self.frequency_hz + seconds * self.drift_hz_per_s / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """A frame that stands still against the fundamental, and how well."""

    frame: _Frame
    phase_rad: float
    amplitude: float
    residual_rad: float
    live_throughout: bool
    kernel: Kernel


def _quick_kernel(cycles: float) -> EdgeKernel:
    return EdgeKernel(boxes=max(1, min(4, int(cycles / 2))), box_cycles=1)


def _fitted(
    local: Array, sample_rate_hz: float, frame: _Frame, kernel: Kernel, rounds: int = _ROUNDS
) -> _Fitted:
    """The frame in which the phases lie on a level line: least squares, in rounds."""
    change_hz, known = np.inf, 0j
    for _ in range(rounds):
        before_hz = abs(change_hz)
        seconds, phasors = _phasors(local, sample_rate_hz, frame, kernel, known)
        live = _live(phasors)
        seconds, phasors = seconds[live], phasors[live]
        phases = np.unwrap(np.angle(phasors))
        parabola = seconds[-1] - seconds[0] >= _PARABOLA_CYCLES / frame.frequency_hz
        line = np.polynomial.polynomial.polyfit(
            seconds, phases, 2 if parabola else 1, w=_trust(live, kernel)[live]
        )
        change_hz = float(line[1]) / (2 * np.pi)
        known = complex(np.mean(np.abs(phasors)) * np.exp(1j * line[0]))
        frame = _Frame(
            frequency_hz=frame.frequency_hz + change_hz,
            drift_hz_per_s=frame.drift_hz_per_s + float(line[2]) / np.pi if parabola else 0.0,
        )
        if not LOWEST_HZ <= frame.frequency_hz <= HIGHEST_HZ:
            break
        # Below the first limit the changes shrink a thousandfold a round, or are rounding.
        nearly = abs(change_hz) <= _NEARLY_SETTLED_RELATIVE * frame.frequency_hz
        if abs(change_hz) <= _SETTLED_RELATIVE * frame.frequency_hz or (
            nearly and abs(change_hz) > before_hz / 8
        ):
            break
    residuals = phases - np.polynomial.polynomial.polyval(seconds, line)
    return _Fitted(
        frame=frame,
        phase_rad=float(line[0]),
        amplitude=float(np.mean(np.abs(phasors))),
        residual_rad=float(np.sqrt(np.mean(residuals**2))),
        live_throughout=bool(np.all(live)),
        kernel=kernel,
    )


def _live(phasors: NDArray[np.complex128]) -> NDArray[np.bool_]:
    """Where the voltage is there: in an interruption its phase means nothing."""
    levels = np.abs(phasors)
    live = np.asarray(levels > _LIVE_SHARE * levels.max(), np.bool_)
    if np.sum(live) < max(2, len(live) / 2):
        raise ValueError(
            "there is no mains voltage: it is 0 V, or does not change, in most of the window"
        )
    return live


def _trust(live: NDArray[np.bool_], kernel: Kernel) -> Array:
    """Weights of the phases in the line: all alike; under the stopband kernel less at the ends.

    What ripple that kernel leaves pulls a line most at its ends; noise is no concern there.
    """
    if kernel is not STOPBAND_KERNEL:
        return np.ones(len(live))
    x = np.linspace(-1, 1, len(live) + 2)[1:-1]
    return np.asarray(1 - x**2, np.float64)


def _phasors(
    voltage: Array, sample_rate_hz: float, frame: _Frame, kernel: Kernel, known: complex
) -> tuple[Array, NDArray[np.complex128]]:
    """Times from the centre, and amplitudes of the fundamental there, in the frame."""
    cycle = sample_rate_hz / frame.frequency_hz
    cycles = len(voltage) / cycle
    middle = (len(voltage) - 1) / 2
    # The longest cycle of a drifting mains is at one of the ends.
    end_hz = frame.frequency_hz - abs(frame.drift_hz_per_s) * middle / sample_rate_hz
    half = kernel.half_width_cycles * sample_rate_hz / max(end_hz, LOWEST_HZ / 2)
    low, high = half - 0.5, len(voltage) - 0.5 - half
    if high - low < 0.5 * cycle:
        raise ValueError(f"{cycles:.4g} mains cycles are too few; two and a half are needed")
    centres = np.linspace(low, high, max(2, 1 + int((high - low) / cycle)))
    instants = (np.arange(len(voltage), dtype=np.float64) - middle) / sample_rate_hz
    turn = np.exp(-2j * np.pi * frame.turns(instants))
    # What is known goes first: it would turn at twice the frequency and leave a ripple.
    turned = (voltage - (known * np.conj(turn)).real) * turn
    found = np.empty(len(centres), np.complex128)
    for k, centre in enumerate(centres):
        here = slice(max(0, int(centre - half)), int(centre + half) + 2)
        seconds = instants[here] - (centre - middle) / sample_rate_hz
        local_hz = frame.frequency_hz + frame.drift_hz_per_s * (centre - middle) / sample_rate_hz
        weights = kernel.window(seconds * local_hz)
        found[k] = known + 2 * (weights @ turned[here]) / weights.sum()
    return (centres - middle) / sample_rate_hz, found


def _refuse_no_mains(fundamental_rms: float, total_rms: float, frequency_hz: float) -> None:
    if not fundamental_rms > LEAST_SHARE * total_rms:
        raise ValueError(
            f"there is no mains voltage: its fundamental is {fundamental_rms:.3g} of "
            f"{total_rms:.3g} RMS"
        )
    if not LOWEST_HZ <= frequency_hz <= HIGHEST_HZ:
        raise ValueError(f"the voltage has {frequency_hz:.2f} Hz; 40 to 70 Hz can be measured")
