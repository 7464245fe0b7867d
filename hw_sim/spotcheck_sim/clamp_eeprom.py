"""The EEPROM in a clamp's plug: a 24C02 as its data sheet describes it, and how it fails.

What the bytes mean is the instrument's business; here they only survive, or do not.
"""

import random
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError

EEPROM_BYTES = 256
PAGE_BYTES = 8
"""A write goes to one page; beyond the page's end it wraps to the page's beginning."""
ERASED = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class EepromFaults:
    """What goes wrong with the memory."""

    power_cut_after_bytes: int | None = None
    """Bytes that are still written before the power goes, counted over all writes; None: never."""
    flipped_bits: int = 0
    """Bits that have flipped in the cells, drawn from the seed."""
    write_protected: bool = False
    """Whether the lock holds: then writes are taken and change nothing."""
    is_absent: bool = False
    """Whether nothing answers: no clamp, or one without a memory."""


class ClampEeprom:
    """256 bytes on a two-wire bus."""

    def __init__(self, content: bytes, faults: EepromFaults, seed: int) -> None:
        """A memory that holds `content` from address 0 on and is erased beyond.

        Raises:
            ConfigurationError: the content does not fit.
        """
        if len(content) > EEPROM_BYTES:
            raise ConfigurationError(f"{len(content)} bytes do not fit into {EEPROM_BYTES}")
        self._cells = bytearray(content.ljust(EEPROM_BYTES, bytes([ERASED])))
        self._faults = faults
        self._bytes_left = faults.power_cut_after_bytes
        drawn = random.Random(seed)  # noqa: S311 -- bit rot, not secrets
        for bit in drawn.sample(range(8 * EEPROM_BYTES), faults.flipped_bits):
            self._cells[bit // 8] ^= 1 << (bit % 8)

    @property
    def is_powered(self) -> bool:
        """Whether the power has not been cut yet."""
        return self._bytes_left is None or self._bytes_left > 0

    def with_power_again(self) -> "ClampEeprom":
        """The memory as it is found at the next start, without further faults."""
        return ClampEeprom(bytes(self._cells), EepromFaults(), 0)

    def read(self, address: int, count: int) -> bytes:
        """Bytes from an address on; it wraps at the end of the memory.

        Raises:
            OSError: nothing answers on the bus.
        """
        self._answer()
        return bytes(self._cells[(address + k) % EEPROM_BYTES] for k in range(count))

    def write(self, address: int, data: bytes) -> None:
        """Write into one page; what goes beyond its end overwrites its beginning.

        Raises:
            OSError: nothing answers on the bus, or the power was cut before all was written.
        """
        self._answer()
        page = address - address % PAGE_BYTES
        for k, value in enumerate(data):
            if self._bytes_left is not None:
                if self._bytes_left == 0:
                    raise OSError(f"the power went after {k} of {len(data)} bytes")
                self._bytes_left -= 1
            if not self._faults.write_protected:
                self._cells[page + (address - page + k) % PAGE_BYTES] = value

    def _answer(self) -> None:
        if self._faults.is_absent or not self.is_powered:
            raise OSError("no device answers on the bus")
