"""Time gained by a clock whose course is a formula, from marks with known jitter."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_dsp.clock_wander import FEWEST_MARKS, TimeErrorEstimate, time_gained

Array = NDArray[np.float64]
Course = Callable[[Array], Array]
"""Time error of a clock, in s, at true times in s."""

DRIFT_PER_S = 30e-6 / 100
COURSES: dict[str, Course] = {
    "30 ppm fast": lambda t: 30e-6 * t,
    "30 ppm slow": lambda t: -30e-6 * t,
    "drifts by 30 ppm in 100 s": lambda t: -15e-6 * t + DRIFT_PER_S * t**2 / 2,
}


def gained(
    course: Course, seconds: int, from_s: float, to_s: float, jitter_s: float, seed: int
) -> tuple[TimeErrorEstimate, float]:
    """What is found, and what is true; instants are true times."""
    true_s = np.arange(seconds, dtype=np.float64)
    jitter = np.random.default_rng(seed).normal(0, jitter_s, seconds) if jitter_s else 0.0
    marks_s = true_s + course(true_s) + jitter
    ends = np.array([from_s, to_s])
    by_clock = ends + course(ends)
    found = time_gained(
        marks_s, marks_s - true_s, from_s=by_clock[0], to_s=by_clock[1], least_wander=1e-9
    )
    before, after = course(ends)
    return found, float(after - before)


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_rate_is_known_to_a_tenth_of_a_ppm_after_100_s(course: Course) -> None:
    errors = []
    for seed in range(30):
        found, true = gained(course, 100, 75.3, 99.2, 1e-6, seed)
        errors.append((found.gained_s - true) / 23.9)
        assert abs(found.gained_s - true) < 4 * found.standard_uncertainty_s
        assert 0.6e-6 < found.jitter_s < 1.6e-6
    assert np.sqrt(np.mean(np.square(errors))) < 0.03e-6
    assert np.max(np.abs(errors)) < 0.1e-6


def test_uncertainty_is_that_of_a_parabola_where_nothing_wanders() -> None:
    """x(b) − x(a) of a least-squares parabola through n marks; numpy.polyfit's covariance."""
    course = COURSES["30 ppm fast"]
    found, true = gained(course, 200, 100.0, 180.0, 1e-6, 5)
    t = np.arange(200.0)
    basis = np.vander(t, 3)
    step = np.array([180.0**2 - 100.0**2, 80.0, 0.0])
    least = 1e-6 * np.sqrt(step @ np.linalg.inv(basis.T @ basis) @ step)
    assert least < 1.3 * found.standard_uncertainty_s
    assert found.standard_uncertainty_s < 4 * least
    assert abs(found.gained_s - true) < 4 * found.standard_uncertainty_s


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_holdover_grows_and_stays_honest(course: Course) -> None:
    before = 0.0
    for held_s in (2.0, 10.0, 60.0, 300.0):
        inside, uncertainties = 0, []
        for seed in range(12):
            found, true = gained(course, 100, 99.0 + held_s, 109.0 + held_s, 1e-6, seed)
            inside += abs(found.gained_s - true) < 2.5 * found.standard_uncertainty_s
            uncertainties.append(found.standard_uncertainty_s)
        assert inside >= 11
        assert np.median(uncertainties) > 1.15 * before
        before = float(np.median(uncertainties))


def test_wander_that_marks_show_widens_the_holdover() -> None:
    """A clock whose frequency walks at random is held for 60 s; three of twenty may lie outside."""
    inside = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        fine_s = 0.1
        frequency = np.cumsum(rng.normal(0, 20e-9 * np.sqrt(fine_s), 2000))
        walked = np.concatenate([[0.0], np.cumsum(frequency) * fine_s])
        grid = np.arange(len(walked)) * fine_s

        def course(t: Array, grid: Array = grid, walked: Array = walked) -> Array:
            return np.interp(t, grid, walked)

        found, true = gained(course, 120, 150.0, 179.0, 1e-6, seed)
        inside += abs(found.gained_s - true) < 2 * found.standard_uncertainty_s
    assert inside >= 17


def test_marks_without_jitter_are_taken_at_their_word() -> None:
    found, true = gained(COURSES["drifts by 30 ppm in 100 s"], 60, 20.0, 50.0, 0.0, 0)
    assert abs(found.gained_s - true) < 1e-11


@pytest.mark.parametrize(
    ("marks_s", "ends", "named"),
    [
        (np.arange(FEWEST_MARKS - 1.0), (0.0, 1.0), "16 or more marks"),
        (np.zeros(20), (0.0, 1.0), "in order"),
        (np.arange(20.0), (2.0, 1.0), "comes before"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    marks_s: Array, ends: tuple[float, float], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        time_gained(marks_s, marks_s, from_s=ends[0], to_s=ends[1], least_wander=1e-9)
