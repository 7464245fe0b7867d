"""Update of the application in two slots: a new image never touches the one that runs.

    sectors 0 and 1   the boot record's two copies
    then              slot 0, slot 1, of equal length

Order of an update: the signature is verified before anything is erased; the image goes into the
slot that does not run; its digest is verified where it lies; then one write of the boot record
switches. The new image is on trial until it has served the board once.
"""

import hashlib

from boot_record import BUILT_IN, CONFIRMED, ON_TRIAL, TRIED, BootRecord
from ed25519 import verify_steps
from hal_contract import FLASH_PAGE, FLASH_SECTOR
from update_manifest import parse_manifest

RECORD_SECTORS = 2


class SignatureWrong(Exception):
    """The manifest is not signed with the vendor's key."""


class Rollback(Exception):
    """The image is not newer than what was confirmed once."""


class ImageLength(Exception):
    """The image does not fit into a slot."""


class UpdateOrder(Exception):
    """A piece came out of order, or without a beginning, or the image is not complete."""


class DigestWrong(Exception):
    """The image in the slot is not the one that was signed."""


class StillOnTrial(Exception):
    """The running image is not confirmed, and its fallback must stay."""


def slot_bytes(hal):
    """Return the length of a slot."""
    sectors = (hal.flash_bytes() // FLASH_SECTOR - RECORD_SECTORS) // 2
    return sectors * FLASH_SECTOR


def slot_start(hal, slot):
    """Return where a slot begins in the flash."""
    return RECORD_SECTORS * FLASH_SECTOR + slot * slot_bytes(hal)


def digest_steps(hal, slot, length):
    """Digest an image in its slot; returns (through StopIteration) the SHA-256.

    Yields:
        None after each sector.
    """
    digest = hashlib.sha256()
    start = slot_start(hal, slot)
    for offset in range(0, length, FLASH_SECTOR):
        digest.update(hal.flash_read(start + offset, min(FLASH_SECTOR, length - offset)))
        yield
    return digest.digest()


class FirmwareUpdate:
    """Takes an image piece by piece.

    Args:
        hal: the HAL, for its flash.
        vendor: name of the vendor, bytes.
        board: name of the board, bytes.
        public_key: the vendor's Ed25519 key, 32 bytes.
    """

    def __init__(self, hal, vendor, board, public_key):
        self._hal = hal
        self._vendor = vendor
        self._board = board
        self._public_key = public_key
        self._page = bytearray(FLASH_PAGE)
        self._expected = None
        self._target = 0
        self._received = 0

    def begin_steps(self, manifest, signature):
        """Accept or refuse an image by its manifest; nothing is written.

        Yields:
            None after each part of the verification.

        Raises:
            SignatureWrong: the vendor did not sign it.
            ForeignManifest: it is for another board.
            Rollback: its version counter is not above the highest confirmed one.
            ImageLength: it is empty or longer than a slot.
            StillOnTrial: the running image is not confirmed yet.
        """
        self._expected = None
        if not (yield from verify_steps(self._public_key, manifest, signature)):
            raise SignatureWrong("the manifest is not signed with the vendor's key")
        counter, length, digest = parse_manifest(manifest, self._vendor, self._board)
        record = BootRecord(self._hal)
        if record.state != CONFIRMED:
            raise StillOnTrial("the running image is not confirmed yet")
        if counter <= record.confirmed_counter:
            raise Rollback("counter %d is not above %d" % (counter, record.confirmed_counter))
        if not 0 < length <= slot_bytes(self._hal):
            raise ImageLength("%d bytes do not fit into a slot" % length)
        self._target = 1 if record.active == 0 else 0
        self._received = 0
        self._expected = counter, length, digest

    def data(self, offset, piece):
        """Take the next piece; each page is written when it is full.

        The piece before it once more is no fault: its acknowledgement may have been lost.

        Raises:
            UpdateOrder: no update was begun, or another piece is due.
        """
        if self._expected is None:
            raise UpdateOrder("no update was begun")
        if self._received and offset + len(piece) == self._received:
            return
        if offset != self._received or offset >= self._expected[1]:
            raise UpdateOrder("another piece is due")
        place = offset % FLASH_PAGE
        self._page[place : place + len(piece)] = piece
        self._received += len(piece)
        at = slot_start(self._hal, self._target) + offset - place
        if offset % FLASH_SECTOR == 0:
            self._forget_target()
            self._hal.flash_erase(at)
        if self._received % FLASH_PAGE == 0 or self._received >= self._expected[1]:
            self._page[place + len(piece) :] = b"\xff" * (FLASH_PAGE - place - len(piece))
            self._hal.flash_program(at, self._page)

    def _forget_target(self):
        # A slot that is written over must not count as an image any more.
        record = BootRecord(self._hal)
        if record.slots[self._target][0]:
            record.slots[self._target] = (0, bytes(32))
            record.store()

    def finish_steps(self):
        """Verify the image where it lies, then let it start at the next boot, on trial.

        Yields:
            None after each part of the verification.

        Raises:
            UpdateOrder: the image is not complete.
            DigestWrong: it is not the image that was signed.
        """
        if self._expected is None or self._received < self._expected[1]:
            raise UpdateOrder("the image is not complete")
        counter, length, digest = self._expected
        self._expected = None
        if (yield from digest_steps(self._hal, self._target, length)) != digest:
            raise DigestWrong("the image is not the one that was signed")
        record = BootRecord(self._hal)
        record.slots[self._target] = (length, digest)
        record.fallback = record.active
        record.active = self._target
        record.trial_counter = counter
        record.state = ON_TRIAL
        record.store()


def confirm(hal):
    """Keep the running image: it has served the board."""
    record = BootRecord(hal)
    if record.state == TRIED:
        record.state = CONFIRMED
        record.confirmed_counter = max(record.confirmed_counter, record.trial_counter)
        record.store()


def choose_slot(hal):
    """Return the slot to start, 0, 1 or BUILT_IN; called once at each boot.

    An image on trial is started once; when it comes back here unconfirmed, the one before it
    starts again. An image whose digest is wrong is never started.
    """
    record = BootRecord(hal)
    if record.state == ON_TRIAL and _is_whole(hal, record, record.active):
        record.state = TRIED
        record.store()
        return record.active
    if record.state != CONFIRMED:
        record.active = record.fallback
        record.state = CONFIRMED
        record.store()
    for slot in (record.active, record.fallback):
        if _is_whole(hal, record, slot):
            return slot
    return BUILT_IN


def _is_whole(hal, record, slot):
    if slot == BUILT_IN:
        return True
    length, digest = record.slots[slot]
    if not length:
        return False
    steps = digest_steps(hal, slot, length)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value == digest
