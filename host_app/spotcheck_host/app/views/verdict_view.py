"""The verdict with its clause, and the way to the report."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from spotcheck_host.app.app_text import text
from spotcheck_host.app.screen import Screen, Tone
from spotcheck_host.app.theme import Theme


class VerdictView(QFrame):
    """Judgement in its colour, its lines, and a button for the report."""

    open_report = Signal(str)
    """Path of the report to open."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("verdict")
        self.title, self.judgement, self.lines = QLabel(), QLabel(), QLabel()
        self.judgement.setObjectName("judgement")
        for label in (self.judgement, self.lines):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.report = QPushButton()
        self.report.clicked.connect(self._open)
        self._path = ""
        layout = QVBoxLayout(self)
        for widget in (self.title, self.judgement, self.lines, self.report):
            layout.addWidget(widget)

    def show_screen(self, screen: Screen, theme: Theme) -> None:
        """Show the verdict."""
        verdict = screen.verdict
        self.title.setText(verdict.title)
        self.judgement.setText(verdict.judgement)
        self.lines.setText("\n".join(verdict.lines))
        self.lines.setVisible(bool(verdict.lines))
        self._path = verdict.report or ""
        self.report.setText(text("open_report", screen.language))
        self.report.setVisible(bool(self._path))
        colour = _colour(verdict.tone, theme)
        size_px = theme.text_px * 8 // 5
        style = f"#judgement {{ color: {colour}; font-weight: bold; font-size: {size_px}px; }}"
        if self.styleSheet() != style:
            self.setStyleSheet(style)

    def _open(self) -> None:
        if self._path:
            self.open_report.emit(self._path)


def _colour(tone: Tone, theme: Theme) -> str:
    return {
        "neutral": theme.dim_text,
        "pass": theme.passed,
        "fail": theme.failed,
        "warning": theme.warning,
    }[tone]
