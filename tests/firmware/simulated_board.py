"""The board that `hal_host` speaks to over its second tty: bus, thresholds, pulse output."""

import os
import struct
import threading
import time
import tty
from collections.abc import Callable

from simulated_parts import Bus, BusDevice


class SimulatedBoard:
    """Serves a pty in a thread, as the firmware waits for the bus; a context manager.

    100 ms pass on the bus whenever the watchdog is fed, which is at each reading of the counter.
    """

    def __init__(self, devices: dict[int, BusDevice]) -> None:
        self.bus = Bus(devices)
        self.thresholds: list[tuple[int, int]] = []
        self.output: list[tuple[int, int]] = []
        self.watchdog_feeds = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "SimulatedBoard":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        # A request that no HAL makes ends the thread.
        os.write(self._slave, b"Q\x00\x00\x00")
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what the firmware has said to arrive here."""
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def _serve(self) -> None:
        with os.fdopen(os.dup(self._master), "rb") as requests:
            while True:
                operation, argument, length = struct.unpack("<cBH", requests.read(4))
                if operation == b"Q":
                    return
                size = length if operation in b"WP" else 0
                self._serve_one(operation, argument, length, requests.read(size))

    def _serve_one(self, operation: bytes, argument: int, length: int, data: bytes) -> None:
        if operation == b"T":
            self.thresholds.append((argument, length))
        elif operation == b"P":
            counter, width = struct.unpack("<II", data)
            self.output.append((counter, width))
        elif operation == b"D":
            self.watchdog_feeds += 1
            self.bus.pass_time(100)
        else:
            os.write(self._master, self._on_bus(operation, argument, length, data))

    def _on_bus(self, operation: bytes, address: int, length: int, data: bytes) -> bytes:
        try:
            if operation == b"R":
                return b"\x01" + self.bus.i2c_read(address, length)
            self.bus.i2c_write(address, data)
        except OSError:
            return b"\x00"
        return b"\x01"
