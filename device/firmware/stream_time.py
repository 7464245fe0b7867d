"""Stream time: the 32-bit counter made 64 bits, and what was promised complete."""


class StreamTime:
    """Counts since boot, and the count before which nothing is still to come."""

    def __init__(self):
        self._newest = None
        self.complete = 0

    def extend(self, counter32):
        """Return the 64-bit count of a record.

        Records of different inputs may swap by a little, over a wrap too: of all counts that
        end in these 32 bits, the nearest to the newest one is meant.
        """
        if self._newest is None:
            self._newest = counter32
        ahead = (counter32 - self._newest) & 0xFFFFFFFF
        if ahead < 0x80000000:
            self._newest += ahead
            return self._newest
        return self._newest + ahead - 0x100000000
