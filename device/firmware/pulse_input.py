"""One pulse input: its glitch filter and the numbers of its pulses (docs/formats/wire.md)."""

import frontend_codec as codec

LONGEST_WIDTH = 0xFFFFFFFF


class PulseInput:
    """Edges in, PULSE messages out.

    Args:
        number: which input it is.
        time: the StreamTime.
        writer: the FrameWriter.
    """

    def __init__(self, number, time, writer):
        self._number = number
        self._time = time
        self._writer = writer
        self._shortest_pulse = 0
        self.open_pulse = None
        self.pulses = 0
        self.dropped = 0

    def set_filter(self, shortest_pulse):
        """Set the shortest pulse that counts; 0 sends each leading edge at once."""
        self._shortest_pulse = shortest_pulse
        if shortest_pulse == 0 and self.open_pulse is not None:
            leading = self.open_pulse
            self.open_pulse = None
            self._pulse(leading, 0)

    def rising(self, counter):
        """Take a leading edge."""
        if self.open_pulse is not None:
            self.open_pulse = None
            self.dropped += 1
            self._writer.fault(codec.FAULT_EDGE_MISSING)
        if counter < self._time.complete:
            # It was promised that nothing before this count is still to come.
            self._writer.fault(codec.FAULT_EVENT_OUT_OF_ORDER)
            self.dropped += 1
        elif self._shortest_pulse == 0:
            self._pulse(counter, 0)
        else:
            self.open_pulse = counter

    def falling(self, counter):
        """Take a trailing edge."""
        leading = self.open_pulse
        if leading is None:
            return
        self.open_pulse = None
        width = counter - leading
        if width < self._shortest_pulse:
            self.dropped += 1
        else:
            self._pulse(leading, min(width, LONGEST_WIDTH))

    def lost(self, records):
        """Leave out a number for each lost record, so that the board sees the gap.

        How many of them were leading edges nobody knows; none is passed over in silence. A
        trailing edge may be among them, so a pulse that waits for it is given up.
        """
        if self.open_pulse is not None:
            self.open_pulse = None
            self.dropped += 1
        self.pulses += records

    def release_long_enough(self, counter):
        """Send a pulse that is no glitch any more: an LED may stay on, stream time may not."""
        leading = self.open_pulse
        if leading is not None and counter - leading >= self._shortest_pulse:
            self.open_pulse = None
            self._pulse(leading, 0)

    def _pulse(self, counter, width):
        self._writer.put(codec.PULSE, self._number, self.pulses, counter, width)
        self.pulses += 1
