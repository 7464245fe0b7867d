"""Errors of the IEC 61000-4-7 spectrum and groups, in ppm of the fundamental.

The signals are sums of sinusoids below 0.4 of the sample rate; their Fourier coefficients over ten
or twelve cycles are closed forms (a sinc for each component at each bin). The errors are those of
the arithmetic in float64, without noise, worst over frequencies, phases and starts of the window.
Linear and cubic interpolation to the same 2048 places stand beside them, as they are often used.

Run: .venv/bin/python benchmarks/accuracy_harmonics.py
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from spotcheck_dsp.harmonics.cycle_resampling import STEPS, CycleWindow, cycles_for, fitted_window
from spotcheck_dsp.harmonics.cycle_spectrum import (
    CycleSpectrum,
    cycle_spectrum,
    highest_order,
    sample_span,
)
from spotcheck_dsp.harmonics.harmonic_groups import HarmonicGroups, harmonic_groups
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.mains_stream import MainsStream

Array = NDArray[np.float64]
Phasors = NDArray[np.complex128]

RATES_HZ = (4_000, 10_000, 50_000, 200_000)
FREQUENCIES_HZ = (45.0, 46.37, 49.7, 50.0, 50.3, 54.99, 55.0, 59.94, 60.0, 61.803, 64.9, 65.0)
MOST_ORDERS = 400
"""Of the phase-fired current; its closed form is cut there, and at 0.4 of the sample rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A sum of sinusoids."""

    orders: Array
    """Frequencies, in multiples of the mains."""
    phasors: Phasors
    """RMS phasors at the window's centre; an order of 0 is a mean."""

    def samples(self, turns: Array) -> Array:
        """Values where the mains has turned so often since the window's centre."""
        values = np.zeros(len(turns))
        for order, phasor in zip(self.orders, self.phasors, strict=True):
            peak = abs(phasor) * (np.sqrt(2) if order else 1)
            values += peak * np.cos(2 * np.pi * order * turns + np.angle(phasor))
        return values

    def bins(self, cycles: int, count: int) -> Phasors:
        """Fourier coefficients over the window, as RMS phasors."""
        numbers = np.arange(count)
        places = self.orders[:, None] * cycles
        found: Phasors = np.sum(
            self.phasors[:, None] * np.sinc(places - numbers)
            + np.where(places > 0, np.conj(self.phasors)[:, None] * np.sinc(places + numbers), 0),
            axis=0,
        )
        found[0] = np.sum(
            np.where(self.orders > 0, np.sqrt(2), 1)
            * self.phasors.real
            * np.sinc(self.orders * cycles)
        )
        return found


def random_phases(rng: np.random.Generator, count: int) -> Phasors:
    return np.exp(2j * np.pi * rng.random(count))


def with_fundamental(rng: np.random.Generator, orders: Array, levels: Array | float) -> Signal:
    return Signal(
        orders=np.r_[1.0, orders],
        phasors=np.r_[1.0, np.broadcast_to(levels, orders.shape)]
        * random_phases(rng, len(orders) + 1),
    )


def sine(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    return with_fundamental(rng, np.empty(0), 0.0)


def realistic(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    orders = np.arange(2.0, min(51.0, carried))
    return with_fundamental(rng, orders, np.where(orders % 2, 0.3, 0.02) / orders)


def harsh(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    return with_fundamental(rng, np.arange(2.0, min(51.0, carried)), 0.1)


def phase_fired(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    """A resistive load fired at 90°; RMS 1 unfired."""
    orders = np.arange(1.0, min(MOST_ORDERS, carried), 2)
    start = np.pi / 2

    def turned(factor: Array) -> Phasors:
        """∫ e^{−j·factor·θ} dθ from the firing angle to π."""
        some = np.where(factor == 0, 1, factor)
        value = (np.exp(-1j * some * start) - np.exp(-1j * some * np.pi)) / (1j * some)
        return np.where(factor == 0, np.pi - start, value)

    phasors = (turned(orders - 1) - turned(orders + 1)) / (1j * np.pi)
    shift = np.exp(2j * np.pi * rng.random() * orders)
    return Signal(orders=orders, phasors=phasors / abs(phasors[0]) * shift)


def interharmonics_on_bins(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    places = rng.permutation(int(min(51.0, carried) * cycles) - 1)[:60] + 1
    return with_fundamental(rng, places[places != cycles] / cycles, 0.01)


def beyond_order_50(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    places = np.arange(51 * cycles, int(carried * cycles))
    return with_fundamental(rng, rng.permutation(places)[:40] / cycles, 0.01)


def interharmonics_between_bins(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    return with_fundamental(rng, rng.uniform(0.05, min(51.0, carried), 20), 0.01)


def between_bins_beyond_order_50(rng: np.random.Generator, cycles: int, carried: float) -> Signal:
    return with_fundamental(rng, rng.uniform(51.0, max(51.0, carried), 20), 0.01)


KINDS: dict[str, Callable[[np.random.Generator, int, float], Signal]] = {
    "sine": sine,
    "harmonics 2-50, 30 %/h odd and 2 %/h even": realistic,
    "harmonics 2-50, 10 % each": harsh,
    "phase-fired at 90°, to 0.4 fs": phase_fired,
    "60 interharmonics of 1 % on bins": interharmonics_on_bins,
    "40 components of 1 % on bins, order 51 to 0.4 fs": beyond_order_50,
    "20 interharmonics of 1 % between bins": interharmonics_between_bins,
    "20 components of 1 % between bins, order 51 to 0.4 fs": between_bins_beyond_order_50,
}
COLUMNS = (
    "bins",
    "harmonics",
    "angle °",
    "groups",
    "subgroups",
    "interh. groups",
    "interh. subgr.",
)


def errors(found: CycleSpectrum, truth: CycleSpectrum) -> Array:
    """(channels, columns) worst over the orders, in ppm of the fundamental of 1; angles apart."""
    got, want = harmonic_groups(found), harmonic_groups(truth)
    steady = np.abs(want.harmonic_phasors) >= 0.01
    angles = np.where(steady, np.angle(got.harmonic_phasors / want.harmonic_phasors, deg=True), 0)

    def ppm(pick: Callable[[HarmonicGroups], Array | Phasors]) -> Array:
        return 1e6 * np.max(np.abs(pick(got) - pick(want)), axis=1)

    return np.column_stack(
        [
            1e6 * np.max(np.abs(found.phasors - truth.phasors), axis=1),
            ppm(lambda groups: groups.harmonic_phasors),
            np.max(np.abs(angles), axis=1),
            ppm(lambda groups: groups.harmonic_group_rms),
            ppm(lambda groups: groups.harmonic_subgroup_rms),
            ppm(lambda groups: groups.interharmonic_group_rms),
            ppm(lambda groups: groups.interharmonic_centred_subgroup_rms),
        ]
    )


def interpolated(
    samples: Array, first_sample: int, window: CycleWindow, orders: int, *, cubic: bool
) -> CycleSpectrum:
    """The same spectrum from 2048 interpolated values, for comparison."""
    instants = window.samples(np.arange(STEPS, dtype=np.float64)) - first_sample
    numbers = np.arange(len(samples))
    if cubic:
        values = CubicSpline(numbers, samples)(instants)
    else:
        values = np.column_stack([np.interp(instants, numbers, one) for one in samples.T])
    count = window.cycles * (orders + 1)
    sign = 1 - 2.0 * (np.arange(count) % 2)
    phasors = np.fft.rfft(values, axis=0)[:count].T * (np.sqrt(2) / STEPS * sign)
    phasors[:, 0] /= np.sqrt(2)
    return CycleSpectrum(cycles=window.cycles, orders=orders, phasors=phasors)


def table(rate_hz: int, seeds: int) -> dict[str, Array]:
    """Worst errors by kind of signal; of the library, and of the two interpolations."""
    worst = {name: np.zeros((len(KINDS), len(COLUMNS))) for name in ("", "cubic", "linear")}
    for frequency_hz in FREQUENCIES_HZ:
        cycles, orders = cycles_for(frequency_hz), highest_order(rate_hz, frequency_hz)
        carried = 0.4 * rate_hz / frequency_hz
        for seed in range(seeds):
            rng = np.random.default_rng([seed, rate_hz, round(1000 * frequency_hz)])
            window = CycleWindow(
                start_sample=rng.random(), cycles=cycles, cycles_per_sample=frequency_hz / rate_hz
            )
            first, last = sample_span(window, orders)
            turns = (np.arange(first, last + 1) - window.centre_sample) * frequency_hz / rate_hz
            signals = [make(rng, cycles, carried) for make in KINDS.values()]
            samples = np.column_stack([signal.samples(turns) for signal in signals])
            count = cycles * (orders + 1)
            truth = CycleSpectrum(
                cycles=cycles,
                orders=orders,
                phasors=np.array([signal.bins(cycles, count) for signal in signals]),
            )
            spectra = {
                "": cycle_spectrum(samples, first, window, orders),
                "cubic": interpolated(samples, first, window, orders, cubic=True),
                "linear": interpolated(samples, first, window, orders, cubic=False),
            }
            for name, found in spectra.items():
                worst[name] = np.maximum(worst[name], errors(found, truth))
    return worst


def print_table(rate_hz: int, worst: dict[str, Array]) -> None:
    low, high = (highest_order(rate_hz, frequency) for frequency in (65.0, 45.0))
    carried = f"orders to {high}" if low == high else f"orders to {low} at 65 Hz, {high} at 45 Hz"
    print(f"\n{rate_hz:,} S/s, {carried}\n")
    print(f"| signal | {' | '.join(COLUMNS)} | bins, cubic | bins, linear |")
    print("|---|" + "---:|" * (len(COLUMNS) + 2))
    for row, kind in enumerate(KINDS):
        if "order 51" in kind and low < 50:
            continue
        cells = [f"{value:.1e}" for value in worst[""][row]]
        cells += [f"{worst[name][row, 0]:.0f}" for name in ("cubic", "linear")]
        print(f"| {kind} | {' | '.join(cells)} |")


def fitted_errors(rate_hz: int, frequency_hz: float, drift_hz_per_s: float, share: float) -> float:
    """Worst bin, in ppm, with the window from a fit over a share of a second."""
    rng = np.random.default_rng(8)
    cycles, orders = cycles_for(frequency_hz), highest_order(rate_hz, frequency_hz)
    signal = realistic(rng, cycles, 0.4 * rate_hz / frequency_hz)
    seconds = np.arange(-rate_hz // 2, rate_hz // 2) / rate_hz
    turns = seconds * (frequency_hz + seconds * drift_hz_per_s / 2)
    samples = signal.samples(turns)
    begin = round((1 - share) / 2 * rate_hz)
    fit = fit_mains(samples[begin : len(samples) - begin], float(begin), rate_hz)
    window = fitted_window(fit, 0.4 * rate_hz + 0.3, cycles)
    centre_s = window.centre_sample / rate_hz - 0.5
    at_centre = centre_s * (frequency_hz + centre_s * drift_hz_per_s / 2)
    truth = Signal(
        orders=signal.orders,
        phasors=signal.phasors * np.exp(2j * np.pi * signal.orders * at_centre),
    ).bins(cycles, cycles * (orders + 1))
    found = cycle_spectrum(samples[:, None], 0, window, orders).phasors[0]
    return float(1e6 * np.max(np.abs(found - truth)))


def print_fitted() -> None:
    print("\nWindow from the fit of the mains; worst bin, realistic harmonics, in ppm\n")
    print("| | fit over 1 s | over 0.4 s | over 0.22 s |\n|---|---:|---:|---:|")
    for rate_hz in RATES_HZ[:3]:
        for frequency_hz, drift in ((49.7, 0.0), (50.3, 0.5), (64.9, 0.0), (61.803, -0.5)):
            cells = [
                f"{fitted_errors(rate_hz, frequency_hz, drift, share):.1e}"
                for share in (1.0, 0.4, 0.22)
            ]
            print(f"| {rate_hz:,} S/s, {frequency_hz} Hz, {drift} Hz/s | {' | '.join(cells)} |")


def print_frequency_errors() -> None:
    print("\nA wrong frequency: a sine and order 50 of 10 %, 50 Hz, 10 kS/s, in ppm\n")
    print("| error | bins beside order 1 | subgroup 1 | subgroup 2 | order 50 | angle 50, ° |")
    print("|---|---:|---:|---:|---:|---:|")
    for error_hz in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
        window = CycleWindow(start_sample=0.3, cycles=10, cycles_per_sample=(50 + error_hz) / 1e4)
        first, last = sample_span(window)
        turns = (np.arange(first, last + 1) - window.centre_sample) * 50 / 1e4
        pair = Signal(orders=np.array([1.0, 50.0]), phasors=np.array([1.0, 0.1j]))
        spectrum = cycle_spectrum(pair.samples(turns)[:, None], first, window)
        groups = harmonic_groups(spectrum)
        angle = np.angle(groups.harmonic_phasors[0, 49] / 1j, deg=True)
        values = (
            1e6 * np.max(np.abs(spectrum.phasors[0, [9, 11]])),
            1e6 * (groups.harmonic_subgroup_rms[0, 0] - 1),
            1e6 * groups.harmonic_subgroup_rms[0, 1],
            1e6 * (np.abs(groups.harmonic_phasors[0, 49]) - 0.1),
            angle,
        )
        print(f"| {error_hz:g} Hz | " + " | ".join(f"{value:.2g}" for value in values) + " |")


def print_noise(windows: int) -> None:
    print("\nWhite noise in the bins, against that of an ideal Fourier sum over the samples\n")
    print("| rate | 50 Hz | 64.9 Hz |\n|---|---:|---:|")
    for rate_hz in RATES_HZ[:3]:
        cells = []
        for frequency_hz in (50.0, 64.9):
            orders = highest_order(rate_hz, frequency_hz)
            window = CycleWindow(
                start_sample=0.3,
                cycles=cycles_for(frequency_hz),
                cycles_per_sample=frequency_hz / rate_hz,
            )
            first, last = sample_span(window, orders)
            noise = np.random.default_rng(4).normal(size=(last - first + 1, windows))
            power = np.mean(
                np.abs(cycle_spectrum(noise, first, window, orders).phasors[:, 1:]) ** 2
            )
            ideal = 2 / (window.end_sample - window.start_sample)
            cells.append(f"{np.sqrt(power / ideal):.3f}")
        print(f"| {rate_hz:,} S/s | {' | '.join(cells)} |")


def print_stream(seeds: int) -> None:
    """The stream's phasors of codes, harmonics falling as 0.05/√h, against what was put in."""
    print("\nThe stream, 24-bit codes at half scale, six channels, orders to 50, in ppm\n")
    print("| rate | fundamental | harmonics | harmonics, 50 Hz |\n|---|---:|---:|---:|")
    for rate_hz in (10_000, 50_000, 200_000):
        worst = {"first": 0.0, "others": 0.0, "50 Hz": 0.0}
        for seed in range(seeds):
            for frequency_hz in FREQUENCIES_HZ:
                first, others = stream_errors_ppm(rate_hz, frequency_hz, seed)
                worst["first"] = max(worst["first"], first)
                key = "50 Hz" if frequency_hz == 50.0 else "others"
                worst[key] = max(worst[key], others)
        cells = " | ".join(f"{value:.3f}" for value in worst.values())
        print(f"| {rate_hz:,} S/s | {cells} |")


def stream_errors_ppm(rate_hz: int, frequency_hz: float, seed: int) -> tuple[float, float]:
    """Worst errors of the fundamental and of the harmonics in all windows but the first."""
    rng = np.random.default_rng([seed, rate_hz, round(1e3 * frequency_hz)])
    peak = float(1 << 22)
    orders = np.arange(1, min(50, int(0.4 * rate_hz / frequency_hz) - 1) + 1)
    levels = np.where(orders == 1, 1.0, 0.05 / np.sqrt(orders))
    phases = rng.uniform(-np.pi, np.pi, (6, len(orders)))
    turns = 2 * np.pi * frequency_hz / rate_hz * np.arange(int(1.3 * rate_hz))
    values = np.zeros((len(turns), 6))
    for k, order in enumerate(orders):
        values += levels[k] * np.cos(order * turns[:, None] + phases[:, k])
    cycles = 12 if frequency_hz > 55 else 10
    stream = MainsStream(phases=3, sample_rate_hz=rate_hz, cycles=cycles)
    spectra = stream.add(np.rint(peak * values).astype(np.int32)).spectra
    worst = np.zeros(2)
    for found in spectra[1:]:
        middle = (found.start_sample + found.end_sample) / 2
        angles = 2 * np.pi * frequency_hz / rate_hz * middle * orders + phases
        truth = peak / np.sqrt(2) * levels * np.exp(1j * angles)
        error = np.abs(found.spectrum.phasors[:, cycles * orders] - truth) / peak * np.sqrt(2)
        worst = np.maximum(worst, [error[:, 0].max(), error[:, 1:].max()])
    return float(1e6 * worst[0]), float(1e6 * worst[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    begun_s = time.monotonic()
    print("Worst errors in ppm of the fundamental (bins and harmonics as complex numbers)")
    for rate_hz in RATES_HZ:
        print_table(rate_hz, table(rate_hz, seeds))
    print_fitted()
    print_frequency_errors()
    print_noise(200)
    print_stream(seeds)
    print(f"\n{seeds} seeds, {len(FREQUENCIES_HZ)} frequencies; {time.monotonic() - begun_s:.0f} s")


if __name__ == "__main__":
    main()
