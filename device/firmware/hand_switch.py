"""The hand switch: a press counts at its first contact, and contacts bounce."""

from pulse_input import PulseInput


class HandSwitch(PulseInput):
    """A pulse input whose leading edge counts only after the contact was quiet.

    Args:
        number: which input it is.
        time: the StreamTime.
        writer: the FrameWriter.
        quiet_counts: how long there must have been no edge before a press.
    """

    def __init__(self, number, time, writer, quiet_counts):
        super().__init__(number, time, writer)
        self._quiet_counts = quiet_counts
        self._last_edge = None

    def rising(self, counter):
        """Take a leading edge: a press, or a bounce."""
        if self._is_quiet(counter):
            super().rising(counter)
        else:
            self.dropped += 1
        self._last_edge = counter

    def falling(self, counter):
        """Take a trailing edge: it only says that the contact moves."""
        self._last_edge = counter

    def _is_quiet(self, counter):
        return self._last_edge is None or counter - self._last_edge >= self._quiet_counts
