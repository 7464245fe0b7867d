"""The running error with its uncertainty, narrowing between the limits as time goes on."""

import math
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.live_values import ErrorPoint, RunningError
from spotcheck_host.app.views.axis_scale import (
    SteadyTop,
    signed_label,
    tick_label,
    tick_step,
    ticks,
)
from spotcheck_host.app.views.canvas import Canvas, metrics_of, wrapped
from spotcheck_host.app.views.polyline import Polyline, draw_polyline

_EMPTY = RunningError(points=(), mpe_percent=None, time_left_s=None)
_LIMIT_HEADROOM = 1.5
_IDLE_S = 60.0
"""Time axis before anything is known."""
_HATCH_PX = 12
"""Distance of the lines over the time to come; ours, as Qt's pattern brush is slow."""
_FAR = 4.0
"""Points are cut off so many plot heights away: what is outside needs no exact place."""


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _rows(points: tuple[ErrorPoint, ...]) -> NDArray[np.float64]:
    flat = [(p.time_s, p.error_percent, p.expanded_uncertainty_percent) for p in points]
    return np.array(flat, dtype=np.float64).reshape(-1, 3)


class RunningErrorView(Canvas):
    """Error line, band of its uncertainty, limits, and the time that is still to come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._running = _EMPTY
        self._table = _rows(())
        self._hint = ""
        self._errors = SteadyTop(headroom=1.0, smallest=0.01)
        self._times = SteadyTop(headroom=1.0, smallest=5.0)
        self._top, self._end_s = 1.0, 60.0
        self._plot, self._below = QRectF(), 4.0
        self._hatch: list[QLineF] = []
        self._line, self._band = Polyline(), Polyline()

    def set_running_error(self, running: RunningError) -> None:
        """Show the error so far."""
        self._append(running.points)
        self._running = running
        self._top = self._errors.follow(self._reach())
        now = float(self._table[-1, 0]) if len(self._table) else 0.0
        self._end_s = self._times.follow(now + (running.time_left_s or 0.0) or _IDLE_S)
        self.refresh()

    def set_hint(self, hint: str) -> None:
        """What to say while there are no points."""
        self._hint = hint
        self.update()

    @property
    def plot(self) -> QRectF:
        """Where the line is drawn."""
        return self._plot

    @property
    def top_percent(self) -> float:
        """The scale goes from minus this to plus this."""
        return self._top

    @property
    def end_s(self) -> float:
        """End of the time axis."""
        return self._end_s

    def static_key(self) -> Hashable:
        """Both ranges and the limit."""
        return self._top, self._end_s, self._running.mpe_percent

    def data_rect(self) -> QRect:
        """The plot."""
        return self._plot.adjusted(-1, -1, 1, 1).toAlignedRect()

    def arrange(self) -> None:
        """Leave room for labels."""
        metrics = metrics_of(self.font_of(0.85))
        line = metrics.height()
        left = max(metrics.horizontalAdvance(signed_label(mark)) for mark in self._marks())
        top = line * 1.75 + 4
        self._below = line * 0.42
        self._plot = QRectF(
            round(left + 12),
            round(top),
            round(self.width() - left - 24),
            round(self.height() - top - line * 1.45 - 5),
        )
        high = self._plot.height()
        self._hatch = [
            QLineF(
                self._plot.left() + x,
                self._plot.bottom(),
                self._plot.left() + x + high,
                self._plot.top(),
            )
            for x in range(-int(high), int(self._plot.width()), _HATCH_PX)
        ]

    def paint_static(self, painter: QPainter) -> None:
        """Grid, scale of errors, time."""
        plot, font = self._plot, self.font_of(0.85)
        self.put_text(
            painter, self.words("error_axis"), QPointF(8, 4), font=font, color=self.theme.dim_text
        )
        for mark in self._marks():
            painter.setPen(self.hairline(self.theme.grid))
            painter.drawLine(
                QPointF(plot.left(), self._y(mark)), QPointF(plot.right(), self._y(mark))
            )
            self.put_text(
                painter,
                signed_label(mark),
                QPointF(plot.left() - 6, self._y(mark)),
                font=font,
                color=self.theme.dim_text,
                align=(1.0, 0.5),
            )
        self._paint_time(painter)
        painter.setPen(QPen(QColor(self.theme.axis), 1.5))
        painter.drawLine(QPointF(plot.left(), self._y(0)), QPointF(plot.right(), self._y(0)))
        painter.setPen(self.hairline(self.theme.axis))
        painter.drawRect(plot)

    def paint_data(self, painter: QPainter) -> None:
        """Band, limits, line, what is to come."""
        painter.setClipRect(self.data_rect())
        if len(self._table):
            self._paint_future(painter)
            self._paint_error(painter)
        self._paint_limits(painter)
        painter.setClipping(False)
        self._paint_time_left(painter)
        if not len(self._table) and self._hint:
            self._paint_hint(painter)

    def _append(self, points: tuple[ErrorPoint, ...]) -> None:
        """Convert only the points that are new."""
        old = self._running.points
        known = len(old)
        grown = 0 < known <= len(points) and points[known - 1] is old[-1] and points[0] is old[0]
        if not grown:
            self._table = _rows(points)
        elif len(points) > known:
            self._table = np.concatenate((self._table, _rows(points[known:])))
        if not np.isfinite(self._table).all():
            self._table = self._table[np.isfinite(self._table).all(axis=1)]

    def _reach(self) -> float:
        """How far from zero the scale must go: the limits, and the error as it stands."""
        reach = (self._running.mpe_percent or 0.0) * _LIMIT_HEADROOM
        if len(self._table):
            _, error, uncertainty = self._table[-1]
            reach = max(reach, abs(error) + uncertainty, abs(error) * 1.25)
        return float(reach) if reach > 0 else 1.0

    def _marks(self) -> list[float]:
        return ticks(
            -self._top, self._top, max(min(int(self.height() / (self.text_px() * 3)), 8), 4)
        )

    def _y(self, percent: float) -> float:
        return self._plot.center().y() - percent / self._top * self._plot.height() / 2

    def _x(self, seconds: float) -> float:
        return self._plot.left() + min(seconds / self._end_s, 1.0) * self._plot.width()

    def _paint_time(self, painter: QPainter) -> None:
        plot, most = self._plot, max(int(self._plot.width() / (self.text_px() * 5)), 2)
        minutes = self._end_s > 180
        step = tick_step(self._end_s, most)
        if minutes:
            step = next((s for s in (30, 60, 120, 300, 600, 1200, 1800, 3600) if s >= step), step)
        marks = [index * step for index in range(int(self._end_s / step + 1e-9) + 1)]
        for mark in marks:
            x = self._x(mark)
            painter.setPen(self.hairline(self.theme.grid))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            unit = " s" if mark == marks[-1] and not minutes else ""
            text = (_clock(mark) if minutes else tick_label(mark)) + unit
            self.put_text(
                painter,
                text,
                QPointF(x, plot.bottom() + self._below),
                font=self.font_of(0.85),
                color=self.theme.dim_text,
                align=(0.5, 0.0),
            )

    def _paint_error(self, painter: QPainter) -> None:
        table, plot = self._table, self._plot
        most = max(int(plot.width() * self.devicePixelRatioF()), 2)
        if len(table) > 2 * most:
            table = table[np.unique(np.linspace(0, len(table) - 1, 2 * most).astype(int))]
        x = plot.left() + np.minimum(table[:, 0] / self._end_s, 1.0) * plot.width()
        scale = plot.height() / 2 / self._top
        far = _FAR * plot.height()

        def height(percent: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.clip(plot.center().y() - percent * scale, -far, far)

        upper, lower = height(table[:, 1] + table[:, 2]), height(table[:, 1] - table[:, 2])
        self._band.fill(np.concatenate((x, x[::-1])), np.concatenate((upper, lower[::-1])))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._band_color())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawPolygon(self._band.polygon)
        self._line.fill(x, height(table[:, 1]))
        color, ratio = self.ink(self.theme.error_line), self.devicePixelRatioF()
        draw_polyline(painter, self._line, color, self.theme.line_px, ratio=ratio)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink(self.theme.error_line))
        dot = self.theme.line_px * 2.2
        painter.drawEllipse(QPointF(x[-1], height(table[-1:, 1])[0]), dot, dot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _band_color(self) -> QColor:
        return QColor(self.theme.grid if self.stale else self.theme.error_band)

    def _paint_limits(self, painter: QPainter) -> None:
        limit = self._running.mpe_percent
        if limit is None or not math.isfinite(limit) or limit <= 0:
            return
        font = self.font_of(0.85, bold=True)
        pen = QPen(QColor(self.theme.limit), 0, Qt.PenStyle.DashLine)
        pen.setDashPattern([9.0, 5.0])
        for signed in (limit, -limit):
            y = self._y(signed)
            painter.setPen(pen)
            for row in range(round(self.theme.line_px * self.devicePixelRatioF())):
                shifted = y + row / self.devicePixelRatioF()
                painter.drawLine(
                    QPointF(self._plot.left(), shifted), QPointF(self._plot.right(), shifted)
                )
            self.put_text(
                painter,
                self.words("limit", value=signed_label(signed)),
                QPointF(self._plot.right() - 8, y + (5 if signed > 0 else -4)),
                font=font,
                color=self.theme.limit,
                align=(1.0, 0.0 if signed > 0 else 1.0),
                ground=self.theme.panel,
            )

    def _paint_future(self, painter: QPainter) -> None:
        if self._running.time_left_s is None:
            return
        now = self._x(float(self._table[-1, 0]))
        plot = self._plot
        painter.setClipRect(QRectF(now, plot.top(), plot.right() - now, plot.height()))
        painter.setPen(self.hairline(self.theme.grid))
        painter.drawLines(self._hatch)
        painter.setClipRect(self.data_rect())

    def _paint_time_left(self, painter: QPainter) -> None:
        left = self._running.time_left_s
        if left is None or not len(self._table) or not math.isfinite(left):
            return
        seconds = max(math.ceil(left), 0)
        if seconds < 120:
            text = self.words("seconds_left", value=seconds)
        else:
            text = self.words("minutes_left", value=_clock(seconds))
        self.put_text(
            painter,
            text,
            QPointF(self._plot.right() - 8, self._plot.bottom() - 5),
            font=self.font_of(1.05, bold=True),
            color=self.theme.text,
            align=(1.0, 1.0),
            ground=self.theme.panel,
        )

    def _paint_hint(self, painter: QPainter) -> None:
        """In as many lines as it takes, between the limits."""
        room = self._plot.adjusted(16, 8, -16, -8)
        for factor in (1.3, 1.1, 0.95, 0.85):
            font = self.font_of(factor)
            layout = wrapped(self._hint, font, room.width(), Qt.AlignmentFlag.AlignHCenter)
            size = layout.boundingRect().size()
            if size.height() <= room.height():
                break
        at = QPointF(room.left(), room.center().y() - size.height() / 2)
        widest = layout.maximumWidth() if layout.lineCount() == 1 else room.width()
        box = QRectF(room.center().x() - widest / 2, at.y(), widest, size.height())
        painter.fillRect(box.adjusted(-6, -2, 6, 2), QColor(self.theme.panel))
        painter.setPen(QColor(self.theme.text))
        layout.draw(painter, at)
        self._boxes.append((self._hint, box))
