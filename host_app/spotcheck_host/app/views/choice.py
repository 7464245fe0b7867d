"""A box to choose from, with an arrow that shows that it opens."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QComboBox

_ARROW_PX = 6


class Choice(QComboBox):
    """A combo box; the style sheet takes Qt's own arrow away, so it is painted here."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 – Qt's name
        """The box, then the arrow in the text's colour."""
        super().paintEvent(event)
        right, middle = self.width() - 24, self.height() / 2
        arrow = QPolygonF(
            [
                QPointF(right - _ARROW_PX, middle - _ARROW_PX / 2),
                QPointF(right, middle + _ARROW_PX / 2),
                QPointF(right + _ARROW_PX, middle - _ARROW_PX / 2),
            ]
        )
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().text().color(), 2, Qt.PenStyle.SolidLine))
            painter.drawPolyline(arrow)
