"""HAL of the MicroPython unix port (hal_contract.py).

The PIO's FIFO is standard input, the UART is a tty, and what else hangs on a board is spoken to
over a second tty. Records of the FIFO are `<BBI`: kind, input, counter. One kind more than the
contract's comes in there, "O", whose counter field is a sample of an optical head.

On the board's tty each request is `<BBH`, operation, argument and length, then the bytes:

    W  I2C write: address, bytes           answered by one byte: 1 acknowledged, 0 nobody there
    R  I2C read: address, how many         answered so, then by the bytes where acknowledged
    T  threshold: input, code in the length field
    P  pulse of the output: `<II` counter, width
    D  watchdog fed

Without that tty nobody answers on the bus; without a flash file there is no room for updates.
"""

import select
import struct
import sys
import termios

from hal_contract import FLASH_SECTOR, OPTICAL_INPUTS, Restarting

RECORD_FORMAT = "<BBI"
RECORD_BYTES = 6
OPTICAL_SAMPLE = 0x4F
REQUEST_FORMAT = "<BBH"
ENODEV = 19


class EventsEnded(Exception):
    """The emulated FIFO was closed; `torn` says whether within a record."""

    def __init__(self, torn):
        super().__init__("the FIFO closed within a record" if torn else "the FIFO closed")
        self.torn = torn


class LineLost(Exception):
    """The serial line was closed."""


class HostHal:
    """What the unix port has of a board.

    Args:
        serial_path: tty of the serial line.
        counter_hz: nominal rate of the counter.
        boot_reason: one of the codec's BOOT_ codes.
        board_path: tty of the simulated board, or None.
        flash_path: file that stands for the flash, or None.
    """

    def __init__(self, serial_path, counter_hz, boot_reason, board_path, flash_path):
        self.counter_hz = counter_hz
        self._boot_reason = boot_reason
        self._fifo = sys.stdin.buffer
        # Kept open for as long as the process runs; __exit__ would have nobody to call it.
        self._line = open(serial_path, "r+b")  # noqa: SIM115
        termios.setraw(self._line.fileno())
        self._board = open(board_path, "r+b") if board_path else None  # noqa: SIM115
        if self._board:
            termios.setraw(self._board.fileno())
        self._flash = open(flash_path, "r+b") if flash_path else None  # noqa: SIM115
        self._record = bytearray(RECORD_BYTES)
        self._levels = [None] * OPTICAL_INPUTS
        self._both = select.poll()
        self._both.register(self._fifo, select.POLLIN)
        self._both.register(self._line, select.POLLIN)
        self._fifo_only = select.poll()
        self._fifo_only.register(self._fifo, select.POLLIN)
        self._line_only = select.poll()
        self._line_only.register(self._line, select.POLLIN)

    def boot_reason(self):
        """Return what the command line said."""
        return self._boot_reason

    def self_test(self):
        """Return 0: a pipe has no counter that could stand, and loses nothing."""
        return 0

    def wait(self):
        """Return when a record or a command is there."""
        self._both.poll(-1)

    def next_event(self):
        """Return (kind, input, counter) of the next record, or None while there is none.

        A sample of an optical head ends a batch of events too, so that each is seen.

        Raises:
            EventsEnded: the other end has closed the FIFO.
        """
        # Read record by record, as from a PIO; a longer read would block until it is full.
        for _ in self._fifo_only.ipoll(0):
            length = self._fifo.readinto(self._record)
            if length != RECORD_BYTES:
                raise EventsEnded(bool(length))
            event = struct.unpack(RECORD_FORMAT, self._record)
            if event[0] != OPTICAL_SAMPLE:
                return event
            self._levels[event[1]] = event[2]
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

    def optical_level(self, number):
        """Return a sample that came since the last call, or None."""
        level = self._levels[number]
        self._levels[number] = None
        return level

    def set_threshold(self, number, code):
        """Tell the board."""
        self._request("T", number, code)

    def set_pulse_output(self, counter32, width):
        """Tell the board."""
        self._request("P", 0, 8, struct.pack("<II", counter32, width))

    def feed_watchdog(self):
        """Tell the board."""
        self._request("D", 0, 0)

    def i2c_write(self, address, data):
        """Write to the bus; OSError where nobody answers."""
        self._request("W", address, len(data), data)
        self._await_acknowledgement()

    def i2c_read(self, address, count):
        """Read from the bus; OSError where nobody answers."""
        self._request("R", address, count)
        self._await_acknowledgement()
        return self._board.read(count)

    def _request(self, operation, argument, length, data=b""):
        if self._board:
            head = struct.pack(REQUEST_FORMAT, ord(operation), argument, length)
            self._board.write(head + data)

    def _await_acknowledgement(self):
        if self._board is None or self._board.read(1) != b"\x01":
            raise OSError(ENODEV)

    def flash_bytes(self):
        """Return the length of the flash file."""
        return self._flash.seek(0, 2) if self._flash else 0

    def flash_read(self, offset, count):
        """Return bytes of the flash."""
        self._flash.seek(offset)
        return self._flash.read(count)

    def flash_view(self, offset, count):
        """Return bytes of the flash; a file is not mapped."""
        return self.flash_read(offset, count)

    def flash_erase(self, offset):
        """Erase a sector."""
        self._flash.seek(offset)
        self._flash.write(b"\xff" * FLASH_SECTOR)

    def flash_program(self, offset, page):
        """Program a page; as in flash, bits only fall."""
        before = self.flash_read(offset, len(page))
        self._flash.seek(offset)
        self._flash.write(bytes([old & new for old, new in zip(before, page)]))  # noqa: B905

    def restart(self):
        """End the process; who started it starts it again.

        Raises:
            Restarting: always.
        """
        raise Restarting("the board wants a restart")
