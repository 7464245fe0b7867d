"""Groups against sums by hand, closed forms, and the power that they must share out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.harmonics.cycle_resampling import CycleWindow, cycles_for, fitted_window
from spotcheck_dsp.harmonics.cycle_spectrum import CycleSpectrum, cycle_spectrum
from spotcheck_dsp.harmonics.harmonic_groups import HarmonicGroups, harmonic_groups
from spotcheck_dsp.mains_fit import fit_mains


def spectrum_with(levels: dict[int, complex], cycles: int, orders: int = 5) -> CycleSpectrum:
    """One channel with given bins."""
    phasors = np.zeros((1, cycles * (orders + 1)), complex)
    for number, level in levels.items():
        phasors[0, number] = level
    return CycleSpectrum(cycles=cycles, orders=orders, phasors=phasors)


def random_spectrum(seed: int, cycles: int, orders: int = 7, channels: int = 3) -> CycleSpectrum:
    rng = np.random.default_rng(seed)
    shape = (channels, cycles * (orders + 1))
    phasors = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    phasors[:, 0] = phasors[:, 0].real
    return CycleSpectrum(cycles=cycles, orders=orders, phasors=phasors)


def measured(
    components: dict[float, complex], rate_hz: float, frequency_hz: float
) -> HarmonicGroups:
    """Groups of RMS phasors at multiples of the mains, over a window from a fit."""
    turns = (np.arange(round(rate_hz)) - rate_hz / 2) * frequency_hz / rate_hz
    samples = np.zeros(len(turns))
    for order, phasor in components.items():
        peak = np.abs(phasor) * (np.sqrt(2) if order else 1)
        samples += peak * np.cos(2 * np.pi * order * turns + np.angle(phasor))
    fit = fit_mains(samples, 0.0, rate_hz)
    window = fitted_window(fit, 0.37 * rate_hz, cycles_for(frequency_hz))
    return harmonic_groups(cycle_spectrum(samples[:, None], 0, window))


@pytest.mark.parametrize(("cycles", "half"), [(10, 5), (12, 6)])
def test_every_bin_between_two_orders_counts_where_the_standard_has_it(
    cycles: int, half: int
) -> None:
    # One unit in one bin, at each place between the orders 2 and 3.
    for offset in range(cycles + 1):
        groups = harmonic_groups(spectrum_with({2 * cycles + offset: 1.0}, cycles))
        second, third = groups.harmonic_group_rms[0, 1] ** 2, groups.harmonic_group_rms[0, 2] ** 2
        assert second == pytest.approx(1.0 if offset < half else 0.5 if offset == half else 0.0)
        assert third == pytest.approx(1 - second)
        assert groups.harmonic_subgroup_rms[0, 1] == (1 if offset < 2 else 0)
        assert groups.harmonic_subgroup_rms[0, 2] == (1 if offset > cycles - 2 else 0)
        between = groups.interharmonic_group_rms[0]
        assert between[2] == (1 if 0 < offset < cycles else 0)
        centred = groups.interharmonic_centred_subgroup_rms[0]
        assert centred[2] == (1 if 1 < offset < cycles - 1 else 0)
        assert between.sum() == between[2]
        assert centred.sum() == centred[2]


def test_sums_by_hand() -> None:
    # 10 cycles: order 1 is bin 10; its group reaches from 5 to 15 with half weights at the ends.
    groups = harmonic_groups(spectrum_with({0: -2, 5: 4, 9: 3, 10: 100j, 12: 5, 15: 6}, 10))
    assert groups.dc[0] == -2
    assert groups.harmonic_phasors[0, 0] == 100j
    assert groups.harmonic_group_rms[0, 0] == pytest.approx(np.sqrt(8 + 9 + 10_000 + 25 + 18))
    assert groups.harmonic_subgroup_rms[0, 0] == pytest.approx(np.sqrt(9 + 10_000))
    assert groups.interharmonic_group_rms[0, :2] == pytest.approx(np.sqrt([16 + 9, 25 + 36]))
    assert groups.interharmonic_centred_subgroup_rms[0, :2] == pytest.approx(np.sqrt([16, 61]))
    assert groups.band_rms[0] == pytest.approx(np.sqrt(4 + 16 + 9 + 10_000 + 25 + 36))


@given(seed=st.integers(0, 2**32), cycles=st.sampled_from([10, 12]))
def test_subgroups_and_centred_subgroups_share_out_all_power(seed: int, cycles: int) -> None:
    spectrum = random_spectrum(seed, cycles)
    groups = harmonic_groups(spectrum)
    power = np.abs(spectrum.phasors) ** 2
    # Two bins at either end belong to subgroups of order 0 and of the order that follows.
    shared = groups.band_rms**2 - power[:, :2].sum(axis=1) - power[:, -1]
    parts = np.sum(groups.harmonic_subgroup_rms**2, axis=1)
    parts += np.sum(groups.interharmonic_centred_subgroup_rms**2, axis=1)
    assert np.allclose(parts, shared, rtol=1e-13)


@given(seed=st.integers(0, 2**32), cycles=st.sampled_from([10, 12]))
def test_harmonics_and_interharmonic_groups_share_out_all_power(seed: int, cycles: int) -> None:
    groups = harmonic_groups(random_spectrum(seed, cycles))
    parts = groups.dc**2 + np.sum(np.abs(groups.harmonic_phasors) ** 2, axis=1)
    parts += np.sum(groups.interharmonic_group_rms**2, axis=1)
    assert np.allclose(parts, groups.band_rms**2, rtol=1e-13)


@given(seed=st.integers(0, 2**32), cycles=st.sampled_from([10, 12]))
def test_neighbouring_groups_share_the_bin_between_them(seed: int, cycles: int) -> None:
    spectrum = random_spectrum(seed, cycles)
    power = np.abs(spectrum.phasors) ** 2
    half, orders = cycles // 2, spectrum.orders
    inner = power[:, half + 1 : orders * cycles + half].sum(axis=1)
    ends = (power[:, half] + power[:, orders * cycles + half]) / 2
    parts = np.sum(harmonic_groups(spectrum).harmonic_group_rms ** 2, axis=1)
    assert np.allclose(parts, inner + ends, rtol=1e-13)


@given(seed=st.integers(0, 2**32), turns=st.floats(-1, 1), factor=st.floats(1e-3, 1e6))
def test_values_scale_and_do_not_hang_on_the_phase_or_the_order_of_channels(
    seed: int, turns: float, factor: float
) -> None:
    spectrum = random_spectrum(seed, 10)
    groups = harmonic_groups(spectrum)
    turned = factor * np.exp(2j * np.pi * turns * np.arange(spectrum.phasors.shape[1]))
    other = harmonic_groups(
        CycleSpectrum(cycles=10, orders=7, phasors=spectrum.phasors[::-1] * turned)
    )
    for name in (
        "harmonic_group_rms",
        "harmonic_subgroup_rms",
        "interharmonic_group_rms",
        "interharmonic_centred_subgroup_rms",
        "band_rms",
    ):
        assert np.allclose(getattr(other, name)[::-1], factor * getattr(groups, name), rtol=1e-12)
    for method in ("total", "group", "subgroup"):
        one, two = (getattr(each, f"{method}_distortion_percent")(7) for each in (groups, other))
        assert np.allclose(two[::-1], one, rtol=1e-12)


def test_distortions_by_hand() -> None:
    levels = {10: 100.0, 11: 10.0, 15: 20.0, 30: 3.0, 31: 4.0, 50: 12.0}
    groups = harmonic_groups(spectrum_with({n: complex(v) for n, v in levels.items()}, 10))
    assert groups.total_distortion_percent(5)[0] == pytest.approx(np.sqrt(9 + 144))
    assert groups.total_distortion_percent(4)[0] == pytest.approx(3)
    fundamental = 10_000 + 100
    assert groups.subgroup_distortion_percent(5)[0] == pytest.approx(
        100 * np.sqrt((9 + 16 + 144) / fundamental)
    )
    # Half of bin 15 belongs to order 1 and half to order 2.
    assert groups.group_distortion_percent(5)[0] == pytest.approx(
        100 * np.sqrt((200 + 9 + 16 + 144) / (fundamental + 200))
    )


@pytest.mark.parametrize("rate_hz", [10_000.0, 50_000.0])
@pytest.mark.parametrize(("frequency_hz", "cycles"), [(49.7, 10), (59.94, 12)])
def test_groups_of_a_signal(rate_hz: float, frequency_hz: float, cycles: int) -> None:
    components = {
        0: -0.02 + 0j,
        3 / cycles: 0.002 + 0j,
        1: 1 + 0j,
        5: 0.4j,
        5 + 1 / cycles: 0.03 + 0j,
        5.5: 0.06 + 0j,
        49 + 2 / cycles: 0.01 + 0j,
        50: 0.01 + 0j,
    }
    groups = measured(components, rate_hz, frequency_hz)
    expected = {
        "harmonic_group_rms": {1: 1, 5: np.hypot(np.hypot(0.4, 0.03), 0.06 / np.sqrt(2)), 50: 0.01},
        "harmonic_subgroup_rms": {1: 1, 5: np.hypot(0.4, 0.03), 50: 0.01},
        "interharmonic_group_rms": {0: 0.002, 5: np.hypot(0.03, 0.06), 49: 0.01},
        "interharmonic_centred_subgroup_rms": {0: 0.002, 5: 0.06, 49: 0.01},
    }
    for name, values in expected.items():
        first = 0 if name.startswith("inter") else 1
        for order, value in values.items():
            # Interharmonics move the fit of the mains; 0.05 ppm are wanted all the same.
            assert abs(getattr(groups, name)[0, order - first] - value) < 5e-8
    assert abs(groups.dc[0] + 0.02) < 5e-8
    assert groups.orders == 50


def test_interharmonic_between_bins_spreads_as_its_fourier_integral() -> None:
    window = CycleWindow(start_sample=100.0, cycles=10, cycles_per_sample=0.005)
    turns = (np.arange(2400) - window.centre_sample) * 0.005
    samples = np.sqrt(2) * np.cos(2 * np.pi * 7.43 * turns)[:, None]
    groups = harmonic_groups(cycle_spectrum(samples, 0, window))
    # A cosine at the centre: all of its bins are real, two sincs each.
    bins = np.sinc(74.3 - np.arange(510)) + np.sinc(74.3 + np.arange(510))
    bins[0] /= np.sqrt(2)
    found = {
        "dc": (groups.dc[0], bins[0]),
        "band": (groups.band_rms[0] ** 2, np.sum(bins**2)),
        "its interharmonics": (groups.interharmonic_group_rms[0, 7] ** 2, np.sum(bins[71:80] ** 2)),
        "those above": (groups.interharmonic_group_rms[0, 8] ** 2, np.sum(bins[81:90] ** 2)),
        "a far subgroup": (groups.harmonic_subgroup_rms[0, 39] ** 2, np.sum(bins[399:402] ** 2)),
    }
    for name, (value, truth) in found.items():
        assert abs(value - truth) < 1e-8, name


@pytest.mark.parametrize("highest_order", [1, 0, 6])
def test_distortion_to_an_order_not_measured_is_refused(highest_order: int) -> None:
    groups = harmonic_groups(spectrum_with({10: 1.0}, 10))
    with pytest.raises(ValueError, match=f"highest_order is {highest_order}; the orders 2 to 5"):
        groups.total_distortion_percent(highest_order)


def test_distortion_of_a_channel_without_fundamental_is_refused() -> None:
    groups = harmonic_groups(spectrum_with({30: 1.0}, 10))
    for distortion in (
        groups.total_distortion_percent,
        groups.group_distortion_percent,
        groups.subgroup_distortion_percent,
    ):
        with pytest.raises(ValueError, match="channel 0 has no fundamental"):
            distortion(5)
