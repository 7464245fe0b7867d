"""Spectra against closed forms: sums of sinusoids at any frequency, any start, any rate."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.harmonics.cycle_resampling import CycleWindow, fitted_window, resample_cycles
from spotcheck_dsp.harmonics.cycle_spectrum import (
    cycle_spectrum,
    highest_order,
    kernel_and_ends,
    sample_span,
    spectrum_of_values,
)
from spotcheck_dsp.mains_fit import fit_mains

FREQUENCIES = [(45.0, 10), (49.7, 10), (50.3, 10), (54.99, 10), (59.94, 12), (64.9, 12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinusoids:
    """RMS phasors at multiples of the mains, at the window's centre."""

    orders: np.ndarray
    phasors: np.ndarray

    def samples(self, turns: np.ndarray) -> np.ndarray:
        angles = 2 * np.pi * np.outer(turns, self.orders) + np.angle(self.phasors)
        return np.asarray(np.cos(angles) @ (np.sqrt(2) * np.abs(self.phasors)))

    def bins(self, cycles: int, orders: int) -> np.ndarray:
        """Fourier coefficients over the window: a sinc for each half of each cosine."""
        numbers = np.arange(cycles * (orders + 1))
        places = self.orders[:, None] * cycles
        found = self.phasors @ np.sinc(places - numbers)
        found += self.phasors.conj() @ np.sinc(places + numbers)
        found[0] /= np.sqrt(2)
        return np.asarray(found)


def sinusoids(rng: np.random.Generator, orders: np.ndarray, level: float) -> Sinusoids:
    """A fundamental of 1 and the others at a level, all with random phases."""
    phases = np.exp(2j * np.pi * rng.random(len(orders) + 1))
    levels = np.r_[1.0, np.full(len(orders), level)]
    return Sinusoids(orders=np.r_[1.0, orders], phasors=levels * phases)


def worst_error(
    signal: Sinusoids, rate_hz: float, frequency_hz: float, cycles: int, start: float = 0.3
) -> float:
    """Of any bin, by the fundamental, with just the samples that the window needs."""
    orders = highest_order(rate_hz, frequency_hz)
    window = CycleWindow(
        start_sample=start, cycles=cycles, cycles_per_sample=frequency_hz / rate_hz
    )
    first, last = sample_span(window, orders)
    turns = (np.arange(first, last + 1) - window.centre_sample) * frequency_hz / rate_hz
    spectrum = cycle_spectrum(signal.samples(turns)[:, None], first, window, orders)
    assert (spectrum.cycles, spectrum.orders) == (cycles, orders)
    return float(np.max(np.abs(spectrum.phasors[0] - signal.bins(cycles, orders))))


@pytest.mark.parametrize("rate_hz", [4000, 10_000, 50_000])
@pytest.mark.parametrize(("frequency_hz", "cycles"), FREQUENCIES)
def test_fifty_harmonics_of_a_tenth_each(rate_hz: float, frequency_hz: float, cycles: int) -> None:
    orders = np.arange(2, highest_order(rate_hz, frequency_hz) + 1)
    signal = sinusoids(np.random.default_rng(1), orders, 0.1)
    # 0.05 ppm is what is wanted; 4 kS/s have the widest kernel and the least room.
    assert worst_error(signal, rate_hz, frequency_hz, cycles) < (5e-11 if rate_hz < 1e4 else 5e-12)


def test_fifty_harmonics_at_200_ks_per_second() -> None:
    signal = sinusoids(np.random.default_rng(2), np.arange(2, 51), 0.1)
    assert worst_error(signal, 200_000, 50.3, 10) < 5e-13


@settings(max_examples=30, deadline=None)
@given(
    frequency_hz=st.floats(45, 65),
    start=st.floats(-1e3, 1e3),
    seed=st.integers(0, 2**32),
    cycles=st.sampled_from([10, 12]),
)
def test_any_frequency_start_and_phase(
    frequency_hz: float, start: float, seed: int, cycles: int
) -> None:
    rng = np.random.default_rng(seed)
    places = rng.permutation(51 * cycles - 1)[:20] + 1
    signal = sinusoids(rng, places[places != cycles] / cycles, 0.05)
    assert worst_error(signal, 10_000, frequency_hz, cycles, start) < 2e-11


@pytest.mark.parametrize("rate_hz", [10_000, 50_000])
@pytest.mark.parametrize(("frequency_hz", "cycles"), FREQUENCIES)
def test_components_beyond_order_50_do_not_alias(
    rate_hz: float, frequency_hz: float, cycles: int
) -> None:
    rng = np.random.default_rng(3)
    beyond = np.arange(51 * cycles, int(0.4 * rate_hz / frequency_hz * cycles))
    signal = sinusoids(rng, rng.permutation(beyond)[:60] / cycles, 0.01)
    assert worst_error(signal, rate_hz, frequency_hz, cycles) < 1e-11


@pytest.mark.parametrize("rate_hz", [4000, 10_000, 50_000])
@pytest.mark.parametrize(("frequency_hz", "cycles"), FREQUENCIES)
def test_interharmonics_between_bins_leak_as_the_fourier_integral_has_it(
    rate_hz: float, frequency_hz: float, cycles: int
) -> None:
    rng = np.random.default_rng(4)
    highest = min(0.4 * rate_hz, 4000) / frequency_hz
    signal = sinusoids(rng, rng.uniform(0.05, highest, 10), 0.01)
    assert worst_error(signal, rate_hz, frequency_hz, cycles) < 1e-8


@pytest.mark.parametrize("dc", [0.0, 0.25, -3.0])
def test_the_mean_keeps_its_sign(dc: float) -> None:
    window = CycleWindow(start_sample=200.0, cycles=10, cycles_per_sample=0.005013)
    turns = (np.arange(2500) - 200.0) * window.cycles_per_sample
    samples = dc + np.sqrt(2) * np.cos(2 * np.pi * turns)
    spectrum = cycle_spectrum(samples[:, None], 0, window)
    assert abs(spectrum.phasors[0, 0] - dc) < 1e-11
    assert abs(spectrum.phasors[0, 10] - 1) < 1e-11


@pytest.mark.parametrize("drift_hz_per_s", [0.5, -0.5])
def test_drift_is_followed(drift_hz_per_s: float) -> None:
    signal = sinusoids(np.random.default_rng(5), np.arange(2, 51), 0.1)
    window = CycleWindow(
        start_sample=60.4,
        cycles=10,
        cycles_per_sample=50.1 / 1e4,
        cycles_per_sample_squared=drift_hz_per_s / 1e8,
    )
    turns = (window.steps(np.arange(2200.0)) - 1024) * 10 / 2048
    found = cycle_spectrum(signal.samples(turns)[:, None], 0, window).phasors[0]
    assert np.max(np.abs(found - signal.bins(10, 50))) < 5e-12


@pytest.mark.parametrize("frequency_hz", [49.7, 64.9])
def test_windows_from_a_fit_of_the_mains(frequency_hz: float) -> None:
    cycles = 10 if frequency_hz < 55 else 12
    signal = sinusoids(np.random.default_rng(6), np.arange(2, 51), 0.02)
    seconds = np.arange(10_000) / 10_000
    turns = frequency_hz * (seconds - 0.5)
    samples = signal.samples(turns)
    window = fitted_window(fit_mains(samples, 0.0, 10_000), 100.7, cycles)
    for _ in range(3):
        at_centre = frequency_hz * (window.centre_sample / 1e4 - 0.5)
        shifted = Sinusoids(
            orders=signal.orders,
            phasors=signal.phasors * np.exp(2j * np.pi * at_centre * signal.orders),
        )
        found = cycle_spectrum(samples[:, None], 0, window).phasors[0]
        assert np.max(np.abs(found - shifted.bins(cycles, 50))) < 1e-9
        window = window.following()


def test_a_narrow_kernel_with_values_in_float32_still_reaches_a_tenth_of_a_ppm() -> None:
    signal = sinusoids(np.random.default_rng(7), np.arange(2, 51), 0.02)
    window = CycleWindow(start_sample=100.3, cycles=10, cycles_per_sample=50.3 / 1e4)
    kernel, ends = kernel_and_ends(window, 50, 19)
    turns = (np.arange(2400) - window.centre_sample) * window.cycles_per_sample
    samples = signal.samples(turns)[:, None]
    values = resample_cycles(samples, 0, window, kernel, ends.beyond_steps).astype(np.float32)
    found = spectrum_of_values(values.astype(np.float64), 10, 50, kernel, ends).phasors[0]
    assert np.max(np.abs(found - signal.bins(10, 50))) < 1e-7


def test_angles_between_channels() -> None:
    orders = np.array([1.0, 5.0, 50.0])
    lags = np.deg2rad([30.0, -75.5, 0.001])
    voltage = Sinusoids(orders=orders, phasors=np.array([1, 0.1j, 0.01 + 0j]))
    current = Sinusoids(orders=orders, phasors=voltage.phasors * np.exp(-1j * lags))
    window = CycleWindow(start_sample=88.8, cycles=10, cycles_per_sample=50.3 / 1e4)
    turns = (np.arange(2300) - 700.0) * window.cycles_per_sample
    both = np.column_stack([voltage.samples(turns), current.samples(turns)])
    phasors = cycle_spectrum(both, 0, window).phasors[:, [10, 50, 500]]
    found = np.angle(phasors[0] / phasors[1], deg=True)
    assert np.max(np.abs(found - np.rad2deg(lags))) < 1e-7


@given(seed=st.integers(0, 2**32), factor=st.floats(-1e6, 1e6))
@settings(max_examples=20, deadline=None)
def test_linear_and_blind_to_the_order_of_channels(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    window = CycleWindow(start_sample=88.8, cycles=12, cycles_per_sample=61.8 / 1e4)
    samples = rng.normal(size=(2200, 3))
    one = cycle_spectrum(samples, 0, window, 20).phasors
    mixed = np.column_stack([samples[:, 2], samples[:, 0], samples[:, 1] + factor * samples[:, 0]])
    other = cycle_spectrum(mixed, 0, window, 20).phasors
    expected = np.array([one[2], one[0], one[1] + factor * one[0]])
    assert np.max(np.abs(other - expected)) < 1e-12 * (1 + abs(factor))


@pytest.mark.parametrize(
    ("rate_hz", "frequency_hz", "order"),
    [(4000, 50.0, 31), (4000, 65.0, 23), (4000, 45.0, 34), (10_000, 65.0, 50), (2000, 50.0, 15)],
)
def test_orders_that_a_rate_carries(rate_hz: float, frequency_hz: float, order: int) -> None:
    assert highest_order(rate_hz, frequency_hz) == order
    window = CycleWindow(start_sample=0, cycles=10, cycles_per_sample=frequency_hz / rate_hz)
    assert sample_span(window, order)[0] < 0
    if order < 50:
        message = f"order {order + 1} is beyond what the sample rate carries.*order {order} with"
        with pytest.raises(ValueError, match=message):
            sample_span(window, order + 1)


@pytest.mark.parametrize(
    ("rate_hz", "frequency_hz", "message"),
    [(200, 50.0, "no harmonic order"), (0, 50.0, "above 0"), (1e4, np.nan, "above 0")],
)
def test_rates_that_carry_no_order_are_refused(
    rate_hz: float, frequency_hz: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        highest_order(rate_hz, frequency_hz)


@pytest.mark.parametrize("orders", [0, -1, 51])
def test_orders_outside_1_to_50_are_refused(orders: int) -> None:
    window = CycleWindow(start_sample=0, cycles=10, cycles_per_sample=0.001)
    with pytest.raises(ValueError, match=f"orders is {orders}; it must be 1 to 50"):
        cycle_spectrum(np.zeros((10, 1)), 0, window, orders)


def test_one_second_of_50_hz_holds_four_windows_and_not_five() -> None:
    window = CycleWindow(start_sample=0, cycles=10, cycles_per_sample=0.005)
    before = -sample_span(window)[0]
    window = CycleWindow(start_sample=before, cycles=10, cycles_per_sample=0.005)
    for _ in range(3):
        window = window.following()
    assert sample_span(window)[1] < 10_000
    with pytest.raises(ValueError, match="missing"):
        cycle_spectrum(np.zeros((10_000, 1)), 0, window.following())
