"""Hands every event of the real HAL to the emulation's bench, and does what it asks.

An event goes out as 6 bytes: kind, input, counter. A command is one byte with its arguments.
"""

import gc
import struct

import hal_rp2

EVENT = "<BBI"
EVENT_BYTES = 6
BATCH = 128
MARKER_INTERVAL = 1024

SELF_TEST = 0x53
FREE_HEAP = 0x47
PULSE = 0x4F
PULSE_ARGUMENTS = "<II"
PULSE_BYTES = 9


class Probe:
    """The loop of the application, without the application."""

    def __init__(self, hal):
        self._hal = hal
        self._batch = bytearray(EVENT_BYTES * BATCH)
        self._view = memoryview(self._batch)
        self._filled = 0
        self._commands = bytearray()

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
        commands = self._commands
        while commands:
            if commands[0] == PULSE:
                if len(commands) < PULSE_BYTES:
                    return
                counter, width = struct.unpack(PULSE_ARGUMENTS, commands[1:PULSE_BYTES])
                self._hal.set_pulse_output(counter, width)
                self._commands = commands = commands[PULSE_BYTES:]
                continue
            if commands[0] == SELF_TEST:
                self.put(SELF_TEST, 0, self._hal.self_test())
            elif commands[0] == FREE_HEAP:
                self.put(FREE_HEAP, 0, _free_heap())
            self._commands = commands = commands[1:]


def _free_heap():
    import pulse_front_end  # noqa: F401

    gc.collect()
    return gc.mem_free()


probe = Probe(hal_rp2.Rp2Hal(MARKER_INTERVAL))
probe.put(SELF_TEST, 1, probe._hal.self_test())
while True:
    probe.serve()
