from decimal import Decimal
from types import ModuleType

import pytest

from spotcheck_host.report_text import Language
from spotcheck_host.running_error_plot import (
    FinalError,
    RunningPoint,
    render_running_error,
    render_running_error_png,
)

FINAL = FinalError(error_percent=-0.83, expanded_uncertainty_percent=0.02)
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_points_give_the_same_bytes(examples: ModuleType, language: Language) -> None:
    points = examples.plot_points(-0.83)
    first = render_running_error(points, FINAL, Decimal(1), -0.825, language)
    assert first == render_running_error(points, FINAL, Decimal(1), -0.825, language)
    assert b"<dc:date>" not in first
    assert b"<text" not in first  # outlines: no font is needed to show it


def test_limit_and_true_error_are_drawn_only_when_known(examples: ModuleType) -> None:
    points = examples.plot_points(-0.83)
    full = render_running_error(points, FINAL, Decimal(1), -0.825, "en")
    bare = render_running_error(points, FINAL, None, None, "en")
    assert full.count(b"stroke-dasharray") > bare.count(b"stroke-dasharray") == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_are_drawn_too(count: int) -> None:
    points = [
        RunningPoint(
            duration_s=float(n), pulses=n, error_percent=0.1, expanded_uncertainty_percent=0.2
        )
        for n in range(count)
    ]
    assert b"</svg>" in render_running_error(points, None, Decimal(1), None, "zh")


def test_png_is_the_same_plot(examples: ModuleType) -> None:
    points = examples.plot_points(0.3)
    png = render_running_error_png(points, FINAL, Decimal(1), None, "zh")
    assert png.startswith(b"\x89PNG")
    assert png == render_running_error_png(points, FINAL, Decimal(1), None, "zh")
