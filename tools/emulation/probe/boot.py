"""Hands every event of the real HAL to the emulation's bench, in the application's place.

An event goes out as 6 bytes: kind, input, counter. What comes in asks for pulses of the output:
8 bytes each, counter and width. A width of 0 asks for the free heap with the application loaded.
"""

import gc
import struct

from hal_rp2 import Rp2Hal

EVENT = "<BBI"
EVENT_BYTES = 6
BATCH = 128
PULSE = "<II"
PULSE_BYTES = 8
MARKER_INTERVAL = 1024

SELF_TEST = 0x53
FREE_HEAP = 0x47


class Probe:
    """The loop of the application, without the application."""

    def __init__(self, hal):
        self._hal = hal
        self._batch = bytearray(EVENT_BYTES * BATCH)
        self._view = memoryview(self._batch)
        self._filled = 0
        self._commands = bytearray()
        self._application = None

    def put(self, kind, number, value):
        """Send one event, sooner or later."""
        struct.pack_into(EVENT, self._batch, self._filled, kind, number, value)
        self._filled += EVENT_BYTES
        if self._filled == len(self._batch):
            self.flush()

    def flush(self):
        """Send what waits."""
        if self._filled:
            self._hal.send(self._view[: self._filled])
            self._filled = 0

    def serve(self):
        """Serve one turn."""
        self._hal.wait()
        self._commands += self._hal.command_bytes()
        self._obey()
        while True:
            event = self._hal.next_event()
            if event is None:
                break
            self.put(*event)
        self.flush()

    def _obey(self):
        while len(self._commands) >= PULSE_BYTES:
            counter, width = struct.unpack(PULSE, self._commands[:PULSE_BYTES])
            self._commands = self._commands[PULSE_BYTES:]
            if width:
                self._hal.set_pulse_output(counter, width)
            else:
                self.put(FREE_HEAP, 0, self._free_heap())

    def _free_heap(self):
        # Not before: its import takes seconds of arithmetic, which no other scenario needs.
        from pulse_front_end import PulseFrontEnd  # noqa: PLC0415

        self._application = PulseFrontEnd(self._hal, 0, MARKER_INTERVAL)
        gc.collect()
        return gc.mem_free()


def main():
    """Report the self-test, then serve for ever."""
    hal = Rp2Hal(MARKER_INTERVAL)
    probe = Probe(hal)
    probe.put(SELF_TEST, 0, hal.self_test())
    while True:
        probe.serve()


main()
