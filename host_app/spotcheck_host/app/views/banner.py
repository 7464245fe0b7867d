"""Messages that stand over the views until their cause is gone."""

from collections.abc import Hashable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent, QTextLayout
from PySide6.QtWidgets import QSizePolicy, QWidget

from spotcheck_host.app.theme import Theme
from spotcheck_host.app.views.canvas import Canvas, metrics_of, text_font, wrapped

_SIGNS = {"info": "i", "warning": "!", "alarm": "×"}
_PAD = 10


class BannerStack(Canvas):
    """One strip for each message, as high as its text needs; nothing is ever shortened."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banners: tuple[tuple[str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit_height()

    def set_banners(self, banners: tuple[tuple[str, str], ...]) -> None:
        """Show these, each (severity, text), severity one of info, warning, alarm."""
        unknown = {severity for severity, _ in banners} - _SIGNS.keys()
        if unknown:
            raise ValueError(f"unknown severity {sorted(unknown)}")
        self._banners = banners
        self.setAccessibleName("\n".join(text for _, text in banners))
        self._fit_height()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, and another size of text."""
        super().set_theme(theme)
        self._fit_height()

    def sizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """As high as the texts are at this width."""
        return QSize(480, self._needed())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """As narrow as one likes, never lower than the texts."""
        return QSize(160, self._needed())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 – Qt's name
        """Another width wraps the texts differently."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_height()

    def static_key(self) -> Hashable:
        """Everything."""
        return self._banners

    def paint_static(self, painter: QPainter) -> None:
        """The strips from top to bottom."""
        painter.fillRect(self.rect(), QColor(self.theme.background))
        y = 0.0
        for severity, text in self._banners:
            y += self._paint_banner(painter, severity, text, y)

    def _paint_banner(self, painter: QPainter, severity: str, text: str, y: float) -> float:
        high = self._banner_height(text)
        color = QColor(
            {
                "info": self.theme.accent,
                "warning": self.theme.warning,
                "alarm": self.theme.failed,
            }[severity]
        )
        ink = QColor(self.theme.text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strip = QRectF(1, y + 2, self.width() - 2, high - 4)
        painter.setPen(color)
        painter.setBrush(color if severity == "alarm" else QColor(self.theme.panel))
        painter.drawRoundedRect(strip, 7, 7)
        if severity == "alarm":
            ink = QColor(self.theme.on_accent)
        self._paint_sign(painter, severity, color, strip)
        layout = self._layout(text)
        top = strip.center().y() - layout.boundingRect().height() / 2
        painter.setPen(ink)
        layout.draw(painter, QPointF(self._text_left(), top))
        box = layout.boundingRect().translated(self._text_left(), top)
        self._boxes.append((text, box))
        return high

    def _paint_sign(self, painter: QPainter, severity: str, color: QColor, strip: QRectF) -> None:
        size = self._text_size() * 1.5
        disc = QRectF(strip.left() + _PAD, strip.center().y() - size / 2, size, size)
        ground, ink = color, QColor(self.theme.on_accent)
        if severity == "alarm":
            ground, ink = ink, color
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(disc)
        painter.setPen(ink)
        painter.setFont(text_font(self._text_size() * 1.1, bold=True))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, _SIGNS[severity])

    def _text_size(self) -> float:
        return float(self.theme.text_px)

    def _text_left(self) -> float:
        return _PAD * 2 + self._text_size() * 1.5 + 2

    def _layout(self, text: str) -> QTextLayout:
        width = max(self.width() - self._text_left() - _PAD - 2, 40)
        return wrapped(text, text_font(self._text_size()), width)

    def _banner_height(self, text: str) -> float:
        least = metrics_of(text_font(self._text_size())).height() * 2
        return max(self._layout(text).boundingRect().height() + 2 * _PAD, least, 44.0)

    def _needed(self) -> int:
        return round(sum(self._banner_height(text) for _, text in self._banners))

    def _fit_height(self) -> None:
        self.setFixedHeight(self._needed())
