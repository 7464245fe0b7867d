"""Which of the two slots starts: two copies of one record, written in turn.

Each copy has a sector of its own; a write erases and programs the one that is not the newest
valid copy, so the power may fail at any moment of it.
"""

import binascii
import struct

from hal_contract import FLASH_PAGE, FLASH_SECTOR

MAGIC = b"SCBR"
FORMAT = "<4sIBBIII32sI32s"
RECORD_BYTES = 90
BUILT_IN = 2  # the application that the image of the processor itself holds

CONFIRMED = 0
ON_TRIAL = 1  # installed, not started yet
TRIED = 2  # started once, not confirmed yet


class BootRecord:
    """State of the slots; `store` makes it last.

    Attributes:
        active: the slot that starts (0, 1 or BUILT_IN).
        state: CONFIRMED, ON_TRIAL or TRIED.
        confirmed_counter: highest version counter that was ever confirmed.
        slots: for each slot (length in bytes, digest); length 0 is an empty slot.
        fallback: the slot that starts when a trial fails.
    """

    def __init__(self, hal):
        self._hal = hal
        self._written = 0
        self._copy = 1
        self.active = BUILT_IN
        self.fallback = BUILT_IN
        self.state = CONFIRMED
        self.confirmed_counter = 0
        self.trial_counter = 0
        self.slots = [(0, bytes(32)), (0, bytes(32))]
        for copy in (0, 1):
            self._load(copy)

    def _load(self, copy):
        page = self._hal.flash_read(copy * FLASH_SECTOR, RECORD_BYTES + 4)
        fields = struct.unpack(FORMAT, page[:RECORD_BYTES])
        (checksum,) = struct.unpack("<I", page[RECORD_BYTES:])
        if fields[0] != MAGIC or binascii.crc32(page[:RECORD_BYTES]) != checksum:
            return
        if fields[1] <= self._written:
            return
        self._written = fields[1]
        self._copy = copy
        self.active = fields[2] >> 4
        self.fallback = fields[2] & 15
        self.state = fields[3]
        self.confirmed_counter = fields[4]
        self.trial_counter = fields[5]
        self.slots = [(fields[6], fields[7]), (fields[8], fields[9])]

    def store(self):
        """Write the state into the older copy."""
        self._written += 1
        self._copy = 1 - self._copy
        (length_a, digest_a), (length_b, digest_b) = self.slots
        record = struct.pack(
            FORMAT,
            MAGIC,
            self._written,
            (self.active << 4) | self.fallback,
            self.state,
            self.confirmed_counter,
            self.trial_counter,
            length_a,
            digest_a,
            length_b,
            digest_b,
        )
        record += struct.pack("<I", binascii.crc32(record))
        start = self._copy * FLASH_SECTOR
        self._hal.flash_erase(start)
        self._hal.flash_program(start, record + b"\xff" * (FLASH_PAGE - len(record)))
