"""What is tried at boot; the result is a bit set of what failed, told in HELLO."""

import binascii

import frontend_codec as codec

VECTOR = b"123456789"
VECTOR_CRC = 0xCBF43926


def self_test(hal, sensor, clamp):
    """Return the codec's SELF_TEST_ bits of what failed."""
    failed = hal.self_test()
    if not _codec_is_sound():
        failed |= codec.SELF_TEST_CODEC
    if not sensor.is_present():
        failed |= codec.SELF_TEST_SENSOR
    if not clamp.is_present():
        failed |= codec.SELF_TEST_CLAMP
    return failed


def _codec_is_sound():
    if binascii.crc32(VECTOR) != VECTOR_CRC:
        return False
    # Written in place and read back by the other way.
    out = bytearray(64)
    end = codec.write_front_end_frame(out, 0, codec.MARKER, 7, 0xFFFFFFFFFFFFFFFF, 0)
    _, kind, sequence, body = codec.parse_frame(bytes(out[: end - 1]))
    fields = codec.unpack_body(kind, body)
    return (kind, sequence, fields) == (codec.MARKER, 7, (0xFFFFFFFFFFFFFFFF, 0))
