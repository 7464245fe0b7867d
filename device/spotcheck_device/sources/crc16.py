"""CRC-16 of many frames at once: polynomial 0x1021, first 0xFFFF, no reflection, no final XOR.

The converter's data sheet calls it CCITT; catalogues call it CRC-16/CCITT-FALSE or IBM-3740
("123456789" gives 0x29B1).

A CRC is linear: that of a frame is the XOR of what each byte contributes at its place, and of the
CRC of a frame of zeros. So a table for each place turns thousands of frames into look-ups.
"""

import binascii
from functools import cache

import numpy as np
from numpy.typing import NDArray

FIRST = 0xFFFF


@cache
def _contributions(length: int) -> NDArray[np.uint16]:
    """(length, 256): what each value of each byte of a frame contributes."""
    zeros = binascii.crc_hqx(bytes(length), 0)
    table = np.empty((length, 256), np.uint16)
    for place in range(length):
        rest = bytes(length - place - 1)
        for value in range(256):
            table[place, value] = binascii.crc_hqx(bytes([value]) + rest, 0) ^ zeros
    return table


def crc_of_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The CRC of each frame.

    Args:
        frames: (frames, bytes), all bytes that the CRC covers.

    Returns:
        (frames,) CRCs.
    """
    count, length = frames.shape
    table = _contributions(length)
    found = np.full(count, binascii.crc_hqx(bytes(length), FIRST), np.uint16)
    for place in range(length):
        found ^= table[place][frames[:, place]]
    return found
