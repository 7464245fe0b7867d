"""A raw pseudo-terminal, whose other end a program opens as its serial port."""

import asyncio
import os
import tty
from collections.abc import Callable

_READ_BYTES = 65536


class PtyPort:
    """The master end of a pty on the running asyncio loop.

    The slave end is held open as well, so that a program may close and open it again. What is
    written waits here without bound until the program reads it: nothing blocks, nothing is lost.
    """

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        """Open a pty; `on_data` gets what the program at the other end writes."""
        self._on_data = on_data
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        """Device that the program opens."""
        self._waiting = bytearray()
        self._is_open = True
        self._loop.add_reader(self._master, self._readable)

    def write(self, data: bytes) -> None:
        """Send bytes to the program; bytes for a closed port vanish."""
        if not self._is_open:
            return
        self._waiting += data
        self._writable()

    def close(self) -> None:
        """Hang up, as when a cable is pulled out."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._slave)
        os.close(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return
        self._on_data(data)

    def _writable(self) -> None:
        try:
            written = os.write(self._master, self._waiting) if self._waiting else 0
        except BlockingIOError:
            written = 0
        del self._waiting[:written]
        if self._waiting:
            self._loop.add_writer(self._master, self._writable)
        else:
            self._loop.remove_writer(self._master)
