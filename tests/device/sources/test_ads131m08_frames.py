"""Frames of an ADS131M08: known frames, the standard library's CRC, and every flipped bit."""

import binascii
import random

import numpy as np
import pytest

from spotcheck.errors import EvidenceError
from spotcheck_device.sources.ads131m08_frames import FRAME_BYTES, Status, decode_frames
from spotcheck_device.sources.crc16 import crc_of_frames

ALL_INPUTS = tuple(range(8))
LARGEST, SMALLEST = (1 << 23) - 1, -(1 << 23)


def frame(status: int, codes: list[int]) -> bytes:
    words = status.to_bytes(2, "big") + b"\0"
    words += b"".join(code.to_bytes(3, "big", signed=True) for code in codes)
    return words + binascii.crc_hqx(words, 0xFFFF).to_bytes(2, "big") + b"\0"


def crc_of(text: bytes) -> int:
    return int(crc_of_frames(np.frombuffer(text, np.uint8).reshape(1, -1))[0])


def test_crc_is_the_one_that_catalogues_call_ccitt_false() -> None:
    assert crc_of(b"123456789") == 0x29B1


def test_crc_of_a_frame_that_a_converter_of_the_family_was_seen_to_send() -> None:
    """An ADS131M04: status 0x8100, four channels of zero, CRC 0xB42D (TI's forum, 1011774)."""
    assert crc_of(bytes.fromhex("810000") + bytes(12)) == 0xB42D


def test_crc_of_many_frames_is_that_of_each() -> None:
    frames = np.frombuffer(random.Random(1).randbytes(27 * 500), np.uint8).reshape(-1, 27)
    assert crc_of_frames(frames).tolist() == [
        binascii.crc_hqx(bytes(one), 0xFFFF) for one in frames
    ]


def test_codes_have_their_sign_and_their_place() -> None:
    codes = [0, 1, -1, LARGEST, SMALLEST, 0x123456, -0x123456, 0x00FF00]
    found = decode_frames(frame(0x05FF, codes) * 2, ALL_INPUTS)
    assert found.codes.tolist() == [codes, codes]
    assert found.whole.all()
    assert Status(int(found.status[0])) == Status.RESET | Status.WLENGTH_24 | Status.DRDY_ALL


def test_only_the_inputs_that_are_wanted_come_in_the_order_wanted() -> None:
    data = frame(0x01FF, [10, 11, 12, 13, 14, 15, 16, 17])
    assert decode_frames(data, (7, 0, 3)).codes.tolist() == [[17, 10, 13]]


def test_every_flipped_bit_makes_a_frame_damaged_or_leaves_its_codes() -> None:
    good = frame(0x01FF, [LARGEST, SMALLEST, 5, -5, 1 << 20, 0, -1, 77])
    flipped = []
    for bit in range(8 * FRAME_BYTES):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(data))
    found = decode_frames(b"".join(flipped), ALL_INPUTS)
    # The last byte of all is padding behind the CRC and carries nothing.
    assert found.whole.tolist() == [False] * (8 * (FRAME_BYTES - 1)) + [True] * 8
    assert (found.codes[-8:] == decode_frames(good, ALL_INPUTS).codes).all()


@pytest.mark.parametrize("length", [1, FRAME_BYTES - 1, FRAME_BYTES + 1])
def test_part_of_a_frame_is_refused(length: int) -> None:
    with pytest.raises(EvidenceError, match="no whole frames"):
        decode_frames(bytes(length), ALL_INPUTS)


def test_no_frame_is_no_code() -> None:
    assert decode_frames(b"", (0, 1)).codes.shape == (0, 2)
