"""Tells when the light at an optical head is too poor to trust, and when it is good again."""

from collections.abc import Callable

from spotcheck_wire.frontend_messages import InputSignal

POOR_PERCENT = 20
"""Below it ripple of lamps reaches most of the way to the threshold."""
GOOD_PERCENT = 35
"""Above it poor light is over; between the two nothing changes, so that nothing flickers."""


class LightWatch:
    """Remembers of each optical input whether its light was poor."""

    def __init__(self, on_notice: Callable[[str, str], None]) -> None:
        """All light counts as good at first; `on_notice` takes code and text."""
        self._on_notice = on_notice
        self._poor: set[int] = set()

    def take(self, signal: InputSignal) -> None:
        """Take how the light of an input stands. An LED that gave no pulse says nothing of it."""
        if not signal.swing:
            return
        name = f"optical head {signal.input + 1}"
        if signal.quality < POOR_PERCENT and signal.input not in self._poor:
            self._poor.add(signal.input)
            text = f"{name}: signal quality {signal.quality} %; shade it and align it again"
            self._on_notice("light-poor", text)
        elif signal.quality > GOOD_PERCENT and signal.input in self._poor:
            self._poor.discard(signal.input)
            self._on_notice("light-good", f"{name}: signal quality {signal.quality} % again")
