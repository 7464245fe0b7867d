"""Quantities by phase, as a table with its figures in columns."""

from collections.abc import Hashable

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QWidget

from spotcheck_host.app.live_values import QuantityRow
from spotcheck_host.app.views.canvas import Canvas, metrics_of, text_font

_LEAST_PX = 8
_LINE = 1.55
"""Height of a row by its text's."""


class QuantitiesTable(Canvas):
    """Names on the left, figures right-aligned; shrinks its type before it would cut anything."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headers: tuple[str, ...] = ()
        self._rows: tuple[QuantityRow, ...] = ()
        self._widths: list[float] = []
        self._size, self._line = 16, 26.0

    def set_rows(self, headers: tuple[str, ...], rows: tuple[QuantityRow, ...]) -> None:
        """Show these rows; headers name the columns of values (or the name's column too)."""
        if len(rows) != len(self._rows) or len(headers) != len(self._headers):
            self.updateGeometry()
        self._headers, self._rows = headers, rows
        self.refresh()

    def sizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """High enough for the rows at ordinary size."""
        high = (len(self._rows) + 1) * self.theme.text_px * 1.3 * _LINE
        return QSize(480, max(int(high), 120))

    def static_key(self) -> Hashable:
        """Headers, names, and how long the values are."""
        shapes = tuple(tuple(len(value) for value in row.values) for row in self._rows)
        return self._headers, tuple(row.name for row in self._rows), shapes

    def arrange(self) -> None:
        """Largest type with which every column and every row fits."""
        for size in range(round(self.text_px(1.05)), _LEAST_PX - 1, -1):
            self._size = size
            self._widths = self._natural_widths()
            height = metrics_of(text_font(size)).height()
            room = self.height() / (len(self._rows) + 1)
            self._line = min(room, height * _LINE * 1.25)
            if sum(self._widths) <= self.width() - 16 and room >= height:
                break
        spare = max(self.width() - 16 - sum(self._widths), 0)
        if len(self._widths) > 1:
            share = spare / (len(self._widths) - 1)
            self._widths[1:] = [width + share for width in self._widths[1:]]

    def paint_static(self, painter: QPainter) -> None:
        """Heading, stripes, names."""
        painter.fillRect(QRectF(0, 0, self.width(), self._line), QColor(self.theme.raised))
        bold, plain = text_font(self._size, bold=True), text_font(self._size)
        first, others = self._split_headers()
        self._name(painter, first, 0, bold, self.theme.dim_text)
        for column, text in enumerate(others):
            self._value(painter, text, column, 0, bold, self.theme.dim_text)
        for index, row in enumerate(self._rows, start=1):
            painter.setPen(self.hairline(self.theme.grid))
            y = (index + 1) * self._line
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
            self._name(painter, row.name, index, plain, self.theme.dim_text)

    def paint_data(self, painter: QPainter) -> None:
        """Values."""
        font, color = text_font(self._size), self.ink(self.theme.text).name()
        for index, row in enumerate(self._rows, start=1):
            for column, text in enumerate(row.values):
                if text:
                    self._value(painter, text, column, index, font, color)

    def _columns(self) -> int:
        return max((len(row.values) for row in self._rows), default=0)

    def _split_headers(self) -> tuple[str, tuple[str, ...]]:
        """Header of the names (empty if only the values have headers) and of the values."""
        if len(self._headers) > self._columns():
            return self._headers[0], self._headers[1:]
        return "", self._headers

    def _natural_widths(self) -> list[float]:
        plain = metrics_of(text_font(self._size))
        bold = metrics_of(text_font(self._size, bold=True))
        first, others = self._split_headers()
        gap = plain.horizontalAdvance("0") * 1.5
        names = [plain.horizontalAdvance(row.name) for row in self._rows]
        widths = [max([bold.horizontalAdvance(first), *names])]
        for column in range(max(self._columns(), len(others))):
            texts = [row.values[column] for row in self._rows if column < len(row.values)]
            steady = ["".join("0" if char.isdigit() else char for char in text) for text in texts]
            cells = [plain.horizontalAdvance(text) for text in (*texts, *steady)]
            if column < len(others):
                cells.append(bold.horizontalAdvance(others[column]))
            widths.append(max(cells, default=0.0) + gap)
        return widths

    def _name(self, painter: QPainter, text: str, row: int, font: QFont, color: str) -> None:
        at = QPointF(8, (row + 0.5) * self._line)
        if text:
            self.put_text(painter, text, at, font=font, color=color, align=(0.0, 0.5))

    def _value(
        self, painter: QPainter, text: str, column: int, row: int, font: QFont, color: str
    ) -> None:
        right = 8 + sum(self._widths[: column + 2])
        at = QPointF(right, (row + 0.5) * self._line)
        self.put_text(painter, text, at, font=font, color=color, align=(1.0, 0.5))
