"""Joins reader, presenter and window; the one place that knows all three."""

import sys
import time

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from spotcheck_host.app.meter_entry import MeterEntry
from spotcheck_host.app.presenter import VerificationPresenter
from spotcheck_host.app.reader import InstrumentReader, Workplace
from spotcheck_host.app.reader_values import ReaderValue
from spotcheck_host.app.screen import ThemeName
from spotcheck_host.app.views.main_window import MainWindow
from spotcheck_host.report_text import Language


class _Bridge(QObject):
    """Carries values from the reader thread to the window's."""

    arrived = Signal(object)


class VerificationApp:
    """The reader and the window of one instrument."""

    def __init__(
        self, workplace: Workplace, *, entry: MeterEntry, language: Language, theme: ThemeName
    ) -> None:
        """Make the window; nothing is shown or connected before `open`.

        Args:
            workplace: Instrument and record.
            entry: What stands in the form at first.
            language: First language.
            theme: First theme.
        """
        self._bridge = _Bridge()
        self.reader = InstrumentReader(workplace, self._emit)
        self.presenter = VerificationPresenter(
            self.reader, time.monotonic, entry=entry, language=language, theme=theme
        )
        self.window = MainWindow(self.presenter)
        self._bridge.arrived.connect(self.window.take, Qt.ConnectionType.QueuedConnection)

    def _emit(self, value: ReaderValue) -> None:
        self._bridge.arrived.emit(value)

    def open(self) -> None:
        """Show the window, then connect."""
        self.window.show()
        self.reader.start()

    def close(self) -> None:
        """Let go of the instrument."""
        self._bridge.arrived.disconnect()
        self.reader.close()


def run_app(
    workplace: Workplace, *, entry: MeterEntry, language: Language, theme: ThemeName
) -> int:
    """Show the window until it is closed.

    Returns:
        The exit code.
    """
    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("Spotcheck")
    app = VerificationApp(workplace, entry=entry, language=language, theme=theme)
    app.open()
    try:
        return application.exec()
    finally:
        app.close()
