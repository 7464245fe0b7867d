"""The ADC's sample stream over a socket, sans-IO (docs/formats/wire.md).

A socket neither loses nor inserts bytes, so damage means that one of the ends is wrong:
it is an error and the caller reconnects.
"""

import binascii
import struct
from dataclasses import dataclass
from typing import TypeAlias

from spotcheck_wire.errors import MessageError, StreamDamagedError
from spotcheck_wire.strict_cbor import decode_fields, encode_fields

MAGIC = b"SCS1"
HEADER_VERSION = 1
HEADER = struct.Struct("<4sBBHIQII")
"""Magic, kind, reserved 0, header version, payload bytes, first sample, samples, CRC-32."""
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024

KIND_FORMAT = 1
KIND_BLOCK = 2
KIND_END = 3
KIND_CREDIT = 16

BYTES_PER_CODE = 4

_Payload: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFormatMessage:
    """What the blocks that follow look like."""

    sample_rate_hz: int
    """Nominal rate of every channel."""
    phases: int
    """1 or 3; channels are interleaved u1, i1, u2, i2, u3, i3."""
    voltage_range: str
    """Voltage range in use, as the correction set names it."""
    current_range: str
    """Current range or clamp in use, as the correction set names it."""
    epoch_utc_ns: int
    """UTC of sample 0, in nanoseconds since 1970 (POSIX)."""
    counter_hz: int
    """Nominal rate of the pulse front end's counter."""

    def __post_init__(self) -> None:
        for name in ("sample_rate_hz", "phases", "counter_hz"):
            if getattr(self, name) < 1:
                raise MessageError(f"StreamFormatMessage.{name} is {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBlock:
    """Consecutive samples of all channels."""

    first_sample: int
    """Index of the first sample since the stream began."""
    sample_count: int
    """Samples of each channel."""
    codes: memoryview
    """Little-endian int32 codes, sample after sample, channel after channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """The source has no more samples."""

    end_sample: int
    """Index of the sample after the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCredit:
    """The board lets the source go on."""

    up_to_sample: int
    """The source may send samples before this one."""


StreamMessage: TypeAlias = StreamFormatMessage | StreamBlock | StreamEnd | StreamCredit


def encode_format(message: StreamFormatMessage) -> bytes:
    """Return the message as it goes into the socket."""
    return _message(KIND_FORMAT, 0, 0, encode_fields(message))


def encode_block(first_sample: int, sample_count: int, codes: _Payload) -> bytes:
    """Return the message for `sample_count` samples of interleaved little-endian int32 codes.

    Raises:
        ValueError: `codes` is no whole number of samples of voltage and current.
    """
    length = memoryview(codes).nbytes
    if not sample_count or length % (2 * BYTES_PER_CODE * sample_count):
        raise ValueError(f"{length} bytes of codes do not make {sample_count} samples")
    return _message(KIND_BLOCK, first_sample, sample_count, codes)


def encode_end(end_sample: int) -> bytes:
    """Return the message that ends a stream before `end_sample`."""
    return _message(KIND_END, end_sample, 0, b"")


def encode_credit(up_to_sample: int) -> bytes:
    """Return the message that lets the source send samples before `up_to_sample`."""
    return _message(KIND_CREDIT, up_to_sample, 0, b"")


def _message(kind: int, first_sample: int, sample_count: int, payload: _Payload) -> bytes:
    length = memoryview(payload).nbytes
    if length > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload of {length} bytes is longer than {MAX_PAYLOAD_BYTES}")
    start = (MAGIC, kind, 0, HEADER_VERSION, length, first_sample, sample_count)
    checksum = binascii.crc32(payload, binascii.crc32(HEADER.pack(*start, 0)))
    return b"".join((HEADER.pack(*start, checksum), payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    kind: int
    payload_bytes: int
    first_sample: int
    sample_count: int
    checksum: int


class StreamDecoder:
    """Turns received bytes into messages; serves either direction."""

    def __init__(self) -> None:
        self._parts: list[bytes | memoryview] = []
        self._held = 0
        self._needed = HEADER.size
        self._channels: int | None = None
        self._damage: str | None = None

    def feed(self, data: bytes) -> list[StreamMessage]:
        """Return the messages that `data` completes.

        Codes of a block are a view of the bytes received, not a copy.

        Raises:
            StreamDamagedError: magic, version, length, kind or CRC is wrong; its `before`
                holds the messages ahead of the damage. Every later feed raises too.
        """
        if self._damage is not None:
            raise StreamDamagedError(self._damage)
        self._parts.append(bytes(data))
        self._held += len(data)
        if self._held < self._needed:
            return []
        joined = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return self._take_messages(memoryview(joined))

    def _take_messages(self, held: memoryview) -> list[StreamMessage]:
        messages: list[StreamMessage] = []
        try:
            while self._message_is_whole(held):
                messages.append(self._decode(held[: self._needed]))
                held = held[self._needed :]
        except (StreamDamagedError, MessageError) as error:
            self._damage = str(error)
            self._parts = []
            raise StreamDamagedError(self._damage, before=messages) from error
        # Holding an empty rest would make the next feed a copy.
        self._parts = [held] if held else []
        self._held = len(held)
        return messages

    def _message_is_whole(self, held: memoryview) -> bool:
        self._needed = HEADER.size
        if len(held) < HEADER.size:
            return False
        self._needed += _checked_header(held).payload_bytes
        return len(held) >= self._needed

    def _decode(self, message: memoryview) -> StreamMessage:
        header = _checked_header(message)
        payload = message[HEADER.size :]
        _check_crc(message, header.checksum)
        if header.kind == KIND_BLOCK:
            return self._block(header, payload)
        if header.sample_count:
            raise StreamDamagedError(f"kind {header.kind} has {header.sample_count} samples")
        if header.kind == KIND_FORMAT:
            stream_format = decode_fields(StreamFormatMessage, bytes(payload))
            self._channels = 2 * stream_format.phases
            return stream_format
        if header.payload_bytes:
            raise StreamDamagedError(f"kind {header.kind} has a payload")
        if header.kind == KIND_END:
            return StreamEnd(end_sample=header.first_sample)
        return StreamCredit(up_to_sample=header.first_sample)

    def _block(self, header: _Header, payload: memoryview) -> StreamBlock:
        if self._channels is None:
            raise StreamDamagedError("a block came before the stream's format")
        if len(payload) != header.sample_count * self._channels * BYTES_PER_CODE:
            raise StreamDamagedError(
                f"block at sample {header.first_sample}: {len(payload)} bytes are not "
                f"{header.sample_count} samples of {self._channels} channels"
            )
        return StreamBlock(
            first_sample=header.first_sample, sample_count=header.sample_count, codes=payload
        )


def _checked_header(message: memoryview) -> _Header:
    magic, kind, reserved, version, length, first, count, checksum = HEADER.unpack_from(message)
    if magic != MAGIC:
        raise StreamDamagedError(f"the magic is {magic.hex()}, not {MAGIC.hex()}")
    if version != HEADER_VERSION:
        raise StreamDamagedError(f"the header's version is {version}, not {HEADER_VERSION}")
    if reserved or kind not in (KIND_FORMAT, KIND_BLOCK, KIND_END, KIND_CREDIT):
        raise StreamDamagedError(f"kind {kind} with reserved byte {reserved} is unknown")
    if length > MAX_PAYLOAD_BYTES:
        raise StreamDamagedError(f"a payload of {length} bytes is longer than allowed")
    return _Header(
        kind=kind,
        payload_bytes=length,
        first_sample=first,
        sample_count=count,
        checksum=checksum,
    )


def _check_crc(message: memoryview, checksum: int) -> None:
    header = bytearray(message[: HEADER.size])
    header[-4:] = bytes(4)
    if binascii.crc32(message[HEADER.size :], binascii.crc32(header)) != checksum:
        raise StreamDamagedError("the CRC-32 of a message is wrong")
