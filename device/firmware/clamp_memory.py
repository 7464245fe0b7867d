"""Identity of the clamps in a 24C02-type EEPROM: two copies, each with its number and CRC-32.

A write goes to the copy that is not the newest valid one, so whatever byte the power fails at,
the newest valid copy stays as it was (docs/formats/wire.md, "Identity of the clamps").
"""

import binascii
import struct

ADDRESS = 0x50
PAGE_BYTES = 8
COPY_STARTS = (0, 128)

MAGIC = b"SCCL"
FORMAT_VERSION = 1
RECORD_FORMAT = "<4sBI16sBIIII16s32s"  # magic, format, written, then the identity
RECORD_BYTES = 90
CHECKSUM_FORMAT = "<I"
STORED_BYTES = 94
WRITTEN_PLACE = 2
IDENTITY_PLACE = 3
SERIAL_PLACE = 3
LOCKED_PLACE = 4


class NoClamp(Exception):
    """Nobody answers at the memory's address."""


class ClampDamaged(Exception):
    """Neither copy is whole: the memory is new or damaged."""


class ClampLocked(Exception):
    """The identity is locked against writing."""


class OtherSerial(Exception):
    """The clamp has another serial number than the one named."""


class ClampNotWritten(Exception):
    """What was written does not read back; the copy from before still holds."""


class ClampMemory:
    """The memory on a HAL's bus."""

    def __init__(self, hal):
        self._hal = hal
        self._unlocked = None

    def is_present(self):
        """Whether somebody answers at the memory's address."""
        try:
            self._hal.i2c_read(ADDRESS, 1)
        except OSError:
            return False
        return True

    def read(self):
        """Return (bit set of damaged copies, how often written, identity).

        The identity is (serial, locked, four ranges, correction id, digest) as one tuple.

        Raises:
            NoClamp: nobody answers.
            ClampDamaged: neither copy is whole.
        """
        copies = self._copies()
        newest = _newest(copies)
        if newest is None:
            raise ClampDamaged("neither copy is whole")
        damaged = (copies[0] is None) | ((copies[1] is None) << 1)
        record = copies[newest]
        return damaged, record[WRITTEN_PLACE], record[IDENTITY_PLACE:]

    def unlock(self, serial):
        """Allow one write to the clamp of this serial number.

        Raises:
            NoClamp: nobody answers.
            ClampDamaged: neither copy is whole, so there is no lock either.
            OtherSerial: it is another clamp.
        """
        if self.read()[2][0] != serial:
            raise OtherSerial("the clamp has another serial number")
        self._unlocked = serial

    def write_steps(self, identity):
        """Write an identity page by page; there must be 5 ms between two steps.

        Yields:
            None before each page and after the last.

        Raises:
            NoClamp: nobody answers.
            ClampLocked: it is locked, and was not unlocked.
            ClampNotWritten: the new copy does not read back.
        """
        copies = self._copies()
        newest = _newest(copies)
        written = 1
        target = 0
        if newest is not None:
            record = copies[newest]
            if record[LOCKED_PLACE] and self._unlocked != record[SERIAL_PLACE]:
                raise ClampLocked("the identity is locked")
            written = record[WRITTEN_PLACE] + 1
            target = 1 - newest
        # An unlocking holds for this write only.
        self._unlocked = None
        data = pack_record(written, identity)
        for start in range(0, len(data), PAGE_BYTES):
            yield
            place = COPY_STARTS[target] + start
            self._write(bytes((place,)) + data[start : start + PAGE_BYTES])
        yield
        if self._read(COPY_STARTS[target], STORED_BYTES) != data:
            raise ClampNotWritten("the new copy does not read back")

    def _copies(self):
        return [parse_record(self._read(start, STORED_BYTES)) for start in COPY_STARTS]

    def _write(self, data):
        try:
            self._hal.i2c_write(ADDRESS, data)
        except OSError as error:
            raise NoClamp("the clamp's memory does not answer") from error

    def _read(self, start, count):
        self._write(bytes((start,)))
        try:
            return self._hal.i2c_read(ADDRESS, count)
        except OSError as error:
            raise NoClamp("the clamp's memory does not answer") from error


def pack_record(written, identity):
    """Return a copy as it is stored."""
    record = struct.pack(RECORD_FORMAT, MAGIC, FORMAT_VERSION, written, *identity)
    return record + struct.pack(CHECKSUM_FORMAT, binascii.crc32(record))


def parse_record(stored):
    """Return the fields of a stored copy, or None where it is not whole or of another format."""
    (checksum,) = struct.unpack(CHECKSUM_FORMAT, stored[RECORD_BYTES:])
    fields = struct.unpack(RECORD_FORMAT, stored[:RECORD_BYTES])
    if binascii.crc32(stored[:RECORD_BYTES]) != checksum or fields[:2] != (MAGIC, FORMAT_VERSION):
        return None
    return fields


def _newest(copies):
    whole = [place for place in (0, 1) if copies[place] is not None]
    if not whole:
        return None
    return max(whole, key=lambda place: copies[place][WRITTEN_PLACE])
