"""A window in which one snapshot of the waveforms is zoomed, read off and exported.

pyqtgraph is imported when a window is made: the app starts without it.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from spotcheck_host.app.live_values import Waveforms
from spotcheck_host.app.theme import DARK, Theme
from spotcheck_host.app.views.axis_scale import significant
from spotcheck_host.app.views.canvas import text_font
from spotcheck_host.app.views.polyline import DASH
from spotcheck_host.app.views.view_text import VIEW_TEXT


def _peak(values: NDArray[np.float32]) -> float:
    """Greatest amount, 1 where there is none."""
    amounts = np.abs(values[np.isfinite(values)])
    return float(amounts.max()) if amounts.size and amounts.max() > 0 else 1.0


class ZoomWindow(QWidget):
    """Voltages and currents of one moment; wheel zooms, dragging pans, time axes are one."""

    exported = Signal(str)
    """Path of a file that was written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        import pyqtgraph  # type: ignore[import-untyped]  # noqa: PLC0415 – see the module's text

        pyqtgraph.setConfigOptions(useOpenGL=False, antialias=False)
        self._pg = pyqtgraph
        self.theme: Theme = DARK
        self.language = "zh"
        self._waveforms: Waveforms | None = None
        self._curves: list[Any] = []
        self._amperes_per_volt = 1.0
        self._auto, self._export = QPushButton(), QPushButton()
        self._values, self._message = QLabel(), QLabel()
        self._values.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._values.setWordWrap(True)
        self._message.setWordWrap(True)
        self._build_plot()
        self._build_layout()
        self._auto.clicked.connect(self.show_all)
        self._export.clicked.connect(self._ask_and_export)
        self.resize(1100, 700)
        self.set_theme(DARK)
        self.set_language("zh")

    def set_waveforms(self, waveforms: Waveforms) -> None:
        """Freeze this moment and show all of it."""
        self._waveforms = waveforms
        self._message.setText("")
        self._draw_curves()
        self.show_all()

    def set_theme(self, theme: Theme) -> None:
        """Show in other colours."""
        self.theme = theme
        self._plot_widget.setBackground(QColor(theme.panel))
        font = text_font(theme.text_px)
        for side in ("left", "right", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(self._pg.mkPen(theme.axis, width=0))
            axis.setTextPen(self._pg.mkPen(theme.dim_text))
            axis.setStyle(tickFont=font)
            axis.label.setFont(font)
        # Left to itself the axis grows and shrinks with its numbers, and the plot with it.
        wide = int(QFontMetricsF(font).horizontalAdvance("−0000") + theme.text_px * 2.2)
        self._plot.getAxis("left").setWidth(wide)
        self._plot.getAxis("right").setWidth(wide)
        self._crosshair.setPen(self._pg.mkPen(theme.accent, width=0))
        self._draw_curves()
        self._label_axes()

    def set_language(self, language: str) -> None:
        """Show in "zh" or "en"."""
        self.language = language
        self.setWindowTitle(self._words("zoom_title"))
        self._auto.setText(self._words("auto"))
        self._export.setText(self._words("export"))
        self._values.setText(self._words("zoom_hint"))
        self._label_axes()

    def show_all(self) -> None:
        """Both axes and time as far as the signals go."""
        waves = self._waveforms
        if waves is None:
            return
        end_ms = max(self._count() - 1, 1) * waves.interval_s * 1e3
        self._plot.vb.setXRange(0, end_ms, padding=0.01)
        volts, amperes = _peak(waves.voltages_v), _peak(waves.currents_a)
        self._amperes_per_volt = amperes / volts
        self._plot.vb.setYRange(-volts, volts, padding=0.06)
        self._follow_volts(None, self._plot.vb.viewRange()[1])

    def visible_csv(self) -> str:
        """The points within the visible time as CSV; empty if there are none."""
        visible = self._visible()
        waves = self._waveforms
        if waves is None or not visible.size:
            return ""
        channels = (*waves.voltages_v[:, visible], *waves.currents_a[:, visible])
        names = [f"U{n + 1} (V)" for n in range(len(waves.voltages_v))]
        names += [f"I{n + 1} (A)" for n in range(len(waves.currents_a))]
        text = io.StringIO()
        np.savetxt(
            text,
            np.column_stack((visible * waves.interval_s, *channels)),
            delimiter=",",
            fmt="%.9g",
            header=",".join(("time (s)", *names)),
            comments="",
        )
        return text.getvalue()

    def export_to(self, path: Path) -> bool:
        """Write the visible range; a failure is shown, not raised. Returns whether it wrote."""
        table = self.visible_csv()
        if not table:
            self._message.setText(self._words("nothing_to_export"))
            return False
        try:
            path.write_text(table, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            self._message.setText(self._words("export_failed", reason=f"{path}: {reason}"))
            return False
        count = table.count("\n") - 1
        self._message.setText(self._words("export_done", count=count, path=str(path)))
        self.exported.emit(str(path))
        return True

    @property
    def message(self) -> str:
        """What the last export said."""
        return self._message.text()

    def show_values_at(self, time_ms: float) -> None:
        """Put the crosshair there and name all values of that moment."""
        waves = self._waveforms
        if waves is None or not self._count():
            return
        index = min(max(round(time_ms / 1e3 / waves.interval_s), 0), self._count() - 1)
        at_ms = index * waves.interval_s * 1e3
        self._crosshair.setPos(at_ms)
        parts = [f"<b>{at_ms:.3f} ms</b>"]
        for name, unit, of, values in (
            ("U", "V", self.theme.voltage, waves.voltages_v),
            ("I", "A", self.theme.current, waves.currents_a),
        ):
            for phase, channel in enumerate(values):
                number = significant(float(channel[index])).replace("-", "−")
                colored = f'<span style="color:{of(phase)}">{name}{phase + 1}</span>'
                parts.append(f"{colored}&nbsp;{number}&nbsp;{unit}")
        self._values.setText(" &nbsp; ".join(parts))

    def _build_plot(self) -> None:
        self._plot_widget = self._pg.PlotWidget()
        self._plot = self._plot_widget.getPlotItem()
        self._plot.showGrid(x=True, y=True, alpha=0.25)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.showAxis("right")
        self._amperes = self._pg.ViewBox(enableMenu=False)
        self._plot.scene().addItem(self._amperes)
        self._plot.getAxis("right").linkToView(self._amperes)
        self._amperes.setXLink(self._plot.vb)
        # The second box must not take the mouse: amperes follow the volts at a fixed ratio.
        self._amperes.setZValue(-10)
        self._plot.vb.sigResized.connect(self._lay_boxes)
        self._plot.vb.sigYRangeChanged.connect(self._follow_volts)
        self._crosshair = self._pg.InfiniteLine(angle=90, movable=False)
        self._plot.addItem(self._crosshair, ignoreBounds=True)
        self._plot.scene().sigMouseMoved.connect(self._mouse_moved)

    def _build_layout(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._auto)
        row.addWidget(self._export)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addLayout(row)
        column.addWidget(self._values)
        column.addWidget(self._plot_widget, 1)
        column.addWidget(self._message)

    def _words(self, key: str, **values: object) -> str:
        return VIEW_TEXT[self.language][key].format(**values)

    def _label_axes(self) -> None:
        for side, key in (
            ("left", "voltage_axis"),
            ("right", "current_axis"),
            ("bottom", "zoom_time_axis"),
        ):
            self._plot.getAxis(side).setLabel(self._words(key), color=self.theme.dim_text)

    def _count(self) -> int:
        waves = self._waveforms
        return 0 if waves is None else min(waves.voltages_v.shape[-1], waves.currents_a.shape[-1])

    def _visible(self) -> NDArray[np.int64]:
        """Indices of the points within the visible time."""
        if self._waveforms is None:
            return np.zeros(0, dtype=np.int64)
        low, high = self._plot.vb.viewRange()[0]
        times_ms = np.arange(self._count()) * self._waveforms.interval_s * 1e3
        return np.flatnonzero((times_ms >= low) & (times_ms <= high))

    def _draw_curves(self) -> None:
        for box, curve in self._curves:
            box.removeItem(curve)
        self._curves = []
        waves = self._waveforms
        if waves is None:
            return
        for box, of, values, dash in (
            (self._plot.vb, self.theme.voltage, waves.voltages_v, None),
            (self._amperes, self.theme.current, waves.currents_a, DASH),
        ):
            times_ms = np.arange(values.shape[-1]) * waves.interval_s * 1e3
            for phase, channel in enumerate(values):
                pen = self._pg.mkPen(of(phase), width=0, dash=dash)
                curve = self._pg.PlotDataItem(times_ms, channel, pen=pen, connect="finite")
                # A box of its own for amperes is no PlotItem: downsampling is the curve's.
                curve.setDownsampling(auto=True, method="peak")
                box.addItem(curve)
                self._curves.append((box, curve))

    def _lay_boxes(self) -> None:
        self._amperes.setGeometry(self._plot.vb.sceneBoundingRect())

    def _follow_volts(self, _: object, volts: tuple[float, float]) -> None:
        low, high = (volt * self._amperes_per_volt for volt in volts)
        self._amperes.setYRange(low, high, padding=0)

    def _mouse_moved(self, place: QPointF) -> None:
        if self._plot.sceneBoundingRect().contains(place):
            self.show_values_at(self._plot.vb.mapSceneToView(place).x())

    def _ask_and_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, self._words("export"), "waveform.csv", self._words("csv_filter")
        )
        if path:
            self.export_to(Path(path))
