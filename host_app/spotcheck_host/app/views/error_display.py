"""The error that is being measured, in the largest type on the screen."""

import math
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.views.canvas import Canvas, advance_of, metrics_of, text_font

Tone = Literal["neutral", "pass", "fail", "warning"]
NO_ERROR_YET = "—"
PLACEHOLDER = "–.––– %"
"""Drawn for it, as instruments do; as large as the error will be."""
DIGITS = "0123456789–"
_STRIP_PX = 10
_REFERENCE_PX = 100


def _width(font: QFont, text: str) -> float:
    """Of the text as it is drawn, letter by letter."""
    return sum(advance_of(font, char) for char in text)


def _overhang(font: QFont) -> int:
    """Room left and right of a letter for what leans out of its width."""
    return font.pixelSize() // 8 + 1


@lru_cache(maxsize=128)
def _glyph(char: str, size_px: int, color: str, ratio: float) -> QPixmap | None:
    """Picture of one letter on nothing; None for a space."""
    if char.isspace():
        return None
    font = text_font(size_px)
    metrics = metrics_of(font)
    wide = metrics.horizontalAdvance(char) + 2 * _overhang(font)
    picture = QPixmap(math.ceil(wide * ratio), math.ceil(metrics.height() * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(0, 0, 0, 0))
    with QPainter(picture) as painter:
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(QPointF(_overhang(font), metrics.ascent()), char)
    return picture


class ErrorDisplay(Canvas):
    """Caption, error, uncertainty; each as large as its share of the space allows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading: tuple[str, str, Tone, str] = (NO_ERROR_YET, "", "neutral", "")

    def show_reading(
        self, error_text: str, uncertainty_text: str, tone: Tone, caption: str
    ) -> None:
        """Show these texts; an empty error is a dash."""
        reading: tuple[str, str, Tone, str]
        reading = (error_text or NO_ERROR_YET, uncertainty_text, tone, caption)
        if reading == self._reading:
            return
        self._reading = reading
        self.setAccessibleName(
            " ".join(text for text in (caption, error_text, uncertainty_text) if text)
        )
        self.refresh()

    def sizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """Large."""
        return QSize(640, 280)

    def paint_data(self, painter: QPainter) -> None:
        """All three texts and the strip in the verdict's colour."""
        error, uncertainty, tone, caption = self._reading
        color = self._color(tone)
        painter.fillRect(QRectF(0, 0, _STRIP_PX, self.height()), color)
        pad = max(self.height() * 0.05, 6.0)
        room = QRectF(
            _STRIP_PX + pad, pad, self.width() - _STRIP_PX - 2 * pad, self.height() - 2 * pad
        )
        caption_high = room.height() * (0.15 if caption else 0.0)
        below_high = room.height() * (0.22 if uncertainty else 0.0)
        gap = room.height() * 0.08
        middle = room.adjusted(0, caption_high + gap, 0, -below_high - gap)
        if error == NO_ERROR_YET:
            dim = color if tone != "neutral" else self.ink(self.theme.dim_text)
            largest = self._fit(painter, PLACEHOLDER, middle, dim)
        else:
            largest = self._fit(painter, error, middle, color)
        if caption:
            top = QRectF(room.left(), room.top(), room.width(), caption_high)
            self._fit(painter, caption, top, QColor(self.theme.text), most=0.6 * largest)
        if uncertainty:
            below = QRectF(room.left(), room.bottom() - below_high, room.width(), below_high)
            ink = self.ink(self.theme.text)
            self._fit(painter, uncertainty, below, ink, most=0.6 * largest)

    def _color(self, tone: Tone) -> QColor:
        return self.ink(
            {
                "neutral": self.theme.text,
                "pass": self.theme.passed,
                "fail": self.theme.failed,
                "warning": self.theme.warning,
            }[tone]
        )

    def _fit(
        self, painter: QPainter, text: str, room: QRectF, color: QColor, *, most: float = 1e6
    ) -> int:
        """Write the whole text as large as the room allows; returns its size.

        Figures count as equal, so the size stays while they change.
        """
        reference = text_font(_REFERENCE_PX)
        steady = "".join("0" if char in DIGITS else char for char in text)
        ink = metrics_of(reference).tightBoundingRect(steady + "0")
        share = min(room.width() / _width(reference, text), room.height() / ink.height())
        size = max(int(min(_REFERENCE_PX * share, most)), 1)
        while size > 1 and _width(text_font(size), text) > room.width():
            size -= 1
        baseline = room.center().y() - ink.center().y() * size / _REFERENCE_PX
        at, font = QPointF(room.left(), baseline), text_font(size)
        self._draw_glyphs(painter, text, at, font, color)
        box = metrics_of(font).tightBoundingRect(text)
        stands = QRectF(at.x(), baseline + box.top(), _width(font, text), box.height())
        self._boxes.append((text, stands))
        return size

    def _draw_glyphs(
        self, painter: QPainter, text: str, at: QPointF, font: QFont, color: QColor
    ) -> None:
        """Letter by letter from kept pictures: Qt fills large letters as paths, 1 ms a line."""
        ratio, metrics = self.devicePixelRatioF(), metrics_of(font)
        x, top = at.x(), at.y() - metrics.ascent()
        for char in text:
            glyph = _glyph(char, font.pixelSize(), color.name(), ratio)
            if glyph is not None:
                painter.drawPixmap(QPointF(x - _overhang(font), top), glyph)
            x += advance_of(font, char)
