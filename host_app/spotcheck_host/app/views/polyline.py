"""From NumPy arrays to lines on the screen, without a Python object for each point."""

from typing import Any

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

DASH = [7.0, 5.0]
"""Of currents: on and off, device pixels at ratio 1."""


class Polyline:
    """A QPolygonF whose memory NumPy fills."""

    def __init__(self) -> None:
        self.polygon = QPolygonF()

    def fill(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> None:
        """Take these points, in logical pixels."""
        count = len(x)
        if self.polygon.size() != count:
            self.polygon.resize(count)
        if count:
            memory: Any = shiboken6.VoidPtr(self.polygon.data(), 16 * count, True)  # type: ignore[call-arg, arg-type]
            points = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
            points[:, 0] = x
            points[:, 1] = y


def columns(
    y: NDArray[np.floating], width_px: int
) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
    """Positions 0…1 and values to draw: y itself, or least and greatest of each pixel column.

    Points without a number are left out.
    """
    count = len(y)
    if count <= 2 * width_px or width_px < 1:
        place = np.arange(count) / max(count - 1, 1)
        values = y
    else:
        starts = np.arange(width_px) * count // width_px
        least, greatest = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
        values = np.column_stack((least, greatest)).ravel()
        place = np.repeat((np.arange(width_px) + 0.5) / width_px, 2)
    numbers = np.isfinite(values)
    return (place, values) if numbers.all() else (place[numbers], values[numbers])


def draw_polyline(
    painter: QPainter,
    line: Polyline,
    color: QColor,
    width_px: float,
    *,
    ratio: float,
    dashed: bool = False,
) -> None:
    """A line of about width_px logical pixels.

    Qt strokes only lines of one device pixel quickly (20 times quicker than wider ones), so a
    wider line is that line several times, each shifted by a device pixel.
    """
    pen = QPen(color, 0)
    if dashed:
        pen.setDashPattern([part * ratio for part in DASH])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, ratio < 1.5)
    for dx, dy in _shifts(round(width_px * ratio)):
        painter.translate(QPointF(dx / ratio, dy / ratio))
        painter.drawPolyline(line.polygon)
        painter.translate(QPointF(-dx / ratio, -dy / ratio))


def _shifts(width: int) -> tuple[tuple[float, float], ...]:
    """Device pixels by which the copies are shifted: down thickens flats, right thickens steeps."""
    if width <= 1:
        return ((0, 0),)
    if width == 2:
        return ((-0.5, -0.25), (0.5, 0.25))
    if width == 3:
        return ((-1, 0), (0, 0), (0, 1))
    return ((-1, -1), (0, 0), (1, 1), (1, -1))
