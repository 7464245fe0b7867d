"""ADS131M08, SPI frames (TI SBAS950, 8.5.1): bytes in, codes out; sans-IO.

A frame of the reset configuration has ten words of 24 bits, most significant byte first: a status
word (16 bits, then eight zeros), eight channels in two's complement, and a CRC word (16 bits, then
eight zeros) over the nine words before it.
"""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import EvidenceError
from spotcheck_device.sources.crc16 import crc_of_frames

CHANNELS = 8
WORD_BYTES = 3
FRAME_BYTES = WORD_BYTES * (1 + CHANNELS + 1)
_CRC_AT = WORD_BYTES * (1 + CHANNELS)


class Status(IntFlag):
    """The status word, which is also the register STATUS (address 0x01)."""

    LOCK = 1 << 15
    """The interface is locked."""
    F_RESYNC = 1 << 14
    """The converter has begun anew in its frame: times before and after do not join."""
    REG_MAP = 1 << 13
    """A register has changed without being written."""
    CRC_ERR = 1 << 12
    """The command of the frame before had a wrong CRC."""
    CRC_TYPE = 1 << 11
    """CRCs are ANSI instead of CCITT."""
    RESET = 1 << 10
    """The converter was reset, and has its first configuration until MODE is written."""
    WLENGTH_32 = 1 << 9
    """Words have 32 bits."""
    WLENGTH_24 = 1 << 8
    """Words have 24 bits."""
    DRDY_ALL = 0xFF
    """Bit n: channel n has a conversion that was not read before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFrames:
    """Frames in the order in which they were read."""

    codes: NDArray[np.int32]
    """(frames, channels) codes of −2²³ to 2²³−1; of a damaged frame they mean nothing."""
    status: NDArray[np.uint16]
    """(frames,) status words."""
    whole: NDArray[np.bool_]
    """(frames,) whether the CRC is right."""


def decode_frames(data: bytes, inputs: tuple[int, ...]) -> DecodedFrames:
    """Decode frames that follow each other.

    Args:
        data: Whole frames.
        inputs: The converter's channels (0 to 7) that are wanted, in the order wanted.

    Raises:
        EvidenceError: the data are no whole number of frames.
    """
    if len(data) % FRAME_BYTES:
        raise EvidenceError(f"{len(data)} bytes are no whole frames of {FRAME_BYTES} bytes")
    frames = np.frombuffer(data, np.uint8).reshape(-1, FRAME_BYTES)
    return DecodedFrames(
        codes=_codes(frames, inputs),
        status=_word(frames, 0),
        whole=crc_of_frames(frames[:, :_CRC_AT]) == _word(frames, _CRC_AT),
    )


def _word(frames: NDArray[np.uint8], at: int) -> NDArray[np.uint16]:
    words: NDArray[np.uint16] = np.ascontiguousarray(frames[:, at : at + 2]).view(">u2")[:, 0]
    return words.astype(np.uint16)


def _codes(frames: NDArray[np.uint8], inputs: tuple[int, ...]) -> NDArray[np.int32]:
    """Sign extension: 24 bits at the top of 32, then shifted down with their sign."""
    words = frames[:, WORD_BYTES:_CRC_AT].reshape(-1, CHANNELS, WORD_BYTES)
    high = np.zeros((len(frames), len(inputs), 4), np.uint8)
    for place, channel in enumerate(inputs):
        high[:, place, 1:] = words[:, channel, ::-1]
    codes: NDArray[np.int32] = (high.view("<i4")[:, :, 0] >> 8).astype(np.int32, copy=False)
    return codes
