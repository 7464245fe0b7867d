"""The live views: what stands where, what is drawn anew, and that nothing is cut off."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from spotcheck_host.app.live_values import (
    ErrorPoint,
    Harmonics,
    Phasor,
    QuantityRow,
    RunningError,
    Waveforms,
)
from spotcheck_host.app.theme import DARK, LIGHT, SUNLIGHT, THEMES, Theme, stylesheet
from spotcheck_host.app.views.axis_scale import SteadyTop, round_top, significant, tick_label, ticks
from spotcheck_host.app.views.banner import BannerStack
from spotcheck_host.app.views.canvas import Canvas, advance_of, text_font
from spotcheck_host.app.views.error_display import ErrorDisplay
from spotcheck_host.app.views.harmonics_view import HarmonicsView
from spotcheck_host.app.views.phasor_view import PhasorView
from spotcheck_host.app.views.polyline import columns
from spotcheck_host.app.views.quantities_table import QuantitiesTable
from spotcheck_host.app.views.running_error_view import RunningErrorView
from spotcheck_host.app.views.view_text import VIEW_TEXT
from spotcheck_host.app.views.waveform_view import WaveformView
from spotcheck_host.app.views.zoom_window import ZoomWindow

SIZES = ((320, 240), (640, 480), (900, 300), (500, 800), (1920, 1080))


def waves(volts: float = 230.0, amperes: float = 5.0, points: int = 2000) -> Waveforms:
    turns = 2 * np.pi * 50 * np.arange(points) * 20e-6
    shape = np.array([np.sin(turns - 2 * np.pi * n / 3) for n in range(3)]) * math.sqrt(2)
    return Waveforms(
        interval_s=20e-6,
        voltages_v=(volts * shape).astype(np.float32),
        currents_a=(amperes * shape).astype(np.float32),
    )


def phasors(
    lag_deg: float = 30.0, volts: float = 230.0, amperes: float = 5.0
) -> tuple[Phasor, ...]:
    return tuple(
        Phasor(name=f"{kind}{n + 1}", magnitude=size, phase_deg=-120.0 * n - lag)
        for kind, size, lag in (("U", volts, 0.0), ("I", amperes, lag_deg))
        for n in range(3)
    )


def harmonics(third: float = 8.0, orders: int = 50) -> Harmonics:
    levels = np.full((3, orders), 0.2, dtype=np.float32)
    levels[:, 0] = 100
    if orders > 2:
        levels[:, 2] = third
    return Harmonics(voltages_percent=levels * np.float32(0.5), currents_percent=levels)


def running(
    count: int = 100, error: float = 0.3, mpe: float | None = 1.0, left: float | None = 20.0
) -> RunningError:
    points = tuple(
        ErrorPoint(
            time_s=0.5 * k,
            error_percent=error + 40 * math.sin(k) / k**2,
            expanded_uncertainty_percent=0.05 + 30 / k**2,
        )
        for k in range(1, count + 1)
    )
    return RunningError(points=points, mpe_percent=mpe, time_left_s=left)


ROWS = tuple(
    QuantityRow(name=name, values=("230.0213", "-12.3", "0.99987", "123456.7"))
    for name in ("Apparent power (VA)", "无功功率 (var)", "Frequency (Hz)", "功率因数", "U (V)")
)


def filled_views() -> list[Canvas]:
    """One of each, with ordinary values."""
    wave, phasor, bars, error = WaveformView(), PhasorView(), HarmonicsView(), RunningErrorView()
    hinting, display, table = RunningErrorView(), ErrorDisplay(), QuantitiesTable()
    wave.set_waveforms(waves())
    phasor.set_phasors(phasors())
    bars.set_harmonics(harmonics())
    error.set_running_error(running())
    hinting.set_hint("Point the pick-up head at the meter's LED 对准电能表的脉冲灯，等待第一个脉冲")
    display.show_reading("−12.345 %", "± 0.087 % (k = 2.05)", "fail", "基本误差 Basic error")
    table.set_rows(("Quantity", "L1", "L2", "L3", "Total"), ROWS)
    return [wave, phasor, bars, error, hinting, display, table]


def painted(qtbot: QtBot, view: Canvas, width: int = 800, height: int = 500) -> QImage:
    qtbot.addWidget(view)
    view.resize(width, height)
    return view.grab().toImage()


def overlaps(view: Canvas) -> list[tuple[str, str]]:
    return [
        (one, other)
        for (one, box), (other, second) in itertools.combinations(view.text_boxes, 2)
        if box.adjusted(0.5, 2.5, -0.5, -2.5).intersects(second.adjusted(0.5, 2.5, -0.5, -2.5))
    ]


def near(image: QImage, point: QPointF, color: str, reach: int = 3) -> bool:
    """Whether a pixel of about this colour lies near the point."""
    wanted = np.array(QColor(color).getRgb()[:3])
    for dx, dy in itertools.product(range(-reach, reach + 1), repeat=2):
        x, y = round(point.x()) + dx, round(point.y()) + dy
        if image.rect().contains(x, y):
            rgb = np.array(image.pixelColor(x, y).getRgb()[:3])
            if np.abs(rgb - wanted).max() < 24:
                return True
    return False


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_text_is_inside_its_view_and_meets_no_other(
    qtbot: QtBot, size: tuple[int, int], theme: Theme, language: str
) -> None:
    for view in filled_views():
        view.set_theme(theme)
        view.set_language(language)
        painted(qtbot, view, *size)
        inside = QRectF(view.rect()).adjusted(-0.5, -0.5, 0.5, 0.5)
        outside = [(text, box) for text, box in view.text_boxes if not inside.contains(box)]
        assert not outside, (type(view).__name__, outside)
        assert not overlaps(view), (type(view).__name__, overlaps(view))
        assert view.text_boxes


@pytest.mark.parametrize("make", [WaveformView, PhasorView, HarmonicsView, RunningErrorView])
def test_only_data_change_so_the_grid_is_drawn_once(qtbot: QtBot, make: type[Canvas]) -> None:
    view = make()
    for step in range(5):
        if isinstance(view, WaveformView):
            view.set_waveforms(waves(volts=230 + step))
        elif isinstance(view, PhasorView):
            view.set_phasors(phasors(lag_deg=step))
        elif isinstance(view, HarmonicsView):
            view.set_harmonics(harmonics(third=8 + step / 10))
        elif isinstance(view, RunningErrorView):
            view.set_running_error(running(count=100 + step, left=20 - step / 2))
        painted(qtbot, view)
    assert view.static_redraws == 1
    view.set_theme(LIGHT)
    view.grab()
    view.set_language("en")
    view.grab()
    assert view.static_redraws == 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_arrows_point_counter_clockwise_from_the_top(qtbot: QtBot, theme: Theme) -> None:
    view = PhasorView()
    view.set_theme(theme)
    view.set_phasors(phasors())
    image = painted(qtbot, view)
    tip, middle = view.tip("U1"), view.center
    assert tip.x() == pytest.approx(middle.x())
    assert tip.y() < middle.y()
    assert view.tip("U2").x() > middle.x()
    assert view.tip("U3").x() < middle.x()
    assert view.tip("I1").x() > middle.x()
    for phase in range(3):
        for name, color in (
            (f"U{phase + 1}", theme.voltage(phase)),
            (f"I{phase + 1}", theme.current(phase)),
        ):
            inward = view.tip(name) + (middle - view.tip(name)) * 0.05
            assert near(image, inward, color), name


@pytest.mark.parametrize("lag", [0.0, 1.0, 60.0, 90.0, 119.0, 120.0, 180.0, -120.0])
@pytest.mark.parametrize("size", SIZES)
def test_names_of_arrows_never_overlap(qtbot: QtBot, lag: float, size: tuple[int, int]) -> None:
    view = PhasorView()
    view.set_phasors(phasors(lag_deg=lag))
    painted(qtbot, view, *size)
    assert not overlaps(view)


def test_names_keep_apart_when_all_arrows_coincide(qtbot: QtBot) -> None:
    view = PhasorView()
    view.set_phasors(
        tuple(
            Phasor(name=name, magnitude=1, phase_deg=17)
            for name in ("U1", "U2", "U3", "I1", "I2", "I3")
        )
    )
    painted(qtbot, view)
    assert not overlaps(view)


def test_angles_are_shown_within_half_a_turn(qtbot: QtBot) -> None:
    view = PhasorView()
    view.set_phasors(
        tuple(
            Phasor(name=f"U{n + 1}", magnitude=1, phase_deg=angle)
            for n, angle in enumerate((-0.04, -240.0, -180.0))
        )
    )
    painted(qtbot, view)
    shown = [text for text, _ in view.text_boxes]
    assert {"0.0°", "120.0°", "180.0°"} <= set(shown)


def test_legend_of_a_narrow_view_is_whole(qtbot: QtBot) -> None:
    view = WaveformView()
    view.set_waveforms(waves())
    painted(qtbot, view, 300, 240)
    first = next(box for text, box in view.text_boxes if text == "U1")
    assert first.left() - view._sample_px() - 5 >= 0
    assert view._sample_px() > 5


def test_lengths_are_by_the_longest_of_their_kind() -> None:
    view = PhasorView()
    view.resize(500, 400)
    view.set_phasors(
        (
            Phasor(name="U1", magnitude=200, phase_deg=0),
            Phasor(name="U2", magnitude=100, phase_deg=0),
            Phasor(name="I1", magnitude=0, phase_deg=0),
        )
    )
    view.grab()
    long, short = (view.center.y() - view.tip(name).y() for name in ("U1", "U2"))
    assert short == pytest.approx(long / 2)
    assert view.tip("I1") == view.center
    with pytest.raises(KeyError):
        view.tip("I2")
    view.deleteLater()


def test_trace_passes_where_the_voltage_is(qtbot: QtBot) -> None:
    view = WaveformView()
    given = waves()
    view.set_waveforms(
        Waveforms(
            interval_s=20e-6, voltages_v=given.voltages_v[:1], currents_a=given.currents_a[:0]
        )
    )
    image = painted(qtbot, view)
    plot, top = view.plot, view.tops[0]
    for index in (250, 750, 1100):
        volts = float(given.voltages_v[0, index])
        at = QPointF(
            plot.left() + index / 1999 * plot.width(),
            plot.center().y() - volts / top * plot.height() / 2,
        )
        assert near(image, at, DARK.u1), index


def test_scales_are_round_and_do_not_flicker() -> None:
    view = WaveformView()
    view.set_waveforms(waves(volts=230))
    tops = set()
    for volts in np.linspace(225, 240, 30):
        view.set_waveforms(waves(volts=float(volts)))
        tops.add(view.tops)
    assert tops == {(400.0, 8.0)}
    view.set_waveforms(waves(volts=57.7))
    assert view.tops[0] == 100.0
    view.deleteLater()


def test_many_points_keep_their_peaks() -> None:
    values = np.zeros(100_000, dtype=np.float32)
    values[54_321], values[77_777] = 5, -4
    place, shown = columns(values, 500)
    assert len(shown) == 1000
    assert (shown.max(), shown.min()) == (5, -4)
    assert place[np.argmax(shown)] == pytest.approx(0.543, abs=0.002)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1001])
def test_few_points_are_all_kept(count: int) -> None:
    place, shown = columns(np.arange(count, dtype=np.float32), 500)
    assert len(place) == len(shown)
    assert shown.max(initial=0) == max(count - 1, 0)


def test_points_without_a_number_are_left_out() -> None:
    place, shown = columns(np.array([1, np.nan, 3, np.inf], dtype=np.float32), 100)
    assert shown.tolist() == [1, 3]
    assert place.tolist() == pytest.approx([0, 2 / 3])


def test_bars_stand_at_their_order(qtbot: QtBot) -> None:
    view = HarmonicsView()
    view.set_harmonics(harmonics(third=8))
    image = painted(qtbot, view, 1000, 500)
    label = next(box for text, box in view.text_boxes if text == "3")
    bottom = label.top() - 8
    assert near(image, QPointF(label.center().x() - 4, bottom), DARK.u1)
    other = next(box for text, box in view.text_boxes if text == "25")
    assert not near(image, QPointF(other.center().x(), bottom - 40), DARK.u1)


def test_harmonics_say_the_distortion_of_the_selected_phase(qtbot: QtBot) -> None:
    levels = np.zeros((3, 50), dtype=np.float32)
    levels[:, 0], levels[1, 2], levels[1, 4] = 100, 3, 4
    view = HarmonicsView()
    view.set_harmonics(Harmonics(voltages_percent=levels, currents_percent=levels))
    view.set_phase(1)
    view.set_language("en")
    painted(qtbot, view)
    texts = [text for text, _ in view.text_boxes]
    assert "Voltage THD 5.00 %" in texts
    assert "Phase 2" in texts
    assert {"3", "5", "7", "9", "11", "15"} <= set(texts)


def test_settled_error_and_limits_are_in_view_though_the_first_points_are_wild() -> None:
    view = RunningErrorView()
    view.set_running_error(running(mpe=1.0))
    assert 1.0 < view.top_percent < 3
    view.set_running_error(running(error=-60.0))
    assert view.top_percent >= 60
    view.deleteLater()


def test_time_axis_reaches_the_expected_end_and_stays() -> None:
    view = RunningErrorView()
    ends = set()
    for count in range(10, 100, 10):
        view.set_running_error(running(count=count, left=50 - count / 2))
        ends.add(view.end_s)
    assert ends == {50.0}
    view.deleteLater()


def test_hint_and_time_left_stand_when_they_should(qtbot: QtBot) -> None:
    view = RunningErrorView()
    view.set_language("en")
    view.set_hint("Waiting")
    painted(qtbot, view)
    assert "Waiting" in dict(view.text_boxes)
    view.set_running_error(running(left=12.2))
    view.grab()
    texts = dict(view.text_boxes)
    assert "Waiting" not in texts
    assert {"13 s left", "Limit +1 %", "Limit −1 %"} <= texts.keys()
    view.set_running_error(running(left=None, mpe=None))
    view.grab()
    assert not [text for text, _ in view.text_boxes if "left" in text or "Limit" in text]


def test_a_new_measurement_forgets_the_points_of_the_last(qtbot: QtBot) -> None:
    view = RunningErrorView()
    first = running(count=50)
    view.set_running_error(first)
    view.set_running_error(running(count=60, error=-0.4))
    image = painted(qtbot, view)
    plot = view.plot
    last = QPointF(
        plot.left() + 30 / view.end_s * plot.width(),
        plot.center().y() + 0.4 / view.top_percent * plot.height() / 2,
    )
    assert near(image, last, DARK.error_line)


@pytest.mark.parametrize("size", [(200, 120), (640, 200), (1200, 500), (300, 600)])
@pytest.mark.parametrize("text", ["+0.1 %", "−100.000 %", "+0.312 % !", "—"])
def test_error_is_whole_and_the_largest_text(
    qtbot: QtBot, size: tuple[int, int], text: str
) -> None:
    view = ErrorDisplay()
    view.show_reading(text, "± 0.05 %", "pass", "Basic error")
    painted(qtbot, view, *size)
    boxes = dict(view.text_boxes)
    assert all(QRectF(view.rect()).contains(box) for box in boxes.values())
    if text != "—":
        per_letter = {shown: box.width() / len(shown) for shown, box in boxes.items()}
        assert max(per_letter, key=per_letter.__getitem__) == text


def test_error_is_a_dash_before_there_is_one_and_wears_its_verdict(qtbot: QtBot) -> None:
    view = ErrorDisplay()
    painted(qtbot, view)
    assert [text for text, _ in view.text_boxes] == ["–.––– %"]
    for tone, color in (("pass", DARK.passed), ("fail", DARK.failed), ("warning", DARK.warning)):
        view.show_reading("+1.0 %", "", tone, "")  # type: ignore[arg-type]
        image = view.grab().toImage()
        assert image.pixelColor(3, 250).name() == color
        colors = {image.pixelColor(x, 250).name() for x in range(20, 700)}
        assert color in colors


def test_figures_stand_in_columns_flush_right(qtbot: QtBot) -> None:
    view = QuantitiesTable()
    rows = tuple(QuantityRow(name="U", values=(value, "")) for value in ("1.0", "230.02", "-4.55"))
    view.set_rows(("L1", "L2"), rows)
    painted(qtbot, view)
    rights = {round(box.right(), 3) for text, box in view.text_boxes if text[0] in "12-4"}
    assert len(rights) == 1
    font = text_font(30)
    assert advance_of(font, "111") == advance_of(font, "888")


@pytest.mark.parametrize("width", [240, 640, 1920])
@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_banners_show_their_whole_text(qtbot: QtBot, width: int, theme: Theme) -> None:
    texts = ("短", "夹钳电流太小，不确定度主要来自夹钳。" * 6, "word " * 60, "x" * 300)
    stack = BannerStack()
    stack.set_theme(theme)
    stack.resize(width, 10)
    stack.set_banners(tuple(zip(("info", "warning", "alarm", "info"), texts, strict=True)))
    qtbot.addWidget(stack)
    stack.grab()
    boxes = stack.text_boxes
    assert tuple(text for text, _ in boxes) == texts
    assert all(QRectF(stack.rect()).contains(box) for _, box in boxes)
    assert not overlaps(stack)
    stack.set_banners(())
    assert stack.height() == 0


def test_banner_of_unknown_severity_is_refused(qtbot: QtBot) -> None:
    stack = BannerStack()
    qtbot.addWidget(stack)
    with pytest.raises(ValueError, match="severity"):
        stack.set_banners((("panic", "text"),))


def test_views_without_data_or_with_extreme_data_still_paint(qtbot: QtBot) -> None:
    nothing = np.zeros((0, 0), dtype=np.float32)
    nan = np.full((3, 50), np.nan, dtype=np.float32)
    wave, phasor, bars, error = WaveformView(), PhasorView(), HarmonicsView(), RunningErrorView()
    for values in (
        None,
        Waveforms(interval_s=1e-5, voltages_v=nothing, currents_a=nothing),
        Waveforms(interval_s=1e-5, voltages_v=nan, currents_a=nan),
        waves(volts=0, amperes=0),
        waves(volts=1e9, amperes=1e-9),
        waves(points=1),
        waves(points=100_000),
    ):
        wave.set_waveforms(values)
        painted(qtbot, wave)
    for size in (0.0, 1e-9, 1e12, math.nan):
        phasor.set_phasors(phasors(volts=size, amperes=size))
        painted(qtbot, phasor)
        assert not overlaps(phasor)
    phasor.set_phasors(())
    phasor.grab()
    for levels in (
        None,
        harmonics(orders=1),
        harmonics(third=1e6),
        Harmonics(voltages_percent=nan, currents_percent=nothing),
    ):
        bars.set_harmonics(levels)
        painted(qtbot, bars)
    for course in (
        running(count=0),
        running(count=1, left=0),
        running(count=3, error=-1e9),
        running(count=2, left=1e7),
        running(count=5000, left=3600),
        running(count=4, error=math.nan),
    ):
        error.set_running_error(course)
        painted(qtbot, error)
        assert math.isfinite(error.top_percent)
    table = QuantitiesTable()
    painted(qtbot, table)
    table.set_rows(("L1",), ())
    table.grab()


def test_stale_data_are_grey(qtbot: QtBot) -> None:
    view = WaveformView()
    view.set_waveforms(waves())
    view.set_stale(True)
    image = painted(qtbot, view)
    colors = {image.pixelColor(x, y).name() for x in range(100, 700, 2) for y in range(60, 450, 2)}
    assert DARK.u1 not in colors
    assert DARK.stale in colors


def test_unknown_language_is_refused(qtbot: QtBot) -> None:
    view = WaveformView()
    qtbot.addWidget(view)
    with pytest.raises(ValueError, match="language"):
        view.set_language("de")


def test_both_languages_have_every_text_with_the_same_gaps() -> None:
    assert VIEW_TEXT["zh"].keys() == VIEW_TEXT["en"].keys()
    for key, text in VIEW_TEXT["zh"].items():
        assert text.count("{") == VIEW_TEXT["en"][key].count("{"), key


def test_chinese_is_not_shown_as_boxes(qtbot: QtBot) -> None:
    """A letter that the font lacks looks like every other letter that it lacks."""
    view = ErrorDisplay()
    pictures = set()
    for text in "误差允许":
        view.show_reading(text, "", "neutral", "")
        pictures.add(bytes(painted(qtbot, view, 200, 200).constBits()))
    assert len(pictures) == 4


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_colours_have_contrast(theme: Theme) -> None:
    """Text 4.5 and lines 3 against the panel (WCAG 2.2, 1.4.3 and 1.4.11)."""
    texts = (theme.text, theme.dim_text, theme.passed, theme.failed, theme.warning)
    lines = [of(n) for of in (theme.voltage, theme.current) for n in range(3)]
    lines += [theme.limit, theme.error_line, theme.accent, theme.stale]
    assert all(contrast(color, theme.panel) >= 4.5 for color in texts)
    assert all(contrast(color, theme.panel) >= 3 for color in lines)
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.on_accent, theme.failed) >= 4.5
    if theme is SUNLIGHT:
        assert contrast(theme.text, theme.panel) == pytest.approx(21)
        assert all(contrast(color, theme.panel) >= 4.5 for color in lines)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_buttons_are_large_enough_for_fingers(qtbot: QtBot, theme: Theme) -> None:
    button = QPushButton("自动")
    qtbot.addWidget(button)
    button.setStyleSheet(stylesheet(theme))
    assert button.sizeHint().height() >= 44


def test_round_tops_and_ticks() -> None:
    assert [round_top(v) for v in (0.9, 1.01, 325, 7.1, 0, math.nan)] == [1, 1.5, 400, 8, 1, 1]
    assert ticks(-1.5, 1.5, 8) == pytest.approx([-1.5, -1, -0.5, 0, 0.5, 1, 1.5])
    assert [tick_label(v) for v in (-0.0, -0.5, 100.0)] == ["0", "−0.5", "100"]
    assert [significant(v) for v in (230.021, 5.0, 0.0, 1e7)] == [
        "230.02", "5.0000", "0.0000", "1.00e+07",
    ]  # fmt: skip
    top = SteadyTop()
    assert [top.follow(v) for v in (90, 101, 95, 80, 60)] == [100, 150, 150, 150, 80]


@pytest.fixture
def zoom(qtbot: QtBot) -> ZoomWindow:
    window = ZoomWindow()
    qtbot.addWidget(window)
    window.set_language("en")
    window.set_waveforms(waves())
    window.resize(900, 600)
    window.show()
    qtbot.waitExposed(window)
    return window


def test_zoom_exports_what_is_visible(zoom: ZoomWindow, tmp_path: Path) -> None:
    zoom._plot.vb.setXRange(10, 20, padding=0)
    path = tmp_path / "visible.csv"
    assert zoom.export_to(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time (s),U1 (V),U2 (V),U3 (V),I1 (A),I2 (A),I3 (A)"
    times = [float(line.split(",")[0]) for line in lines[1:]]
    assert (times[0], times[-1], len(times)) == (0.01, 0.02, 501)
    assert float(lines[1].split(",")[1]) == pytest.approx(
        float(waves().voltages_v[0, 500]), abs=1e-6
    )


def test_zoom_says_why_it_could_not_export(zoom: ZoomWindow, tmp_path: Path) -> None:
    assert not zoom.export_to(tmp_path / "missing" / "file.csv")
    assert "Could not export" in zoom.message
    zoom._plot.vb.setXRange(1000, 2000, padding=0)
    assert not zoom.export_to(tmp_path / "file.csv")
    assert zoom.message == "No points in the visible range"


def test_auto_shows_everything_and_amperes_follow_volts(qtbot: QtBot, zoom: ZoomWindow) -> None:
    zoom._plot.vb.setRange(xRange=(3, 4), yRange=(0, 10), padding=0)
    low, high = zoom._amperes.viewRange()[1]
    assert (low, high) == pytest.approx((0, 10 * 5 / 230), abs=1e-6)
    assert zoom._amperes.viewRange()[0] == pytest.approx([3, 4], abs=0.01)
    qtbot.mouseClick(zoom._auto, Qt.MouseButton.LeftButton)
    (left, right), (bottom, top) = zoom._plot.vb.viewRange()
    assert left <= 0
    assert right >= 39.98
    assert bottom < -325
    assert top > 325


def test_crosshair_names_the_values_of_its_moment(zoom: ZoomWindow) -> None:
    zoom.show_values_at(5.0)
    text = zoom._values.text()
    assert "5.000 ms" in text
    assert "325.27&nbsp;V" in text
    assert "7.0711&nbsp;A" in text


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_zoom_wears_every_theme_and_language(zoom: ZoomWindow, theme: Theme) -> None:
    for language in ("zh", "en"):
        zoom.set_language(language)
        zoom.set_theme(theme)
        assert zoom._plot.getAxis("left").labelText == VIEW_TEXT[language]["voltage_axis"]
        assert zoom.grab().toImage().pixelColor(200, 300).isValid()
