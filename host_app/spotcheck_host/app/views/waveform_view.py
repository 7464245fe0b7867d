"""Voltages and currents of a moment over time: volts on the left scale, amperes on the right."""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.live_values import Waveforms
from spotcheck_host.app.views.axis_scale import SteadyTop, tick_label, ticks
from spotcheck_host.app.views.canvas import Canvas, advance_of, metrics_of
from spotcheck_host.app.views.polyline import DASH, Polyline, columns, draw_polyline

_SAMPLE_PX = 26


def _peak(values: NDArray[np.float32]) -> float:
    if values.size == 0:
        return 0.0
    greatest = max(float(values.max()), -float(values.min()))
    if np.isfinite(greatest):
        return greatest
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


class WaveformView(Canvas):
    """Up to three voltages (solid) and currents (dashed) on two steady scales."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waveforms: Waveforms | None = None
        self._volts, self._amperes = SteadyTop(smallest=1.0), SteadyTop(smallest=0.001)
        self._top_v, self._top_a, self._duration_ms = 400.0, 10.0, 40.0
        self._phases = (3, 3)
        self._plot, self._below = QRectF(), 4.0
        self._lines = [Polyline() for _ in range(6)]

    def set_waveforms(self, waveforms: Waveforms | None) -> None:
        """Show this moment; None clears."""
        self._waveforms = waveforms
        if waveforms is not None:
            self._top_v = self._volts.follow(_peak(waveforms.voltages_v))
            self._top_a = self._amperes.follow(_peak(waveforms.currents_a))
            self._phases = (len(waveforms.voltages_v), len(waveforms.currents_a))
            points = max(waveforms.voltages_v.shape[-1], waveforms.currents_a.shape[-1])
            if points > 1:
                self._duration_ms = float(f"{waveforms.interval_s * points * 1e3:.5g}")
        self.refresh()

    @property
    def tops(self) -> tuple[float, float]:
        """Ends of the two scales, V and A."""
        return self._top_v, self._top_a

    @property
    def plot(self) -> QRectF:
        """Where the traces are."""
        return self._plot

    def static_key(self) -> Hashable:
        """Ranges and the number of phases."""
        return self._top_v, self._top_a, self._duration_ms, self._phases

    def data_rect(self) -> QRect:
        """The plot with the width of a line around it."""
        return self._plot.adjusted(-4, -4, 4, 4).toAlignedRect()

    def arrange(self) -> None:
        """Leave room for the labels, and for the legend in one row or two."""
        metrics = metrics_of(self.font_of(0.85))
        line = metrics.height()
        left = max(metrics.horizontalAdvance(tick_label(v)) for v in self._ticks(self._top_v))
        right = max(metrics.horizontalAdvance(tick_label(a)) for a in self._ticks(self._top_a))
        titles = sum(
            metrics.horizontalAdvance(self.words(f"{of}_axis")) for of in ("voltage", "current")
        )
        self._legend_row = titles + self._legend_width() + 60 > self.width()
        top = line * (2.5 if self._legend_row else 1.45) + 4
        self._below = line * 0.42
        self._plot = QRectF(
            round(left + 12),
            round(top),
            round(self.width() - left - right - 24),
            round(self.height() - top - line * 1.45 - 5),
        )

    def paint_static(self, painter: QPainter) -> None:
        """Grid, both scales, time, legend."""
        plot, font, line = (
            self._plot,
            self.font_of(0.85),
            metrics_of(self.font_of(0.85)).height(),
        )
        for volts, amperes in zip(self._ticks(self._top_v), self._ticks(self._top_a), strict=True):
            y = plot.center().y() - volts / self._top_v * plot.height() / 2
            painter.setPen(self.hairline(self.theme.axis if volts == 0 else self.theme.grid))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            for text, x, align in (
                (tick_label(volts), plot.left() - 6, 1.0),
                (tick_label(amperes), plot.right() + 6, 0.0),
            ):
                self.put_text(
                    painter,
                    text,
                    QPointF(x, y),
                    font=font,
                    color=self.theme.dim_text,
                    align=(align, 0.5),
                )
        self._paint_time(painter, font)
        painter.setPen(self.hairline(self.theme.axis))
        painter.drawRect(plot)
        self._paint_titles(painter, font, line)

    def paint_data(self, painter: QPainter) -> None:
        """The traces, or that there is no signal."""
        waves = self._waveforms
        if waves is None or max(waves.voltages_v.shape[-1], waves.currents_a.shape[-1]) < 2:
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
        painter.setClipRect(self.data_rect())
        ratio = self.devicePixelRatioF()
        for phase, amperes in enumerate(waves.currents_a[:3]):
            line = self._trace(3 + phase, amperes, self._top_a)
            color, width = self.ink(self.theme.current(phase)), self.theme.line_px * 0.75
            draw_polyline(painter, line, color, width, ratio=ratio, dashed=True)
        for phase, volts in enumerate(waves.voltages_v[:3]):
            line = self._trace(phase, volts, self._top_v)
            color = self.ink(self.theme.voltage(phase))
            draw_polyline(painter, line, color, self.theme.line_px, ratio=ratio)

    def _trace(self, index: int, values: NDArray[np.float32], top: float) -> Polyline:
        plot = self._plot
        place, shown = columns(values, int(plot.width() * self.devicePixelRatioF()))
        self._lines[index].fill(
            plot.left() + place * plot.width(),
            plot.center().y() - shown.astype(np.float64) * (plot.height() / 2 / top),
        )
        return self._lines[index]

    def _ticks(self, top: float) -> list[float]:
        return [top * share for share in (-1.0, -0.5, 0.0, 0.5, 1.0)]

    def _paint_time(self, painter: QPainter, font: QFont) -> None:
        plot = self._plot
        marks = ticks(0, self._duration_ms, max(int(plot.width() / (self.text_px() * 5)), 2))
        for mark in marks:
            x = plot.left() + mark / self._duration_ms * plot.width()
            painter.setPen(self.hairline(self.theme.grid))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            text = tick_label(mark) + (" ms" if mark == marks[-1] else "")
            self.put_text(
                painter,
                text,
                QPointF(x, plot.bottom() + self._below),
                font=font,
                color=self.theme.dim_text,
                align=(0.5, 0.0),
            )

    def _paint_titles(self, painter: QPainter, font: QFont, line: float) -> None:
        for key, x, align in (
            ("voltage_axis", 8.0, 0.0),
            ("current_axis", self.width() - 8.0, 1.0),
        ):
            self.put_text(
                painter,
                self.words(key),
                QPointF(x, 4),
                font=font,
                color=self.theme.dim_text,
                align=(align, 0.0),
            )
        x = (self.width() - self._legend_width()) / 2
        y = 4 + line * (1.1 if self._legend_row else 0)
        names = [
            (f"U{n + 1}", self.theme.voltage(n), False) for n in range(min(self._phases[0], 3))
        ]
        names += [
            (f"I{n + 1}", self.theme.current(n), True) for n in range(min(self._phases[1], 3))
        ]
        for name, color, dashed in names:
            pen = QPen(self.ink(color), self.theme.line_px)
            if dashed:
                pen.setDashPattern([part / self.theme.line_px for part in DASH])
            painter.setPen(pen)
            painter.drawLine(QPointF(x, y + line / 2), QPointF(x + self._sample_px(), y + line / 2))
            box = self.put_text(
                painter,
                name,
                QPointF(x + self._sample_px() + 5, y),
                font=self.font_of(0.85, bold=True),
                color=self.theme.text,
            )
            x = box.right() + 14

    def _legend_width(self) -> float:
        count = min(self._phases[0], 3) + min(self._phases[1], 3)
        return count * (self._sample_px() + 5 + self._name_width() + 14) - 14

    def _name_width(self) -> float:
        return advance_of(self.font_of(0.85, bold=True), "U3")

    def _sample_px(self) -> float:
        """Length of a line in the legend, shorter where six would not fit."""
        return min(_SAMPLE_PX, (self.width() - 16) / 6 - self._name_width() - 19)
