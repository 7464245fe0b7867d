"""Frames on their way to the board, numbered and gathered in one buffer."""

import frontend_codec as codec

OUT_BYTES = 4096
LONGEST_FRAME = 192


class FrameWriter:
    """Writes messages in place, so that a stream of events leaves little for the collector.

    Args:
        send: takes a memoryview of bytes for the serial line and returns when they are gone.
    """

    def __init__(self, send):
        self._send = send
        self._out = bytearray(OUT_BYTES)
        self._out_view = memoryview(self._out)
        # A delimiter first, which ends whatever noise is on the line.
        self._out_length = 1
        self._sequence = 0
        self._fault_counts = {}

    def put(self, message_type, *fields):
        """Append one message."""
        if self._out_length > OUT_BYTES - LONGEST_FRAME:
            self.flush()
        self._out_length = codec.write_front_end_frame(
            self._out, self._out_length, message_type, self._sequence, *fields
        )
        self._sequence = (self._sequence + 1) & 0xFFFF

    def fault(self, code, times=1):
        """Count a fault and tell it."""
        count = min(self._fault_counts.get(code, 0) + times, 0xFFFFFFFF)
        self._fault_counts[code] = count
        self.put(codec.FAULT, code, count)

    def flush(self):
        """Hand all messages so far to the line."""
        if self._out_length:
            self._send(self._out_view[: self._out_length])
            self._out_length = 0
