"""Parts of a front end's board as far as their data sheets go: bus devices and flash.

Time passes only where a test lets it, and the power fails where a test wants it to.
"""

from collections.abc import Iterable
from typing import Protocol


class PowerCutError(Exception):
    """The power failed within a write."""


class BusDevice(Protocol):
    """What answers at an address of the I2C bus; OSError is "not acknowledged"."""

    def write(self, data: bytes) -> None: ...
    def read(self, count: int) -> bytes: ...
    def pass_time(self, milliseconds: float) -> None: ...


class Eeprom24C02:
    """256 bytes in pages of 8; a write beyond its page wraps, and takes 5 ms (data sheet)."""

    def __init__(self) -> None:
        self.memory = bytearray(b"\xff" * 256)
        self.bytes_until_cut: int | None = None
        self._pointer = 0
        self._busy_ms = 0.0

    def write(self, data: bytes) -> None:
        if self._busy_ms > 0:
            raise OSError("busy")
        self._pointer = data[0]
        page = self._pointer & ~7
        for byte in data[1:]:
            if self.bytes_until_cut == 0:
                raise PowerCutError
            if self.bytes_until_cut is not None:
                self.bytes_until_cut -= 1
            self.memory[page + self._pointer % 8] = byte
            self._pointer = page + (self._pointer + 1) % 8
        self._busy_ms = 5.0 if data[1:] else 0.0

    def read(self, count: int) -> bytes:
        if self._busy_ms > 0:
            raise OSError("busy")
        return bytes(self.memory[(self._pointer + place) % 256] for place in range(count))

    def pass_time(self, milliseconds: float) -> None:
        self._busy_ms -= milliseconds


class Sht4x:
    """Answers a measurement 8.3 ms after it was started, with six bytes that a test gives."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self._ready_in_ms: float | None = None

    def write(self, data: bytes) -> None:
        if data == b"\xfd":
            self._ready_in_ms = 8.3

    def read(self, count: int) -> bytes:
        if self._ready_in_ms is None or self._ready_in_ms > 0:
            raise OSError("not ready")
        return self.answer[:count]

    def pass_time(self, milliseconds: float) -> None:
        if self._ready_in_ms is not None:
            self._ready_in_ms -= milliseconds


class Bus:
    """The I2C half of a HAL."""

    def __init__(self, devices: dict[int, BusDevice]) -> None:
        self.devices = devices

    def i2c_write(self, address: int, data: bytes) -> None:
        self._device(address).write(data)

    def i2c_read(self, address: int, count: int) -> bytes:
        return self._device(address).read(count)

    def pass_time(self, milliseconds: float) -> None:
        for device in self.devices.values():
            device.pass_time(milliseconds)

    def _device(self, address: int) -> BusDevice:
        if address not in self.devices:
            raise OSError("nobody answers")
        return self.devices[address]


class Flash:
    """The flash half of a HAL: sectors are erased to ones, bits only fall.

    Args:
        content: What it holds.
        writes_until_cut: Erasures and programmings until the power fails; None: it does not.
        done: How much of the write that the power fails in is still done, 0 to 1.
    """

    def __init__(
        self, content: bytes, writes_until_cut: int | None = None, done: float = 0.0
    ) -> None:
        self.content = bytearray(content)
        self.writes = 0
        self._cut_at = writes_until_cut
        self._done = done

    def flash_bytes(self) -> int:
        return len(self.content)

    def flash_read(self, offset: int, count: int) -> bytes:
        return bytes(self.content[offset : offset + count])

    def flash_erase(self, offset: int) -> None:
        assert offset % 4096 == 0
        self._change(offset, b"\xff" * 4096)

    def flash_program(self, offset: int, page: bytes) -> None:
        assert offset % 256 == 0
        assert len(page) == 256
        old = self.content[offset : offset + 256]
        self._change(offset, bytes(a & b for a, b in zip(old, page, strict=True)))

    def _change(self, offset: int, data: bytes) -> None:
        fails = self.writes == self._cut_at
        part = data[: int(len(data) * self._done)] if fails else data
        self.content[offset : offset + len(part)] = part
        self.writes += 1
        if fails:
            raise PowerCutError


def run_steps(steps: Iterable[None], bus: Bus | None = None) -> object:
    """Run a job of the firmware to its end, 100 ms a step; return what it returns."""
    iterator = iter(steps)
    while True:
        try:
            next(iterator)
        except StopIteration as end:
            return end.value
        if bus is not None:
            bus.pass_time(100)
