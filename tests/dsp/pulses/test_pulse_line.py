"""The line through the pulses against SciPy and exact rationals."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from spotcheck_dsp.pulses.pulse_line import gate, least_squares_line

CASES = Path(__file__).parents[4] / "shared" / "data" / "uncertainty_cases.json"
ENERGIES = arrays(np.float64, st.integers(3, 40), elements=st.integers(-999, 999).map(float))


@given(ENERGIES, st.sampled_from([0.0, 1e6]))
def test_line_is_that_of_scipy(scatter: np.ndarray, offset: float) -> None:
    k = np.arange(len(scatter))
    energies = offset + 3000.0 * k + scatter
    line = least_squares_line(energies)
    expected = stats.linregress(k, 3000.0 * k + scatter)
    freedom = len(k) - 2
    assert line.degrees_of_freedom == freedom
    assert line.energy_per_pulse == pytest.approx(expected.slope, rel=1e-12)
    assert line.standard_uncertainty == pytest.approx(expected.stderr, rel=1e-6, abs=1e-6)
    about = 3000.0 * k + scatter - expected.intercept - expected.slope * k
    assert line.residual == pytest.approx(np.sqrt(about @ about / freedom), rel=1e-6, abs=1e-6)


@given(st.lists(st.integers(-10_000, 10_000), min_size=3, max_size=12))
def test_slope_is_that_of_exact_rationals(energies: list[int]) -> None:
    count = len(energies)
    middle = Fraction(count - 1, 2)
    spread = sum((k - middle) ** 2 for k in range(count))
    slope = sum((k - middle) * e for k, e in enumerate(energies)) / spread
    found = least_squares_line(np.array(energies, np.float64)).energy_per_pulse
    assert found == pytest.approx(float(slope), rel=1e-12, abs=1e-9)


def test_standard_deviation_of_published_readings_of_jjg_596() -> None:
    """Deviations from a level, n−1 divisor; the paper's printed values are known to be wrong.

    Laid out antisymmetrically about the middle the readings have no slope, so that the residual
    about the line is their standard deviation but for the divisor n−2 of twice as many values.
    """
    if not CASES.exists():
        pytest.skip(f"{CASES} is not there")
    for case in json.loads(CASES.read_text("utf-8"))["JJG596_paper_errors"]:
        data = np.array(case["data"])
        assert np.std(data, ddof=1) == pytest.approx(case["true_s"], rel=1e-5)
        mirrored = np.concatenate([data, data[::-1]])
        line = least_squares_line(mirrored)
        assert line.energy_per_pulse == pytest.approx(0, abs=1e-15)
        about_mean = np.sqrt(2 * (len(data) - 1) * case["true_s"] ** 2 / (len(mirrored) - 2))
        assert line.residual == pytest.approx(about_mean, rel=1e-5)
        assert line.residual != pytest.approx(case["printed_s"], rel=1e-2)


def test_large_register_does_not_eat_the_digits_of_the_slope() -> None:
    k = np.arange(10.0)
    line = least_squares_line(2.0**40 + 0.5 * k)
    assert line.energy_per_pulse == 0.5
    assert line.residual == 0.0


def test_two_pulses_have_a_slope_and_no_residual() -> None:
    line = least_squares_line(np.array([5.0, 8.0]))
    assert (line.energy_per_pulse, line.standard_uncertainty, line.residual) == (3.0, 0.0, 0.0)
    assert line.degrees_of_freedom == 0


def test_gate_takes_the_first_and_the_last_pulse() -> None:
    assert gate(np.array([10.0, 99.0, -5.0, 40.0])) == 10.0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pulses_are_refused(count: int) -> None:
    for fit in (gate, least_squares_line):
        with pytest.raises(ValueError, match=f"{count} pulses make no energy"):
            fit(np.zeros(count))
