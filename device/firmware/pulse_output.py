"""Calibrated pulse output: a phase accumulator that turns a rate into counts, exactly.

The phase grows by `increment` at each count; a whole turn is 2^64 and gives one pulse. After n
counts of one increment there have been floor((phase + n * increment) / 2^64) pulses, each at
the first count at which its turn is complete: less than one count late, never early, and the
count of pulses is never off by one or more.
"""

TURN = 1 << 64


class PulseOutput:
    """Puts pulses out up to a count, and remembers the phase over every change of rate.

    Args:
        put_out: takes the count and the width of each pulse, in order.
    """

    def __init__(self, put_out):
        self._put_out = put_out
        self._increment = 0
        self._width = 0
        self._phase = 0
        self._at = None

    def set_rate(self, increment, width):
        """Set rate and width from the count on up to which pulses were put out.

        Args:
            increment: what a count adds to the phase; 0 stops the output.
            width: counts that a pulse lasts.

        Raises:
            ValueError: a pulse would be longer than half of its period.
        """
        if increment and (width == 0 or 2 * width * increment > TURN):
            raise ValueError("a pulse would be longer than half of its period")
        self._increment = increment
        self._width = width

    def advance(self, counter):
        """Put out the pulses up to a count, that one included."""
        if self._at is None or not self._increment:
            self._at = counter
            return
        while counter > self._at:
            counts = -(-(TURN - self._phase) // self._increment)
            if self._at + counts > counter:
                self._phase += (counter - self._at) * self._increment
                self._at = counter
            else:
                self._phase += counts * self._increment - TURN
                self._at += counts
                self._put_out(self._at, self._width)
