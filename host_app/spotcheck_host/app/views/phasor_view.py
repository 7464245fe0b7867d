"""Phasor diagram: 0° up, counter-clockwise, voltages and currents each by their longest."""

import math
from collections.abc import Hashable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.live_values import Phasor
from spotcheck_host.app.views.axis_scale import significant
from spotcheck_host.app.views.canvas import Canvas, metrics_of

_CURRENT_SHARE = 0.68
"""Length of the longest current by the longest voltage, so that heads stay apart."""
_CLEAR_PX = 4.0
"""Between a name and an arrow's axis, beyond the name's own half size."""
_LEGEND_FACTORS = (1.5, 1.35, 1.2, 1.0, 0.85)
"""Sizes of the legend's text; the first that leaves the circle its room is taken."""
_NUDGES = (0, 9, -9, 16, -16, 24, -24, 34, -34, 46, -46, 60, -60, 80, -80, 110, -110)
"""Degrees by which a name may move aside."""


def direction(phase_deg: float) -> QPointF:
    """Unit vector on the screen: 0° up, counter-clockwise."""
    angle = math.radians(phase_deg)
    return QPointF(-math.sin(angle), -math.cos(angle))


def _within_half_turn(degrees: float) -> float:
    """The same direction above −180° and up to 180°, rounded to the tenth that is shown."""
    return round(180 - (180 - round(degrees, 1)) % 360, 1) + 0.0


class PhasorView(Canvas):
    """Arrows on a circle, their names at the ends, their values in a legend."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._phasors: tuple[Phasor, ...] = ()
        self._center, self._radius = QPointF(), 1.0
        self._legend, self._below, self._legend_factor = QRectF(), False, 0.85
        self._seats: dict[str, tuple[int, float]] = {}

    def set_phasors(self, phasors: tuple[Phasor, ...]) -> None:
        """Show these arrows; none clears."""
        self._phasors = tuple(
            p for p in phasors if math.isfinite(p.magnitude) and math.isfinite(p.phase_deg)
        )
        self.refresh()

    @property
    def center(self) -> QPointF:
        """Where the arrows begin."""
        return self._center

    def tip(self, name: str) -> QPointF:
        """Where this arrow ends; KeyError if there is none of that name."""
        phasor = next((p for p in self._phasors if p.name == name), None)
        if phasor is None:
            raise KeyError(name)
        return self._center + direction(phasor.phase_deg) * self._length(phasor)

    def static_key(self) -> Hashable:
        """How many rows the legend has on each side."""
        return self._rows()

    def arrange(self) -> None:
        """Circle left and legend right, or the legend below where the view is high."""
        rows = self._rows()
        width, line = self._size_legend(0.85)
        beside = min(self.width() - width - 12, self.height())
        below = min(self.width(), self.height() - line * max(rows) - 12)
        self._below = 2 * width + 8 < self.width() and below > beside
        if self._below:
            for factor in _LEGEND_FACTORS:
                width, line = self._size_legend(factor)
                high = line * max(rows)
                if 2 * width + 8 < self.width() and self.height() - high - 12 >= self.width():
                    break
            self._legend = QRectF(
                (self.width() - 2 * width) / 2, self.height() - high - 6, 2 * width, high
            )
            room = QRectF(0, 0, self.width(), self._legend.top() - 4)
        else:
            for factor in _LEGEND_FACTORS:
                width, line = self._size_legend(factor)
                high = line * (sum(rows) + 0.5)
                spare = self.width() - width - 12 - self.height()
                if high < self.height() - 8 and spare >= 0:
                    break
            left = self.width() - width - 6 - max(spare, 0) / 3
            self._legend = QRectF(left, max((self.height() - high) / 2, 2), width, high)
            room = QRectF(max(spare, 0) / 3, 0, left - max(spare, 0) / 3, self.height())
        degrees = metrics_of(self.font_of(0.75))
        margin = max(degrees.horizontalAdvance("−150°") + 6, degrees.height() + 6)
        self._radius = max(
            min(room.width() / 2 - margin, room.height() / 2 - degrees.height() - 7), 12.0
        )
        self._center = QPointF(round(room.center().x()), round(room.center().y()))

    def _size_legend(self, factor: float) -> tuple[float, float]:
        """Width of a column of the legend and height of a row, with text of this size."""
        self._legend_factor = factor
        metrics = metrics_of(self.font_of(factor))
        return sum(self._legend_columns(metrics)) + 16, metrics.height() * 1.25

    def paint_static(self, painter: QPainter) -> None:
        """Rings, spokes, degrees."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme.grid), 1))
        for share in (_CURRENT_SHARE / 2, _CURRENT_SHARE):
            painter.drawEllipse(self._center, self._radius * share, self._radius * share)
        crowded = self._radius < 5.5 * self.text_px(0.75)
        for degrees in range(-150, 181, 30):
            spoke = direction(degrees)
            painter.setPen(QPen(QColor(self.theme.grid), 1))
            painter.drawLine(self._center, self._center + spoke * self._radius)
            if not crowded or degrees % 90 == 0:
                self._paint_degrees(painter, degrees, spoke)
        painter.setPen(QPen(QColor(self.theme.axis), 1.5))
        painter.drawEllipse(self._center, self._radius, self._radius)

    def paint_data(self, painter: QPainter) -> None:
        """Arrows, then names, then values."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ordered = sorted(self._phasors, key=lambda p: p.name.startswith("I"))
        for phasor in ordered:
            self._paint_arrow(painter, phasor)
        font = self.font_of(0.95, bold=True)
        taken: list[QRectF] = []
        for phasor in ordered:
            if self._length(phasor) > 0:
                taken.append(self._paint_name(painter, phasor, font, taken))
        self._paint_legend(painter)

    def data_rect(self) -> QRect:
        """Circle and legend."""
        reach = self._radius + 2
        circle = QRectF(self._center.x() - reach, self._center.y() - reach, 2 * reach, 2 * reach)
        return circle.united(self._legend).adjusted(-2, -2, 2, 2).toAlignedRect()

    def _rows(self) -> tuple[int, int]:
        currents = sum(p.name.startswith("I") for p in self._phasors)
        return max(len(self._phasors) - currents, 1), max(currents, 1)

    def _color(self, phasor: Phasor) -> QColor:
        phase = int(phasor.name[-1]) - 1 if phasor.name[-1:].isdigit() else 0
        of = self.theme.current if phasor.name.startswith("I") else self.theme.voltage
        return self.ink(of(phase))

    def _length(self, phasor: Phasor) -> float:
        current = phasor.name.startswith("I")
        same = [p.magnitude for p in self._phasors if p.name.startswith("I") == current]
        longest = max(same)
        share = _CURRENT_SHARE if current else 1.0
        return self._radius * share * phasor.magnitude / longest if longest > 0 else 0.0

    def _paint_degrees(self, painter: QPainter, degrees: int, spoke: QPointF) -> None:
        text = f"{degrees}°".replace("-", "−")
        align = (0.5 - spoke.x() * 0.5, 0.5 - spoke.y() * 0.5)
        self.put_text(
            painter,
            text,
            self._center + spoke * (self._radius + 4),
            font=self.font_of(0.75),
            color=self.theme.dim_text,
            align=align,
        )

    def _paint_arrow(self, painter: QPainter, phasor: Phasor) -> None:
        length = self._length(phasor)
        if length <= 0:
            return
        current, color = phasor.name.startswith("I"), self._color(phasor)
        along = direction(phasor.phase_deg)
        across, tip = QPointF(-along.y(), along.x()), self._center + along * length
        width = self.theme.line_px * (1.2 if current else 1.6)
        head = min(max(self._radius * 0.09, 8.0), length)
        pen = QPen(color, width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if current:
            pen.setDashPattern([3.5, 1.6])
        painter.setPen(pen)
        painter.drawLine(self._center, tip - along * head * 0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        foot = tip - along * head
        painter.drawPolygon(
            QPolygonF([tip, foot + across * head * 0.42, foot - across * head * 0.42])
        )

    def _paint_name(
        self, painter: QPainter, phasor: Phasor, font: QFont, taken: list[QRectF]
    ) -> QRectF:
        """By the head, where it meets no other name and, if it can be, no arrow."""
        metrics = metrics_of(font)
        half = math.hypot(metrics.horizontalAdvance(phasor.name), metrics.height()) / 2
        best, least = QRectF(), math.inf
        for place in self._places(phasor, half):
            box = self._name_box(phasor, font, half, place)
            hits = 20 * sum(box.intersects(other) for other in taken) + self._arrows_hit(box, half)
            if hits < least:
                best, least = box, hits
                self._seats[phasor.name] = place
            if hits == 0:
                break
        self.put_text(painter, phasor.name, best.topLeft(), font=font, color=self.theme.text)
        return best

    def _places(self, phasor: Phasor, half: float) -> list[tuple[int, float]]:
        """Degrees aside and distance beyond the head; first where the name was last."""
        reach = max(self._length(phasor) - 0.5 * half, 1.6 * half)
        clear = min((0.85 * half + _CLEAR_PX + 1) / reach, 1.0)
        beside = math.ceil(math.degrees(math.asin(clear)))
        angles = (beside, -beside, *(n for n in _NUDGES if abs(n) > beside))
        places = [(beside, -0.5 * half), (-beside, -0.5 * half), (0, 1.1 * half)]
        places += [(angle, beyond * half) for angle in angles for beyond in (-0.5, 0.9, -2.0)]
        last = self._seats.get(phasor.name)
        return places if last is None else [last, *places]

    def _arrows_hit(self, box: QRectF, half: float) -> int:
        """How many arrows run through a name."""
        middle, hits = box.center() - self._center, 0
        for phasor in self._phasors:
            along = direction(phasor.phase_deg)
            share = middle.x() * along.x() + middle.y() * along.y()
            share = min(max(share, 0.0), self._length(phasor))
            away = math.hypot(middle.x() - along.x() * share, middle.y() - along.y() * share)
            hits += away < 0.85 * half + _CLEAR_PX
        return hits

    def _name_box(
        self, phasor: Phasor, font: QFont, half: float, place: tuple[int, float]
    ) -> QRectF:
        aside, beyond = place
        reach = max(self._length(phasor) + beyond, half * 1.6)
        reach = min(reach, max(self._radius - half - 1, half))
        middle = self._center + direction(phasor.phase_deg + aside) * reach
        return self.text_box(phasor.name, middle, font=font, align=(0.5, 0.5))

    def _legend_columns(self, metrics: QFontMetricsF) -> tuple[float, float, float]:
        """Widths of name, magnitude and angle."""
        gap = metrics.horizontalAdvance("0") * 1.2
        return (
            metrics.horizontalAdvance("U3") * 1.1 + gap,
            metrics.horizontalAdvance("0.00e+00 A") + gap,
            metrics.horizontalAdvance("−180.0°"),
        )

    def _paint_legend(self, painter: QPainter) -> None:
        font, bold = self.font_of(self._legend_factor), self.font_of(self._legend_factor, bold=True)
        metrics = metrics_of(font)
        line, columns = metrics.height() * 1.25, self._legend_columns(metrics)
        rows = [0, 0]
        for phasor in self._phasors:
            current = phasor.name.startswith("I")
            x, y = self._legend.left() + 8, self._legend.top() + rows[current] * line
            if current and self._below:
                x += self._legend.width() / 2
            elif current:
                y += (self._rows()[0] + 0.5) * line
            rows[current] += 1
            angle = f"{_within_half_turn(phasor.phase_deg):.1f}°".replace("-", "−")
            value = f"{significant(phasor.magnitude)} {'A' if current else 'V'}"
            right = x + columns[0] + columns[1]
            self.put_text(painter, phasor.name, QPointF(x, y), font=bold, color=self._color(phasor))
            for text, edge in (
                (value, right - metrics.horizontalAdvance("0")),
                (angle, right + columns[2]),
            ):
                self.put_text(
                    painter,
                    text,
                    QPointF(edge, y),
                    font=font,
                    color=self.ink(self.theme.text),
                    align=(1.0, 0.0),
                )
