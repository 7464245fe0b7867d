"""The plan of sixty load points in short; all of it is `make campaign-plan`."""

import subprocess
import sys

import pytest

from spotcheck_cli.load_plan import (
    PlannedLoad,
    PointResult,
    markdown,
    plan_digest,
    run_plan,
    sixty_points,
)

NUMBERS = (5, 14, 34)


def short_plan() -> list[PlannedLoad]:
    return [sixty_points()[number] for number in NUMBERS]


@pytest.fixture(scope="module")
def results() -> list[PointResult]:
    return list(run_plan(short_plan(), 4))


def test_plan_has_sixty_different_points() -> None:
    points = sixty_points()
    assert len(points) == len(set(points)) == len({point.label for point in points}) == 60
    assert {point.phases for point in points} == {1, 3}
    assert {(point.power_factor, point.lagging) for point in points} == {
        (1.0, True), (0.5, True), (0.8, False),
    }  # fmt: skip


def test_points_are_measured_and_judged(results: list[PointResult]) -> None:
    assert [result.verdict for result in results] == ["pass"] * len(NUMBERS)
    for result in results:
        # By the error curve: +0.1 % at 1 A to +0.25 % at 10 A, −0.15 % at 60 A.
        assert result.true_error_percent == pytest.approx(0.2, abs=0.06)
        assert result.error_percent == pytest.approx(
            result.true_error_percent, abs=1.5 * (result.expanded_uncertainty_percent or 0.0)
        )


def test_same_seed_gives_the_same_integers_in_another_process(results: list[PointResult]) -> None:
    program = (
        "from spotcheck_cli.load_plan import *; "
        f"print(plan_digest(list(run_plan([sixty_points()[n] for n in {NUMBERS}], 4))))"
    )
    again = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert again.stdout.decode().strip() == plan_digest(results)


def test_another_seed_gives_other_integers(results: list[PointResult]) -> None:
    (other,) = run_plan(short_plan()[:1], 5)
    assert other.digest != results[0].digest


def test_table_holds_truth_and_measured_value_of_each_point(results: list[PointResult]) -> None:
    text = markdown(results)
    for result in results:
        assert f"| {result.load.label} | {result.true_error_percent:+.4f} |" in text
    assert plan_digest(results) in text
