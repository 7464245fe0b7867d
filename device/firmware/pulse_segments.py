"""Pulses at given clocks, as the segments that the pulse output's state machine holds its pin at.

The machine takes one segment after the other, and an idle one where none waits. So where it is
known when one segment began, the beginnings of all that follow are known to the clock.
"""

import pio_stamp

# About 1 ms: a pulse begins that much later at most than it is asked for.
IDLE_CLOCKS = 1 << 17
SHORTEST_LOW_CLOCKS = 1250
SHORTEST_HIGH_CLOCKS = 8
# How long after `next_words` its words may be written; the machine takes none of them before.
WRITE_WITHIN_CLOCKS = 40_000


def segment_word(level, clocks):
    """Return the word of a segment, for the FIFO or for X."""
    return level | (clocks - pio_stamp.SEGMENT_CLOCKS) << 1


class PulseSegments:
    """What the machine does, clock by clock, and what it shall do next.

    Clocks are counted from the one at which all machines started.
    """

    def __init__(self):
        self._pulses = []
        self._known_until = 0
        self._planned_until = 0

    def add(self, rise, width):
        """Ask for a pulse whose pin rises at clock `rise` and falls `width` clocks later."""
        self._pulses.append((rise, width))

    def next_words(self, earliest, latest):
        """Return the two words of the next pulse; None where there is none, or not just now.

        Args:
            earliest: the clock now is not before this one.
            latest: nor after this one.
        """
        if not self._pulses:
            return None
        start = self._known_until
        written = latest + WRITE_WITHIN_CLOCKS
        if written >= start:
            # The machine idles then: it takes the words at the end of an idle segment.
            if earliest < start:
                return None
            idle_segments = (earliest - start) // IDLE_CLOCKS
            if (written - start) // IDLE_CLOCKS != idle_segments:
                return None
            start += (idle_segments + 1) * IDLE_CLOCKS
        rise, width = self._pulses[0]
        low = max(rise - pio_stamp.PIN_AFTER_CLOCKS - start, SHORTEST_LOW_CLOCKS)
        high = max(width, SHORTEST_HIGH_CLOCKS)
        self._planned_until = start + low + high
        return segment_word(0, low), segment_word(1, high)

    def words_written(self):
        """Say that the words of the last `next_words` were written in time."""
        self._pulses.pop(0)
        self._known_until = self._planned_until
