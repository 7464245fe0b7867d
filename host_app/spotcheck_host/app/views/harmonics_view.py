"""Harmonics of one phase: bars of orders 2 to 50, voltage and current side by side."""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.live_values import Harmonics
from spotcheck_host.app.views.axis_scale import SteadyTop, significant, tick_label, ticks
from spotcheck_host.app.views.canvas import Canvas, metrics_of

_ORDERS = 50
_FIRST_LABELS = (3, 5, 7, 9, 11, 15, 19, 25, 31, 35, 41, 45, 49)
_THD_DIGITS = 3


def _bars(levels: NDArray[np.float32], phase: int) -> NDArray[np.float64]:
    """Orders 2 to 50 of a phase, percent; zeros where there are none."""
    bars = np.zeros(_ORDERS - 1)
    if phase < len(levels):
        given = np.asarray(levels[phase, 1:_ORDERS], dtype=np.float64)
        bars[: len(given)] = np.where(np.isfinite(given), np.maximum(given, 0), 0)
    return bars


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


class HarmonicsView(Canvas):
    """Bars by the fundamental on a linear scale whose top is round and steady."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._harmonics: Harmonics | None = None
        self._phase = 0
        self._scale, self._top = SteadyTop(smallest=1.0), 5.0
        self._voltages, self._currents = np.zeros(_ORDERS - 1), np.zeros(_ORDERS - 1)
        self._plot, self._header = QRectF(), QRectF()
        self._short_header = False

    def set_harmonics(self, harmonics: Harmonics | None) -> None:
        """Show these levels; None clears."""
        self._harmonics = harmonics
        self._take()

    def set_phase(self, phase: int) -> None:
        """Show phase 0, 1 or 2."""
        self._phase = phase
        self._take()
        self.update()

    @property
    def top_percent(self) -> float:
        """Top of the scale."""
        return self._top

    def static_key(self) -> Hashable:
        """Top of the scale."""
        return self._top

    def data_rect(self) -> QRect:
        """Plot and the line of texts over it."""
        return self._plot.united(self._header).adjusted(0, 0, 1, 1).toAlignedRect()

    def arrange(self) -> None:
        """Texts on top in one row or two, scale on the left, orders below."""
        metrics = metrics_of(self.font_of(0.85))
        line = metrics.height()
        self._short_header = self._header_width(metrics) > self.width() - 16
        self._header = QRectF(4, 3, self.width() - 8, line * (2.2 if self._short_header else 1.15))
        left = max(metrics.horizontalAdvance(tick_label(mark)) for mark in self._marks())
        left = max(left, metrics.horizontalAdvance("0.5"))
        top = self._header.bottom() + line * 1.6
        self._plot = QRectF(
            round(left + 14),
            round(top),
            round(self.width() - left - 24),
            round(self.height() - top - line - 8),
        )

    def paint_static(self, painter: QPainter) -> None:
        """Grid, scale, orders."""
        plot, font = self._plot, self.font_of(0.85)
        for mark in self._marks():
            y = plot.bottom() - mark / self._top * plot.height()
            painter.setPen(self.hairline(self.theme.axis if mark == 0 else self.theme.grid))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            self.put_text(
                painter,
                tick_label(mark),
                QPointF(plot.left() - 6, y),
                font=font,
                color=self.theme.dim_text,
                align=(1.0, 0.5),
            )
        line = metrics_of(font).height()
        self.put_text(
            painter,
            self.words("harmonics_axis"),
            QPointF(8, plot.top() - line * 0.6),
            font=self.font_of(0.75),
            color=self.theme.dim_text,
            align=(0.0, 1.0),
        )
        self._paint_orders(painter, font)

    def paint_data(self, painter: QPainter) -> None:
        """Phase, distortion, bars."""
        self._paint_header(painter)
        if self._harmonics is None:
            self.put_text(
                painter,
                self.words("no_signal"),
                self._plot.center(),
                font=self.font_of(1.2),
                color=self.theme.dim_text,
                align=(0.5, 0.5),
                ground=self.theme.panel,
            )
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        slot = self._plot.width() / (_ORDERS - 1)
        for bars, color, offset in (
            (self._voltages, self.theme.voltage(self._phase), -0.40),
            (self._currents, self.theme.current(self._phase), 0.02),
        ):
            ink = self.ink(color)
            fill = ink if bars is self._voltages else self._pale(ink)
            self._paint_bars(painter, bars, ink, fill, offset * slot, slot * 0.36)

    def _paint_bars(
        self,
        painter: QPainter,
        bars: NDArray[np.float64],
        color: QColor,
        fill: QColor,
        offset: float,
        width: float,
    ) -> None:
        bottom, scale = self._plot.bottom(), self._plot.height() / self._top
        rects = [
            QRectF(self._x(index + 2) + offset, bottom - high, width, high)
            for index, high in enumerate((bars * scale).tolist())
            if high > 0
        ]
        if rects:
            painter.setPen(self.hairline(color.name()))
            painter.setBrush(fill)
            painter.drawRects(rects)

    def _pale(self, ink: QColor) -> QColor:
        """Filling of current bars: outline and filling tell them from the voltage's."""
        panel = QColor(self.theme.panel)
        return QColor(
            *(
                round(part * 0.35 + ground * 0.65)
                for part, ground in zip(_rgb(ink), _rgb(panel), strict=True)
            )
        )

    def _take(self) -> None:
        if self._harmonics is not None:
            self._voltages = _bars(self._harmonics.voltages_percent, self._phase)
            self._currents = _bars(self._harmonics.currents_percent, self._phase)
            peak = max(float(self._voltages.max()), float(self._currents.max()))
            self._top = self._scale.follow(peak)
        self.refresh()

    def _marks(self) -> list[float]:
        return ticks(0, self._top, 5 if self.height() > 260 else 3)

    def _x(self, order: int) -> float:
        """Middle of an order's slot."""
        return self._plot.left() + (order - 1.5) * self._plot.width() / (_ORDERS - 1)

    def _paint_orders(self, painter: QPainter, font: QFont) -> None:
        y, taken = self._plot.bottom() + 4, list[QRectF]()
        rest = [order for order in range(3, _ORDERS, 2) if order not in _FIRST_LABELS]
        for order in (*_FIRST_LABELS, *rest):
            at = QPointF(self._x(order), y)
            box = self.text_box(str(order), at, font=font, align=(0.5, 0.0)).adjusted(-2, 0, 2, 0)
            if not any(box.intersects(other) for other in taken):
                taken.append(box)
                self.put_text(
                    painter,
                    str(order),
                    at,
                    font=font,
                    color=self.theme.dim_text,
                    align=(0.5, 0.0),
                )

    def _header_texts(self) -> list[tuple[str, str]]:
        """Phase and the two distortions, with their colours."""
        phase = self.words("phase", phase=self._phase + 1)
        if self._harmonics is None:
            return [(phase, "")]
        texts = [(phase, "")]
        for key, bars, color in (
            ("thd_voltage", self._voltages, self.theme.voltage(self._phase)),
            ("thd_current", self._currents, self.theme.current(self._phase)),
        ):
            distortion = significant(float(np.sqrt(np.sum(bars**2))), _THD_DIGITS)
            texts.append((self.words(key, value=distortion), color))
        return texts

    def _header_width(self, metrics: QFontMetricsF) -> float:
        texts = [
            self.words("phase", phase=3),
            self.words("thd_voltage", value="00.00"),
            self.words("thd_current", value="00.00"),
        ]
        return sum(metrics.horizontalAdvance(text) * 1.06 + 36 for text in texts)

    def _paint_header(self, painter: QPainter) -> None:
        font, bold = self.font_of(0.85), self.font_of(0.85, bold=True)
        x, y = 8.0, self._header.top()
        line = metrics_of(font).height()
        for index, (text, color) in enumerate(self._header_texts()):
            if color:
                side = line * 0.55
                swatch = QRectF(x, y + (line - side) / 2, side, side)
                ink = self.ink(color)
                painter.setPen(self.hairline(ink.name()))
                painter.setBrush(ink if index == 1 else self._pale(ink))
                painter.drawRect(swatch)
                x = swatch.right() + 6
            box = self.put_text(
                painter,
                text,
                QPointF(x, y),
                font=font if color else bold,
                color=self.ink(self.theme.text),
            )
            x = box.right() + 18
            if index == 0 and self._short_header:
                x, y = 8.0, y + line * 1.1
