"""HAL of the MicroPython unix port: the PIO's FIFO is standard input, the UART is a tty."""

import select
import struct
import sys
import termios

RECORD_FORMAT = "<BI"
RECORD_BYTES = 5


class EventsEnded(Exception):
    """The emulated FIFO was closed; `torn` says whether within a record."""

    def __init__(self, torn):
        super().__init__("the FIFO closed within a record" if torn else "the FIFO closed")
        self.torn = torn


class LineLost(Exception):
    """The serial line was closed."""


class HostHal:
    """FIFO and serial line of the front end, as the unix port has them."""

    def __init__(self, serial_path):
        self._fifo = sys.stdin.buffer
        # Kept open for as long as the process runs; __exit__ would have nobody to call it.
        self._line = open(serial_path, "r+b")  # noqa: SIM115
        termios.setraw(self._line.fileno())
        self._record = bytearray(RECORD_BYTES)
        self._both = select.poll()
        self._both.register(self._fifo, select.POLLIN)
        self._both.register(self._line, select.POLLIN)
        self._fifo_only = select.poll()
        self._fifo_only.register(self._fifo, select.POLLIN)
        self._line_only = select.poll()
        self._line_only.register(self._line, select.POLLIN)

    def wait(self):
        """Return when a record or a command is there."""
        self._both.poll(-1)

    def next_event(self):
        """Return (kind, counter) of the next record, or None while there is none.

        Raises:
            EventsEnded: the other end has closed the FIFO.
        """
        # Read record by record, as from a PIO; a longer read would block until it is full.
        for _ in self._fifo_only.ipoll(0):
            length = self._fifo.readinto(self._record)
            if length != RECORD_BYTES:
                raise EventsEnded(bool(length))
            return struct.unpack(RECORD_FORMAT, self._record)
        return None

    def command_bytes(self):
        """Return the bytes that the board has sent since the last call.

        Raises:
            LineLost: the other end has closed the line.
        """
        received = b""
        # Byte by byte, because a longer read would block; commands are short and rare.
        while True:
            ready = self._line_only.poll(0)
            if not ready:
                return received
            if ready[0][1] & (select.POLLHUP | select.POLLERR):
                raise LineLost("the board has closed the serial line")
            received += self._line.read(1)

    def send(self, data):
        """Write all of `data` to the line."""
        try:
            self._line.write(data)
        except OSError as error:
            raise LineLost("the serial line takes no bytes: %s" % error) from error
