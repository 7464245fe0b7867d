"""The window of a verification: it shows screens and reports gestures; it decides nothing."""

from collections.abc import Callable

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from spotcheck_host.app.app_text import text
from spotcheck_host.app.meter_entry import MeterEntry
from spotcheck_host.app.presenter import VerificationPresenter
from spotcheck_host.app.reader_values import ReaderValue
from spotcheck_host.app.screen import Screen, ThemeName
from spotcheck_host.app.theme import THEMES, stylesheet
from spotcheck_host.app.views.banner import BannerStack
from spotcheck_host.app.views.choice import Choice
from spotcheck_host.app.views.error_display import ErrorDisplay
from spotcheck_host.app.views.live_panels import LivePanels
from spotcheck_host.app.views.meter_form import MeterForm
from spotcheck_host.app.views.running_error_view import RunningErrorView
from spotcheck_host.app.views.verdict_view import VerdictView
from spotcheck_host.app.views.zoom_window import ZoomWindow

LOOK_AGAIN_MS = 250
"""What depends on time alone (old data, time left) is looked at so often."""
SIDE_PX = 340


class MainWindow(QMainWindow):
    """Form and verdict at the left, the error in the middle, what is there at the right."""

    def __init__(self, presenter: VerificationPresenter) -> None:
        super().__init__()
        self._presenter = presenter
        self._theme_name: ThemeName | None = None
        self._shown_in: tuple[str, str] = ("", "")
        self._zoom: ZoomWindow | None = None
        self.form = MeterForm(self._edited)
        self.start, self.stop = QPushButton(), QPushButton()
        self.start.setProperty("primary", True)
        self.verdict = VerdictView()
        self.error = ErrorDisplay()
        self.running = RunningErrorView()
        self.live = LivePanels()
        self.banners = BannerStack()
        self.instrument, self.status = QLabel(), QLabel()
        self.status.setObjectName("status")
        self.status.setWordWrap(True)
        self.language, self.zoom = QPushButton(), QPushButton()
        self.theme = Choice()
        for name in THEMES:
            self.theme.addItem("", name)
        self.question = QLabel()
        self.question.setWordWrap(True)
        self.yes, self.no = QPushButton(), QPushButton()
        self._question_bar = QWidget()
        self._lay_out()
        self._connect()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(LOOK_AGAIN_MS)
        self.resize(1600, 960)
        self.start.setFocus()
        self.refresh()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.instrument, 1)
        for widget in (self.zoom, self.theme, self.language):
            top.addWidget(widget)
        asking = QHBoxLayout(self._question_bar)
        asking.addWidget(self.question, 1)
        asking.addWidget(self.yes)
        asking.addWidget(self.no)
        columns = QHBoxLayout()
        columns.addWidget(self._side())
        columns.addLayout(self._middle(), 5)
        columns.addWidget(self.live, 6)
        whole = QVBoxLayout()
        whole.addLayout(top)
        whole.addWidget(self.banners)
        whole.addWidget(self._question_bar)
        whole.addLayout(columns, 1)
        central = QWidget()
        central.setLayout(whole)
        self.setCentralWidget(central)

    def _side(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.addWidget(self.start, 2)
        buttons.addWidget(self.stop, 1)
        fields = QScrollArea()
        fields.setWidgetResizable(True)
        fields.setWidget(self.form)
        side = QWidget()
        side.setFixedWidth(SIDE_PX)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(fields, 1)
        layout.addLayout(buttons)
        layout.addWidget(self.verdict)
        return side

    def _middle(self) -> QVBoxLayout:
        middle = QVBoxLayout()
        middle.addWidget(self.error, 3)
        middle.addWidget(self.status)
        middle.addWidget(self.running, 5)
        return middle

    def _connect(self) -> None:
        self.start.clicked.connect(lambda: self._did(self._presenter.start))
        self.stop.clicked.connect(lambda: self._did(self._presenter.stop))
        self.yes.clicked.connect(lambda: self._did(lambda: self._presenter.answer(True)))
        self.no.clicked.connect(lambda: self._did(lambda: self._presenter.answer(False)))
        self.language.clicked.connect(self._other_language)
        self.theme.activated.connect(self._chosen_theme)
        self.zoom.clicked.connect(self._open_zoom)
        self.verdict.open_report.connect(self._open_report)

    def take(self, value: ReaderValue) -> None:
        """Hand a reader's value to the presenter, and show what comes of it."""
        self._presenter.take(value)
        self.refresh()

    def refresh(self) -> None:
        """Show the presenter's screen."""
        self.show_screen(self._presenter.screen())

    def show_screen(self, screen: Screen) -> None:
        """Show one screen."""
        theme = THEMES[screen.theme]
        if self._theme_name != screen.theme:
            self._theme_name = screen.theme
            # The application's style reaches menus and other windows too.
            application = QApplication.instance()
            if isinstance(application, QApplication):
                application.setStyleSheet(stylesheet(theme))
        for canvas in (self.error, self.running, self.banners):
            if canvas.theme is not theme:
                canvas.set_theme(theme)
            if canvas.language != screen.language:
                canvas.set_language(screen.language)
        if self._zoom is not None and (screen.language, screen.theme) != self._shown_in:
            self._zoom.set_theme(theme)
            self._zoom.set_language(screen.language)
        self._shown_in = (screen.language, screen.theme)
        self._translate(screen)
        self.form.show_screen(screen)
        self.verdict.show_screen(screen, theme)
        self.live.show_screen(screen, theme)
        self.error.show_reading(screen.error, screen.uncertainty, screen.tone, screen.caption)
        self.running.set_running_error(screen.running)
        self.running.set_hint(screen.hint)
        self.banners.set_banners(screen.banners)
        self._question_bar.setVisible(screen.question is not None)
        self.start.setEnabled(screen.can_start)
        self.stop.setEnabled(screen.can_stop)
        self.zoom.setEnabled(screen.picture is not None)

    def _translate(self, screen: Screen) -> None:
        language = screen.language
        for button, key in (
            (self.start, "start"),
            (self.stop, "stop"),
            (self.yes, "yes"),
            (self.no, "no"),
            (self.language, "language"),
            (self.zoom, "zoom"),
        ):
            button.setText(text(key, language))
        for index in range(self.theme.count()):
            self.theme.setItemText(index, text(f"theme_{self.theme.itemData(index)}", language))
        self.theme.setAccessibleName(text("theme", language))
        self.theme.setCurrentIndex(self.theme.findData(screen.theme))
        self.question.setText(screen.question or "")
        self.instrument.setText(screen.instrument)
        self.status.setText(screen.status)
        self.setWindowTitle(f"Spotcheck · {text('title', language)}")

    def _did(self, gesture: Callable[[], None]) -> None:
        gesture()
        self.refresh()

    def _edited(self, entry: MeterEntry) -> None:
        self._presenter.edit(entry)
        self.refresh()

    def _other_language(self) -> None:
        zh = self._presenter.screen().language == "zh"
        self._presenter.set_language("en" if zh else "zh")
        self.refresh()

    def _chosen_theme(self) -> None:
        self._presenter.set_theme(self.theme.currentData())
        self.refresh()

    def _open_zoom(self) -> None:
        """A window of its own for one moment of the waveforms."""
        screen = self._presenter.screen()
        if screen.picture is None or screen.picture.waveforms is None:
            return
        if self._zoom is None:
            self._zoom = ZoomWindow()
        self._zoom.set_theme(THEMES[screen.theme])
        self._zoom.set_language(screen.language)
        self._zoom.set_waveforms(screen.picture.waveforms)
        self._zoom.show()
        self._zoom.activateWindow()

    def _open_report(self, path: str) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
            # No program for PDF: the person can at least find the file.
            self.status.setText(path)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 – Qt's name
        """Let the zoomed window go with this one."""
        self._timer.stop()
        if self._zoom is not None:
            self._zoom.close()
        super().closeEvent(event)
