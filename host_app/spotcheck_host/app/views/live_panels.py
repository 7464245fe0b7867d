"""The views of what is there: waveforms, phasors, harmonics, quantities."""

from PySide6.QtWidgets import QGridLayout, QWidget

from spotcheck_host.app.screen import Screen
from spotcheck_host.app.theme import Theme
from spotcheck_host.app.views.canvas import Canvas
from spotcheck_host.app.views.harmonics_view import HarmonicsView
from spotcheck_host.app.views.phasor_view import PhasorView
from spotcheck_host.app.views.quantities_table import QuantitiesTable
from spotcheck_host.app.views.waveform_view import WaveformView


class LivePanels(QWidget):
    """Four views in a grid."""

    def __init__(self) -> None:
        super().__init__()
        self.waveforms = WaveformView()
        self.phasors = PhasorView()
        self.harmonics = HarmonicsView()
        self.quantities = QuantitiesTable()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.waveforms, 0, 0, 1, 2)
        layout.addWidget(self.phasors, 1, 0)
        layout.addWidget(self.quantities, 1, 1)
        layout.addWidget(self.harmonics, 2, 0, 1, 2)
        for row, stretch in enumerate((3, 4, 3)):
            layout.setRowStretch(row, stretch)

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """All four."""
        return self.waveforms, self.phasors, self.harmonics, self.quantities

    def show_screen(self, screen: Screen, theme: Theme) -> None:
        """Show the newest picture, greyed when it is old."""
        for canvas in self.canvases:
            if canvas.theme is not theme:
                canvas.set_theme(theme)
            if canvas.language != screen.language:
                canvas.set_language(screen.language)
            if canvas.stale != screen.stale:
                canvas.set_stale(screen.stale)
        picture = screen.picture
        self.waveforms.set_waveforms(picture.waveforms if picture else None)
        self.phasors.set_phasors(picture.phasors if picture else ())
        self.harmonics.set_harmonics(picture.harmonics if picture else None)
        self.quantities.set_rows(screen.quantity_headers, screen.quantity_rows)
