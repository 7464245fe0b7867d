"""Frames and the pulse front end's message table, version 2 (docs/formats/wire.md).

This file runs byte for byte under CPython and MicroPython, so that board and front end
cannot disagree: it imports `struct` and `binascii` only.
"""

import binascii
import struct

TABLE_VERSION = 2

HELLO = 0x01
PULSE = 0x02
MARKER = 0x03
COMPLETE = 0x04
FAULT = 0x05
PPS = 0x06
INPUT_SIGNAL = 0x07
ACK = 0x08
REFUSED = 0x09
ENVIRONMENT = 0x0A
CLAMP = 0x0B
HELLO_REQUEST = 0x10
SET_GLITCH_FILTER = 0x11
SET_THRESHOLD = 0x12
SET_PULSE_OUTPUT = 0x13
READ_ENVIRONMENT = 0x14
READ_CLAMP = 0x15
WRITE_CLAMP = 0x16
UNLOCK_CLAMP = 0x17
BEGIN_UPDATE = 0x18
UPDATE_DATA = 0x19
FINISH_UPDATE = 0x1A
RESTART = 0x1B

INPUTS = 5
CLAMP_RANGES = 4
SERIAL_BYTES = 16
DIGEST_BYTES = 32
MANIFEST_BYTES = 80
SIGNATURE_BYTES = 64
UPDATE_CHUNK_BYTES = 128

BODY_FORMATS = {
    HELLO: "<IIIBBBBBH",
    PULSE: "<BIQI",
    MARKER: "<QQ",
    COMPLETE: "<QIIIIIII",
    FAULT: "<BI",
    PPS: "<QI",
    INPUT_SIGNAL: "<BHHHB",
    ACK: "<HB",
    REFUSED: "<HBB",
    ENVIRONMENT: "<hH",
    CLAMP: "<BI16sBIIII16s32s",
    HELLO_REQUEST: "<",
    SET_GLITCH_FILTER: "<BI",
    SET_THRESHOLD: "<BH",
    SET_PULSE_OUTPUT: "<QI",
    READ_ENVIRONMENT: "<",
    READ_CLAMP: "<",
    WRITE_CLAMP: "<16sBIIII16s32s",
    UNLOCK_CLAMP: "<16s",
    BEGIN_UPDATE: "<80s64s",
    UPDATE_DATA: "<I128s",
    FINISH_UPDATE: "<",
    RESTART: "<",
}

FAULT_EVENT_OUT_OF_ORDER = 1
FAULT_UNKNOWN_RECORD = 2
FAULT_EDGE_MISSING = 3
FAULT_COMMAND_DAMAGED = 4
FAULT_COMMAND_UNKNOWN = 5
FAULT_RECORDS_LOST = 6
FAULT_MARKERS_LOST = 7
FAULT_PPS_LOST = 8

REFUSED_BUSY = 1
REFUSED_INPUT = 2
REFUSED_VALUE = 3
REFUSED_NO_SENSOR = 4
REFUSED_SENSOR_CHECKSUM = 5
REFUSED_NO_CLAMP = 6
REFUSED_CLAMP_DAMAGED = 7
REFUSED_CLAMP_LOCKED = 8
REFUSED_OTHER_SERIAL = 9
REFUSED_CLAMP_NOT_WRITTEN = 10
REFUSED_SIGNATURE = 11
REFUSED_OTHER_BOARD = 12
REFUSED_ROLLBACK = 13
REFUSED_IMAGE_LENGTH = 14
REFUSED_UPDATE_ORDER = 15
REFUSED_DIGEST = 16
REFUSED_NO_FLASH = 17
REFUSED_ON_TRIAL = 18

BOOT_POWER_ON = 0
BOOT_WATCHDOG = 1
BOOT_COMMAND = 2
BOOT_OTHER = 3

SELF_TEST_CODEC = 0x01
SELF_TEST_COUNTER = 0x02
SELF_TEST_FIFO = 0x04
SELF_TEST_SENSOR = 0x08
SELF_TEST_CLAMP = 0x10

THRESHOLD_AUTOMATIC = 0xFFFF

HEADER_FORMAT = "<BBH"
HEADER_SIZE = 4
CHECKSUM_FORMAT = "<I"
CHECKSUM_SIZE = 4
FRONT_END_MAX_RUN = 256
DELIMITER = b"\x00"

REASON_NOT_COBS = "not COBS"
REASON_TOO_SHORT = "too short"
REASON_CHECKSUM = "checksum"
REASON_TOO_LONG = "too long"


class FrameError(ValueError):
    """A run of bytes between two delimiters is no frame; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BodyError(ValueError):
    """A frame is whole, but its type or its body is not in the message table."""


def cobs_encode(data: bytes) -> bytes:
    """Return `data` in COBS (Cheshire and Baker 1999), without a delimiter."""
    out = bytearray()
    full_block_ends_it = False
    # The interpreter's own search for zeros is what makes 32 KiB bodies quick.
    for piece in bytes(data).split(DELIMITER):
        start = 0
        while len(piece) - start >= 254:
            out.append(255)
            out.extend(piece[start : start + 254])
            start += 254
        full_block_ends_it = start > 0 and start == len(piece)
        out.append(len(piece) - start + 1)
        out.extend(piece[start:])
    return bytes(out[:-1]) if full_block_ends_it else bytes(out)


def cobs_decode(run: bytes) -> bytes:
    """Return what the COBS `run` (without delimiter) holds.

    Raises:
        FrameError: the run holds a zero, is empty, or ends within a block.
    """
    out = bytearray()
    position = 0
    end = len(run)
    if end == 0 or DELIMITER in run:
        raise FrameError(REASON_NOT_COBS)
    while position < end:
        code = run[position]
        stop = position + code
        if stop > end:
            raise FrameError(REASON_NOT_COBS)
        out.extend(run[position + 1 : stop])
        if code < 255 and stop < end:
            out.append(0)
        position = stop
    return bytes(out)


def build_frame(message_type: int, sequence: int, body: bytes) -> bytes:
    """Return one frame as it goes on the line, with its delimiter."""
    frame = struct.pack(HEADER_FORMAT, TABLE_VERSION, message_type, sequence & 0xFFFF) + body
    frame += struct.pack(CHECKSUM_FORMAT, binascii.crc32(frame))
    return cobs_encode(frame) + DELIMITER


def parse_frame(run: bytes) -> tuple[int, int, int, bytes]:
    """Return (version, message type, sequence number, body) of a run without delimiter.

    The version is the caller's to judge: the header is the same in every version.

    Raises:
        FrameError: the run is not COBS, too short, or its CRC-32 is wrong.
    """
    frame = cobs_decode(run)
    body_end = len(frame) - CHECKSUM_SIZE
    if body_end < HEADER_SIZE:
        raise FrameError(REASON_TOO_SHORT)
    (checksum,) = struct.unpack(CHECKSUM_FORMAT, frame[body_end:])
    if binascii.crc32(frame[:body_end]) != checksum:
        raise FrameError(REASON_CHECKSUM)
    version, message_type, sequence = struct.unpack(HEADER_FORMAT, frame[:HEADER_SIZE])
    return version, message_type, sequence, frame[HEADER_SIZE:body_end]


def write_front_end_frame(
    out: bytearray, offset: int, message_type: int, sequence: int, *fields: "int | bytes"
) -> int:
    """Write a front-end frame into `out` at `offset` and return the offset behind it.

    The bytes are those of `build_frame(type, sequence, pack_body(type, *fields))`; nothing
    is copied, because a front end's heap must stay quiet while pulses arrive.
    """
    body_format = BODY_FORMATS[message_type]
    start = offset + 1
    struct.pack_into(HEADER_FORMAT, out, start, TABLE_VERSION, message_type, sequence & 0xFFFF)
    struct.pack_into(body_format, out, start + HEADER_SIZE, *fields)
    checked_end = start + HEADER_SIZE + struct.calcsize(body_format)
    checksum = binascii.crc32(memoryview(out)[start:checked_end])
    struct.pack_into(CHECKSUM_FORMAT, out, checked_end, checksum)
    return _stuff_in_place(out, offset, checked_end + CHECKSUM_SIZE)


def _stuff_in_place(out: bytearray, offset: int, end: int) -> int:
    # Up to 253 bytes COBS is one code in front, and each zero becomes the way to the next.
    out[end] = 0
    code_at = offset
    while code_at < end:
        zero_at = out.find(DELIMITER, code_at + 1, end + 1)
        out[code_at] = zero_at - code_at
        code_at = zero_at
    return end + 1


def pack_body(message_type: int, *fields: "int | bytes") -> bytes:
    """Return the fixed-struct body of a front-end message."""
    return struct.pack(BODY_FORMATS[message_type], *fields)


def unpack_body(message_type: int, body: bytes) -> "tuple[int | bytes, ...]":
    """Return the fields of a front-end message in the table's order.

    Raises:
        BodyError: the type is not in the table, or the body has another length.
    """
    body_format = BODY_FORMATS.get(message_type)
    if body_format is None:
        raise BodyError("message type 0x%02X is not in the front end's table" % message_type)
    if len(body) != struct.calcsize(body_format):
        raise BodyError(
            "message type 0x%02X has %d bytes, not %d"
            % (message_type, len(body), struct.calcsize(body_format))
        )
    return struct.unpack(body_format, body)


class RunSplitter:
    """Cuts a stream of bytes at the delimiters, within bounded memory."""

    def __init__(self, max_run: int) -> None:
        self._max_run = max_run
        self._pending = bytearray()
        self._discarding = False

    def feed(self, data: bytes) -> "list[bytes | None]":
        """Return the runs that `data` completes, and None where a run grew too long.

        Empty runs are idle line and left out. A run that is too long is told as soon as it
        is, and thrown away up to the next delimiter.
        """
        runs: "list[bytes | None]" = []
        pieces = data.split(DELIMITER)
        for piece in pieces[:-1]:
            self._hold(piece, runs)
            if self._pending:
                runs.append(bytes(self._pending))
                self._pending = bytearray()
            self._discarding = False
        self._hold(pieces[-1], runs)
        return runs

    def _hold(self, piece: bytes, runs: "list[bytes | None]") -> None:
        if self._discarding:
            return
        if len(self._pending) + len(piece) > self._max_run:
            self._pending = bytearray()
            self._discarding = True
            runs.append(None)
        else:
            self._pending.extend(piece)
