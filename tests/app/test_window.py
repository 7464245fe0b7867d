"""The window offscreen: gestures reach the presenter, screens reach the widgets."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from spotcheck_cli.scenario import Fault, Scenario
from spotcheck_cli.window import demonstration_workplace
from spotcheck_host.app.application import VerificationApp
from spotcheck_host.app.meter_entry import entry_of

RULE = "jjg596-2012"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(
    qtbot: QtBot, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[VerificationApp]:
    """The app of a demonstration on virtual time, with its load in view."""
    scenario = Scenario(seed=12, fault=getattr(request, "param", Fault.NONE))
    app = VerificationApp(
        demonstration_workplace(scenario, tmp_path, real_time=False),
        entry=entry_of(scenario.meter(), RULE),
        language="zh",
        theme="dark",
    )
    qtbot.addWidget(app.window)
    app.open()
    qtbot.waitUntil(lambda: bool(app.presenter.screen().quantity_rows), timeout=60_000)
    yield app
    app.close()


@pytest.mark.processes
def test_start_leads_to_a_verdict_and_a_second_one(opened: VerificationApp, qtbot: QtBot) -> None:
    for number in (1, 2):
        qtbot.mouseClick(opened.window.start, LEFT)
        assert not opened.window.form.constant.isEnabled()
        case = f"app-12-{number}"
        qtbot.waitUntil(
            lambda case=case: any(case in line for line in opened.presenter.screen().verdict.lines),
            timeout=120_000,
        )
        assert opened.window.verdict.judgement.text() == "合格"
        assert opened.window.verdict.report.isVisible()
        assert Path(opened.presenter.screen().verdict.report or "").exists()
    points = opened.presenter.screen().running.points
    widths = [point.expanded_uncertainty_percent for point in points]
    assert len(points) > 10
    assert widths[-1] < widths[0]
    assert abs(points[-1].error_percent - -0.83) < 0.05


@pytest.mark.processes
@pytest.mark.parametrize("opened", [Fault.REVERSED_CLAMP], indirect=True)
def test_the_question_is_asked_in_the_window(opened: VerificationApp, qtbot: QtBot) -> None:
    assert any("功率为负" in words for _, words in opened.presenter.screen().banners)
    qtbot.mouseClick(opened.window.start, LEFT)
    qtbot.waitUntil(opened.window.yes.isVisible, timeout=60_000)
    qtbot.mouseClick(opened.window.no, LEFT)
    qtbot.waitUntil(lambda: opened.window.verdict.judgement.text() == "不能判定", timeout=60_000)
    assert not opened.window.yes.isVisible()


@pytest.mark.processes
@pytest.mark.parametrize("opened", [Fault.NO_PULSES], indirect=True)
def test_stop_ends_a_verification(opened: VerificationApp, qtbot: QtBot) -> None:
    qtbot.mouseClick(opened.window.start, LEFT)
    assert opened.window.stop.isEnabled()
    qtbot.mouseClick(opened.window.stop, LEFT)
    qtbot.waitUntil(lambda: opened.window.verdict.judgement.text() == "不能判定", timeout=60_000)
    assert opened.window.start.isEnabled()


@pytest.mark.processes
def test_language_and_theme_change_at_once(opened: VerificationApp, qtbot: QtBot) -> None:
    window = opened.window
    assert window.start.text() == "开始"
    qtbot.mouseClick(window.language, LEFT)
    assert window.start.text() == "Start"
    chinese = [
        widget.text()
        for kind in (QLabel, QPushButton)
        for widget in window.findChildren(kind)
        if widget is not window.language and any("\u4e00" <= c <= "\u9fff" for c in widget.text())
    ]
    assert chinese == []
    window.theme.setCurrentIndex(window.theme.findData("sunlight"))
    window.theme.activated.emit(window.theme.currentIndex())
    image = window.grab().toImage()
    assert image.pixelColor(2, 2).lightness() > 240


@pytest.mark.processes
def test_zoom_shows_the_waveforms_of_the_moment(opened: VerificationApp, qtbot: QtBot) -> None:
    qtbot.mouseClick(opened.window.zoom, LEFT)
    zoom = opened.window._zoom
    assert zoom is not None
    assert zoom.isVisible()
    assert zoom.visible_csv().count("\n") > 100


def test_without_a_screen_it_says_so(tmp_path: Path) -> None:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    done = subprocess.run(
        [sys.executable, "-m", "spotcheck_cli", "app", "--demo", "--out", str(tmp_path)],
        env={name: value for name, value in os.environ.items() if name not in names},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no screen" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say one of --demo and --connect"),
        (["--connect", "nowhere"], "is no address"),
        (["--demo", "--theme", "pink"], "is no theme"),
        (["--demo", "--rule", "none"], "none"),
    ],
)
def test_wrong_arguments_end_before_a_window(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spotcheck_cli", "app", *arguments, "--out", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in " ".join((done.stderr + done.stdout).replace("│", " ").split())
