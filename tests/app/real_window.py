"""A whole verification in a real window, driven by clicks and keys; prints what it came to.

Started by test_window_on_an_x_server.py, with DISPLAY set and a folder as its argument.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from spotcheck_cli.scenario import Scenario
from spotcheck_cli.window import demonstration_workplace
from spotcheck_host.app.application import VerificationApp
from spotcheck_host.app.meter_entry import entry_of

PATIENCE_S = 120.0


def wait_until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain until {what}")
        show()


def show() -> None:
    """Let the window work. QTest.qWait would keep the interpreter from the reader thread."""
    QApplication.processEvents()
    time.sleep(0.02)


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))


def main() -> None:
    folder = Path(sys.argv[1])
    messages: list[str] = []

    def take(kind: QtMsgType, _: object, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            messages.append(text)

    qInstallMessageHandler(take)
    application = QApplication([])
    scenario = Scenario(seed=11)
    workplace = demonstration_workplace(scenario, folder, real_time=False)
    app = VerificationApp(
        workplace, entry=entry_of(scenario.meter(), "jjg596-2012"), language="en", theme="dark"
    )
    app.open()
    window = app.window
    screen = app.presenter.screen
    wait_until("the load is seen", lambda: bool(screen().quantity_rows))
    # Type a wrong constant, see that it bars the start, and mend it.
    window.form.constant.setFocus()
    window.form.constant.selectAll()
    QTest.keyClicks(window.form.constant, "nonsense")
    barred = not window.start.isEnabled()
    window.form.constant.selectAll()
    QTest.keyClicks(window.form.constant, "1200")
    click(window.start)
    wait_until("it runs", lambda: not screen().can_edit or screen().verdict.report is not None)
    wait_until("there is a verdict", lambda: screen().verdict.report is not None)
    english = window.verdict.judgement.text()
    click(window.language)
    show()
    window.grab().save(str(folder / "window.png"))
    result = {
        "platform": application.platformName(),
        "barred": barred,
        "error": screen().error,
        "judgement": [english, window.verdict.judgement.text()],
        "report": screen().verdict.report,
        "messages": messages,
    }
    window.close()
    app.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
