"""Naming what scatters pulses whose scatter is known."""

import numpy as np
import pytest

from spotcheck_dsp.pulses.pulse_residuals import ResidualReport, Scatter, analyse_residuals

COUNT, INTERVAL_S, MAINS_HZ = 101, 0.10237, 50.17
RNG_SEEDS = range(25)


def report(late_s: np.ndarray, *, resolution_s: float = 0.0) -> ResidualReport:
    due = 0.3 + INTERVAL_S * np.arange(len(late_s))
    return of_stamps(due + late_s, resolution_s=resolution_s)


def of_stamps(stamps: np.ndarray, *, resolution_s: float = 0.0) -> ResidualReport:
    """Residuals about the ordinary line through the stamps themselves."""
    k = np.arange(len(stamps))
    residuals = stamps - np.polyval(np.polyfit(k, stamps, 1), k)
    phases = 2 * np.pi * MAINS_HZ * stamps
    return analyse_residuals(residuals, stamps, phases, resolution_s=resolution_s)


def ticked(seed: int, tick_s: float, jitter_s: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    due = rng.uniform(0, 1) + INTERVAL_S * rng.uniform(0.99, 1.01) * np.arange(COUNT)
    offset = rng.uniform(0, tick_s)
    stamps: np.ndarray = np.ceil((due - offset) / tick_s) * tick_s + offset
    return stamps + rng.normal(0, jitter_s, COUNT) if jitter_s else stamps


def test_gaussian_jitter_is_named() -> None:
    found = [report(np.random.default_rng(s).normal(0, 20e-6, COUNT)) for s in RNG_SEEDS]
    assert sum(f.scatter is Scatter.JITTER for f in found) >= 24
    assert np.mean([f.standard_deviation_s for f in found]) == pytest.approx(20e-6, rel=0.05)
    assert abs(np.mean([f.excess_kurtosis for f in found])) < 0.3


@pytest.mark.parametrize("jitter_s", [0.0, 20e-6])
@pytest.mark.parametrize("tick_s", [1e-3, 1 / 1024, 4e-3])
def test_tick_is_named_with_its_period(tick_s: float, jitter_s: float) -> None:
    found = [of_stamps(ticked(s, tick_s, jitter_s)) for s in RNG_SEEDS]
    named = [f for f in found if f.scatter is Scatter.TICK and f.tick_s is not None]
    assert len(named) >= 24
    # With jitter a neighbour, one in a hundred pulses off, explains them as well.
    near = 0.05 if jitter_s else 1e-4
    right = [f for f in named if f.tick_s == pytest.approx(tick_s, rel=near)]
    assert len(right) >= 23
    assert all(f.lattice_concentration > 0.95 for f in right)
    jitter = [f.lattice_jitter_s for f in right if f.lattice_jitter_s is not None]
    assert np.mean(jitter) == pytest.approx(jitter_s, rel=0.1, abs=1e-7)
    assert np.mean([f.excess_kurtosis for f in right]) == pytest.approx(-1.2, abs=0.15)


def test_even_pulses_are_no_tick() -> None:
    # They lie on a lattice of their own distance and of all its fractions.
    found = report(np.random.default_rng(1).normal(0, 100e-6, COUNT))
    assert found.tick_s is None
    assert found.lattice_jitter_s is None


def test_ripple_left_over_is_named_with_its_amplitude() -> None:
    due = 0.3 + INTERVAL_S * np.arange(COUNT)
    late = 60e-6 * np.sin(4 * np.pi * MAINS_HZ * due + 0.4)
    found = report(late + np.random.default_rng(2).normal(0, 20e-6, COUNT))
    assert found.scatter is Scatter.RIPPLE
    assert found.ripple_amplitude_s == pytest.approx(60e-6, rel=0.2)


def test_drift_is_named_with_its_bow() -> None:
    place = np.linspace(-1, 1, COUNT)
    late = 100e-6 * place**2
    found = report(late + np.random.default_rng(3).normal(0, 20e-6, COUNT))
    assert found.scatter is Scatter.DRIFT
    assert found.drift_s == pytest.approx(100e-6, rel=0.2)


def test_single_pulses_far_off_are_named() -> None:
    late = np.random.default_rng(4).normal(0, 20e-6, COUNT)
    late[[7, 60]] += 2e-3
    found = report(late)
    assert found.scatter is Scatter.OUTLIERS
    assert found.outliers == (7, 60)


def test_scatter_below_the_resolution_is_not_looked_into() -> None:
    due = 0.3 + INTERVAL_S * np.arange(COUNT)
    found = of_stamps(np.round(due, 6), resolution_s=1e-6)
    assert found.scatter is Scatter.RESOLUTION


def test_residuals_of_zero_have_no_kurtosis() -> None:
    stamps = np.arange(20.0)
    found = analyse_residuals(np.zeros(20), stamps, stamps)
    assert found.scatter is Scatter.RESOLUTION
    assert np.isnan(found.excess_kurtosis)
    assert found.tick_s is None


def test_few_pulses_are_unknown() -> None:
    found = report(np.random.default_rng(5).normal(0, 20e-6, 11))
    assert found.scatter is Scatter.UNKNOWN
    assert found.tick_s is None


def test_origin_of_time_does_not_matter() -> None:
    stamps = ticked(6, 1e-3)
    here, later = of_stamps(stamps), of_stamps(stamps + 1000.0)
    assert here.scatter is later.scatter is Scatter.TICK
    assert later.tick_s == pytest.approx(here.tick_s, rel=1e-6)


def test_bad_arguments_are_refused() -> None:
    good = np.arange(5.0)
    with pytest.raises(ValueError, match="residuals_s"):
        analyse_residuals(np.zeros(4), good, good)
    with pytest.raises(ValueError, match="phases_rad"):
        analyse_residuals(good, good, np.zeros((5, 1)))
    with pytest.raises(ValueError, match="residuals_s holds values that are not finite"):
        analyse_residuals(np.full(5, np.nan), good, good)
    with pytest.raises(ValueError, match="stamps_s are out of order"):
        analyse_residuals(good, good[::-1], good)
    with pytest.raises(ValueError, match="resolution_s"):
        analyse_residuals(good, good, good, resolution_s=-1.0)
    with pytest.raises(ValueError, match="n ≥ 2"):
        analyse_residuals(np.zeros(1), np.zeros(1), np.zeros(1))
