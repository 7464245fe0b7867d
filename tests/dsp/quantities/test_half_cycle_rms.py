"""RMS(1/2), its zero crossings and the means between instants, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.mains_fit import MainsFit, fit_mains
from spotcheck_dsp.quantities.crest_factor import crest_factors
from spotcheck_dsp.quantities.cycle_means import means_between
from spotcheck_dsp.quantities.half_cycle_rms import fundamental_crossings, half_cycle_rms

RATE = 10_000.0


STEADY = fit_mains(np.cos(2 * np.pi * 50 * np.arange(1000) / RATE), 0, RATE)


def mains_of(frequency: float, phase: float = 0.0, drift: float = 0.0) -> MainsFit:
    """Any mains, whatever else a fit holds."""
    return replace(
        STEADY,
        centre_sample=0.0,
        phase_rad=phase,
        frequency_hz=frequency,
        drift_hz_per_s=drift,
    )


@given(st.floats(45, 65), st.floats(-3, 3), st.floats(-0.5, 0.5), st.integers(-50_000, 50_000))
def test_the_fundamental_is_zero_at_its_crossings_and_they_are_half_a_cycle_apart(
    frequency: float, phase: float, drift: float, first: int
) -> None:
    mains = mains_of(frequency, phase, drift)
    crossings = fundamental_crossings(mains, first, first + 2000)
    assert np.max(np.abs(np.cos(mains.phases_rad(crossings)))) < 1e-8
    assert np.all((crossings >= first - 0.5) & (crossings <= first + 1999.5))
    local = frequency + drift * crossings[:-1] / RATE
    assert np.allclose(np.diff(crossings), RATE / local / 2, rtol=1e-3)
    # None is left out: 0.2 s hold 2·0.2·f half cycles, but for the ends.
    assert abs(len(crossings) - 0.4 * local.mean()) <= 1


@pytest.mark.parametrize("frequency", [45.3, 49.63, 50.0, 61.7])
def test_rms_of_a_distorted_steady_voltage_is_the_same_every_half_cycle(frequency: float) -> None:
    t = np.arange(4000) / RATE
    turn = 2 * np.pi * frequency * t + 0.3
    u = 325 * (np.cos(turn) + 0.05 * np.cos(3 * turn + 1) + 0.04 * np.cos(5 * turn))
    truth = 325 * np.sqrt((1 + 0.05**2 + 0.04**2) / 2)
    mains = fit_mains(u, 100, RATE)
    crossings = fundamental_crossings(mains, 100, 4100)
    found = half_cycle_rms(u[:, None], 100, crossings)
    assert len(found.rms) == len(crossings) - 2
    assert np.allclose(found.end_samples - found.begin_samples, RATE / frequency, rtol=1e-9)
    # At either end of the record the interpolation has samples on one side only.
    assert np.max(np.abs(found.rms[2:-2] / truth - 1)) < 2e-7
    assert np.max(np.abs(found.rms / truth - 1)) < 1e-5


def test_dip_is_followed_half_cycle_by_half_cycle() -> None:
    # Rising crossings at samples 0, 200, …: half the voltage from 1000 to 1400.
    n = np.arange(3000)
    envelope = np.where((n >= 1000) & (n < 1400), 0.5, 1.0)
    u = envelope * np.sin(2 * np.pi * n / 200)
    found = half_cycle_rms(u[:, None], 0, np.arange(0.0, 2901.0, 100.0))
    whole, half = 1 / np.sqrt(2), 0.5 / np.sqrt(2)
    mixed = np.sqrt((whole**2 + half**2) / 2)
    by_begin = dict(zip(found.begin_samples, found.rms[:, 0], strict=True))
    expected = (
        (800, whole),
        (900, mixed),
        (1000, half),
        (1200, half),
        (1300, mixed),
        (1400, whole),
    )
    for begin, level in expected:
        assert by_begin[begin] == pytest.approx(level, rel=1e-4)
    assert found.lowest[0] == pytest.approx(half, rel=1e-4)
    assert found.highest[0] == pytest.approx(whole, rel=1e-4)


def test_channels_are_independent() -> None:
    n = np.arange(1000)
    u = np.sin(2 * np.pi * n / 200)
    both = half_cycle_rms(np.column_stack([u, 3 * u]), 0, np.array([200.0, 300.0, 400.0, 500.0]))
    assert np.allclose(both.rms[:, 1], 3 * both.rms[:, 0], rtol=1e-12)


@settings(max_examples=50)
@given(
    st.floats(-0.5, 300),
    st.floats(1, 300),
    st.lists(st.floats(-2, 2), min_size=5, max_size=5),
)
def test_mean_of_a_polynomial_is_that_of_its_integral(
    begin: float, length: float, factors: list[float]
) -> None:
    x = np.arange(700) / 700
    polynomial = np.polynomial.Polynomial(factors)
    ends = np.array([begin, begin + length]) / 700
    primitive = polynomial.integ()
    truth = (primitive(ends[1]) - primitive(ends[0])) / (ends[1] - ends[0])
    found = means_between(polynomial(x)[:, None], 0, np.array([begin]), np.array([begin + length]))
    # The first sample's curvature is not known: 1/24 of the second difference at the most.
    assert found[0, 0] == pytest.approx(truth, abs=1e-5)


@given(st.floats(0.01, 1.0), st.floats(0, 6.3), st.floats(5, 150), st.floats(1, 140))
def test_mean_of_a_sinusoid_is_within_the_stated_bound(
    omega: float, phase: float, begin: float, length: float
) -> None:
    values = np.cos(omega * np.arange(300) + phase)
    end = begin + length
    truth = (np.sin(omega * end + phase) - np.sin(omega * begin + phase)) / (omega * length)
    found = means_between(values[:, None], 0, np.array([begin]), np.array([end]))[0, 0]
    bound = (omega**4 / 165 + omega**6 / 100) / (omega * length)
    assert abs(found - truth) <= bound + 1e-12


def test_means_of_pieces_add_up_to_the_mean_of_the_whole() -> None:
    values = np.random.default_rng(1).normal(size=(500, 2))
    cuts = np.array([3.3, 57.1, 57.2, 300.9, 490.0])
    parts = means_between(values, 0, cuts[:-1], cuts[1:]) * np.diff(cuts)[:, None]
    whole = means_between(values, 0, cuts[:1], cuts[-1:]) * (cuts[-1] - cuts[0])
    assert np.allclose(parts.sum(axis=0), whole[0], atol=1e-10)


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [(5.0, 5.0, "after its begin"), (-1.0, 5.0, "reach from"), (5.0, 20.0, "reach from")],
)
def test_interval_that_is_empty_or_leaves_the_samples_is_refused(
    begin: float, end: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        means_between(np.zeros((20, 1)), 0, np.array([begin]), np.array([end]))


def test_too_few_samples_for_a_mean_are_refused() -> None:
    with pytest.raises(ValueError, match="8 are needed"):
        means_between(np.zeros((7, 1)), 0, np.array([1.0]), np.array([2.0]))


@pytest.mark.parametrize(
    ("crossings", "words"),
    [(np.array([1.0, 2.0]), "takes three"), (np.array([1.0, 3.0, 2.0]), "ascend")],
)
def test_crossings_that_make_no_cycle_are_refused(crossings: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        half_cycle_rms(np.zeros((20, 1)), 0, crossings)


def test_empty_window_has_no_crossings() -> None:
    with pytest.raises(ValueError, match="not after"):
        fundamental_crossings(mains_of(50.0), 10, 10)


def test_crest_factors_of_sine_square_and_triangle() -> None:
    turn = 2 * np.pi * np.arange(2000) / 200
    sine = np.sin(turn)
    square = np.where(np.arange(2000) % 200 < 100, 1.0, -1.0)
    triangle = 2 / np.pi * np.arcsin(np.sin(turn))
    values = np.column_stack([5 * sine, square, triangle])
    found = crest_factors(values, np.sqrt(np.mean(values**2, axis=0)))
    # The triangle's mean square over samples is (1/3)(1 + 2/100²).
    assert found == pytest.approx([np.sqrt(2), 1.0, np.sqrt(3)], rel=2e-4)


def test_sampled_peak_falls_short_by_no_more_than_is_stated() -> None:
    for offset in np.linspace(0, 1, 11):
        turn = 2 * np.pi * (np.arange(1000) + offset) / 200
        found = crest_factors(np.cos(turn)[:, None], np.array([np.sqrt(0.5)]))[0]
        assert np.sqrt(2) * np.cos(np.pi / 200) - 1e-12 <= found <= np.sqrt(2) + 1e-12


@pytest.mark.parametrize(
    ("values", "rms", "words"),
    [
        (np.ones((5, 2)), np.ones(3), "one RMS for each"),
        (np.ones((0, 2)), np.ones(2), "one RMS for each"),
        (np.ones((5, 1)), np.zeros(1), "no crest factor"),
        (np.full((5, 1), np.inf), np.ones(1), "not finite"),
    ],
)
def test_crest_factor_that_does_not_exist_is_refused(
    values: np.ndarray, rms: np.ndarray, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        crest_factors(values, rms)
