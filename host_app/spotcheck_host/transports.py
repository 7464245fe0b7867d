"""What moves bytes to and from a device: a socket, or a serial port."""

import socket
import time
from typing import Protocol

import serial

from spotcheck.errors import DeviceLostError
from spotcheck_wire.serial_carrier import CarriedRecords, CarrierEvent, SerialCarrier

_READ_BYTES = 1 << 16


class Transport(Protocol):
    """Moves bytes to and from the device."""

    def write(self, data: bytes) -> None:
        """Send all of it."""

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""

    def close(self) -> None:
        """Let go of the device."""


class TcpTransport:
    """A socket."""

    def __init__(self, host: str, port: int, timeout_s: float = 5.0) -> None:
        """Connect.

        Raises:
            DeviceLostError: nobody answers there.
        """
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise DeviceLostError(f"no device at {host}:{port}: {error}") from error

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            return self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Let go of the device."""
        self._socket.close()


_BEGIN_AGAIN_S = 0.5


class SerialTransport:
    """A serial port; what goes over it is carried in frames (`spotcheck_wire.serial_carrier`)."""

    def __init__(self, path: str, baud: int = 921_600, timeout_s: float = 10.0) -> None:
        """Open the port and begin a session on it.

        Args:
            path: The port.
            baud: Its speed; means nothing on USB.
            timeout_s: Time in which the device must answer.

        Raises:
            DeviceLostError: there is no such port, or nobody answers there.
        """
        try:
            self._port = serial.Serial(path, baud, exclusive=True)
            self._carrier = SerialCarrier(device_side=False)
            self._begin(path, timeout_s)
        except OSError as error:
            raise DeviceLostError(f"no device at {path}: {error}") from error

    def _begin(self, path: str, timeout_s: float) -> None:
        """Begin again and again: a device that has just opened its port has not heard it."""
        begin = self._carrier.begin()
        deadline_s = time.monotonic() + timeout_s
        while not self._carrier.carries:
            if time.monotonic() >= deadline_s:
                self._port.close()
                raise DeviceLostError(f"no device at {path}: nobody answers")
            self._port.write(begin)
            self.read(_BEGIN_AGAIN_S)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._port.write(self._carrier.carry(data))

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the session is over."""
        self._port.timeout = timeout_s
        first: bytes = self._port.read(1)
        if not first:
            return None
        events, answers = self._carrier.feed(first + self._port.read(self._port.in_waiting))
        if answers:
            self._port.write(answers)
        data = b"".join(event.data for event in events if isinstance(event, CarriedRecords))
        return data or (b"" if CarrierEvent.ENDED in events else None)

    def close(self) -> None:
        """Let go of the device."""
        try:
            if self._carrier.carries:
                self._port.write(self._carrier.end())
        finally:
            self._port.close()
