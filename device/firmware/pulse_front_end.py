"""Pulse front end: turns edges of one 32-bit counter into messages in 64-bit stream time.

No hardware is touched here; a HAL hands over edges and carries bytes (docs/formats/wire.md).
"""

import frontend_codec as codec

EDGE_RISING = 0x52  # "R", the leading edge
EDGE_FALLING = 0x46  # "F"
ADC_MARKER = 0x4D  # "M"
COUNTER_NOW = 0x54  # "T"

FIRMWARE_VERSION = (1, 0, 0)
INPUTS = 1

OUT_BYTES = 4096
LONGEST_FRAME = 32


class UnknownRecord(Exception):
    """The FIFO delivered a record that is none; what follows it cannot be trusted."""


class PulseFrontEnd:
    """State of one pulse input and of the stream time that goes with it.

    Args:
        send: takes a memoryview of bytes for the serial line and returns when they are gone.
        counter_hz: nominal rate of the counter.
        boot_id: number that differs between boots.
        marker_interval: samples between two ADC frame markers.
    """

    def __init__(self, send, counter_hz, boot_id, marker_interval):
        self._send = send
        self._counter_hz = counter_hz
        self._boot_id = boot_id
        self._marker_interval = marker_interval
        # Preallocated, so that a stream of events leaves little for the collector.
        self._out = bytearray(OUT_BYTES)
        self._out_view = memoryview(self._out)
        self._out_length = 0
        self._sequence = 0
        self._newest = None
        self._complete = 0
        self._markers = 0
        self._pulses = 0
        self._dropped = 0
        self._shortest_pulse = 0
        self._open_pulse = None
        self._fault_counts = {}
        self._commands = codec.RunSplitter(codec.FRONT_END_MAX_RUN)

    def boot(self):
        """Say who we are, behind a delimiter that ends whatever noise is on the line."""
        self._out[0] = 0
        self._out_length = 1
        self._hello()
        self.flush()

    def event(self, kind, counter32):
        """Take one record of the FIFO: its kind and the wrapping counter.

        Raises:
            UnknownRecord: `kind` is none of the four.
        """
        if kind not in (EDGE_RISING, EDGE_FALLING, ADC_MARKER, COUNTER_NOW):
            self._fault(codec.FAULT_UNKNOWN_RECORD)
            raise UnknownRecord("0x%02X is no kind of FIFO record" % kind)
        counter = self._extend(counter32)
        if kind == ADC_MARKER:
            self._marker(counter)
        elif kind == EDGE_RISING:
            self._rising(counter)
        elif kind == EDGE_FALLING:
            self._falling(counter)
        else:
            self._now(counter)

    def commands(self, data):
        """Take bytes that came from the board."""
        for run in self._commands.feed(data):
            if run is None:
                self._fault(codec.FAULT_COMMAND_DAMAGED)
                continue
            try:
                self._command(run)
            except codec.FrameError:
                self._fault(codec.FAULT_COMMAND_DAMAGED)
            except codec.BodyError:
                self._fault(codec.FAULT_COMMAND_UNKNOWN)

    def flush(self):
        """Hand all frames written so far to the line."""
        if self._out_length:
            self._send(self._out_view[: self._out_length])
            self._out_length = 0

    def _extend(self, counter32):
        # Records of different state machines may swap by a little: the nearest value counts.
        if self._newest is None:
            self._newest = counter32
        ahead = (counter32 - self._newest) & 0xFFFFFFFF
        if ahead < 0x80000000:
            self._newest += ahead
            return self._newest
        return self._newest + ahead - 0x100000000

    def _in_order(self, counter):
        if counter >= self._complete:
            return True
        # It was promised that nothing before this count is still to come.
        self._fault(codec.FAULT_EVENT_OUT_OF_ORDER)
        return False

    def _marker(self, counter):
        sample = self._markers * self._marker_interval
        self._markers += 1
        if self._in_order(counter):
            self._put(codec.MARKER, sample, counter)

    def _rising(self, counter):
        if self._open_pulse is not None:
            self._open_pulse = None
            self._dropped += 1
            self._fault(codec.FAULT_EDGE_MISSING)
        if not self._in_order(counter):
            self._dropped += 1
        elif self._shortest_pulse == 0:
            self._pulse(counter, 0)
        else:
            self._open_pulse = counter

    def _falling(self, counter):
        leading = self._open_pulse
        if leading is None:
            return
        self._open_pulse = None
        width = counter - leading
        if width < self._shortest_pulse:
            self._dropped += 1
        else:
            self._pulse(leading, min(width, 0xFFFFFFFF))

    def _now(self, counter):
        if not self._in_order(counter):
            return
        self._release_long_enough(counter)
        # A pulse that may yet turn out to be a glitch holds the promise back.
        self._complete = counter if self._open_pulse is None else self._open_pulse
        self._put(codec.COMPLETE, self._complete, self._pulses, self._dropped)

    def _release_long_enough(self, counter):
        # An LED that stays on is no glitch and must not stop stream time.
        leading = self._open_pulse
        if leading is not None and counter - leading >= self._shortest_pulse:
            self._open_pulse = None
            self._pulse(leading, 0)

    def _pulse(self, counter, width):
        self._put(codec.PULSE, 0, self._pulses, counter, width)
        self._pulses += 1

    def _command(self, run):
        version, message_type, _, body = codec.parse_frame(run)
        if version != codec.TABLE_VERSION:
            raise codec.BodyError("message table %d" % version)
        fields = codec.unpack_body(message_type, body)
        if message_type == codec.HELLO_REQUEST:
            self._hello()
        elif message_type == codec.SET_GLITCH_FILTER:
            self._set_glitch_filter(fields[0])
        else:
            raise codec.BodyError("0x%02X is no command" % message_type)

    def _set_glitch_filter(self, shortest_pulse):
        self._shortest_pulse = shortest_pulse
        if shortest_pulse == 0 and self._open_pulse is not None:
            leading = self._open_pulse
            self._open_pulse = None
            self._pulse(leading, 0)

    def _hello(self):
        self._put(codec.HELLO, self._counter_hz, self._boot_id, *FIRMWARE_VERSION, INPUTS)

    def _fault(self, code):
        count = self._fault_counts.get(code, 0) + 1
        self._fault_counts[code] = count
        self._put(codec.FAULT, code, count)

    def _put(self, message_type, *fields):
        if self._out_length > OUT_BYTES - LONGEST_FRAME:
            self.flush()
        self._out_length = codec.write_front_end_frame(
            self._out, self._out_length, message_type, self._sequence, *fields
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
