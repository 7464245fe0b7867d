"""Base of the painted views: the grid is drawn once and kept, only the data are drawn anew."""

from collections.abc import Hashable
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from spotcheck_host.app.theme import DARK, FONT_FAMILIES, Theme
from spotcheck_host.app.views.view_text import VIEW_TEXT

_LEAST_TEXT_PX = 11
_LEAST_BOLD_PX = 15
"""Chinese fonts often have no bold of their own: Qt's smears small letters."""


@lru_cache(maxsize=1)
def _installed_families() -> tuple[str, ...]:
    installed = set(QFontDatabase.families())
    return tuple(family for family in FONT_FAMILIES if family in installed)


def text_font(size_px: float, *, bold: bool = False) -> QFont:
    """A font that has Chinese where the machine has one, with figures of equal width."""
    return _kept_font(max(round(size_px), 1), bold and size_px >= _LEAST_BOLD_PX)


def metrics_of(font: QFont) -> QFontMetricsF:
    """Metrics of a font that text_font made; making them anew costs as much as the text."""
    return _kept_metrics(font.pixelSize(), font.bold())


_ALIKE = str.maketrans("123456789", "000000000")


def advance_of(font: QFont, text: str) -> float:
    """Width of a text, logical pixels; remembered, as figures are all equally wide."""
    return _kept_advance(font.pixelSize(), font.bold(), text.translate(_ALIKE))


@lru_cache(maxsize=4096)
def _kept_advance(size_px: int, bold: bool, text: str) -> float:
    return _kept_metrics(size_px, bold).horizontalAdvance(text)


@lru_cache(maxsize=256)
def _kept_metrics(size_px: int, bold: bool) -> QFontMetricsF:
    return QFontMetricsF(_kept_font(size_px, bold))


@lru_cache(maxsize=256)
def _kept_font(size_px: int, bold: bool) -> QFont:
    font = QFont()
    if _installed_families():
        font.setFamilies(list(_installed_families()))
    font.setPixelSize(size_px)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def wrapped(
    text: str,
    font: QFont,
    width_px: float,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> QTextLayout:
    """The text in lines of this width; a word too long for a line is broken."""
    layout = QTextLayout(text.replace("\n", "\u2028"), font)
    option = QTextOption(align)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    y = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width_px)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()
    return layout


class Canvas(QWidget):
    """A view that paints itself.

    A subclass says what its grid depends on (static_key), where things lie (arrange), and
    draws grid (paint_static) and data (paint_data). All text goes through put_text, which
    remembers where it stands: text_boxes lists what is on the screen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.language = "zh"
        self.stale = False
        self.static_redraws = 0
        """How often the grid was drawn."""
        self._static: QPixmap | None = None
        self._key: Hashable = None
        self._static_boxes: list[tuple[str, QRectF]] = []
        self._data_boxes: list[tuple[str, QRectF]] = []
        self._boxes = self._data_boxes
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_theme(self, theme: Theme) -> None:
        """Show in other colours."""
        self.theme = theme
        self.update()

    def set_language(self, language: str) -> None:
        """Show in "zh" or "en"."""
        if language not in VIEW_TEXT:
            raise ValueError(f"no texts in language {language!r}")
        self.language = language
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Grey the data: they are no longer renewed."""
        self.stale = stale
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """Size that suits a quarter of the screen."""
        return QSize(480, 320)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 – Qt's name
        """Size below which labels would not fit."""
        return QSize(240, 170)

    @property
    def text_boxes(self) -> list[tuple[str, QRectF]]:
        """Every text as it stands since the last paint, with its rectangle."""
        return [*self._static_boxes, *self._data_boxes]

    def static_key(self) -> Hashable:
        """What the grid depends on beyond size, theme and language."""
        return None

    def arrange(self) -> None:
        """Lay out; called before the grid is drawn."""

    def paint_static(self, painter: QPainter) -> None:
        """Draw what stays: grid, axes, labels."""

    def paint_data(self, painter: QPainter) -> None:
        """Draw what changes."""

    def data_rect(self) -> QRect:
        """Where new data change the picture."""
        return self.rect()

    def refresh(self) -> None:
        """New data: repaint where they lie, or everything if the grid changes too."""
        if self._key == self._full_key():
            self.update(self.data_rect())
        else:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 – Qt's name
        """Put the kept grid down and draw the data on it."""
        static = self._kept_static()
        self._data_boxes.clear()
        with QPainter(self) as painter:  # an open one would crash the process after an error
            painter.drawPixmap(0, 0, static)
            self.paint_data(painter)

    def words(self, key: str, **values: object) -> str:
        """A text of the view in its language."""
        return VIEW_TEXT[self.language][key].format(**values)

    def ink(self, color: str) -> QColor:
        """Colour of data: the one asked for, or grey when stale."""
        return QColor(self.theme.stale if self.stale else color)

    def text_px(self, factor: float = 1.0) -> float:
        """Size of text for this view's size, logical pixels."""
        room = min(self.width() / 560, self.height() / 340)
        scale = min(max(room, 0.72), 1.3)
        return max(self.theme.text_px * scale * factor, _LEAST_TEXT_PX)

    def font_of(self, factor: float = 1.0, *, bold: bool = False) -> QFont:
        """Font of that size."""
        return text_font(self.text_px(factor), bold=bold)

    def hairline(self, color: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """Cosmetic pen, the only quick one on HiDPI."""
        pen = QPen(QColor(color), 0)
        pen.setStyle(style)
        return pen

    def put_text(
        self,
        painter: QPainter,
        text: str,
        anchor: QPointF,
        *,
        font: QFont,
        color: QColor | str,
        align: tuple[float, float] = (0.0, 0.0),
        ground: str | None = None,
    ) -> QRectF:
        """Write with the anchor at this share of the text's width and height; kept inside.

        Args:
            painter: Where to.
            text: One line.
            anchor: Logical pixels.
            font: Its font.
            color: Its colour.
            align: (0, 0) puts the top left corner on the anchor, (0.5, 1) the bottom's middle.
            ground: Colour laid below the text, so that it is readable over lines.

        Returns:
            Where the text stands.
        """
        box = self.text_box(text, anchor, font=font, align=align)
        if ground is not None:
            painter.fillRect(box.adjusted(-3, 0, 3, 0), QColor(ground))
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(QPointF(box.x(), box.y() + metrics_of(font).ascent()), text)
        self._boxes.append((text, box))
        return box

    def text_box(
        self, text: str, anchor: QPointF, *, font: QFont, align: tuple[float, float]
    ) -> QRectF:
        """Where put_text would write."""
        width, height = advance_of(font, text), metrics_of(font).height()
        x, y = anchor.x() - align[0] * width, anchor.y() - align[1] * height
        x = max(2.0, min(x, self.width() - width - 2))
        y = max(0.0, min(y, self.height() - height))
        return QRectF(x, y, width, height)

    def _full_key(self) -> Hashable:
        return (
            self.size().toTuple(),
            self.devicePixelRatioF(),
            self.theme.name,
            self.language,
            self.static_key(),
        )

    def _kept_static(self) -> QPixmap:
        key = self._full_key()
        if self._static is None or key != self._key:
            ratio = self.devicePixelRatioF()
            static = QPixmap(self.size() * ratio)
            static.setDevicePixelRatio(ratio)
            static.fill(QColor(self.theme.panel))
            self.arrange()
            self._static_boxes.clear()
            self._boxes = self._static_boxes
            with QPainter(static) as painter:
                self.paint_static(painter)
            self._boxes = self._data_boxes
            self._static, self._key = static, key
            self.static_redraws += 1
        return self._static
