"""A window of whole mains cycles, resampled to 2048 values, by a Kaiser-Bessel kernel.

The samples are not synchronous with the mains; a Fourier transform over whole cycles needs values
that are. So the samples get places on a scale that counts the window in steps, 2048 of them, and
each value is

    y[k] = Σₙ x[n] · p′(n) · w(p(n) − k)

with p(n) the place of sample n in steps, p′(n) steps per sample there, and w the kernel. The place
comes from the phase of the mains, a parabola of time where the frequency drifts. In places the
harmonics stand still even then, so the kernel's response to each is one number; a straight line of
places would smear order 50 by 0.8 rad at the ends of a window under 0.5 Hz/s. The sum is the
adjoint of a non-uniform Fourier transform with this kernel (Fessler and Sutton 2003; Barnett,
Magland and af Klinteberg 2019; both from memory).

The kernel is the Kaiser-Bessel window itself, not a sinc under a window. It is not flat where the
harmonics are, but its response has a closed form, and `cycle_spectrum` divides by it. All of its
taps so serve to keep out what would alias: 16 taps at 10 kS/s where a sinc under a Kaiser window
needs some 48 (by Kaiser's formula for its length). What the division gets wrong at the two ends of
the window, `window_ends` puts right.

A compiled kernel needs the formula above, `ResamplingKernel.weight`, and `CycleWindow.steps`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.mains_fit import HIGHEST_HZ, LOWEST_HZ, MainsFit

Array = NDArray[np.float64]

STEPS = 2048
"""Values of a window."""
KAISER_BETA = 30.0
"""Shape of the kernel: what aliases is 1e-9 or less of what is kept, for orders to 50 at 10 kS/s
and above."""
HIGHEST_SHARE_OF_RATE = 0.4
"""Signals reach to this share of the sample rate; above it the recorder's own filter rules."""
_WIDTHS_PER_STEP = 32
"""Half widths are rounded up to a part of a step, so that what hangs on them can be kept."""
_MOST_CHANGE = 0.05
"""Of the frequency over a window; more is no drift of the mains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleWindow:
    """Ten or twelve mains cycles from an instant on, and the places of samples in it."""

    start_sample: float
    """Instant at which the window starts, in samples; need not be whole."""
    cycles: int
    """Mains cycles in the window: 10 in 50 Hz systems, 12 in 60 Hz systems."""
    cycles_per_sample: float
    """Frequency of the mains at the start."""
    cycles_per_sample_squared: float = 0.0
    """Its change, per sample."""

    def __post_init__(self) -> None:
        if self.cycles not in (10, 12):
            raise ValueError(f"cycles is {self.cycles}; IEC 61000-4-7 has 10 or 12 of them")
        numbers = (self.start_sample, self.cycles_per_sample, self.cycles_per_sample_squared)
        if not np.all(np.isfinite(numbers)):
            raise ValueError(f"start, frequency and drift of a window must be finite: {numbers}")
        if not 0 < self.cycles_per_sample < HIGHEST_SHARE_OF_RATE:
            raise ValueError(
                f"cycles_per_sample is {self.cycles_per_sample:g}; it must be above 0 and below "
                f"{HIGHEST_SHARE_OF_RATE:g}"
            )
        change = self.cycles_per_sample_squared * self.cycles / self.cycles_per_sample**2
        if abs(change) > _MOST_CHANGE:
            raise ValueError(
                f"the frequency would change by {100 * change:.3g} % over the window; mains "
                f"that drift change by less than {100 * _MOST_CHANGE:g} %"
            )

    @property
    def end_sample(self) -> float:
        """Instant at which the window ends and the next one starts."""
        return float(self.samples(np.array(float(STEPS))))

    @property
    def centre_sample(self) -> float:
        """Instant at which half of the cycles have passed: phasors refer to it."""
        return float(self.samples(np.array(STEPS / 2)))

    def following(self) -> "CycleWindow":
        """The window that starts where this one ends."""
        end = self.end_sample
        drift = self.cycles_per_sample_squared
        return CycleWindow(
            start_sample=end,
            cycles=self.cycles,
            cycles_per_sample=self.cycles_per_sample + drift * (end - self.start_sample),
            cycles_per_sample_squared=drift,
        )

    def steps(self, samples: Array) -> Array:
        """Places, in steps from the start, of instants given in samples."""
        since = samples - self.start_sample
        cycles = since * (self.cycles_per_sample + since * self.cycles_per_sample_squared / 2)
        return cycles * (STEPS / self.cycles)

    def steps_per_sample(self, samples: Array) -> Array:
        """How fast the places go by at instants given in samples."""
        since = samples - self.start_sample
        rate = self.cycles_per_sample + since * self.cycles_per_sample_squared
        return rate * (STEPS / self.cycles)

    def samples(self, steps: Array) -> Array:
        """Instants, in samples, of places given in steps: the inverse of `steps`."""
        cycles = steps * (self.cycles / STEPS)
        first = self.cycles_per_sample
        # The root's other form, which does not cancel as the drift goes to 0.
        root = np.sqrt(first * first + 2 * self.cycles_per_sample_squared * cycles)
        instants: Array = self.start_sample + 2 * cycles / (first + root)
        return instants


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplingKernel:
    """The Kaiser-Bessel window w(d) = I₀(β√(1−(d/R)²)) / I₀(β) over |d| ≤ R, else 0."""

    half_width_steps: float
    """R: what the kernel reaches to either side, in steps."""
    beta: float = KAISER_BETA
    """β, the shape: the first zero of the response lies at √(β²+π²)/(2πR) cycles per step."""

    def __post_init__(self) -> None:
        for name in ("half_width_steps", "beta"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise ValueError(f"{name} of a kernel is {value}; it must be above 0 and finite")

    def weight(self, distance_steps: Array) -> Array:
        """Weight at a distance from the centre; 1 at the centre.

        Args:
            distance_steps: Distances in steps, any shape.
        """
        inside = 1 - (distance_steps / self.half_width_steps) ** 2
        raised = np.i0(self.beta * np.sqrt(np.maximum(inside, 0.0))) / np.i0(self.beta)
        return np.where(inside >= 0, raised, 0.0)

    def response(self, cycles_per_step: Array) -> Array:
        """Fourier transform of the weight: 2R·sinh(z)/(z·I₀(β)) with z = √(β²−(2πRf)²).

        Beyond β/(2πR) the root is imaginary and the sinh a sine: the stop band.

        Args:
            cycles_per_step: Frequencies f, any shape.
        """
        square = self.beta**2 - (2 * np.pi * self.half_width_steps * cycles_per_step) ** 2
        root = np.sqrt(np.abs(square))
        # Next to 0 both are 1; the division must only not fail there.
        passed = np.sinh(np.where(square > 0, root, 0.0)) / np.maximum(root, 1e-300)
        shape = np.where((square > 0) & (root > 0), passed, np.sinc(root / np.pi))
        response: Array = 2 * self.half_width_steps * shape / np.i0(self.beta)
        return response


def cycles_for(frequency_hz: float) -> int:
    """Cycles of a window: 10 below 55 Hz, 12 from there on (IEC 61000-4-7, 4.4.1, from memory).

    The standard goes by the system's nominal frequency. Where that is known, state it instead.

    Args:
        frequency_hz: Frequency of the mains.

    Raises:
        ValueError: not between 40 and 70 Hz.
    """
    if not LOWEST_HZ <= frequency_hz <= HIGHEST_HZ:
        raise ValueError(
            f"frequency_hz is {frequency_hz:g}; mains are {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz"
        )
    return 10 if frequency_hz < 55 else 12


def fitted_window(fit: MainsFit, start_sample: float, cycles: int) -> CycleWindow:
    """The window that starts at an instant and follows a fit of the mains.

    Args:
        fit: Frequency and drift of the mains, from `fit_mains`.
        start_sample: Start of the window, on the fit's scale of samples.
        cycles: 10 or 12.

    Raises:
        ValueError: as `CycleWindow`.
    """
    per_second = fit.drift_hz_per_s / fit.sample_rate_hz
    at_start = fit.frequency_hz + per_second * (start_sample - fit.centre_sample)
    return CycleWindow(
        start_sample=start_sample,
        cycles=cycles,
        cycles_per_sample=at_start / fit.sample_rate_hz,
        cycles_per_sample_squared=per_second / fit.sample_rate_hz,
    )


def kernel_for(
    window: CycleWindow, band_cycles_per_step: float, beta: float = KAISER_BETA
) -> ResamplingKernel:
    """The narrowest kernel that keeps a band clean.

    Two things must fall into the stop band. What the 2048 values alias onto the band lies from
    1 − band on. What the samples themselves repeat lies from 0.6 of their rate on, for signals
    below 0.4 of it. Above some 13 kS/s the first is nearer and the taps grow with the rate.

    Args:
        window: Gives steps per sample.
        band_cycles_per_step: Highest frequency wanted.
        beta: Shape; taps are in proportion to it. 18 to 20 suit sums in float32, whose rounding
            the division magnifies: 10 or 11 taps at 10 kS/s, and of 40 components of 1 % above
            order 50, 0.06 or 0.015 ppm of the fundamental alias.
    """
    images = (1 - HIGHEST_SHARE_OF_RATE) / float(
        window.steps_per_sample(np.array(window.start_sample))
    )
    stop = min(1 - band_cycles_per_step, images)
    half_width = beta / (2 * np.pi * stop)
    rounded = float(np.ceil(half_width * _WIDTHS_PER_STEP)) / _WIDTHS_PER_STEP
    return ResamplingKernel(half_width_steps=rounded, beta=beta)


def samples_needed(
    window: CycleWindow, kernel: ResamplingKernel, beyond_steps: int
) -> tuple[int, int]:
    """First and last sample that the values of a window hang on.

    Args:
        window: The cycles.
        kernel: The kernel.
        beyond_steps: Values wanted before the window and after it.
    """
    reach = beyond_steps + kernel.half_width_steps
    ends = window.samples(np.array([-reach, STEPS - 1 + reach]))
    return int(np.ceil(ends[0])), int(np.floor(ends[1]))


def resample_cycles(
    samples: Array,
    first_sample: int,
    window: CycleWindow,
    kernel: ResamplingKernel,
    beyond_steps: int,
) -> Array:
    """Values at the whole steps of a window, as the kernel sees them.

    Args:
        samples: (n, channels) float64, equidistant.
        first_sample: Number of the first, on the window's scale.
        window: The cycles.
        kernel: The kernel; the values still carry its response.
        beyond_steps: Values wanted before the window and after it.

    Returns:
        (2048 + 2·beyond, channels); row `beyond_steps` is the window's start.

    Raises:
        TypeError: `samples` is not float64.
        ValueError: wrong shape, a value that is not finite, or samples that are missing.
    """
    needed = samples_needed(window, kernel, beyond_steps)
    _refuse(samples, first_sample, needed)
    centres = np.arange(-beyond_steps, STEPS + beyond_steps, dtype=np.float64)
    firsts = np.ceil(window.samples(centres - kernel.half_width_steps)).astype(np.int64)
    lasts = np.floor(window.samples(centres + kernel.half_width_steps)).astype(np.int64)
    values = np.zeros((len(centres), samples.shape[1]))
    for tap in range(int(np.max(lasts - firsts)) + 1):
        # A row with fewer taps than the widest one reads its last sample again, with weight 0.
        numbers = np.minimum(firsts + tap, lasts)
        instants = numbers.astype(np.float64)
        weights = kernel.weight(window.steps(instants) - centres) * window.steps_per_sample(
            instants
        )
        weights[firsts + tap > lasts] = 0.0
        values += weights[:, None] * samples[numbers - first_sample]
    return values


def _refuse(samples: Array, first_sample: int, needed: tuple[int, int]) -> None:
    if samples.dtype != np.float64:
        raise TypeError(f"samples are {samples.dtype}; float64 is needed")
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise ValueError(f"samples have the shape {samples.shape}; (n, channels) is needed")
    before = max(0, first_sample - needed[0])
    after = max(0, needed[1] - (first_sample + len(samples) - 1))
    if before or after:
        raise ValueError(
            f"samples are missing: {before} before the first and {after} after the last of "
            f"{len(samples)}; the window and what its kernel needs around it run from "
            f"sample {needed[0]} to {needed[1]}"
        )
    used = samples[needed[0] - first_sample : needed[1] + 1 - first_sample]
    if not np.all(np.isfinite(used)):
        row, channel = np.argwhere(~np.isfinite(used))[0]
        raise ValueError(
            f"sample {needed[0] + row} of channel {channel} is not finite; gaps must be cut out "
            "before, not filled"
        )
